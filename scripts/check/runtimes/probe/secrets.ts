/** Prints what a call leaves behind, in every way that the runtime has, and looks for credentials in it. */
import { Conversations, RetryPolicy, ZimClient } from "@effect-zim/client"
import { ServerSecret, Signature } from "@effect-zim/signing"
import * as Effect from "effect/Effect"
import * as FetchHttpClient from "effect/http/FetchHttpClient"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import { type Check, expect, secret } from "./Check.ts"

type Inspect = (value: unknown) => string

/** `Bun.inspect` and `Deno.inspect`, which other runtimes have no types for. */
const inspectOf = (name: string): ReadonlyArray<Inspect> => {
  const runtime: unknown = Reflect.get(globalThis, name)
  if (typeof runtime !== "object" || runtime === null) return []
  const inspect: unknown = Reflect.get(runtime, "inspect")
  if (typeof inspect !== "function") return []
  return [(value) => String(Reflect.apply(inspect, undefined, [value, { depth: 10, showHidden: true }]))]
}

const nodeInspect = (): ReadonlyArray<Inspect> => {
  if (!Reflect.has(globalThis, "process")) return []
  const { inspect } = globalThis.process.getBuiltinModule("node:util")
  return [
    (value) => inspect(value, { depth: 10 }),
    (value) => inspect(value, { depth: 10, showHidden: true, getters: true, customInspect: false })
  ]
}

const json: Inspect = (value) =>
  JSON.stringify(value, (_key, member: unknown) => (typeof member === "bigint" ? `${member}` : member)) ?? ""

const stack: Inspect = (value) => (value instanceof Error ? `${value.stack} ${json(Object.entries(value))}` : "")

/** Of what has a gateway in front of it that repeats the signed URL in its page, or breaks off. */
const users = ["echo", "reset", "unknown", "broken", "gateway"]

/**
 * The runner looks through what is printed here: whatever a runtime's console makes of errors, it has no secret, and no
 * digits of a signature or a nonce.
 */
export const keepsSecrets: Check = ({ appId, helperUrl, url }) =>
  Effect.gen(function* () {
    const sent: Array<string> = [secret]
    const recording: typeof fetch = (input, init) => {
      const { searchParams } = new URL(input instanceof Request ? input.url : input)
      for (const name of ["Signature", "SignatureNonce"]) sent.push(searchParams.get(name) ?? secret)
      return fetch(input, init)
    }
    const http = Layer.provide(FetchHttpClient.layer, Layer.succeed(FetchHttpClient.Fetch, recording))
    const serverSecret = Redacted.make(secret)
    const values: Array<unknown> = [serverSecret, ServerSecret.make(secret)]
    for (const userId of users) {
      const baseUrl = userId === "echo" ? helperUrl : url
      const layer = ZimClient.layer({ appId, serverSecret, baseUrl }).pipe(Layer.provide(http))
      const client = yield* Effect.provide(ZimClient.ZimClient, layer)
      const error = yield* Effect.flip(Conversations.page(userId)).pipe(
        RetryPolicy.provide(RetryPolicy.none),
        Effect.provideService(ZimClient.ZimClient, client)
      )
      values.push(client, layer, error)
      yield* Effect.logError(error)
    }
    yield* expect(sent.length > 2 * users.length, "no request was seen")
    const inspects = [String, json, stack, ...nodeInspect(), ...inspectOf("Bun"), ...inspectOf("Deno")]
    for (const value of values) {
      console.log(value)
      console.error(value)
      for (const [i, inspect] of inspects.entries()) {
        const text = inspect(value)
        yield* expect(!sent.some((one) => text.includes(one)), `the ${i + 1}. way to print shows it`)
      }
    }
    // Shown by no way of printing, though it is there to be sent.
    const signed = yield* Signature.sign({ appId, serverSecret })
    console.log(signed)
    for (const inspect of [json, ...nodeInspect().slice(0, 1)]) {
      yield* expect(!inspect(signed).includes(signed.Signature), "signed parameters show their signature")
    }
  })

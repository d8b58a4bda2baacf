/**
 * Anything at all for an answer: the client gives a page or a typed error, never a defect, never nothing; and where it
 * gives a page, the page says what the answer says.
 */
import { CircuitBreaker, ClientError, Quota, RetryPolicy, ZimClient } from "@effect-zim/client"
import { QueryConversationList, ServiceError } from "@effect-zim/protocol"
import { Arbitraries } from "@effect-zim/testing"
import * as Arbitrary from "effect/Arbitrary"
import * as Cause from "effect/Cause"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as HttpClient from "effect/http/HttpClient"
import * as HttpClientResponse from "effect/http/HttpClientResponse"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import * as Dice from "./dice.ts"

const encoder = new TextEncoder()

const statuses = [200, 200, 200, 200, 204, 301, 400, 404, 429, 500, 502, 503, 599] as const
const types = ["application/json", "application/json; charset=utf-8", "text/html", "text/plain", "", "???"] as const
const encodings = ["identity", "gzip", "br"] as const

const mutate = (dice: Dice.Dice, text: string): Uint8Array<ArrayBuffer> => {
  const bytes = encoder.encode(text)
  if (bytes.length === 0) return dice.bytes(dice.below(40))
  const at = dice.below(bytes.length)
  switch (dice.below(6)) {
    case 0:
      return bytes.slice(0, at)
    case 1:
      return Uint8Array.from([...bytes.slice(0, at), ...dice.bytes(1 + dice.below(4)), ...bytes.slice(at)])
    case 2:
      return Uint8Array.from([...bytes.slice(0, at), ...bytes.slice(at + 1 + dice.below(8))])
    case 3:
      return Uint8Array.from([...bytes.slice(at), ...bytes.slice(0, at)])
    case 4:
      bytes[at] = dice.below(256)
      return bytes
    default:
      return encoder.encode(
        text.replaceAll(/[0-9]+/g, (digits) =>
          dice.oneIn(3) ? dice.pick(["-1", "1e400", "0.5", "9".repeat(30)]) : digits
        )
      )
  }
}

interface Input {
  readonly body: Uint8Array<ArrayBuffer>
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
}

const noBody = new Set([204])

/** Any status, any headers. */
const dressed = (dice: Dice.Dice, body: Uint8Array<ArrayBuffer>): Input => {
  const status = dice.pick(statuses)
  return {
    body,
    status,
    headers: {
      ...(dice.oneIn(8) ? {} : { "content-type": dice.pick(types) }),
      ...(dice.oneIn(10) ? { "content-length": String(dice.below(1000)) } : {}),
      ...(dice.oneIn(20) ? { "content-encoding": dice.pick(encodings) } : {}),
      ...(dice.oneIn(10) ? { date: dice.text(30).replaceAll(/[^ -~]/g, "") } : {})
    }
  }
}

const isTyped = Schema.is(
  Schema.Union([ServiceError.ServiceError, ClientError.ResponseUnreadable, ClientError.TransportFailed])
)

/** Nothing waits: a rejection would keep the next call back. */
const unlimited = Layer.succeed(Quota.Quota, {
  withPermit: (_call, attempt) => attempt(Duration.zero),
  state: Effect.succeed([])
})

/** So many answers; the first one that is not dealt with as it should be fails. */
export const run = Effect.fnUntraced(function* (options: { readonly seed: number; readonly count: number }) {
  const dice = Dice.make(options.seed)
  let input: Input = { body: new Uint8Array(0), status: 200, headers: {} }
  const http = HttpClient.make((request) =>
    Effect.succeed(
      HttpClientResponse.fromWeb(
        request,
        new Response(noBody.has(input.status) ? null : input.body, { status: input.status, headers: input.headers })
      )
    )
  )
  const layer = ZimClient.layer({ appId: 12345, serverSecret: Redacted.make("9193cc662a4c0ec135ec71fb57194b38") }).pipe(
    Layer.provide(Layer.succeed(HttpClient.HttpClient, http)),
    Layer.provide(CircuitBreaker.layerNone),
    Layer.provide(unlimited),
    Layer.provide(RetryPolicy.layer(RetryPolicy.none))
  )
  const say = (problem: string, body: string) => new Error(`seed ${options.seed}: ${problem}\nthe answer was: ${body}`)
  const counts = { pages: 0, refused: 0 }

  const check = Effect.fnUntraced(function* (what: "right" | "broken" | "any", text: string, expected?: Expected) {
    const exit = yield* Effect.exit(ZimClient.execute(QueryConversationList.operation, { userId: "u1" }))
    if (Exit.isSuccess(exit)) {
      counts.pages++
      if (what === "broken") return yield* Effect.die(say("a broken answer was taken for a page", text))
      if (expected !== undefined) {
        const came = JSON.stringify(exit.value.conversations.map(({ raw }) => raw))
        const next = Option.getOrElse(exit.value.next, () => "0")
        if (came !== JSON.stringify(expected.conversations) || next !== expected.next) {
          return yield* Effect.die(say(`the page is not what the answer says: ${came}, ${next}`, text))
        }
      }
      return
    }
    counts.refused++
    if (what === "right") return yield* Effect.die(say(`a right answer was refused: ${Cause.pretty(exit.cause)}`, text))
    const error = Cause.squash(exit.cause)
    if (Cause.hasDies(exit.cause) || !isTyped(error)) {
      return yield* Effect.die(say(`not a typed error: ${Cause.pretty(exit.cause)}`, text))
    }
    const unreadable = error instanceof ClientError.ResponseUnreadable
    if (what === "broken" && !unreadable) return yield* Effect.die(say(`taken for ${String(error)}`, text))
  })

  const plain = { status: 200, headers: { "content-type": "application/json" } }
  yield* Effect.gen(function* () {
    for (let done = 0; done < options.count;) {
      const sampling = { count: 250, size: 8, seed: dice.below(2 ** 31) }
      const answers = yield* Effect.orDie(Arbitrary.sampleEffect(Arbitraries.answer, sampling))
      const broken = yield* Effect.orDie(Arbitrary.sampleEffect(Arbitraries.brokenAnswer, sampling))
      for (const [i, answer] of answers.entries()) {
        input = { ...plain, body: encoder.encode(answer.text) }
        yield* check("right", answer.text, answer)
        const text = broken[i]?.text ?? ""
        input = { ...plain, body: encoder.encode(text) }
        yield* check("broken", text)
        input = dressed(dice, mutate(dice, dice.oneIn(4) ? text : answer.text))
        yield* check(
          "any",
          `${input.status} ${JSON.stringify(input.headers)} ${Buffer.from(input.body).toString("latin1")}`
        )
        input = dressed(dice, dice.bytes(dice.below(60)))
        yield* check("any", `${input.status} ${Buffer.from(input.body).toString("hex")}`)
        done += 4
      }
    }
  }).pipe(Effect.provide(layer))
  return counts
})

interface Expected {
  readonly conversations: ReadonlyArray<unknown>
  readonly next: string
}

import { ServerSecret, Signature } from "@effect-zim/signing"
import { assert, describe, it } from "@effect/vitest"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Formatter from "effect/Formatter"
import * as Inspectable from "effect/Inspectable"
import * as Logger from "effect/Logger"
import * as Predicate from "effect/Predicate"
import { inspect } from "node:util"

const secret = "canarysecret9193cc662a4c0ec135ec"
const nonce = "ca0a24687296dd9f"
const timestamp = 1615186943
const app = { appId: 12345, serverSecret: ServerSecret.make(secret) }
const signed = Signature.signWith({ ...app, nonce, timestamp })
const credentials = [secret, nonce, signed.Signature]

/** Everything that logs, consoles, snapshots and serialisers make of a value. */
const renderings = (value: unknown): ReadonlyArray<string> => {
  const ownKeys = Predicate.isObject(value) ? Reflect.ownKeys(value) : []
  const own = ownKeys.map((key) => [key, Predicate.hasProperty(value, key) ? value[key] : undefined])
  const copy = Predicate.isObject(value) ? { ...value } : value
  return [
    `${JSON.stringify(value)} ${JSON.stringify([value])}`,
    inspect(value, { depth: Infinity, showHidden: true, getters: true }),
    inspect({ nested: [value] }, { depth: Infinity, showHidden: true, customInspect: false }),
    inspect(own, { customInspect: false }),
    JSON.stringify(copy),
    inspect(structuredClone(copy)),
    Formatter.format(value),
    Formatter.formatJson(value),
    Inspectable.toStringUnknown(value)
  ]
}

const assertClean = (value: unknown) => {
  for (const text of renderings(value)) {
    for (const credential of credentials) assert.notInclude(text, credential)
  }
}

describe("nothing leaks", () => {
  it("the renderings would show a plain value", () => {
    const plain = { Signature: signed.Signature }
    for (const text of renderings(plain)) assert.include(text, signed.Signature)
  })

  it("from signed parameters", () => {
    assertClean(signed)
    assertClean(signed.toString())
    assert.deepStrictEqual(JSON.parse(JSON.stringify(signed)), {
      AppId: 12345,
      SignatureNonce: "<redacted>",
      Timestamp: timestamp,
      SignatureVersion: "2.0",
      Signature: "<redacted>"
    })
  })

  it.effect("from logs", () =>
    Effect.gen(function* () {
      const lines: Array<string> = []
      const capture = [Logger.formatJson, Logger.formatLogFmt, Logger.formatSimple].map((logger) =>
        Logger.map(logger, (line) => void lines.push(line))
      )
      yield* Effect.log("signed", signed, { signed, app }).pipe(
        Effect.annotateLogs({ signed }),
        Effect.provide(Logger.layer(capture))
      )
      assert.strictEqual(lines.length, 3)
      for (const line of lines) assertClean(line)
    })
  )

  it.effect.each([
    ["Missing", { Signature: "" }, 0],
    ["Malformed", { AppId: secret }, 0],
    ["Malformed", { Timestamp: signed.Signature }, 0],
    ["Malformed", { SignatureNonce: secret }, 0],
    ["Malformed", { SignatureNonce: [nonce, nonce] }, 0],
    ["UnsupportedVersion", { SignatureVersion: secret }, 0],
    ["Expired", {}, 601],
    ["Expired", {}, -601],
    ["Wrong", { Signature: `${nonce}${secret}` }, 0],
    ["Wrong", { AppId: "12346" }, 0]
  ] as const)("from the error %s %j", ([tag, changed, seconds]) =>
    Effect.gen(function* () {
      const parameters = {
        ...Object.fromEntries(new URLSearchParams(Signature.toQuery(signed, "QueryConversationList"))),
        ...changed
      }
      const verify = Signature.verify({ ...app, parameters, now: (timestamp + seconds) * 1000 })
      const cause = yield* Effect.flip(Effect.sandbox(verify))
      const error = yield* Effect.flip(verify)
      assert.strictEqual(error.reason._tag, tag)
      for (const value of [Cause.pretty(cause), cause, error, error.message, error.stack, error.reason]) {
        assertClean(value)
      }
    })
  )
})

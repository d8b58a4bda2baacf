import { Emulator, Fault, Journal, World } from "@effect-zim/emulator"
import { ServerSecret, Signature } from "@effect-zim/signing"
import { assert, describe, it } from "@effect/vitest"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as TestClock from "effect/testing/TestClock"
import { inspect } from "node:util"
import { appId, groups, page, parts, secret, send, toRequest, worldOf } from "./support.ts"

const world = worldOf({ u1: groups(10), u2: [] })
const provide = (options?: Partial<Emulator.Options>) => Effect.provide(Emulator.layer({ world, ...options }))
const entry: Journal.Entry = {
  index: 1,
  time: 0,
  appId,
  action: "QueryConversationList",
  userId: "u1",
  limit: undefined,
  cursorGiven: false,
  page: 1,
  code: 0,
  reason: undefined,
  status: 200,
  faults: [],
  nonceReused: false,
  signatureAge: 0
}

describe("entries", () => {
  it.effect("are as many as the journal may keep, none too", () =>
    Effect.gen(function* () {
      for (const journalCapacity of [0, 1, 3]) {
        const { handle, journal } = yield* Emulator.make({ world, journalCapacity })
        for (let i = 0; i < 9; i++) yield* handle(toRequest(yield* parts({ FromUserId: "u1" })))
        assert.lengthOf(yield* journal.entries, journalCapacity)
      }
    })
  )

  it.effect("say what was asked and what was answered", () =>
    Effect.gen(function* () {
      yield* TestClock.setTime(1_700_000_000_500)
      const { journal } = yield* Emulator.Emulator
      const { Next } = yield* page({ FromUserId: "u1", Limit: 4 })
      yield* send(yield* parts({ FromUserId: "nobody", Next }))
      yield* send(yield* parts({ FromUserId: "u1", Limit: 9000, Next }, { timestamp: 1_700_000_007 }))
      yield* send(yield* parts({ FromUserId: "u1" }, { timestamp: 1_699_999_363 }))
      const at = { ...entry, time: 1_700_000_000_500 }
      assert.deepStrictEqual(yield* journal.entries, [
        { ...at, limit: 4 },
        {
          ...at,
          index: 2,
          userId: "nobody",
          cursorGiven: true,
          page: undefined,
          code: 660500002,
          reason: "the user is not registered"
        },
        { ...at, index: 3, limit: 9000, cursorGiven: true, page: 2, signatureAge: -7 },
        {
          ...at,
          index: 4,
          code: 100000004,
          reason: "expired by 37 s: check the clock and sign each request when it is sent",
          signatureAge: 637
        }
      ])
      yield* journal.clear
      assert.deepStrictEqual(yield* journal.entries, [])
    }).pipe(provide())
  )

  it.effect("are there for what is no call at all", () =>
    Effect.gen(function* () {
      const { handle, journal } = yield* Emulator.Emulator
      yield* handle({ method: "GET", target: "/", contentType: undefined, body: "" })
      yield* handle({ method: "POST", target: "/", contentType: undefined, body: undefined })
      assert.deepStrictEqual(
        (yield* journal.entries).map(({ code, status }) => [code, status]),
        [
          [2, 405],
          [100000006, 200]
        ]
      )
    }).pipe(provide())
  )

  it.effect("are the latest ones, up to the capacity", () =>
    Effect.gen(function* () {
      const { handle, journal } = yield* Emulator.Emulator
      for (let i = 0; i < 25; i++) yield* handle({ method: "GET", target: "/", contentType: undefined, body: "" })
      assert.deepStrictEqual(
        (yield* journal.entries).map(({ index }) => index),
        [21, 22, 23, 24, 25]
      )
    }).pipe(provide({ journalCapacity: 5 }))
  )
})

describe("questions", () => {
  it.prop(
    "peak is the most calls in any window",
    { times: Schema.Array(Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 20 }))) },
    ({ times }) => {
      const entries = times.map((time) => ({ ...entry, time }))
      const inWindow = times.map((start) => times.filter((time) => time >= start && time - start < 5).length)
      assert.strictEqual(Journal.peak(entries, 5), Math.max(0, ...inWindow))
    }
  )

  it("attempts, nonce reuses, the oldest signature", () => {
    const entries = [
      { ...entry, signatureAge: -3 },
      { ...entry, userId: "u2", nonceReused: true, signatureAge: 42 },
      { ...entry, userId: undefined, signatureAge: undefined, code: 660300005 },
      { ...entry, nonceReused: true, signatureAge: 7 }
    ]
    assert.deepStrictEqual(
      [...Journal.attempts(entries)],
      [
        ["u1", 2],
        ["u2", 1]
      ]
    )
    assert.strictEqual(Journal.nonceReuses(entries), 2)
    assert.strictEqual(Journal.maximumSignatureAge(entries), 42)
    assert.isUndefined(Journal.maximumSignatureAge([]))
    assert.strictEqual(entries.filter(Journal.isRateLimited).length, 1)
  })
})

describe("nothing leaks", () => {
  const nonce = "ca0a24687296dd9f"
  const faults = [
    Fault.when(Fault.connectionReset, Fault.nth(2)),
    Fault.when(Fault.truncatedBody, Fault.nth(3)),
    Fault.when(Fault.returnCode(3), Fault.nth(4))
  ]

  it.effect("of secret, signature and nonce, whatever is wrong with a call", () =>
    Effect.gen(function* () {
      const emulator = yield* Emulator.Emulator
      const signed = Signature.signWith({ appId, nonce, timestamp: 0, serverSecret: ServerSecret.make(secret) })
      const sent = { ...(yield* parts({ FromUserId: "u1" })) }
      const query = Object.fromEntries(new URLSearchParams(Signature.toQuery(signed, "QueryConversationList")))
      const spoilt = Object.keys(query).flatMap((key) => [
        { ...query, [key]: undefined },
        { ...query, [key]: "" }
      ])
      const swapped = [
        { ...query, Timestamp: query["Signature"] },
        { ...query, AppId: secret },
        { ...query, SignatureVersion: secret },
        { ...query, SignatureNonce: secret },
        { ...query, Signature: secret }
      ]
      const shown: Array<string> = []
      for (const changed of [query, query, query, query, query, ...spoilt, ...swapped]) {
        const exit = yield* Effect.exit(emulator.handle(toRequest({ ...sent, query: changed })))
        shown.push(inspect(exit, { depth: Infinity, showHidden: true }), JSON.stringify(exit))
        if (exit._tag === "Failure") shown.push(Cause.pretty(exit.cause))
      }
      const entries = yield* emulator.journal.entries
      assert.strictEqual(entries.length, shown.filter((text) => text.startsWith('{"_id"')).length)
      shown.push(inspect(entries, { depth: Infinity, showHidden: true }), JSON.stringify(entries))
      shown.push(inspect(yield* emulator.world.get, { depth: Infinity, showHidden: true }))
      shown.push(inspect(emulator, { depth: Infinity, showHidden: true }))
      for (const text of shown) {
        for (const canary of [secret, nonce, signed.Signature]) assert.notInclude(text, canary)
      }
    }).pipe(provide({ faults }))
  )

  it("the canary would be found", () => {
    assert.include(inspect(World.make({ apps: [], users: [{ userId: secret }] }), { depth: Infinity }), secret)
  })
})

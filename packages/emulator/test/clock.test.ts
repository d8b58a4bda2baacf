import { Emulator, Fault, World } from "@effect-zim/emulator"
import { SignatureNonce } from "@effect-zim/signing"
import { assert, describe, it } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as TestClock from "effect/testing/TestClock"
import { appId, envelopeOf, groups, parts, secret, send, worldOf } from "./support.ts"

const now = 1_700_000_000
const world = worldOf({ u1: groups(1) })
const provide = (options?: Partial<Emulator.Options>) => Effect.provide(Emulator.layer({ world, ...options }))
const codeAt = (timestamp: number) =>
  Effect.map(Effect.flatMap(parts({ FromUserId: "u1" }, { timestamp }), send), (reply) => envelopeOf(reply).code)

describe("the signature's window", () => {
  it.effect.prop(
    "is ten minutes on either side of the emulator's clock, both ends included",
    { age: Schema.Int.check(Schema.isBetween({ minimum: -1200, maximum: 1200 })) },
    ({ age }) =>
      Effect.gen(function* () {
        yield* TestClock.setTime(now * 1000)
        assert.strictEqual(yield* codeAt(now - age), Math.abs(age) <= 600 ? 0 : 100000004)
      }).pipe(provide())
  )

  it.effect("passes when the clock moves", () =>
    Effect.gen(function* () {
      yield* TestClock.setTime(now * 1000)
      const sent = yield* parts({ FromUserId: "u1" })
      yield* TestClock.adjust("10 minutes")
      assert.strictEqual(envelopeOf(yield* send(sent)).code, 0)
      yield* TestClock.adjust("999 millis")
      assert.strictEqual(envelopeOf(yield* send(sent)).code, 0)
      yield* TestClock.adjust("1 millis")
      assert.strictEqual(envelopeOf(yield* send(sent)).code, 100000004)
    }).pipe(provide())
  )

  it.effect("is the service's: its clock may be off, and Date says so", () =>
    Effect.gen(function* () {
      yield* TestClock.setTime(now * 1000)
      assert.strictEqual(yield* codeAt(now), 100000004)
      assert.strictEqual(yield* codeAt(now + 660), 0)
      const reply = yield* send(yield* parts({ FromUserId: "u1" }))
      assert.strictEqual(Date.parse(reply.headers["date"] ?? ""), (now + 660) * 1000)
      const emulator = yield* Emulator.Emulator
      yield* emulator.clockOffset.set(Duration.zero)
      assert.strictEqual(yield* codeAt(now), 0)
    }).pipe(provide({ clockOffset: "11 minutes" }))
  )

  it.effect.each([
    [Fault.retryAfter("90.1 seconds"), 429, "91"],
    [Fault.retryAfter("90.1 seconds", { status: 503, as: "seconds", code: 1 }), 503, "91"],
    [Fault.retryAfter("90 seconds", { status: 503, as: "date" }), 503, "Tue, 14 Nov 2023 22:25:50 GMT"]
  ] as const)("is what Retry-After counts from: %s", ([fault, status, header]) =>
    Effect.gen(function* () {
      yield* TestClock.setTime(now * 1000)
      const reply = yield* send(yield* parts({ FromUserId: "u1" }))
      assert.strictEqual(reply.status, status)
      assert.strictEqual(reply.headers["retry-after"], header)
    }).pipe(provide({ clockOffset: "11 minutes", faults: [fault] }))
  )
})

describe("a nonce used before", () => {
  const twice = Effect.gen(function* () {
    yield* TestClock.setTime(now * 1000)
    const sent = yield* parts({ FromUserId: "u1" })
    const codes = [envelopeOf(yield* send(sent)).code, envelopeOf(yield* send(sent)).code]
    const { journal } = yield* Emulator.Emulator
    return { codes, noted: (yield* journal.entries).map((entry) => entry.nonceReused) }
  })

  it.effect("is accepted and noted, or rejected, by the reading", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* twice.pipe(provide()), { codes: [0, 0], noted: [false, true] })
      assert.deepStrictEqual(yield* twice.pipe(provide({ reading: { nonceReuse: "Reject" } })), {
        codes: [0, 100000005],
        noted: [false, true]
      })
    })
  )

  it.effect("counts per app, and only with a valid signature", () =>
    Effect.gen(function* () {
      yield* TestClock.setTime(now * 1000)
      const { journal } = yield* Emulator.Emulator
      const body = { FromUserId: "u1" }
      const same = (id: number) =>
        Effect.provideService(parts(body, { appId: id }), SignatureNonce.Source, SignatureNonce.seeded(1))
      const sent = yield* same(appId)
      yield* send({ ...sent, query: { ...sent.query, Signature: "0".repeat(32) } })
      yield* send(sent)
      yield* send(yield* same(2))
      yield* send(yield* parts(body))
      const entries = yield* journal.entries
      assert.deepStrictEqual(
        entries.map(({ code }) => code),
        [100000005, 0, 0, 0]
      )
      assert.deepStrictEqual(
        entries.map(({ nonceReused }) => nonceReused),
        [false, false, false, false]
      )
    }).pipe(
      provide({
        world: World.make({
          apps: [appId, 2].map((id) => ({ appId: id, serverSecret: secret })),
          users: [{ userId: "u1" }]
        })
      })
    )
  )

  it.effect("is forgotten when its signature has expired", () =>
    Effect.gen(function* () {
      yield* TestClock.setTime(now * 1000)
      const { journal } = yield* Emulator.Emulator
      const same = Effect.suspend(() =>
        Effect.provideService(parts({ FromUserId: "u1" }), SignatureNonce.Source, SignatureNonce.seeded(1))
      )
      yield* send(yield* same)
      yield* TestClock.adjust("600 seconds")
      yield* send(yield* same)
      yield* TestClock.adjust("601 seconds")
      yield* send(yield* same)
      assert.deepStrictEqual(
        (yield* journal.entries).map(({ nonceReused }) => nonceReused),
        [false, true, false]
      )
    }).pipe(provide())
  )
})

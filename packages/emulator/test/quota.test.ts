import { Emulator, Journal, ServiceQuota, World } from "@effect-zim/emulator"
import { assert, describe, it } from "@effect/vitest"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as TestClock from "effect/testing/TestClock"
import { appId, codeOf, envelopeOf, groups, parts, secret, send, worldOf } from "./support.ts"

const upTo = (minimum: number, maximum: number) => Schema.Int.check(Schema.isBetween({ minimum, maximum }))
const gaps = Schema.Array(Schema.Union([upTo(0, 0), upTo(0, 30), upTo(300, 1100)]))
const timesOf = (gaps: ReadonlyArray<number>): ReadonlyArray<number> => {
  let time = 1_700_000_000_000
  return gaps.map((gap) => (time += gap))
}
const admitted = (quota: ServiceQuota.ServiceQuota, times: ReadonlyArray<number>): ReadonlyArray<boolean> => {
  const meter = ServiceQuota.meter(quota)
  return times.map((time) => meter.admit(time))
}

/** The same by its definition: count what is in the window. */
const bySpecification = (
  times: ReadonlyArray<number>,
  options: {
    readonly limit: number
    readonly countRejected: boolean
    readonly inWindow: (old: number, now: number) => boolean
  }
): ReadonlyArray<boolean> => {
  const counted: Array<number> = []
  return times.map((now) => {
    const passes = counted.filter((old) => options.inWindow(old, now)).length < options.limit
    if (passes || options.countRejected) counted.push(now)
    return passes
  })
}

const sliding = (old: number, now: number): boolean => now - old < 1000
const fixed = (old: number, now: number): boolean => Math.floor(old / 1000) === Math.floor(now / 1000)

describe("meter", () => {
  it.prop(
    "counts as the definition says",
    { gaps, limit: upTo(0, 6), countRejected: Schema.Boolean },
    ({ countRejected, gaps, limit }) => {
      const times = timesOf(gaps)
      assert.deepStrictEqual(
        admitted(ServiceQuota.sliding({ limit, countRejected }), times),
        bySpecification(times, { limit, countRejected, inWindow: sliding })
      )
      assert.deepStrictEqual(
        admitted(ServiceQuota.fixed({ limit, countRejected }), times),
        bySpecification(times, { limit, countRejected, inWindow: fixed })
      )
      assert.isTrue(admitted(ServiceQuota.unlimited, times).every(Boolean))
    }
  )
})

describe("the emulator's quota", () => {
  const world = worldOf({ u1: groups(1) })
  const provide = (options?: Partial<Emulator.Options>) => Effect.provide(Emulator.layer({ world, ...options }))
  const call = codeOf({ FromUserId: "u1" })
  const calls = (count: number) => Effect.all(Array.from({ length: count }, () => call))
  const passed = (codes: ReadonlyArray<number>): number => codes.filter((code) => code === 0).length

  it.effect("lets 20 calls pass, rejects the next with 660300005, and lets 20 pass a second later", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* calls(22), [...Array.from({ length: 20 }, () => 0), 660300005, 660300005])
      yield* TestClock.adjust("999 millis")
      assert.strictEqual(yield* call, 660300005)
      yield* TestClock.adjust("1 millis")
      assert.strictEqual(passed(yield* calls(25)), 20)
    }).pipe(provide())
  )

  const jumps = Schema.Array(
    Schema.Struct({ jump: upTo(-3_600_000, 3_600_000), gap: upTo(0, 1100), count: upTo(1, 25) })
  )
  it.effect.prop(
    "counts on, of every model, whatever this machine's clock is set to",
    { jumps, countRejected: Schema.Boolean },
    ({ countRejected, jumps }) =>
      Effect.gen(function* () {
        for (const quota of [
          ServiceQuota.sliding({ countRejected }),
          ServiceQuota.fixed({ countRejected }),
          ServiceQuota.fixed({ countRejected, aligned: false }),
          ServiceQuota.tokenBucket(),
          ServiceQuota.leaky()
        ]) {
          const run = (isSet: boolean) =>
            Effect.gen(function* () {
              yield* TestClock.setTime(1_700_000_000_000)
              const clock = yield* Clock.Clock
              let off = 0
              const codes: Array<ReadonlyArray<number>> = []
              yield* Effect.gen(function* () {
                for (const { count, gap, jump } of jumps) {
                  yield* TestClock.adjust(gap)
                  if (isSet) off += jump
                  codes.push(yield* calls(count))
                }
              }).pipe(
                provide({ quota }),
                // A clock that somebody sets: only what it shows jumps.
                Effect.provideService(Clock.Clock, {
                  ...clock,
                  currentTimeMillisUnsafe: () => clock.currentTimeMillisUnsafe() + off,
                  currentTimeMillis: Effect.sync(() => clock.currentTimeMillisUnsafe() + off)
                })
              )
              return codes
            }).pipe(Effect.provide(TestClock.layer()))
          assert.deepStrictEqual(yield* run(true), yield* run(false), ServiceQuota.describe(quota))
        }
      }),
    { arbitrary: { seed: 3, runs: 30 } }
  )

  it.effect.prop("never lets more than 20 pass in any second", { gaps }, ({ gaps }) =>
    Effect.gen(function* () {
      for (const gap of gaps) {
        yield* TestClock.adjust(gap)
        yield* calls(7)
      }
      const { journal } = yield* Emulator.Emulator
      const entries = yield* journal.entries
      assert.isAtMost(
        Journal.peak(
          entries.filter((entry) => !Journal.isRateLimited(entry)),
          "1 second"
        ),
        20
      )
      assert.strictEqual(entries.length, gaps.length * 7)
    }).pipe(provide())
  )

  it.effect("fixed windows let twice as many pass around an edge", () =>
    Effect.gen(function* () {
      yield* TestClock.setTime(999)
      assert.strictEqual(passed(yield* calls(25)), 20)
      yield* TestClock.adjust(1)
      assert.strictEqual(passed(yield* calls(25)), 20)
    }).pipe(provide({ quota: ServiceQuota.fixed() }))
  )

  it.effect("counting rejected calls, a client that does not wait is never let in again", () =>
    Effect.gen(function* () {
      assert.strictEqual(passed(yield* calls(21)), 20)
      for (let i = 0; i < 30; i++) {
        yield* TestClock.adjust("40 millis")
        assert.strictEqual(yield* call, 660300005)
      }
      yield* TestClock.adjust("1 second")
      assert.strictEqual(yield* call, 0)
    }).pipe(provide({ quota: ServiceQuota.sliding({ countRejected: true }) }))
  )

  it.effect("is each app's own, and comes after authentication and before everything else", () =>
    Effect.gen(function* () {
      const as = (id: number, body: unknown) =>
        Effect.map(Effect.flatMap(parts(body, { appId: id }), send), (reply) => envelopeOf(reply).code)
      assert.strictEqual(yield* as(appId, { FromUserId: "u1" }), 0)
      assert.strictEqual(yield* as(appId, { FromUserId: "u1" }), 660300005)
      assert.strictEqual(yield* as(appId, { wrong: true }), 660300005)
      assert.strictEqual(yield* as(2, { wrong: true }), 660000002)
      assert.strictEqual(yield* as(2, { FromUserId: "u1" }), 660300005)
      const unsigned = yield* parts({ FromUserId: "u1" })
      const reply = yield* send({ ...unsigned, query: { ...unsigned.query, Signature: "x" } })
      assert.strictEqual(envelopeOf(reply).code, 100000005)
    }).pipe(
      provide({
        quota: ServiceQuota.sliding({ limit: 1 }),
        world: World.make({
          apps: [appId, 2].map((id) => ({ appId: id, serverSecret: secret })),
          users: [{ userId: "u1" }]
        })
      })
    )
  )

  it.effect("a call that fails authentication is not counted", () =>
    Effect.gen(function* () {
      const sent = yield* parts({ FromUserId: "u1" })
      for (let i = 0; i < 30; i++) yield* send({ ...sent, query: { ...sent.query, Signature: "x" } })
      assert.strictEqual(passed(yield* calls(20)), 20)
    }).pipe(provide())
  )

  it.effect("can be changed while it runs, and starts counting anew", () =>
    Effect.gen(function* () {
      const { quota } = yield* Emulator.Emulator
      assert.strictEqual(passed(yield* calls(30)), 20)
      yield* quota.set(ServiceQuota.sliding({ limit: 5, window: "1 minute" }))
      assert.strictEqual(passed(yield* calls(30)), 5)
      yield* TestClock.adjust("59 seconds")
      assert.strictEqual(yield* call, 660300005)
      yield* quota.set(ServiceQuota.unlimited)
      assert.strictEqual(passed(yield* calls(30)), 30)
    }).pipe(provide())
  )

  it("counts by app, or by app and action", () => {
    const calls = [
      { appId: 1, action: "A" },
      { appId: 1, action: "B" },
      { appId: 2, action: "A" }
    ]
    const budgets = (quota: ServiceQuota.ServiceQuota): number =>
      new Set(calls.map((call) => ServiceQuota.budgetOf(quota, call))).size
    assert.strictEqual(budgets(ServiceQuota.sliding()), 2)
    assert.strictEqual(budgets(ServiceQuota.sliding({ per: "Action" })), 3)
  })
})

import { Emulator, ServiceClock } from "@effect-zim/emulator"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as TestClock from "effect/testing/TestClock"
import { envelopeOf, groups, parts, send, worldOf } from "./support.ts"

const now = 1_700_000_000_000
const world = worldOf({ u1: groups(1) })
const provide = (clock?: ServiceClock.ServiceClock) => Effect.provide(Emulator.layer({ world, clock }))

/** How far the service's clock is ahead, by what its answers say. */
const ahead = Effect.gen(function* () {
  const reply = yield* send(yield* parts({ FromUserId: "u1" }))
  const { clock } = yield* Emulator.Emulator
  const right = yield* Effect.clockWith((clock) => Effect.succeed(clock.currentTimeMillisUnsafe()))
  const shown = yield* clock.now
  assert.strictEqual(Date.parse(reply.headers["date"] ?? ""), Math.floor(shown / 1000) * 1000, "Date follows it")
  assert.strictEqual(envelopeOf(reply).code, Math.abs(shown - right) <= 600_000 ? 0 : 100000004)
  return shown - right
})

describe("the service's clock", () => {
  it.effect("real, skewed and stepped", () =>
    Effect.gen(function* () {
      yield* TestClock.setTime(now)
      const { clock } = yield* Emulator.Emulator
      assert.strictEqual(yield* ahead, 0)
      yield* clock.set(ServiceClock.skewed("-2 minutes"))
      assert.strictEqual(yield* ahead, -120_000)
      yield* clock.step("1 minute")
      yield* clock.step("11 minutes")
      assert.strictEqual(yield* ahead, 600_000)
      yield* clock.step("1 second")
      assert.strictEqual(yield* ahead, 601_000)
      yield* TestClock.adjust("1 hour")
      assert.strictEqual(yield* ahead, 601_000)
    }).pipe(provide())
  )

  it.effect("frozen where it stood, or at a time; signatures expire around it, the quota goes on", () =>
    Effect.gen(function* () {
      yield* TestClock.setTime(now)
      const { clock } = yield* Emulator.Emulator
      yield* clock.set(ServiceClock.skewed("5 seconds"))
      yield* clock.set(ServiceClock.frozen())
      assert.deepStrictEqual(yield* clock.get, ServiceClock.frozen(now + 5000))
      yield* TestClock.adjust("605 seconds")
      assert.strictEqual(yield* ahead, -600_000)
      yield* TestClock.adjust("1 second")
      assert.strictEqual(yield* ahead, -601_000)
      yield* clock.step("1 minute")
      assert.strictEqual(yield* ahead, -541_000)
      yield* clock.set(ServiceClock.frozen(now + 606_000))
      assert.strictEqual(yield* ahead, 0)
    }).pipe(provide())
  )

  it.effect("stepping at times known before", () =>
    Effect.gen(function* () {
      yield* TestClock.setTime(now)
      const jumps: Array<number> = []
      for (let second = 0; second < 6; second++) {
        jumps.push(yield* ahead)
        yield* TestClock.adjust("1 second")
      }
      assert.deepStrictEqual(jumps, [0, 0, 30_000, 30_000, -60_000, -60_000])
    }).pipe(provide(ServiceClock.stepping({ at: now + 2000, by: "30 seconds" }, { at: now + 3500, by: "-90 seconds" })))
  )

  it.effect("drifting, from when it was set; a step comes on top", () =>
    Effect.gen(function* () {
      yield* TestClock.setTime(now)
      const { clock } = yield* Emulator.Emulator
      yield* clock.set(ServiceClock.drifting({ millisPerSecond: 20 }))
      assert.strictEqual(yield* ahead, 0)
      yield* TestClock.adjust("100 seconds")
      assert.strictEqual(yield* ahead, 2000)
      yield* clock.step("-1 second")
      assert.strictEqual(yield* ahead, 1000)
      yield* TestClock.adjust("100 seconds")
      assert.strictEqual(yield* ahead, 3000)
    }).pipe(provide())
  )

  it.prop("every clock comes back from JSON the same", { clock: ServiceClock.ServiceClock }, ({ clock }) => {
    // What is finer than JSON's milliseconds is lost the first time.
    const encode = Schema.encodeSync(ServiceClock.ServiceClock)
    const json = encode(clock)
    const once = Schema.decodeUnknownSync(ServiceClock.ServiceClock)(JSON.parse(JSON.stringify(json)))
    assert.deepStrictEqual(encode(once), json)
    assert.approximately(ServiceClock.read(once, now), ServiceClock.read(clock, now), 1)
  })

  it.prop(
    "steps add up, whatever the clock",
    { clock: ServiceClock.ServiceClock, by: Schema.Int.check(Schema.isBetween({ minimum: -1e6, maximum: 1e6 })) },
    ({ by, clock }) => {
      const set = ServiceClock.start(clock, now, now)
      const sum = ServiceClock.read(set, now + 1234) + by
      const stepped = ServiceClock.read(ServiceClock.step(set, by), now + 1234)
      if (Math.abs(sum) < 60e12) assert.approximately(stepped, sum, 1)
    }
  )

  it.effect.prop("every clock gives a Date, and signatures an age", { clock: ServiceClock.ServiceClock }, ({ clock }) =>
    Effect.gen(function* () {
      yield* TestClock.setTime(now)
      const emulator = yield* Emulator.Emulator
      yield* emulator.clock.set(clock)
      const reply = yield* send(yield* parts({ FromUserId: "u1" }))
      assert.isNotNaN(Date.parse(reply.headers["date"] ?? ""), reply.headers["date"])
      assert.include([0, 100000004], envelopeOf(reply).code)
      const [entry] = yield* emulator.journal.entries
      assert.isTrue(Number.isFinite(entry?.signatureAge))
    }).pipe(provide())
  )
})

/** The service's clock where dates are wrong, clocks are off and jump: what is accepted decides. */
import { RetryPolicy, ServerClock } from "@effect-zim/client"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as Random from "effect/Random"
import * as Schema from "effect/Schema"
import * as TestClock from "effect/testing/TestClock"
import * as FakeService from "../fakeService.ts"
import { layer, noQuota, read } from "./support.ts"

const start = 1_700_000_000_000
const minute = 60_000

/** A service that judges by its own time, behind front ends that write dates of their own. */
interface World {
  /** How far the service's clock is ahead of this machine's, in milliseconds. */
  skew: number
  /** How far the next date is off the service's time. */
  dateError: () => number
}

const serviceIn = (world: World) =>
  FakeService.make((sent) => {
    const now = sent.time + world.skew
    const signedAt = Number(sent.url.searchParams.get("Timestamp")) * 1000
    const Code = Math.abs(now - signedAt) <= 10 * minute ? 0 : 100000004
    const headers = { date: new Date(now + world.dateError()).toUTCString() }
    return Effect.succeed(
      HttpServerResponse.text(JSON.stringify({ Code, Message: "", RequestId: "1", TotalCount: 0, Next: 0, List: [] }), {
        contentType: "application/json",
        headers
      })
    )
  })

/** How many of so many calls, a second apart, fail. */
const failing = (calls: number) =>
  Effect.gen(function* () {
    let failed = 0
    for (let i = 0; i < calls; i++) {
      const result = yield* Effect.result(read)
      if (result._tag === "Failure") {
        assert.strictEqual(result.failure._tag, "SignatureExpired")
        failed++
      }
      yield* TestClock.adjust("1 second")
    }
    return failed
  }).pipe(RetryPolicy.provide(RetryPolicy.none))

const inWorld = <A, E>(
  world: World,
  effect: Effect.Effect<A, E, Layer.Success<ReturnType<typeof FakeService.clientOf>>>
) => {
  const service = serviceIn(world)
  return Effect.gen(function* () {
    yield* TestClock.setTime(start)
    const result = yield* Effect.provide(effect, layer(service, Layer.merge(ServerClock.layer, noQuota)))
    return { result, sent: service.sent.length }
  }).pipe(Effect.provideService(Logger.CurrentLoggers, new Set<Logger.Logger<unknown, unknown>>()))
}

/** Draws numbers from 0 to 1. */
const draw = (seed: string) =>
  Effect.map(Random.Random, (random) => () => random.nextDoubleUnsafe()).pipe(Random.withSeed(seed))

describe("dates that are wrong", () => {
  it.effect.each([0.1, 0.5, 1])("in %d of the answers fail no call of a machine whose clock is right", (share) =>
    Effect.gen(function* () {
      const random = yield* draw("share")
      const world = { skew: 0, dateError: () => (random() < share ? 60 * minute : 0) }
      const { result, sent } = yield* inWorld(world, failing(500))
      assert.strictEqual(result, 0)
      assert.strictEqual(sent, 500)
    })
  )

  it.effect.each([0.1, 0.5])("in %d of the answers fail one call at most of a machine whose clock is off", (share) =>
    Effect.gen(function* () {
      for (const skew of [-3 * 60 * minute, 15 * minute]) {
        const random = yield* draw(`share ${skew}`)
        const world = { skew, dateError: () => (random() < share ? 60 * minute : 0) }
        const { result } = yield* inWorld(world, failing(500))
        assert.isAtMost(result, 1)
      }
    })
  )
})

const Minutes = Schema.Int.check(Schema.isBetween({ minimum: -10 * 60, maximum: 10 * 60 }))

/** Some time between two jumps of the clock. */
const Phase = Schema.Struct({
  /** Where the service's clock is, in minutes; or back where this machine's is. */
  skew: Schema.Union([Schema.Literal(0), Minutes]),
  calls: Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 25 })),
  /** How many of ten dates are wrong, and by how much: each by the same, or each by something else. */
  wrong: Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 10 })),
  error: Schema.Union([Schema.Literal("any"), Minutes])
})

describe("any schedule of jumps and wrong dates", () => {
  it.effect.prop(
    "fails a few calls after a jump, and none for good",
    { phases: Schema.Array(Phase).check(Schema.isMaxLength(6)), seed: Schema.Int },
    ({ phases, seed }) =>
      Effect.gen(function* () {
        const random = yield* draw(`${seed}`)
        const world: World = { skew: 0, dateError: () => 0 }
        const run = Effect.gen(function* () {
          for (const { calls, error, skew, wrong } of phases) {
            world.skew = skew * minute
            const far = () => (error === "any" ? Math.round((random() - 0.5) * 20 * 60) : error) * minute
            world.dateError = () => (random() * 10 < wrong ? far() : 0)
            const failed = yield* failing(calls)
            // Where the machine's clock is right, or most dates are, it is found soon.
            if (skew === 0) assert.isAtMost(failed, 3, "the machine's clock is right")
            else if (wrong === 0) assert.isAtMost(failed, 1, "all dates are right")
            else if (wrong <= 5) assert.isAtMost(failed, 6, "half of the dates are right")
          }
          // However it went: it comes back to what is right.
          world.dateError = () => (random() < 0.5 ? 60 * minute : 0)
          yield* failing(10)
          assert.strictEqual(yield* failing(20), 0, "and stays there")
        })
        yield* inWorld(world, run)
      }),
    { arbitrary: { seed: 64, runs: 60 } }
  )
})

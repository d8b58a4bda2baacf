/**
 * The quota where timers belong to requests, as in workerd: a timer ends with the request that set it, and a cancelled
 * request ends without a word. A request that is gone is one whose clock never wakes it, here.
 */
import type { Quota } from "@effect-zim/client"
import { assert, describe, it } from "@effect/vitest"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Random from "effect/Random"
import * as TestClock from "effect/testing/TestClock"
import { afterEach, vi } from "vitest"
import * as FakeService from "../fakeService.ts"
import { call, peak, withPermit } from "../quotaOracle.ts"

afterEach(() => {
  vi.unstubAllGlobals()
  vi.resetModules()
})

const limit = 5

/** A quota of a client that was loaded in workerd. */
const makeQuota = Effect.gen(function* () {
  vi.stubGlobal("navigator", { userAgent: "Cloudflare-Workers" })
  vi.resetModules()
  const client = yield* Effect.promise(() => import("@effect-zim/client"))
  return yield* client.Quota.make({ limit })
})

/** As part of a request that is gone in so many milliseconds: after that no timer of its own goes off. */
const goneIn =
  (millis: number) =>
  <A, E, R>(self: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
    Clock.clockWith((clock) => {
      const end = clock.currentTimeMillisUnsafe() + millis
      const gone: Clock.Clock = {
        currentTimeMillisUnsafe: () => clock.currentTimeMillisUnsafe(),
        currentTimeMillis: clock.currentTimeMillis,
        currentTimeNanosUnsafe: () => clock.currentTimeNanosUnsafe(),
        currentTimeNanos: clock.currentTimeNanos,
        monotonicTimeNanosUnsafe: () => clock.monotonicTimeNanosUnsafe(),
        monotonicTimeNanos: clock.monotonicTimeNanos,
        sleep: (duration) =>
          Effect.andThen(
            clock.sleep(duration),
            Effect.suspend(() => (clock.currentTimeMillisUnsafe() < end ? Effect.void : Effect.never))
          )
      }
      return Effect.provideService(self, Clock.Clock, gone)
    })

const request = (quota: Quota.Quota["Service"], sent: Array<number>) =>
  withPermit(
    quota,
    call,
    () =>
      Effect.andThen(
        Effect.map(Clock.currentTimeMillis, (now) => void sent.push(now)),
        Effect.sleep("50 millis")
      ),
    () => "Answered"
  )

describe("where timers belong to requests", () => {
  it.effect("requests that are gone, while they wait or with a permit, hold nobody up", () =>
    Effect.gen(function* () {
      const quota = yield* makeQuota
      const sent: Array<number> = []
      let answered = 0
      const one = Effect.tap(request(quota, sent), () => Effect.sync(() => void answered++))
      for (let i = 0; i < 60; i++) {
        yield* Effect.forkScoped(i % 3 === 0 ? goneIn(100 + 10 * i)(one) : one)
        yield* TestClock.adjust((yield* Random.nextIntBetween(0, 20)) + 1)
        yield* FakeService.settle
      }
      yield* TestClock.adjust("1 minute")
      assert.isAtLeast(answered, 40)
      assert.isAtMost(peak(sent, 1000), limit)
      assert.strictEqual((yield* quota.state)[0]?.waiting, 0)
    }).pipe(Random.withSeed(1))
  )

  it.effect("the permits of requests that are gone come back when nobody can be using them", () =>
    Effect.gen(function* () {
      const quota = yield* makeQuota
      const sent: Array<number> = []
      for (let i = 0; i < limit; i++) yield* Effect.forkScoped(goneIn(10)(request(quota, sent)))
      yield* TestClock.adjust("1 second")
      const next = yield* Effect.forkScoped(request(quota, sent))
      // The attempt's timeout, the window and the grace.
      yield* TestClock.adjust("11 seconds")
      assert.strictEqual(sent.length, limit)
      yield* TestClock.adjust("2 seconds")
      assert.isDefined(next.pollUnsafe())
    })
  )

  it.effect("callers are served in order, and none waits longer than it has to", () =>
    Effect.gen(function* () {
      const quota = yield* makeQuota
      const order: Array<number> = []
      const startedAt = yield* Clock.currentTimeMillis
      for (let i = 0; i < 20; i++) {
        yield* Effect.forkScoped(
          Effect.andThen(
            Effect.sync(() => undefined),
            withPermit(
              quota,
              call,
              () => Effect.sync(() => void order.push(i)),
              () => "Answered"
            )
          ),
          { startImmediately: true }
        )
      }
      yield* TestClock.adjust("3001 millis")
      assert.deepStrictEqual(
        order,
        Array.from({ length: 20 }, (_, i) => i)
      )
      assert.strictEqual((yield* Clock.currentTimeMillis) - startedAt, 3001)
    })
  )
})

/** Services of one's own that never come back: the deadline ends a call all the same. */
import { CircuitBreaker, Quota, RetryBudget, RetryPolicy, ServerClock, Timeout } from "@effect-zim/client"
import { assert, describe, it } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as HttpClient from "effect/http/HttpClient"
import * as Layer from "effect/Layer"
import * as References from "effect/References"
import * as Schedule from "effect/Schedule"
import * as FakeService from "../fakeService.ts"
import { layer, page, read } from "./support.ts"

const never = Effect.never
const stuck = Effect.uninterruptible(Effect.never)

const quota = (withPermit: Quota.Quota["Service"]["withPermit"]) =>
  Layer.succeed(Quota.Quota, { withPermit, state: Effect.succeed([]) })

const breaker = (guard: CircuitBreaker.CircuitBreaker["Service"]["guard"]) =>
  Layer.succeed(CircuitBreaker.CircuitBreaker, { guard, state: () => Effect.succeed("Closed") })

const clock = (own: Partial<ServerClock.ServerClock["Service"]>) =>
  Layer.succeed(ServerClock.ServerClock, { offset: Effect.succeed(0), observe: () => Effect.void, ...own })

const budget = (own: Partial<RetryBudget.RetryBudget["Service"]>) =>
  Layer.effect(
    RetryBudget.RetryBudget,
    Effect.map(RetryBudget.make(), (budget) => ({ ...budget, ...own }))
  )

const hangingSchedule = Schedule.modifyDelay(Schedule.spaced("1 second"), () => never)

const retrying = (schedule: Schedule.Schedule<unknown>) =>
  Layer.succeed(RetryPolicy.Current, { ...RetryPolicy.standard, transient: schedule, transport: schedule })

/** Answers once the clock was asked for its offset to sign with: it hangs when it is asked what became of that. */
const hangingOnceAsked = Effect.suspend(() => {
  let asked = 0
  return Effect.succeed(clock({ offset: Effect.suspend(() => (asked++ === 0 ? Effect.succeed(0) : never)) }))
}).pipe(Layer.unwrap)

const hanging: ReadonlyArray<readonly [string, Layer.Layer<never>, FakeService.Reply?]> = [
  ["a quota", quota(() => never)],
  ["a quota that cannot be interrupted", quota(() => stuck)],
  ["a quota, once the attempt is over", quota((_, attempt) => Effect.ensuring(attempt(Duration.zero), never))],
  ["a breaker", breaker(() => never)],
  ["a breaker, once the attempt is over", breaker((_call, _host, attempt) => Effect.ensuring(attempt, never))],
  [
    "a breaker's schedule",
    CircuitBreaker.layer({ size: 1, minimumCalls: 1, openDuration: hangingSchedule }),
    FakeService.code(1)
  ],
  ["a server clock that is looked at", clock({ offset: never })],
  ["a server clock that is looked at again", hangingOnceAsked, FakeService.code(100000004)],
  ["a server clock that looks at an answer", clock({ observe: () => never })],
  ["a retry budget that is spent", budget({ spend: () => never }), FakeService.code(1)],
  ["a retry budget that is refilled", budget({ refill: () => never })],
  ["a retry policy", retrying(hangingSchedule), FakeService.code(1)]
]

describe("a call ends by its deadline although there hangs", () => {
  const ending = (service: Layer.Layer<HttpClient.HttpClient>, policies: Layer.Layer<never>) =>
    read.pipe(
      Effect.provideService(Timeout.Deadline, Duration.seconds(25)),
      Effect.flip,
      Effect.timed,
      Effect.provide(Layer.provide(FakeService.clientOf(service), policies)),
      FakeService.inTime(),
      Effect.map(([took, { _tag }]) => ({ tag: _tag, took: Duration.toMillis(took) }))
    )

  it.effect.each(hanging)("%s", ([, policies, reply = page]) =>
    Effect.gen(function* () {
      const service = FakeService.answering(reply)
      const once = policies.pipe(Layer.provideMerge(retrying(Schedule.spaced("0 millis"))))
      const { tag, took } = yield* ending(service.layer, once)
      assert.strictEqual(tag, "DeadlineExceeded")
      // An attempt ends a millisecond before what is around it.
      assert.isTrue(took === 25_000 || took === 25_001, `after ${took} ms`)
    })
  )

  it.effect("an HTTP client that cannot be interrupted, whose attempts end by their timeout", () =>
    Effect.gen(function* () {
      const http = Layer.succeed(
        HttpClient.HttpClient,
        HttpClient.make(() => stuck)
      )
      const retried = yield* ending(http, retrying(Schedule.spaced("0 millis")))
      assert.deepStrictEqual(retried, { tag: "DeadlineExceeded", took: 25_000 })
      const once = yield* ending(http, Layer.succeed(RetryPolicy.Current, RetryPolicy.none))
      assert.deepStrictEqual(once, { tag: "AttemptTimedOut", took: 10_000 })
    })
  )
})

describe("services of one's own", () => {
  const own = Layer.mergeAll(
    quota((_, attempt) => Effect.annotateLogs(attempt(Duration.zero), "permit", "1")),
    breaker((_call, host, attempt) => Effect.annotateLogs(attempt, "host", host)),
    clock({})
  )

  it.effect("add to the context of the request", () =>
    Effect.gen(function* () {
      let annotations: unknown
      const service = FakeService.make(() =>
        Effect.map(References.CurrentLogAnnotations, (seen) => {
          annotations = seen
          return page
        })
      )
      yield* Effect.provide(read, layer(service, own))
      assert.deepStrictEqual(annotations, { permit: "1", host: "127.0.0.1:1" })
    })
  )

  it.effect("do not make another error, or count, of an attempt that the deadline ends", () =>
    Effect.gen(function* () {
      const ended: Array<string> = []
      const counting = quota((_, attempt, outcomeOf) =>
        Effect.onExitPrimitive(attempt(Duration.zero), (exit) => {
          ended.push(outcomeOf(exit), exit._tag === "Failure" ? String(exit.cause) : "")
          return undefined
        })
      )
      const service = FakeService.answering(() => never)
      const error = yield* read.pipe(
        Effect.provideService(Timeout.Deadline, Duration.seconds(3)),
        Effect.flip,
        Effect.provide(layer(service, counting)),
        FakeService.inTime()
      )
      assert.deepStrictEqual([error._tag, "attempts" in error && error.attempts], ["DeadlineExceeded", 1])
      assert.strictEqual(ended[0], "Abandoned")
      assert.include(ended[1], "DeadlineExceeded")
    })
  )
})

/** One shape for all policies: `layer` and `provide`, for effects and for streams. */
import {
  CircuitBreaker,
  Meaning,
  Policies,
  Quota,
  RetryBudget,
  RetryPolicy,
  ServerClock,
  Timeout
} from "@effect-zim/policies"
import * as RedisQuota from "@effect-zim/policies/RedisQuota"
import * as SqlQuota from "@effect-zim/policies/SqlQuota"
import * as SharedQuota from "@effect-zim/policies/SharedQuota"
import { assert, describe, it } from "@effect/vitest"
import * as Data from "effect/Data"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Schedule from "effect/Schedule"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/testing/TestClock"
import { expectTypeOf, test } from "vitest"

class Failed extends Data.TaggedError("Failed") {}

/** Calls that fail at first and succeed then, with what they were told of their policies. */
const client = Effect.map(
  Policies.make({
    key: "account",
    hosts: [{ host: "api.example" }],
    meaningOf: (): Meaning.Meaning => Meaning.ofStatus(503)
  }),
  (policies) =>
    policies.execute("ask", ({ call, clockOffset }) =>
      call.attempts === 1
        ? Effect.fail(new Failed())
        : Effect.succeed(
            `offset ${clockOffset}, attempt ${Duration.format(call.attemptTimeout)}, deadline ${Duration.format(call.deadline)}`
          )
    )
)

/** What a call was told, in each of the ways to give it or its client a policy. */
const ways = <Policy, I>(provide: Policies.Provide<Policy, I>, policy: Policy, layer: Layer.Layer<I>) => ({
  "data-first": Effect.flatMap(client, (ask) => provide(ask, policy)),
  "data-last": Effect.flatMap(client, (ask) => ask.pipe(provide(policy))),
  "a stream, data-first": Effect.flatMap(client, (ask) => Stream.mkString(provide(lines(ask), policy))),
  "a stream, data-last": Effect.flatMap(client, (ask) => lines(ask).pipe(provide(policy), Stream.mkString)),
  layer: Effect.flatMap(Effect.provide(client, layer), (ask) => ask)
})

const lines = <E>(ask: Effect.Effect<string, E>) => Stream.fromIterableEffect(Effect.map(ask, (text) => [text]))

const seen: Array<string> = []
const saw = (what: string) => Effect.sync(() => void seen.push(what))

const quota: Quota.Quota["Service"] = {
  withPermit: (_call, attempt) => Effect.andThen(saw("quota"), attempt(Duration.zero)),
  state: Effect.succeed([])
}
const budget: RetryBudget.RetryBudget["Service"] = {
  spend: () => Effect.as(saw("budget"), true),
  refill: () => Effect.void,
  left: Effect.succeed(1),
  costs: { retry: 1, timeoutRetry: 1, success: 1 }
}
const breaker: CircuitBreaker.CircuitBreaker["Service"] = {
  guard: (_call, _host, attempt) => Effect.andThen(saw("breaker"), attempt),
  state: () => Effect.succeed("Closed")
}
const clock: ServerClock.ServerClock["Service"] = { offset: Effect.succeed(7), observe: () => Effect.void }
const retry: RetryPolicy.RetryPolicy = {
  ...RetryPolicy.standard,
  transient: Schedule.tap(Schedule.recurs(3), () => saw("retry"))
}
const times = { attempt: "3 seconds", deadline: "1 hour" } as const

const policies = {
  quota: ways(Quota.provide, quota, Layer.succeed(Quota.Quota, quota)),
  "quota, shared": ways(SharedQuota.provide, quota, Layer.succeed(Quota.Quota, quota)),
  "quota, over Redis": ways(RedisQuota.provide, quota, Layer.succeed(Quota.Quota, quota)),
  "quota, over SQL": ways(SqlQuota.provide, quota, Layer.succeed(Quota.Quota, quota)),
  budget: ways(RetryBudget.provide, budget, Layer.succeed(RetryBudget.RetryBudget, budget)),
  breaker: ways(CircuitBreaker.provide, breaker, Layer.succeed(CircuitBreaker.CircuitBreaker, breaker)),
  retry: ways(RetryPolicy.provide, retry, RetryPolicy.layer(retry)),
  "offset 7": ways(ServerClock.provide, clock, ServerClock.layerFixed(7)),
  "attempt 3s": ways(Timeout.provide, times, Timeout.layer(times)),
  "deadline 1h": ways(Timeout.provide, times, Timeout.layer(times)),
  "attempt 10s": ways(Timeout.provide, { deadline: "1 second" }, Timeout.layer({ deadline: "1 second" })),
  "deadline 2m": ways(Timeout.provide, { attempt: "1 second" }, Timeout.layer({ attempt: "1 second" }))
}

describe("a policy that is provided is the call's", () => {
  const cases = Object.entries(policies).flatMap(([name, ways]) =>
    Object.entries(ways).map(([way, told]) => [name, way, told] as const)
  )
  it.effect.each(cases)("%s: %s", ([name, , told]) =>
    Effect.gen(function* () {
      seen.length = 0
      const fiber = yield* Effect.forkChild(told, { startImmediately: true })
      yield* TestClock.adjust("1 minute")
      const text = yield* Fiber.join(fiber)
      const [mark = ""] = name.split(",")
      assert.include([...seen, ...text.split(", ")], mark)
    }).pipe(Effect.scoped)
  )

  it.effect("a time below 0 is a RangeError that names it", () =>
    Effect.gen(function* () {
      const message = "the timeout's deadline is a time, in milliseconds, 0 or more, not -1"
      const exit = yield* Effect.exit(Layer.build(Timeout.layer({ deadline: "-1 millis" })))
      assert.deepStrictEqual(exit, Exit.die(new RangeError(message)))
      assert.throws(() => Timeout.provide(Effect.void, { deadline: "-1 millis" }), RangeError, message)
    }).pipe(Effect.scoped)
  )
})

interface Needed {
  readonly needed: true
}

type AnEffect = Effect.Effect<number, Failed, Needed>
type AStream = Stream.Stream<number, Failed, Needed>

/** Data-first and data-last, of an effect and of a stream. */
type Same = readonly [AnEffect, AnEffect, AStream, AStream]

test("provide keeps the types of an effect and of a stream", () => {
  const check = (effect: AnEffect, stream: AStream): void => {
    expectTypeOf([
      Quota.provide(effect, quota),
      effect.pipe(Quota.provide(quota)),
      Quota.provide(stream, quota),
      stream.pipe(Quota.provide(quota))
    ] as const).toEqualTypeOf<Same>()
    expectTypeOf([
      SharedQuota.provide(effect, quota),
      effect.pipe(SharedQuota.provide(quota)),
      SharedQuota.provide(stream, quota),
      stream.pipe(SharedQuota.provide(quota))
    ] as const).toEqualTypeOf<Same>()
    expectTypeOf([
      RedisQuota.provide(effect, quota),
      effect.pipe(RedisQuota.provide(quota)),
      RedisQuota.provide(stream, quota),
      stream.pipe(RedisQuota.provide(quota))
    ] as const).toEqualTypeOf<Same>()
    expectTypeOf([
      SqlQuota.provide(effect, quota),
      effect.pipe(SqlQuota.provide(quota)),
      SqlQuota.provide(stream, quota),
      stream.pipe(SqlQuota.provide(quota))
    ] as const).toEqualTypeOf<Same>()
    expectTypeOf([
      RetryBudget.provide(effect, budget),
      effect.pipe(RetryBudget.provide(budget)),
      RetryBudget.provide(stream, budget),
      stream.pipe(RetryBudget.provide(budget))
    ] as const).toEqualTypeOf<Same>()
    expectTypeOf([
      CircuitBreaker.provide(effect, breaker),
      effect.pipe(CircuitBreaker.provide(breaker)),
      CircuitBreaker.provide(stream, breaker),
      stream.pipe(CircuitBreaker.provide(breaker))
    ] as const).toEqualTypeOf<Same>()
    expectTypeOf([
      RetryPolicy.provide(effect, retry),
      effect.pipe(RetryPolicy.provide(retry)),
      RetryPolicy.provide(stream, retry),
      stream.pipe(RetryPolicy.provide(retry))
    ] as const).toEqualTypeOf<Same>()
    expectTypeOf([
      ServerClock.provide(effect, clock),
      effect.pipe(ServerClock.provide(clock)),
      ServerClock.provide(stream, clock),
      stream.pipe(ServerClock.provide(clock))
    ] as const).toEqualTypeOf<Same>()
    expectTypeOf([
      Timeout.provide(effect, times),
      effect.pipe(Timeout.provide(times)),
      Timeout.provide(stream, times),
      stream.pipe(Timeout.provide(times))
    ] as const).toEqualTypeOf<Same>()
  }
  void check
})

test("provide takes away the requirement of what it gives, and of nothing else", () => {
  const check = (
    effect: Effect.Effect<number, Failed, Needed | Quota.Quota | RetryBudget.RetryBudget>,
    stream: Stream.Stream<number, Failed, Needed | Quota.Quota | RetryBudget.RetryBudget>
  ): void => {
    const given = effect.pipe(Quota.provide(quota), RetryBudget.provide(budget), Timeout.provide(times))
    expectTypeOf(given).toEqualTypeOf<AnEffect>()
    const streamed = stream.pipe(Quota.provide(quota), RetryBudget.provide(budget), Timeout.provide(times))
    expectTypeOf(streamed).toEqualTypeOf<AStream>()
    // @ts-expect-error A layer has `layer` beside it, not `provide`.
    void Quota.provide(Layer.empty, quota)
    // @ts-expect-error A policy of another kind.
    void Quota.provide(effect, budget)
    // @ts-expect-error No duration.
    void Timeout.provide(effect, { deadline: "5 parsecs" })
  }
  void check
})

test("provide in a function that knows none of the types", () => {
  const hurried = <A, E, R>(self: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> => Timeout.provide(self, times)
  const streamed = <A, E, R>(self: Stream.Stream<A, E, R>): Stream.Stream<A, E, R> => self.pipe(Timeout.provide(times))
  expectTypeOf(hurried<number, Failed, Needed>).returns.toEqualTypeOf<AnEffect>()
  expectTypeOf(streamed<number, Failed, Needed>).returns.toEqualTypeOf<AStream>()
})

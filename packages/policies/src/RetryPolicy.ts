/**
 * When a failed call is made again.
 *
 * Each kind of failure has a schedule of its own, an ordinary Effect `Schedule`: take one of those exported here, or
 * compose one. A schedule that ends gives the call up; the error says how many attempts were made.
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Random from "effect/Random"
import * as Schedule from "effect/Schedule"
import { inRange, millisInRange } from "./internal/inRange.ts"
import { makeProvideOf, type Provide } from "./internal/providePolicy.ts"
import { CircuitOpen } from "./PolicyError.ts"

/**
 * The kinds of failure that a policy has schedules for; which failures are of which kind is the client's to say:
 *
 * - `rateLimit`: the service said "too fast".
 * - `transient`: the service failed in a way that passes.
 * - `bounded`: it failed in a way that may pass; a second look is safe for a read.
 * - `transport`: no answer, or none in time; or not sent, because the store of a shared quota does not answer.
 * - `circuit`: not sent, because the circuit breaker is open.
 *
 * @category models
 * @since 0.1.0
 */
export type Kind = "rateLimit" | "transient" | "bounded" | "transport" | "circuit"

/**
 * A retry policy: a schedule for each kind of failure, whose input is the error of the attempt and whose output is not
 * used.
 *
 * @category models
 * @since 0.1.0
 */
export interface RetryPolicy<in Failure = unknown> extends Readonly<Record<Kind, Schedule.Schedule<unknown, Failure>>> {
  /** Whether retries take from the client's `RetryBudget`. One that waits long between retries may do without. */
  readonly usesBudget: boolean
  /** The most attempts of a call, whatever they fail with: 1 or more. Default: as many as the schedules allow. */
  readonly attempts?: number | undefined
}

/**
 * Exponential back-off with full jitter: before the n-th retry it waits a random time between nothing and
 * `min(base * 2^(n-1), cap)`, so that clients that failed together do not come back together. Seeded `Random` makes it
 * repeatable in tests. Throws a `RangeError` that names the option where one is below 0, or no number.
 *
 * @example
 * ```ts
 * import { RetryPolicy } from "@effect-zim/policies"
 *
 * const custom: RetryPolicy.RetryPolicy = {
 *   ...RetryPolicy.standard,
 *   transient: RetryPolicy.backoff({ base: "1 second", cap: "1 minute", times: 10 })
 * }
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const backoff = (options: {
  readonly base: Duration.Input
  readonly cap: Duration.Input
  /** How many retries, 0 or more; without it, no end. */
  readonly times?: number | undefined
}): Schedule.Schedule<Duration.Duration> => {
  const base = millisInRange("the back-off's base", options.base, "a time, in milliseconds, 0 or more")
  const cap = millisInRange("the back-off's cap", options.cap, "a time, in milliseconds, 0 or more")
  const { times = Infinity } = options
  inRange("the back-off's times", times, times >= 0, "a number of retries, 0 or more")
  const jittered = Schedule.modifyDelay(Schedule.exponential(base), ({ duration }) =>
    Effect.map(Random.next, (random) => Math.min(Duration.toMillis(duration), cap) * random)
  )
  return Schedule.upTo(jittered, { times })
}

const never: Schedule.Schedule<number> = Schedule.recurs(0)

/** Waits out what the circuit breaker asks for, and then a little, so that not everybody comes back at once. */
const untilCircuitCloses: Schedule.Schedule<unknown> = /* @__PURE__ */ Schedule.modifyDelay(
  /* @__PURE__ */ backoff({ base: "1 second", cap: "30 seconds" }),
  ({ duration, input }) =>
    Effect.succeed(input instanceof CircuitOpen ? Duration.sum(duration, input.retryAfter) : duration)
)

/**
 * No retries: the first failure is the call's.
 *
 * @example
 * ```ts
 * import { RetryPolicy } from "@effect-zim/policies"
 * import type { Effect } from "effect"
 *
 * const once = <A, E, R>(call: Effect.Effect<A, E, R>) => RetryPolicy.provide(call, RetryPolicy.none)
 * ```
 *
 * @category constants
 * @since 0.1.0
 */
export const none: RetryPolicy = {
  rateLimit: never,
  transient: never,
  bounded: never,
  transport: never,
  circuit: never,
  usesBudget: true
}

/**
 * The default, for a caller that waits for the answer: rejections are retried up to 8 times, passing failures 4 times,
 * connection failures 3 times, doubtful ones twice. While the circuit breaker is open it fails at once.
 *
 * @example
 * ```ts
 * import { RetryPolicy } from "@effect-zim/policies"
 *
 * // The same, but lost connections are final.
 * const custom: RetryPolicy.RetryPolicy = { ...RetryPolicy.standard, transport: RetryPolicy.none.transport }
 * ```
 *
 * @category constants
 * @since 0.1.0
 */
export const standard: RetryPolicy = {
  rateLimit: /* @__PURE__ */ backoff({ base: "500 millis", cap: "5 seconds", times: 8 }),
  transient: /* @__PURE__ */ backoff({ base: "250 millis", cap: "5 seconds", times: 4 }),
  bounded: /* @__PURE__ */ backoff({ base: "250 millis", cap: "2 seconds", times: 2 }),
  transport: /* @__PURE__ */ backoff({ base: "100 millis", cap: "5 seconds", times: 3 }),
  circuit: never,
  usesBudget: true
}

/**
 * For a batch job that would rather wait than fail: rejections and outages are retried until the deadline. Raise
 * `Timeout.Deadline` with it: two minutes are soon over in an outage.
 *
 * @example
 * ```ts
 * import { RetryPolicy, Timeout } from "@effect-zim/policies"
 * import type { Effect } from "effect"
 *
 * const nightly = <A, E, R>(job: Effect.Effect<A, E, R>) =>
 *   job.pipe(RetryPolicy.provide(RetryPolicy.patient), Timeout.provide({ deadline: "1 hour" }))
 * ```
 *
 * @category constants
 * @since 0.1.0
 */
export const patient: RetryPolicy = {
  rateLimit: /* @__PURE__ */ backoff({ base: "1 second", cap: "30 seconds" }),
  transient: /* @__PURE__ */ backoff({ base: "1 second", cap: "1 minute" }),
  bounded: /* @__PURE__ */ backoff({ base: "1 second", cap: "30 seconds", times: 5 }),
  transport: /* @__PURE__ */ backoff({ base: "500 millis", cap: "1 minute" }),
  circuit: untilCircuitCloses,
  usesBudget: false
}

/**
 * The policy in force: provide another one to the client's layer with {@link layer}, or to one effect or stream with
 * {@link provide}.
 *
 * @example
 * ```ts
 * import { RetryPolicy } from "@effect-zim/policies"
 * import { Effect } from "effect"
 *
 * const usesBudget = Effect.map(RetryPolicy.Current, (policy) => policy.usesBudget)
 * ```
 *
 * @category references
 * @since 0.1.0
 */
export const Current = Context.Reference<RetryPolicy>("@effect-zim/policies/RetryPolicy", {
  defaultValue: () => standard
})

/**
 * A policy for every client built on this layer.
 *
 * @example
 * ```ts
 * import { RetryPolicy } from "@effect-zim/policies"
 *
 * const layer = RetryPolicy.layer(RetryPolicy.patient)
 * ```
 *
 * @category layers
 * @since 0.1.0
 */
export const layer = (policy: RetryPolicy): Layer.Layer<never> => Layer.succeed(Current, policy)

/**
 * Runs the calls of an effect or a stream under a policy.
 *
 * @example
 * ```ts
 * import { RetryPolicy } from "@effect-zim/policies"
 * import { Effect } from "effect"
 *
 * const job = Effect.void.pipe(RetryPolicy.provide(RetryPolicy.patient))
 * ```
 *
 * @category combinators
 * @since 0.1.0
 */
export const provide: Provide<RetryPolicy> = /* @__PURE__ */ makeProvideOf(Current)

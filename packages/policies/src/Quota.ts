/**
 * The calls that a service allows in a window of time: never more than the quota, however the service aligns its windows,
 * unless the latency to its host suddenly drops, and then in that one window only; and nearly all of it.
 *
 * Effect's `RateLimiter` counts departures. This counts as the service may, from the departure to the answer.
 *
 * @since 0.1.0
 */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import type * as Call from "./Call.ts"
import { callsInRange, millisInRange } from "./internal/inRange.ts"
import { makeProvideOf, type Provide } from "./internal/providePolicy.ts"
import type { Limits, Outcome } from "./internal/permits.ts"
import { LocalQueues, type Rules } from "./internal/permitQueue.ts"
import { millisOf } from "./internal/timers.ts"
import type { DeadlineExceeded, QuotaUnavailable } from "./PolicyError.ts"

export type { Outcome } from "./internal/permits.ts"

/**
 * What a quota is doing for one key, or one key and operation.
 *
 * @category models
 * @since 0.1.0
 */
export interface State {
  /** The key, with the operation behind a colon where the quota is one for each operation. */
  readonly key: string
  /** Permits that are out: requests under way. */
  readonly inUse: number
  /** Callers in the queue. */
  readonly waiting: number
  /** How long until the next permit, if one is known to come back. */
  readonly nextPermit: Duration.Duration
  /** The least time between two calls: zero unless the service rejected calls of late. */
  readonly spacing: Duration.Duration
}

/**
 * Tells the quota to which host the request goes, just before it is sent: what may be won back of the round trip to one
 * host is nothing to another. Gives what to wait for before it is sent, where those before it went elsewhere; nothing
 * where it may be sent at once. A request of which nothing is told goes where those before it went, as far as the quota
 * knows.
 *
 * @category models
 * @since 0.1.0
 */
export type GoingTo = (host: string) => Effect.Effect<void> | undefined

/**
 * A quota: gives out permits, each for one request.
 *
 * @example
 * ```ts
 * import { Quota } from "@effect-zim/policies"
 * import { Duration, Effect, Layer } from "effect"
 *
 * // A quota of one's own: none at all, for a service in the same process.
 * const unlimited = Layer.succeed(Quota.Quota, {
 *   withPermit: (_call, attempt) => attempt(Duration.zero),
 *   state: Effect.succeed([])
 * })
 * ```
 *
 * @category services
 * @since 0.1.0
 */
export class Quota extends Context.Service<
  Quota,
  {
    /**
     * Waits for a permit, first come first served, makes one attempt with it, and takes it back, however the attempt
     * ends. Interruption while waiting leaves the queue and keeps nothing. A wait that is known to be longer than the
     * call's time fails at once, with `call.deadlineExceeded`; the call's deadline ends any other. `pauseOf` says for how
     * long the service wants no call of the key, if it has said so: nobody gets a permit before that.
     */
    readonly withPermit: <A, E, R>(
      call: Call.Call,
      attempt: (waited: Duration.Duration, goingTo?: GoingTo) => Effect.Effect<A, E, R>,
      outcomeOf: (exit: Exit.Exit<A, E>) => Outcome,
      pauseOf?: (exit: Exit.Exit<A, E>) => Duration.Duration | undefined
    ) => Effect.Effect<A, E | DeadlineExceeded | QuotaUnavailable, R>
    readonly state: Effect.Effect<ReadonlyArray<State>>
  }
>()("@effect-zim/policies/Quota") {}

/**
 * What a quota is made of. A quota that nobody could keep is not made: it dies with a `RangeError` that names the option.
 *
 * @category models
 * @since 0.1.0
 */
export interface Options {
  /** Calls per window: a whole number, 1 or more. Default: 20. */
  readonly limit?: number | undefined
  /** The window. Default: 1 second. */
  readonly window?: Duration.Input | undefined
  /** Whether all operations of a key share one quota, or each has its own. Default: `key`, the stricter. */
  readonly per?: "key" | "operation" | undefined
  /**
   * How long a request that was given up may be under way before it arrives and is counted. Default: 2 seconds.
   */
  readonly grace?: Duration.Input | undefined
}

/**
 * Throws a `RangeError` that names the option that is wrong: such a quota would give out no permit, or one to everybody.
 *
 * @internal
 */
export const limitsOf = (options: Options): Limits => ({
  limit: callsInRange("the quota's limit", options.limit ?? 20),
  window: millisInRange("the quota's window", options.window ?? "1 second", "a finite time, in milliseconds, above 0"),
  grace: millisInRange("the quota's grace", options.grace ?? "2 seconds", "a finite time, in milliseconds, 0 or more")
})

/**
 * What is counted, and how much of it.
 *
 * @internal
 */
export const rulesOf = (options: Options): Rules => ({ limits: limitsOf(options), per: options.per })

/**
 * A quota within this process. A permit comes back one window after the answer of its request: the service counted the
 * old call before it answered, and counts the new one after it is sent, so no window of its own, wherever it begins,
 * holds more than `limit` of them, unless the latency to the host suddenly drops, and then that one window only: of
 * that time the smallest round trip seen of late is won back, as long as calls go to the same host, and nothing after
 * a fail-over. If the service rejects a call in spite of it, everybody on that key pauses, and calls are spread out
 * until it has not happened for a while.
 *
 * @example
 * ```ts
 * import { Quota } from "@effect-zim/policies"
 * import { Console, Effect } from "effect"
 *
 * const program = Effect.gen(function* () {
 *   const quota = yield* Quota.make({ limit: 50, per: "operation" })
 *   for (const { inUse, key, waiting } of yield* quota.state) yield* Console.log(key, inUse, waiting)
 * })
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = (options: Options = {}): Effect.Effect<Quota["Service"]> =>
  Effect.sync(() => {
    const rules = rulesOf(options)
    const queues = new LocalQueues()
    return {
      withPermit: (call, attempt, outcomeOf, pauseOf) =>
        queues.of(rules, call).withPermit(call, attempt, outcomeOf, pauseOf),
      state: Clock.clockWith((clock) => Effect.sync(() => queues.state(millisOf(clock))))
    }
  })

/**
 * A quota for every client built on this layer.
 *
 * @example
 * ```ts
 * import { Quota } from "@effect-zim/policies"
 *
 * const layer = Quota.layer({ limit: 100, window: "1 minute" })
 * ```
 *
 * @category layers
 * @since 0.1.0
 */
export const layer = (options?: Options): Layer.Layer<Quota> => Layer.effect(Quota, make(options))

/**
 * Runs the calls of an effect or a stream under a quota of their own.
 *
 * @example
 * ```ts
 * import { Quota } from "@effect-zim/policies"
 * import { Effect } from "effect"
 *
 * // A background job that leaves most of the limit to others.
 * const inBackground = <A, E, R>(job: Effect.Effect<A, E, R>) =>
 *   Effect.flatMap(Quota.make({ limit: 2 }), (small) => Quota.provide(job, small))
 * ```
 *
 * @category combinators
 * @since 0.1.0
 */
export const provide: Provide<Quota["Service"], Quota> = /* @__PURE__ */ makeProvideOf(Quota)

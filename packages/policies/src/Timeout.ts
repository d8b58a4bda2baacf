/**
 * How long an attempt and a whole call may take.
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"

/**
 * The time one attempt has, from sending to the last byte of the answer. Waiting for the quota does not count. Default:
 * 10 seconds.
 *
 * @example
 * ```ts
 * import { Timeout } from "@effect-zim/policies"
 * import { Duration, Effect } from "effect"
 *
 * const hurried = <A, E, R>(job: Effect.Effect<A, E, R>) => Effect.provideService(job, Timeout.Attempt, Duration.seconds(3))
 * ```
 *
 * @since 0.1.0
 */
export const Attempt = Context.Reference<Duration.Duration>("@effect-zim/policies/Timeout/Attempt", {
  defaultValue: () => Duration.seconds(10)
})

/**
 * The time a call has as a whole: waiting for the quota, every attempt and every back-off. A stream of pages makes one call
 * per page, and each has this time. Default: 2 minutes.
 *
 * It ends the call whatever hangs, a policy or an HTTP client of your own too. Those are interrupted, and not waited for.
 *
 * @example
 * ```ts
 * import { Timeout } from "@effect-zim/policies"
 * import { Duration, Effect } from "effect"
 *
 * const hurried = <A, E, R>(job: Effect.Effect<A, E, R>) => Effect.provideService(job, Timeout.Deadline, Duration.seconds(5))
 * ```
 *
 * @since 0.1.0
 */
export const Deadline = Context.Reference<Duration.Duration>("@effect-zim/policies/Timeout/Deadline", {
  defaultValue: () => Duration.minutes(2)
})

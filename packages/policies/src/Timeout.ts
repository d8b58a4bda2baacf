/**
 * How long an attempt and a whole call may take.
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { millisInRange } from "./internal/inRange.ts"
import { makeProvide, type Provide } from "./internal/providePolicy.ts"

/**
 * The time one attempt has, from sending to the last byte of the answer. Waiting for the quota does not count. Default:
 * 10 seconds.
 *
 * @example
 * ```ts
 * import { Timeout } from "@effect-zim/policies"
 * import { Console, Duration, Effect } from "effect"
 *
 * const show = Effect.flatMap(Timeout.Attempt, (timeout) => Console.log(Duration.format(timeout)))
 * ```
 *
 * @category references
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
 * import { Console, Duration, Effect } from "effect"
 *
 * const show = Effect.flatMap(Timeout.Deadline, (deadline) => Console.log(Duration.format(deadline)))
 * ```
 *
 * @category references
 * @since 0.1.0
 */
export const Deadline = Context.Reference<Duration.Duration>("@effect-zim/policies/Timeout/Deadline", {
  defaultValue: () => Duration.minutes(2)
})

/**
 * The times to set, 0 or more; what is left out stays as it is. A negative one is a `RangeError` that names it: of
 * {@link provide} thrown, of {@link layer} a defect.
 *
 * @category models
 * @since 0.1.0
 */
export interface Options {
  /** See {@link Attempt}. */
  readonly attempt?: Duration.Input | undefined
  /** See {@link Deadline}. */
  readonly deadline?: Duration.Input | undefined
}

const contextOf = (options: Options): Context.Context<never> => {
  const contextWith = (name: keyof Options, reference: Context.Reference<Duration.Duration>) => {
    const time = options[name]
    if (time === undefined) return Context.empty()
    const millis = millisInRange(`the timeout's ${name}`, time, "a time, in milliseconds, 0 or more")
    return Context.make(reference, Duration.millis(millis))
  }
  return Context.merge(contextWith("attempt", Attempt), contextWith("deadline", Deadline))
}

/**
 * Times for every client built on this layer.
 *
 * @example
 * ```ts
 * import { Timeout } from "@effect-zim/policies"
 *
 * const layer = Timeout.layer({ attempt: "3 seconds", deadline: "1 minute" })
 * ```
 *
 * @category layers
 * @since 0.1.0
 */
export const layer = (options: Options): Layer.Layer<never> =>
  Layer.effectContext(Effect.sync(() => contextOf(options)))

/**
 * Runs the calls of an effect or a stream within these times.
 *
 * @example
 * ```ts
 * import { Timeout } from "@effect-zim/policies"
 * import type { Effect } from "effect"
 *
 * const hurried = <A, E, R>(job: Effect.Effect<A, E, R>) => Timeout.provide(job, { deadline: "5 seconds" })
 * ```
 *
 * @category combinators
 * @since 0.1.0
 */
export const provide: Provide<Options> = /* @__PURE__ */ makeProvide(contextOf)

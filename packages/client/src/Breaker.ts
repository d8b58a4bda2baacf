/**
 * The circuit breaker: while a host keeps failing, calls to it fail at once instead of adding to its trouble.
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as CircuitBreaker from "effect/persistence/CircuitBreaker"
import * as Schedule from "effect/Schedule"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"

/**
 * What a call says about the health of its host: `Unclear` counts neither way.
 *
 * @since 0.1.0
 */
export type Health = "Well" | "Ill" | "Unclear"

/**
 * The circuit to the host is open: the call was not made.
 *
 * @since 0.1.0
 */
export class Refused extends Schema.TaggedError<Refused>()("Refused", {
  retryAfter: Schema.Duration
}) {}

/**
 * A breaker: one circuit per host.
 *
 * - `Closed`: calls are made.
 * - `Open`: calls are refused, until the open time ends.
 * - `HalfOpen`: one call is let through to see; the others are refused.
 *
 * @since 0.1.0
 */
export class Breaker extends Context.Service<
  Breaker,
  {
    /** Makes the call, or refuses it. */
    readonly guard: <A, E, R>(
      host: string,
      call: Effect.Effect<A, E, R>,
      healthOf: (exit: Exit.Exit<A, E>) => Health
    ) => Effect.Effect<A, E | Refused, R>
    readonly state: (host: string) => Effect.Effect<"Closed" | "Open" | "HalfOpen">
  }
>()("@effect-zim/client/Breaker") {}

/**
 * What a breaker is made of.
 *
 * @since 0.1.0
 */
export interface Options {
  /** Of the last `size` calls to a host, so large a part failed. Default: 0.5. */
  readonly threshold?: number | undefined
  /** How many calls are looked at. Default: 40, two seconds' worth. */
  readonly size?: number | undefined
  /** How many there must be before the circuit opens. Default: 20. */
  readonly minimumCalls?: number | undefined
  /** How long the circuit stays open: the n-th time in a row the n-th delay. Default: 1 s, doubled up to 30 s. */
  readonly openDuration?: Schedule.Schedule<unknown, number> | undefined
}

const outcomes: Record<Health, CircuitBreaker.Outcome> = {
  Well: CircuitBreaker.success,
  Ill: CircuitBreaker.failure(),
  Unclear: CircuitBreaker.ignored
}

/** While a probe is under way nobody knows how long it takes. */
const probing = Duration.seconds(1)

/**
 * A breaker within this process, on Effect's `CircuitBreaker`.
 *
 * @since 0.1.0
 */
export const make = (options: Options = {}): Effect.Effect<Breaker["Service"], never, Scope.Scope> =>
  Effect.map(
    CircuitBreaker.make({
      tripPolicy: CircuitBreaker.rate({
        threshold: options.threshold ?? 0.5,
        size: options.size ?? 40,
        minimumCalls: options.minimumCalls ?? 20
      }),
      openDuration:
        options.openDuration ?? Schedule.min([Schedule.exponential("1 second"), Schedule.spaced("30 seconds")])
    }),
    (breaker): Breaker["Service"] => ({
      guard: (host, call, healthOf) =>
        breaker
          .execute(call, { key: host, classify: (exit) => outcomes[healthOf(exit)] })
          .pipe(
            Effect.catchIf(isBreakerError, ({ reason }) =>
              Effect.fail(new Refused({ retryAfter: reason._tag === "CircuitOpen" ? reason.retryAfter : probing }))
            )
          ),
      state: (host) => Effect.map(Effect.orDie(breaker.state(host)), (state) => state._tag)
    })
  ).pipe(Effect.provide(CircuitBreaker.layerStoreMemory()))

const isBreakerError = (error: unknown): error is CircuitBreaker.CircuitBreakerError =>
  error instanceof CircuitBreaker.CircuitBreakerError

/**
 * A breaker for every client built on this layer. A client without one makes its own, with the defaults.
 *
 * @example
 * ```ts
 * import { Breaker, ZimClient } from "@effect-zim/client"
 * import { Layer } from "effect"
 *
 * const client = ZimClient.layerConfig.pipe(Layer.provide(Breaker.layer({ threshold: 0.8 })))
 * ```
 *
 * @since 0.1.0
 */
export const layer = (options?: Options): Layer.Layer<Breaker> => Layer.effect(Breaker, make(options))

/**
 * No breaker: every call is made.
 *
 * @since 0.1.0
 */
export const layerNone: Layer.Layer<Breaker> = Layer.succeed(Breaker, {
  guard: (_host, call) => call,
  state: () => Effect.succeed("Closed")
})

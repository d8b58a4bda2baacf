/**
 * The circuit breaker: while a host keeps failing, calls to it fail at once instead of adding to its trouble.
 *
 * @since 0.1.0
 */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Metric from "effect/Metric"
import * as CircuitBreaker from "effect/persistence/CircuitBreaker"
import * as Pull from "effect/Pull"
import * as Schedule from "effect/Schedule"
import * as Schema from "effect/Schema"
import * as Scope from "effect/Scope"
import { memoized } from "./internal/memoized.ts"
import * as Telemetry from "./Telemetry.ts"

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
 * @example
 * ```ts
 * import { Breaker, Conversations } from "@effect-zim/client"
 * import { Effect, Schedule } from "effect"
 *
 * // Whether calls to the host go through, as far as this breaker has seen.
 * const program = Effect.gen(function* () {
 *   const breaker = yield* Breaker.make({ openDuration: Schedule.spaced("5 seconds") })
 *   const page = Effect.provideService(Conversations.page("user-42"), Breaker.Breaker, breaker)
 *   yield* Effect.ignore(page)
 *   return yield* breaker.state("zim-api.zego.im") // Closed
 * })
 * ```
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

type Outcome = CircuitBreaker.Outcome["_tag"]

const outcomes: Record<Health, Outcome> = { Well: "Success", Ill: "Failure", Unclear: "Ignored" }

/** While a probe is under way nobody knows how long it takes. */
const probing = Duration.seconds(1)

const refusedBy = ({ reason }: CircuitBreaker.CircuitBreakerError): Refused =>
  new Refused({ retryAfter: reason._tag === "CircuitOpen" ? reason.retryAfter : probing })

const levels = { Closed: 0, HalfOpen: 1, Open: 2 } as const

const tell = (transition: CircuitBreaker.Transition | undefined): Effect.Effect<void> => {
  if (transition === undefined) return Effect.void
  const { from, key, to } = transition
  const gauge = Metric.withAttributes(Telemetry.breakerState, { "server.address": key })
  return Effect.andThen(
    Metric.update(gauge, levels[to]),
    Effect.logDebug(`The circuit to ${key} is ${to}, was ${from}`)
  )
}

/** The n-th delay of a schedule, n from 1. Each is asked for once: a service's every answer may open the circuit. */
const delaysOf = Effect.fnUntraced(function* (schedule: Schedule.Schedule<unknown, number>) {
  const step = yield* Schedule.toStep(schedule)
  const known: Array<Duration.Duration> = []
  let elapsed = yield* Clock.currentTimeMillis
  const next = Effect.suspend(() =>
    Effect.map(
      Pull.matchEffect(step(elapsed, known.length + 1), {
        onSuccess: ([, delay]) => Effect.succeed(delay),
        // A schedule that has ended stays at its last delay.
        onDone: () => Effect.succeed(known.at(-1) ?? Duration.zero),
        onFailure: Effect.failCause
      }),
      (delay) => {
        elapsed += Duration.toMillis(delay)
        known.push(delay)
      }
    )
  )
  const delayOf = (n: number): Effect.Effect<Duration.Duration> => {
    const delay = known[n - 1]
    return delay === undefined ? Effect.flatMap(next, () => delayOf(n)) : Effect.succeed(delay)
  }
  return delayOf
})

// Effect's `CircuitBreaker.execute` is not used: it asks the schedule again at every answer, and costs several times what
// admission and recording do.
const makeIn = Effect.fnUntraced(function* (
  store: CircuitBreaker.CircuitBreakerStore["Service"],
  options: Options
): Effect.fn.Return<Breaker["Service"], never, Scope.Scope> {
  const scope = yield* Effect.scope
  const withScope = memoized((context: Context.Context<never>) => Context.add(context, Scope.Scope, scope))
  const tripPolicy = CircuitBreaker.rate({
    threshold: options.threshold ?? 0.5,
    size: options.size ?? 40,
    minimumCalls: options.minimumCalls ?? 20
  })
  const delayOf = yield* delaysOf(
    options.openDuration ?? Schedule.min([Schedule.exponential("1 second"), Schedule.spaced("30 seconds")])
  )

  const record = (key: string, admission: CircuitBreaker.Admission, outcome: Outcome): Effect.Effect<void> => {
    const mayOpen = outcome === "Failure" || (outcome === "Success" && !admission.probe)
    return Effect.flatMapEager(
      mayOpen ? delayOf(admission.consecutiveOpenings + 1) : Effect.succeed(Duration.zero),
      (openFor) =>
        Effect.matchEffect(store.record({ key, generation: admission.generation, outcome, tripPolicy, openFor }), {
          onFailure: Effect.die,
          onSuccess: tell
        })
    )
  }

  return {
    guard: (host, call, healthOf) =>
      Effect.uninterruptibleMask((restore) =>
        Effect.matchEffect(Effect.updateContext(store.admit(host), withScope), {
          onFailure: (error) => Effect.fail(refusedBy(error)),
          onSuccess: (admission) => {
            const guarded = Effect.onExit(restore(call), (exit) => record(host, admission, outcomes[healthOf(exit)]))
            return admission.transition === undefined ? guarded : Effect.andThen(tell(admission.transition), guarded)
          }
        })
      ),
    state: (host) => Effect.map(Effect.orDie(store.state(host)), (state) => state._tag)
  }
})

/**
 * A breaker within this process, with the circuits of Effect's `CircuitBreaker`.
 *
 * @example
 * ```ts
 * import { Breaker, ZimClient } from "@effect-zim/client"
 * import { Layer } from "effect"
 *
 * // What `Breaker.layer` is made of.
 * const breaker = Layer.effect(Breaker.Breaker, Breaker.make({ size: 100, minimumCalls: 50 }))
 * const client = ZimClient.layerConfig.pipe(Layer.provide(breaker))
 * ```
 *
 * @since 0.1.0
 */
export const make = (options: Options = {}): Effect.Effect<Breaker["Service"], never, Scope.Scope> =>
  CircuitBreaker.CircuitBreakerStore.use((store) => makeIn(store, options)).pipe(
    Effect.provide(CircuitBreaker.layerStoreMemory())
  )

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
 * @example
 * ```ts
 * import { Breaker, ZimClient } from "@effect-zim/client"
 * import { Layer } from "effect"
 *
 * const client = ZimClient.layerConfig.pipe(Layer.provide(Breaker.layerNone))
 * ```
 *
 * @since 0.1.0
 */
export const layerNone: Layer.Layer<Breaker> = Layer.succeed(Breaker, {
  guard: (_host, call) => call,
  state: () => Effect.succeed("Closed")
})

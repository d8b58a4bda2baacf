/**
 * The circuit breaker: while a host keeps failing, calls to it fail at once instead of adding to its trouble.
 *
 * Effect's `CircuitBreaker` does the same, one breaker for each key, and costs a call more. This one is told the call, so
 * that its error says which one it kept back.
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
import * as Schedule from "effect/Schedule"
import type * as Call from "./Call.ts"
import { callsInRange, inRange } from "./internal/inRange.ts"
import { makeProvideOf, type Provide } from "./internal/providePolicy.ts"
import { millisOf, nextDelay } from "./internal/timers.ts"
import * as Metrics from "./Metrics.ts"
import { CircuitOpen } from "./PolicyError.ts"

/**
 * What a call says about the health of its host: `Unclear` counts neither way.
 *
 * @category models
 * @since 0.1.0
 */
export type Health = "Well" | "Ill" | "Unclear"

type State = "Closed" | "Open" | "HalfOpen"

/**
 * A breaker: one circuit per host.
 *
 * - `Closed`: calls are made.
 * - `Open`: calls are refused, until the open time ends.
 * - `HalfOpen`: one call is let through to see; the others are refused.
 *
 * @example
 * ```ts
 * import { CircuitBreaker } from "@effect-zim/policies"
 * import { Effect, Schedule } from "effect"
 *
 * // Whether calls to the host go through, as far as this breaker has seen.
 * const stateAfter = Effect.fnUntraced(function* <A, E, R>(job: Effect.Effect<A, E, R>) {
 *   const breaker = yield* CircuitBreaker.make({ openDuration: Schedule.spaced("5 seconds") })
 *   yield* Effect.ignore(CircuitBreaker.provide(job, breaker))
 *   return yield* breaker.state("api.example") // Closed
 * })
 * ```
 *
 * @category services
 * @since 0.1.0
 */
export class CircuitBreaker extends Context.Service<
  CircuitBreaker,
  {
    /** Makes the attempt of a call at a host, or refuses it. */
    readonly guard: <A, E, R>(
      call: Call.Call,
      host: string,
      attempt: Effect.Effect<A, E, R>,
      healthOf: (exit: Exit.Exit<A, E>) => Health
    ) => Effect.Effect<A, E | CircuitOpen, R>
    readonly state: (host: string) => Effect.Effect<State>
  }
>()("@effect-zim/policies/CircuitBreaker") {}

/**
 * What a breaker is made of.
 *
 * @category models
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

/** While a call is under way that was let through to see, nobody knows how long it takes. */
const probing = 1000

/** Whoever was let through so long ago may be gone without a word: another one goes. */
const goneAfter = 60_000

/** What calls said so long ago, they say no more. */
const memory = 60 * 60_000

/**
 * The circuit to one host: whether calls go through. Pure but for its own state: time comes in as milliseconds of a
 * monotonic clock.
 */
class Circuit {
  readonly #limits: ReturnType<typeof limitsOf>
  state: State = "Closed"
  /** A new one for each state: what a call says that was let through before is out of date. */
  generation = 0
  /** How often it has opened in a row, and when it has been closed for long enough to count anew. */
  openings = 0
  #steadyAt = -Infinity
  /** The latest calls while it is closed, oldest first: whether they were ill. */
  #latest: Array<boolean> = []
  #ill = 0
  /** Half open: the call that is let through to see is under way. */
  #isProbing = false
  #openFor = 0
  #openUntil = -Infinity
  /** When a call was let through last, or came back. */
  #seenAt = -Infinity
  /** What the latest ill one failed with. */
  lastFailure: string | undefined

  constructor(limits: ReturnType<typeof limitsOf>) {
    this.#limits = limits
  }

  #enter(state: State): void {
    this.state = state
    this.generation++
    this.#latest = []
    this.#ill = 0
    this.#isProbing = false
  }

  /** Lets a call through, and answers 0; or with how many milliseconds later it is worth asking again. */
  admit(now: number): number {
    if (this.#isProbing && now - this.#seenAt < goneAfter) return probing
    if (now < this.#openUntil) return this.#openUntil - now
    const isForgotten = now - Math.max(this.#seenAt, this.#openUntil) >= memory
    if (isForgotten) this.#enter("Closed")
    if (isForgotten || (this.state === "Closed" && now >= this.#steadyAt)) this.openings = 0
    this.#seenAt = now
    if (this.state !== "Closed") {
      this.#enter("HalfOpen")
      this.#isProbing = true
    }
    return 0
  }

  /** Takes what a call says that was let through in this generation. It may open: see {@link keepOpen}. */
  record(now: number, generation: number, health: Health): void {
    if (this.generation !== generation) return
    this.#seenAt = now
    if (this.state === "HalfOpen") this.#isProbing = false
    if (health === "Unclear") return
    if (this.state === "HalfOpen") {
      if (health === "Ill") return this.#open(now)
      this.#enter("Closed")
      this.#steadyAt = now + this.#openFor
      return
    }
    const { minimumCalls, size, threshold } = this.#limits
    this.#latest.push(health === "Ill")
    if (health === "Ill") this.#ill++
    if (this.#latest.length > size && this.#latest.shift() === true) this.#ill--
    const { length } = this.#latest
    if (this.#ill > 0 && this.#ill / length >= threshold && length >= minimumCalls) this.#open(now)
  }

  #open(now: number): void {
    this.#enter("Open")
    this.openings++
    this.#openUntil = now
  }

  /** How long a circuit that has just opened stays so. */
  keepOpen(millis: number): void {
    this.#openFor = millis
    this.#openUntil += millis
  }
}

const limitsOf = ({ minimumCalls = 20, size = 40, threshold = 0.5 }: Options) => ({
  threshold: inRange("the breaker's threshold", threshold, threshold >= 0 && threshold <= 1, "a number from 0 to 1"),
  size: callsInRange("the breaker's size", size),
  minimumCalls: callsInRange("the breaker's minimumCalls", minimumCalls, size, `from 1 to its size, ${size}`)
})

/** What a call failed with, without what its error says of the call. */
const textOf = (exit: Exit.Exit<unknown, unknown>): string | undefined => {
  const reason = exit._tag === "Failure" ? exit.cause.reasons[0] : undefined
  return reason?._tag === "Fail" ? String(reason.error).replace(/^\S+: | \([^()]* attempts?,[^()]*\)/g, "") : undefined
}

const levels = { Closed: 0, HalfOpen: 1, Open: 2 } as const

const tell = (host: string, from: State, to: State): Effect.Effect<void> => {
  const { description, id } = Metrics.breakerState
  const gauge = Metric.gauge(id, { description, attributes: { "server.address": host } })
  return Effect.andThen(
    Metric.update(gauge, levels[to]),
    Effect.logDebug(`The circuit to ${host} is ${to}, was ${from}`)
  )
}

/** The n-th delay of a schedule, n from 1. Each is kept: a schedule only goes on, and a circuit counts anew. */
const delaysOf = Effect.fnUntraced(function* (schedule: Schedule.Schedule<unknown, number>) {
  const step = yield* Schedule.toStep(schedule)
  const known: Array<Duration.Duration> = []
  let elapsed = yield* Clock.currentTimeMillis
  return Effect.fnUntraced(function* (n: number) {
    while (known.length < n) {
      // A schedule that has ended stays at its last delay.
      const delay = (yield* nextDelay(step, elapsed, known.length + 1)) ?? known.at(-1) ?? Duration.zero
      elapsed += Duration.toMillis(delay)
      known.push(delay)
    }
    return known[n - 1] ?? Duration.zero
  })
})

/**
 * A breaker within this process. Dies with a `RangeError` that names the option where one is out of its range.
 *
 * @example
 * ```ts
 * import { CircuitBreaker } from "@effect-zim/policies"
 * import { Layer } from "effect"
 *
 * // What `CircuitBreaker.layer` is made of.
 * const breaker = Layer.effect(CircuitBreaker.CircuitBreaker, CircuitBreaker.make({ size: 100, minimumCalls: 50 }))
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = Effect.fnUntraced(function* (options: Options = {}): Effect.fn.Return<CircuitBreaker["Service"]> {
  const limits = limitsOf(options)
  const delayOf = yield* delaysOf(
    options.openDuration ??
      Schedule.modifyDelay(Schedule.exponential("1 second"), ({ duration }) =>
        Effect.succeed(Duration.min(duration, Duration.seconds(30)))
      )
  )
  const circuits = new Map<string, Circuit>()
  return {
    guard: <A, E, R>(
      call: Call.Call,
      host: string,
      attempt: Effect.Effect<A, E, R>,
      healthOf: (exit: Exit.Exit<A, E>) => Health
    ) =>
      Effect.uninterruptibleMask((restore): Effect.Effect<A, E | CircuitOpen, R> => {
        const known = circuits.get(host)
        const circuit = known ?? new Circuit(limits)
        if (known === undefined) circuits.set(host, circuit)
        const { state } = circuit
        const wait = circuit.admit(millisOf(call.clock))
        if (wait > 0) {
          const retryAfter = Duration.millis(wait)
          const { lastFailure } = circuit
          return Effect.fail(new CircuitOpen({ ...call.description, host, retryAfter, lastFailure }))
        }
        const { generation } = circuit
        const guarded = Effect.onExitPrimitive(restore(attempt), (exit) => {
          const health = healthOf(exit)
          if (health === "Ill") circuit.lastFailure = textOf(exit)
          const before = circuit.state
          circuit.record(millisOf(call.clock), generation, health)
          if (circuit.state === before) return undefined
          const told = tell(host, before, circuit.state)
          if (circuit.state !== "Open") return told
          const kept = Effect.map(delayOf(circuit.openings), (delay) => circuit.keepOpen(Duration.toMillis(delay)))
          return Effect.andThen(kept, told)
        })
        return circuit.state === state ? guarded : Effect.andThen(tell(host, state, circuit.state), guarded)
      }),
    state: (host) => Effect.sync(() => circuits.get(host)?.state ?? "Closed")
  }
})

/**
 * A breaker for every client built on this layer.
 *
 * @example
 * ```ts
 * import { CircuitBreaker } from "@effect-zim/policies"
 *
 * const breaker = CircuitBreaker.layer({ threshold: 0.8 })
 * ```
 *
 * @category layers
 * @since 0.1.0
 */
export const layer = (options?: Options): Layer.Layer<CircuitBreaker> => Layer.effect(CircuitBreaker, make(options))

/**
 * No breaker: every call is made.
 *
 * @example
 * ```ts
 * import { CircuitBreaker } from "@effect-zim/policies"
 *
 * const breaker = CircuitBreaker.layerNone
 * ```
 *
 * @category layers
 * @since 0.1.0
 */
export const layerNone: Layer.Layer<CircuitBreaker> = /* @__PURE__ */ Layer.succeed(CircuitBreaker, {
  guard: (_call, _host, attempt) => attempt,
  state: () => Effect.succeed("Closed")
})

/**
 * Runs the calls of an effect or a stream under a breaker of their own.
 *
 * @example
 * ```ts
 * import { CircuitBreaker } from "@effect-zim/policies"
 * import { Effect } from "effect"
 *
 * const tolerant = <A, E, R>(job: Effect.Effect<A, E, R>) =>
 *   Effect.flatMap(CircuitBreaker.make({ threshold: 0.9 }), (breaker) => CircuitBreaker.provide(job, breaker))
 * ```
 *
 * @category combinators
 * @since 0.1.0
 */
export const provide: Provide<CircuitBreaker["Service"], CircuitBreaker> = /* @__PURE__ */ makeProvideOf(CircuitBreaker)

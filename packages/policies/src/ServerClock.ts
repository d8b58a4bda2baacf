/**
 * The service's clock, as far as its answers tell.
 *
 * A request is signed with a time, and the service refuses one that is too far off: ten minutes, for most. What it accepted is
 * evidence, and kept until it is refused. The `Date` of its answers only proposes what to try then: a proxy may have
 * written it.
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Metric from "effect/Metric"
import { inRange } from "./internal/inRange.ts"
import { makeProvideOf, type Provide } from "./internal/providePolicy.ts"
import * as Metrics from "./Metrics.ts"

/**
 * What an answer says about the time.
 *
 * @category models
 * @since 0.1.0
 */
export interface Sample {
  /** The `Date` header, as it came. */
  readonly date: string | undefined
  /** Whether the answer came out of a cache (it has an `Age`), so that its date is an old one. */
  readonly isCached: boolean
  /** This machine's clock when the request was sent and when the answer had arrived, in milliseconds. */
  readonly sentAt: number
  readonly receivedAt: number
  /** The offset that the request was signed with, in milliseconds. */
  readonly signedOffset: number
  /**
   * What the service made of the time in the signature. `Refused`: it was too far off, or the signature is wrong for
   * another reason. `Unknown`: it answered before it looked.
   */
  readonly verdict: "Accepted" | "Refused" | "Unknown"
}

/**
 * The difference to the service's clock, in milliseconds: what to add to this machine's clock.
 *
 * @example
 * ```ts
 * import { ServerClock } from "@effect-zim/policies"
 *
 * const offset = ServerClock.ServerClock.use((clock) => clock.offset) // in milliseconds
 * ```
 *
 * @category services
 * @since 0.1.0
 */
export class ServerClock extends Context.Service<
  ServerClock,
  {
    readonly offset: Effect.Effect<number>
    readonly observe: (sample: Sample) => Effect.Effect<void>
  }
>()("@effect-zim/policies/ServerClock") {}

/** `Date` has whole seconds, so it is half a second behind on average. */
const dateGrain = 1000

/** A difference below this is noise: the grain of `Date` and the path. */
const tolerance = 5000

/** Slower answers say too little about when they were made. */
const slowest = 5000

/** A clock further off than this is not a clock that is off: the date is wrong. */
const furthest = Duration.toMillis("24 hours")

/** What services accept. */
const accepts = Duration.toMillis("10 minutes")

/** Beyond this a person is told, long before the ten minutes that the service allows. */
const worrying = Duration.toMillis("2 minutes")

/** How many dates are kept, and how many offsets that were accepted. */
const datesKept = 15
const acceptedKept = 4

/** So many refusals in a row, and what was refused at first is tried again: the clocks may have moved meanwhile. */
const refusalsKept = datesKept + acceptedKept + 2

/** The difference that a sample shows; nothing where it cannot be trusted. */
const measure = (sample: Sample): number | undefined => {
  const date = sample.date === undefined ? Number.NaN : Date.parse(sample.date)
  const roundTrip = sample.receivedAt - sample.sentAt
  if (Number.isNaN(date) || sample.isCached || roundTrip < 0 || roundTrip > slowest) return undefined
  const difference = date + dateGrain / 2 - (sample.sentAt + roundTrip / 2)
  if (Math.abs(difference) > furthest) return undefined
  return Math.abs(difference) <= tolerance ? 0 : Math.round(difference)
}

const isNear = (one: number, other: number): boolean => Math.abs(one - other) <= tolerance

const median = (values: ReadonlyArray<number>): number | undefined =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)]

const warning = (offset: number, isCorrected: boolean): string => {
  const size = Duration.format(Duration.seconds(Math.round(Math.abs(offset) / 1000)))
  return isCorrected
    ? `This machine's clock is ${size} ${offset > 0 ? "behind" : "ahead of"} the service's, which accepts 10 minutes. ` +
        "Requests are signed with the service's time; set the clock."
    : `The service's answers are dated ${size} ${offset > 0 ? "ahead of" : "behind"} this machine's clock. ` +
        "It refuses requests from 10 minutes on: check the clock."
}

/**
 * A clock that follows the service's, both ways and back.
 *
 * The offset stays as long as signatures with it are accepted, whatever answers are dated. When one is refused, the
 * clock tries what the latest date says, what was accepted before, this machine's own time, and other dates of late.
 *
 * @example
 * ```ts
 * import { ServerClock } from "@effect-zim/policies"
 * import { Effect } from "effect"
 *
 * const withOwnClock = Effect.fnUntraced(function* <A, E, R>(job: Effect.Effect<A, E, R>) {
 *   const clock = yield* ServerClock.make
 *   yield* ServerClock.provide(job, clock)
 *   return yield* clock.offset // in milliseconds
 * })
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const make: Effect.Effect<ServerClock["Service"]> = Effect.suspend(() => {
  let offset = 0
  // The newest first.
  let dates: ReadonlyArray<number> = []
  let accepted: ReadonlyArray<number> = []
  /** What was refused since something was accepted. */
  let refused: Array<number> = []
  /** How far the service's clock is off, as people are told. */
  let told = Number.NaN

  const accept = (): void => {
    refused = []
    if (accepted[0] === offset) return
    accepted = [offset, ...accepted.filter((other) => other !== offset)].slice(0, acceptedKept)
  }

  const refuse = (): void => {
    refused.push(offset)
    const [latest = 0] = dates
    // A date that was never seen before must not keep what is known to be good from being tried.
    const known = [...accepted, 0, median(dates) ?? 0, ...dates]
    const proposals = refused.length === 1 ? [latest, ...known] : known
    const next = proposals.find((proposal) => !refused.some((other) => isNear(proposal, other)))
    // Where nothing is left, what was refused may be the secret of somebody else.
    offset = next ?? accepted[0] ?? offset
    if (next === undefined || refused.length >= refusalsKept) refused = []
  }

  /** Dates say more exactly how far the clock is off, where they agree with what is accepted. */
  const estimate = (): number => {
    const dated = median(dates) ?? offset
    return Math.abs(dated - offset) < accepts ? dated : offset
  }

  const tell = Effect.suspend(() => {
    const estimated = estimate()
    if (isNear(estimated, told)) return Effect.void
    const isNew = Math.abs(estimated) > worrying && !(Math.abs(told) > worrying)
    told = estimated
    const gauged = Metric.update(Metrics.clockOffset, estimated)
    return isNew ? Effect.andThen(gauged, Effect.logWarning(warning(estimated, offset !== 0))) : gauged
  })

  const clock: ServerClock["Service"] = {
    offset: Effect.sync(() => offset),
    observe: (sample) =>
      Effect.suspend(() => {
        const measured = measure(sample)
        if (measured !== undefined) dates = [measured, ...dates].slice(0, datesKept)
        // What was signed with another offset says nothing about this one.
        if (sample.signedOffset !== offset || sample.verdict === "Unknown") return Effect.void
        if (sample.verdict === "Refused") return Effect.sync(refuse)
        accept()
        return tell
      })
  }
  return Effect.as(tell, clock)
})

/**
 * A clock for every client built on this layer.
 *
 * @example
 * ```ts
 * import { ServerClock } from "@effect-zim/policies"
 *
 * // How far this machine's clock is behind the service's, in milliseconds
 * const offset = ServerClock.ServerClock.use((clock) => clock.offset)
 * ```
 *
 * @category layers
 * @since 0.1.0
 */
export const layer: Layer.Layer<ServerClock> = /* @__PURE__ */ Layer.effect(ServerClock, make)

/**
 * This machine's clock, or one that is off by a fixed time: what {@link layerFixed} is made of. Dies with a `RangeError`
 * where the time is infinite.
 *
 * @example
 * ```ts
 * import { ServerClock } from "@effect-zim/policies"
 * import { Effect } from "effect"
 *
 * const untilItIsSet = <A, E, R>(job: Effect.Effect<A, E, R>) =>
 *   Effect.flatMap(ServerClock.makeFixed("15 minutes"), (clock) => ServerClock.provide(job, clock))
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const makeFixed = (offset: Duration.Input): Effect.Effect<ServerClock["Service"]> =>
  Effect.sync(() => {
    const millis = Duration.toMillis(offset)
    inRange("the fixed offset", millis, Number.isFinite(millis), "a finite time")
    return { offset: Effect.succeed(millis), observe: () => Effect.void }
  })

/**
 * This machine's clock, or one that is off by a fixed time, whatever the service says: for a machine whose clock is
 * known to be right. Building it with an infinite time dies with a `RangeError`.
 *
 * @example
 * ```ts
 * import { ServerClock } from "@effect-zim/policies"
 *
 * const layer = ServerClock.layerFixed("0 seconds")
 * ```
 *
 * @category layers
 * @since 0.1.0
 */
export const layerFixed = (offset: Duration.Input): Layer.Layer<ServerClock> =>
  Layer.effect(ServerClock, makeFixed(offset))

/**
 * Runs the calls of an effect or a stream by a clock of their own.
 *
 * @example
 * ```ts
 * import { ServerClock } from "@effect-zim/policies"
 * import { Effect } from "effect"
 *
 * const withOwnClock = <A, E, R>(job: Effect.Effect<A, E, R>) =>
 *   Effect.flatMap(ServerClock.make, (clock) => ServerClock.provide(job, clock))
 * ```
 *
 * @category combinators
 * @since 0.1.0
 */
export const provide: Provide<ServerClock["Service"], ServerClock> = /* @__PURE__ */ makeProvideOf(ServerClock)

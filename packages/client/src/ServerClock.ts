/**
 * The service's clock, as far as its answers tell.
 *
 * A request is signed with a time, and the service refuses one that is more than ten minutes off. So the difference
 * between its clock and this machine's is learned from the `Date` of its answers, and requests are signed with it.
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Metric from "effect/Metric"
import * as BuiltIn from "./internal/builtIn.ts"
import { inRange } from "./internal/inRange.ts"
import { memoized } from "./internal/memoized.ts"
import * as Telemetry from "./Telemetry.ts"

/**
 * What an answer says about the time.
 *
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
}

/**
 * The difference to the service's clock, in milliseconds: what to add to this machine's clock.
 *
 * @since 0.1.0
 */
export class ServerClock extends Context.Service<
  ServerClock,
  {
    readonly offset: Effect.Effect<number>
    readonly observe: (sample: Sample) => Effect.Effect<void>
  }
>()("@effect-zim/client/ServerClock") {}

/** `Date` has whole seconds, so it is half a second behind on average. */
const dateGrain = 1000

/** A difference below this is noise: the grain of `Date` and the path. */
const tolerance = 5000

/** Slower answers say too little about when they were made. */
const slowest = 5000

/** A clock further off than this is not a clock that is off: the date is wrong. */
const furthest = Duration.toMillis("24 hours")

/** Beyond this a person is told, long before the ten minutes that the service allows. */
const worrying = Duration.toMillis("2 minutes")

/** A second's answers all have the same date. */
const parseDate = memoized(Date.parse)

/** The difference that a sample shows; nothing where it cannot be trusted. */
const measure = (sample: Sample): number | undefined => {
  const date = sample.date === undefined ? Number.NaN : parseDate(sample.date)
  const roundTrip = sample.receivedAt - sample.sentAt
  if (Number.isNaN(date) || sample.isCached || roundTrip < 0 || roundTrip > slowest) return undefined
  const difference = date + dateGrain / 2 - (sample.sentAt + roundTrip / 2)
  return Math.abs(difference) > furthest ? undefined : difference
}

const warning = (offset: number): string => {
  const size = Duration.format(Duration.seconds(Math.round(Math.abs(offset) / 1000)))
  return (
    `This machine's clock is ${size} ${offset > 0 ? "behind" : "ahead of"} the ZIM service's. ` +
    "Requests are signed with the service's time; set the clock, for it refuses uncorrected ones at 10 minutes."
  )
}

/**
 * A clock that follows the service's, both ways and back.
 *
 * @example
 * ```ts
 * import { Conversations, ServerClock } from "@effect-zim/client"
 * import { Effect } from "effect"
 *
 * const program = Effect.gen(function* () {
 *   const clock = yield* ServerClock.make
 *   yield* Effect.provideService(Conversations.page("user-42"), ServerClock.ServerClock, clock)
 *   return yield* clock.offset // in milliseconds
 * })
 * ```
 *
 * @since 0.1.0
 */
export const make: Effect.Effect<ServerClock["Service"]> = Effect.suspend(() => {
  let offset = 0
  let isWorrying = false
  const follow = (measured: number): Effect.Effect<void> => {
    offset = Math.abs(measured) <= tolerance ? 0 : Math.round(measured)
    const wasWorrying = isWorrying
    isWorrying = Math.abs(offset) > worrying
    const told = Metric.update(Telemetry.clockOffset, offset)
    return isWorrying && !wasWorrying ? Effect.andThen(told, Effect.logWarning(warning(offset))) : told
  }
  const clock = BuiltIn.add<ServerClock["Service"]>({
    offset: Effect.sync(() => offset),
    observe: (sample) =>
      Effect.suspend(() => {
        const measured = measure(sample)
        return measured === undefined || Math.abs(measured - offset) <= tolerance ? Effect.void : follow(measured)
      })
  })
  return Effect.as(follow(0), clock)
})

/**
 * A clock for every client built on this layer. A client without one makes its own.
 *
 * @example
 * ```ts
 * import { ServerClock, ZimClient } from "@effect-zim/client"
 * import { Layer } from "effect"
 *
 * const client = ZimClient.layerConfig.pipe(Layer.provideMerge(ServerClock.layer))
 *
 * // How far this machine's clock is behind the service's, in milliseconds
 * const offset = ServerClock.ServerClock.use((clock) => clock.offset)
 * ```
 *
 * @since 0.1.0
 */
export const layer: Layer.Layer<ServerClock> = Layer.effect(ServerClock, make)

/**
 * This machine's clock, or one that is off by a fixed time, whatever the service says: for a machine whose clock is
 * known to be right. Building it with an infinite time dies with a `RangeError`.
 *
 * @example
 * ```ts
 * import { ServerClock, ZimClient } from "@effect-zim/client"
 * import { Layer } from "effect"
 *
 * const client = ZimClient.layerConfig.pipe(Layer.provide(ServerClock.layerFixed("0 seconds")))
 * ```
 *
 * @since 0.1.0
 */
export const layerFixed = (offset: Duration.Input): Layer.Layer<ServerClock> =>
  Layer.sync(ServerClock, () => {
    const millis = Duration.toMillis(offset)
    inRange("the fixed offset", millis, Number.isFinite(millis), "a finite time")
    return BuiltIn.add<ServerClock["Service"]>({ offset: Effect.succeed(millis), observe: () => Effect.void })
  })

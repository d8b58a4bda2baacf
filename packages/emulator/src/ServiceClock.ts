/**
 * The service's clock: what its `Date` header shows, and what it judges the age of a signature by.
 *
 * It is a value: how the clock goes, told from Effect's `Clock`, so `TestClock` moves it too. The quota does not feel it.
 *
 * @example
 * ```ts
 * import { Emulator, ServiceClock, World } from "@effect-zim/emulator"
 *
 * const layer = Emulator.layer({
 *   world: World.generate({ seed: 1, users: 10 }),
 *   clock: ServiceClock.drifting({ millisPerSecond: 20 })
 * })
 * ```
 */
import * as Duration from "effect/Duration"
import * as Schema from "effect/Schema"
import * as DurationSchemas from "./internal/durationSchemas.ts"

/** The years 1 to 9999: what a `Date` header can show. */
const first = -62_135_596_800_000
const last = 253_402_300_799_999
const Millis = Schema.Int.check(Schema.isBetween({ minimum: first, maximum: last }))

/**
 * How the clock goes. As JSON: `{ "mode": "Skewed", "offset": "-11 minutes" }`.
 *
 * - `Real`: right.
 * - `Skewed`: ahead by `offset`; behind, where it is negative.
 * - `Frozen`: it stands still at `at` (milliseconds since the epoch), or where it stood when this was set.
 * - `Stepping`: ahead by `offset`, and it jumps by `by` when the right time reaches `at`.
 * - `Drifting`: ahead by `offset` at `since` (milliseconds since the epoch, or when this was set), and it gains
 *   `millisPerSecond` milliseconds in every second; a negative number loses.
 *
 * @category schemas
 * @since 0.1.0
 */
export const ServiceClock = Schema.Union([
  Schema.Struct({ mode: Schema.Literal("Real") }),
  Schema.Struct({ mode: Schema.Literal("Skewed"), offset: DurationSchemas.Signed }),
  Schema.Struct({ mode: Schema.Literal("Frozen"), at: Schema.optionalKey(Millis) }),
  Schema.Struct({
    mode: Schema.Literal("Stepping"),
    offset: Schema.optionalKey(DurationSchemas.Signed),
    steps: Schema.Array(Schema.Struct({ at: Millis, by: DurationSchemas.Signed }))
  }),
  Schema.Struct({
    mode: Schema.Literal("Drifting"),
    offset: Schema.optionalKey(DurationSchemas.Signed),
    since: Schema.optionalKey(Millis),
    millisPerSecond: Schema.Finite
  })
]).annotate({
  identifier: "@effect-zim/emulator/ServiceClock",
  message: "Expected a clock whose mode is one of Real, Skewed, Frozen, Stepping, Drifting"
})

/**
 * The type of {@link ServiceClock}.
 *
 * @category schemas
 * @since 0.1.0
 */
export type ServiceClock = typeof ServiceClock.Type

/**
 * A clock as JSON has it.
 *
 * @category models
 * @since 0.1.0
 */
export type Json = typeof ServiceClock.Encoded

/** Throws a `SchemaError` that names what is out of its range. */
const checked = Schema.decodeUnknownSync(Schema.toType(ServiceClock))

/**
 * Right, by Effect's `Clock`: the default.
 *
 * @example
 * ```ts
 * import { ServiceClock } from "@effect-zim/emulator"
 *
 * ServiceClock.read(ServiceClock.real, 1767225600000) // 1767225600000
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const real: ServiceClock = { mode: "Real" }

/**
 * Ahead by so much; behind, where it is negative.
 *
 * @example
 * ```ts
 * import { ServiceClock } from "@effect-zim/emulator"
 *
 * const behind = ServiceClock.skewed("-15 minutes")
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const skewed = (offset: Duration.Input): ServiceClock =>
  checked({ mode: "Skewed", offset: Duration.fromInputUnsafe(offset) })

/**
 * Standing still at a time in milliseconds since the epoch, or where it stands when this is set.
 *
 * @example
 * ```ts
 * import { ServiceClock } from "@effect-zim/emulator"
 *
 * const newYear = ServiceClock.frozen(1767225600000)
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const frozen = (at?: number): ServiceClock => checked({ mode: "Frozen", ...(at !== undefined && { at }) })

/**
 * Right until it jumps: by `by` when the right time reaches `at`, in milliseconds since the epoch.
 *
 * @example
 * ```ts
 * import { ServiceClock } from "@effect-zim/emulator"
 *
 * const clock = ServiceClock.stepping({ at: 1767225600000, by: "-1 hour" })
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const stepping = (...steps: ReadonlyArray<{ readonly at: number; readonly by: Duration.Input }>): ServiceClock =>
  checked({
    mode: "Stepping",
    steps: steps.map(({ at, by }) => ({ at, by: Duration.fromInputUnsafe(by) }))
  })

/**
 * Right when it is set, and gaining so many milliseconds in every second; a negative number loses.
 *
 * @example
 * ```ts
 * import { ServiceClock } from "@effect-zim/emulator"
 *
 * const fast = ServiceClock.drifting({ millisPerSecond: 5 })
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const drifting = (options: { readonly millisPerSecond: number }): ServiceClock =>
  checked({ mode: "Drifting", millisPerSecond: options.millisPerSecond })

/**
 * What the clock shows when it is `now` (both in milliseconds since the epoch). What was left to the moment of setting
 * counts from `now`: see {@link start}. It shows whole milliseconds, and stays within the years 1 to 9999.
 *
 * @example
 * ```ts
 * import { ServiceClock } from "@effect-zim/emulator"
 *
 * ServiceClock.read(ServiceClock.skewed("1 second"), 1767225600000) // 1767225601000
 * ```
 *
 * @category accessors
 * @since 0.1.0
 */
export const read = (clock: ServiceClock, now: number): number => shownAt(reading(clock, now))

const shownAt = (time: number): number => Math.floor(Math.min(Math.max(time, first), last))

const reading = (clock: ServiceClock, now: number): number => {
  switch (clock.mode) {
    case "Real":
      return now
    case "Skewed":
      return now + Duration.toMillis(clock.offset ?? 0)
    case "Frozen":
      return clock.at ?? now
    case "Stepping":
      return clock.steps.reduce(
        (time, step) => (now >= step.at ? time + Duration.toMillis(step.by) : time),
        now + Duration.toMillis(clock.offset ?? 0)
      )
    case "Drifting":
      return (
        now +
        Duration.toMillis(clock.offset ?? 0) +
        Math.round(((now - (clock.since ?? now)) * clock.millisPerSecond) / 1000)
      )
  }
}

/**
 * The same clock with the moment of setting filled in: `at` and `since`, where they were left out. A clock that stands
 * still without `at` stands at `shown`, which is what the clock before it showed.
 *
 * @example
 * ```ts
 * import { ServiceClock } from "@effect-zim/emulator"
 *
 * const now = 1767225600000
 * const drifting = ServiceClock.start(ServiceClock.drifting({ millisPerSecond: 5 }), now, now)
 * ServiceClock.read(drifting, now + 1000) // 1767225601005
 * ```
 *
 * @category combinators
 * @since 0.1.0
 */
export const start = (clock: ServiceClock, now: number, shown: number): ServiceClock => {
  if (clock.mode === "Frozen") return { ...clock, at: clock.at ?? shown }
  if (clock.mode === "Drifting") return { ...clock, since: clock.since ?? now }
  return clock
}

/** Further than this leads out of the years that a clock shows, wherever it stands. */
const reach = {
  minimum: Duration.millis(-DurationSchemas.furthest),
  maximum: Duration.millis(DurationSchemas.furthest)
}

/**
 * The clock after somebody has set it forward by so much, or back.
 *
 * @example
 * ```ts
 * import { ServiceClock } from "@effect-zim/emulator"
 *
 * const ahead = ServiceClock.step(ServiceClock.real, "10 minutes")
 * ```
 *
 * @category combinators
 * @since 0.1.0
 */
export const step = (clock: ServiceClock, by: Duration.Input): ServiceClock => {
  const jump = Duration.clamp(Duration.fromInputUnsafe(by), reach)
  switch (clock.mode) {
    case "Real":
      return skewed(jump)
    case "Frozen":
      return clock.at === undefined ? clock : frozen(shownAt(clock.at + Duration.toMillis(jump)))
    case "Skewed":
    case "Stepping":
    case "Drifting":
      return { ...clock, offset: Duration.clamp(Duration.sum(clock.offset ?? Duration.zero, jump), reach) }
  }
}

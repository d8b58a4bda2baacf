import * as Duration from "effect/Duration"
import * as Schema from "effect/Schema"
import * as SchemaTransformation from "effect/SchemaTransformation"

/** A duration in JSON: milliseconds as a number, or a text such as `"50 millis"` or `"1 second"`. */
const Any = Schema.Union([
  Schema.Finite.pipe(Schema.decodeTo(Schema.Duration, SchemaTransformation.durationFromMillis)),
  Schema.DurationFromString
])

/** About 300 years, in milliseconds: what is added to a time is still one. */
const longest = 1e13

/** About 12,000 years, in milliseconds: from any year that a clock can show to any other. */
export const furthest = 4e14

const isAtMost =
  (millis: number) =>
  (duration: Duration.Duration): boolean =>
    Math.abs(Duration.toMillis(duration)) <= millis

const isShort = isAtMost(longest)

/** Any duration of at most 12,000 years, negative ones too. */
export const Signed = Any.check(
  Schema.makeFilter(isAtMost(furthest), { expected: "a duration of at most 12,000 years" })
).annotate({
  identifier: "@effect-zim/emulator/SignedDuration",
  description: 'Milliseconds, or a text such as "90 seconds" or "-11 minutes"'
})

/** A duration of zero or more. */
export const Plain = Any.check(
  Schema.makeFilter((duration) => isShort(duration) && !Duration.isNegative(duration), {
    expected: "a duration from 0 to 300 years"
  })
).annotate({
  identifier: "@effect-zim/emulator/Duration",
  description: 'Milliseconds, or a text such as "50 millis" or "1 second"'
})

const isShortAndPositive = Schema.makeFilter(
  (duration: Duration.Duration) => isShort(duration) && Duration.isPositive(duration),
  { expected: "a duration above 0, of at most 300 years" }
)

/** A duration above zero. */
export const Positive = Any.check(isShortAndPositive).annotate({
  identifier: "@effect-zim/emulator/PositiveDuration",
  description: 'Milliseconds above 0, or a text such as "1 second"'
})

/** A positive duration in a query string: a text, or digits for milliseconds. */
export const FromText = Schema.Union([
  Schema.FiniteFromString.pipe(Schema.decodeTo(Schema.Duration, SchemaTransformation.durationFromMillis)),
  Schema.DurationFromString
]).check(isShortAndPositive)

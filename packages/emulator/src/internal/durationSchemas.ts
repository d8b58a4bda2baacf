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

const within = (expected: string, isValid: (millis: number) => boolean) =>
  Schema.makeFilter((duration: Duration.Duration) => isValid(Duration.toMillis(duration)), { expected })

/** Any duration of at most 12,000 years, negative ones too. */
export const Signed = Any.check(
  within("a duration of at most 12,000 years", (millis) => Math.abs(millis) <= furthest)
).annotate({
  identifier: "@effect-zim/emulator/SignedDuration",
  description: 'Milliseconds, or a text such as "90 seconds" or "-11 minutes"'
})

/** A duration of zero or more. */
export const Plain = Any.check(
  within("a duration from 0 to 300 years", (millis) => millis >= 0 && millis <= longest)
).annotate({
  identifier: "@effect-zim/emulator/Duration",
  description: 'Milliseconds, or a text such as "50 millis" or "1 second"'
})

const isPositive = within("a duration above 0, of at most 300 years", (millis) => millis > 0 && millis <= longest)

/** A duration above zero. */
export const Positive = Any.check(isPositive).annotate({
  identifier: "@effect-zim/emulator/PositiveDuration",
  description: 'Milliseconds above 0, or a text such as "1 second"'
})

/** A positive duration in a query string: a text, or digits for milliseconds. */
export const FromText = Schema.Union([
  Schema.FiniteFromString.pipe(Schema.decodeTo(Schema.Duration, SchemaTransformation.durationFromMillis)),
  Schema.DurationFromString
]).check(isPositive)

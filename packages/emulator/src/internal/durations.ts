import * as Duration from "effect/Duration"
import * as Schema from "effect/Schema"
import * as SchemaTransformation from "effect/SchemaTransformation"

/** A duration in JSON: milliseconds as a number, or a text such as `"50 millis"` or `"1 second"`. */
const Any = Schema.Union([
  Schema.Finite.pipe(Schema.decodeTo(Schema.Duration, SchemaTransformation.durationFromMillis)),
  Schema.DurationFromString
])

/** Any finite duration, negative ones too. */
export const Signed = Any.check(Schema.makeFilter(Duration.isFinite, { expected: "a finite duration" })).annotate({
  identifier: "SignedDuration",
  description: 'Milliseconds, or a text such as "90 seconds" or "-11 minutes"'
})

/** A finite duration of zero or more. */
export const Plain = Any.check(
  Schema.makeFilter((duration) => Duration.isFinite(duration) && !Duration.isNegative(duration), {
    expected: "a finite duration of 0 or more"
  })
).annotate({ identifier: "Duration", description: 'Milliseconds, or a text such as "50 millis" or "1 second"' })

/** A finite duration above zero. */
export const Positive = Any.check(
  Schema.makeFilter((duration) => Duration.isFinite(duration) && Duration.isPositive(duration), {
    expected: "a finite duration above 0"
  })
).annotate({ identifier: "PositiveDuration", description: 'Milliseconds above 0, or a text such as "1 second"' })

/** A positive duration in a query string: a text, or digits for milliseconds. */
export const FromText = Schema.Union([
  Schema.FiniteFromString.pipe(Schema.decodeTo(Schema.Duration, SchemaTransformation.durationFromMillis)),
  Schema.DurationFromString
]).check(
  Schema.makeFilter((duration) => Duration.isFinite(duration) && Duration.isPositive(duration), {
    expected: "a finite duration above 0"
  })
)

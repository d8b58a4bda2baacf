/** What flags of several commands have in common. */
import * as Flag from "effect/cli/Flag"
import * as Schema from "effect/Schema"

export const positive = Schema.Int.check(Schema.isGreaterThanOrEqualTo(1))

/** The path of a file: an unset variable of the shell makes it empty. */
export const path = Schema.String.check(Schema.makeFilter((text) => text !== "", { expected: "the path of a file" }))

export const defaultCallsPerSecond = 20

/** The `--calls-per-second` flag. */
export const callsPerSecond = Flag.Int("calls-per-second").pipe(
  Flag.withMetavar("N"),
  Flag.withDescription(`The app's quota; default ${defaultCallsPerSecond}, which all programs of the app share`),
  Flag.withSchema(positive),
  Flag.withDefault(defaultCallsPerSecond)
)

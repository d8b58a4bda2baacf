/** What flags of several commands have in common. */
import * as Flag from "effect/cli/Flag"
import * as Schema from "effect/Schema"

export const positive = Schema.Int.check(Schema.isGreaterThanOrEqualTo(1))

/** The path of a file: an unset variable of the shell makes it empty. */
export const path = Schema.String.check(Schema.makeFilter((text) => text !== "", { expected: "the path of a file" }))

export const defaultCallsPerSecond = 20

/**
 * A flag that is there or not. A word after it is never its value, as effect/cli would have it of `1`, `no` and the like:
 * `--name=no` is what sets it to false.
 */
export const boolean = (name: string): Flag.Flag<boolean> =>
  Flag.Boolean(name).pipe(Flag.withOptionalValue("true"), Flag.withDefault(false))

/** The `--spreadsheet` flag. */
export const spreadsheet = boolean("spreadsheet").pipe(
  Flag.withDescription("CSV for a spreadsheet: with a byte-order mark, and no id is taken for a formula")
)

/** The `--calls-per-second` flag; without it, the settings say how many. */
export const callsPerSecond = Flag.Int("calls-per-second").pipe(
  Flag.withMetavar("N"),
  Flag.withDescription(`The app's quota; default ${defaultCallsPerSecond}, which all programs of the app share`),
  Flag.withSchema(positive),
  Flag.optional
)

/**
 * `zim codes`: what return codes mean and what to do about them.
 */
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import { CommandFailed } from "../ErrorReport.ts"
import * as CodesText from "../internal/codesText.ts"
import * as Colors from "../internal/colors.ts"
import * as Output from "../internal/output.ts"

const keys = ["code", "meaning", "category", "retry", "error", "advice"] as const

const notFound = (words: ReadonlyArray<string>): Pick<CommandFailed, "problem" | "advice"> => {
  const asked = words.join(" ")
  const advice = "For all codes of failures, run: zim codes"
  if (!CodesText.isNumber(asked)) return { problem: `no code has to do with "${asked}"`, advice }
  if (asked === "0") return { problem: "0 is no failure: it is the code of a call that succeeded", advice }
  return {
    problem: `${asked} is not a documented return code`,
    advice:
      "Calls that return it fail with UnknownReturnCode, which has the code, the message and the request id; " +
      "for all known codes, run: zim codes"
  }
}

/**
 * The command.
 */
export const codes = Command.make(
  "codes",
  {
    words: Argument.String("CODE|WORD").pipe(
      Argument.withDescription("Explain only this code, in detail; or find codes that have to do with these words"),
      Argument.variadic()
    ),
    format: Output.formatFlag("How to print them; default: table")
  },
  Effect.fnUntraced(function* ({ format, words }) {
    const found = CodesText.search(words)
    if (found.length === 0) return yield* new CommandFailed({ ...notFound(words), exit: "Failure" })
    const style = yield* Colors.style
    const chosen = Option.getOrElse(format, () => "table" as const)
    if (chosen === "table") return yield* Output.printLines(CodesText.lines(found, style))
    return yield* Output.print(Output.encode(Stream.fromIterable(found), chosen, keys))
  })
).pipe(
  Command.withDescription("Explain return codes: what each means, whether a call is retried, and what to do."),
  Command.withShortDescription("Explain return codes"),
  Command.withExamples([
    { command: "zim codes", description: "All documented codes" },
    { command: "zim codes 660300005", description: "One in detail" },
    { command: "zim codes group limit", description: "Those that have to do with it" },
    { command: "zim codes --format csv > codes.csv" }
  ])
)

/**
 * `zim codes`: what return codes mean and what to do about them.
 */
import { ReturnCode } from "@effect-zim/protocol"
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import { CommandFailed } from "../Failure.ts"
import * as CodesText from "../internal/codesText.ts"
import * as Output from "../internal/output.ts"
import * as Style from "../internal/style.ts"

const keys = ["code", "meaning", "category", "retry", "error", "advice"] as const

const record = ({ advice, category, code, error, meaning, retry }: ReturnCode.ReturnCode) => ({
  code,
  meaning,
  category,
  retry,
  error,
  advice
})

const find = (code: number): Effect.Effect<ReturnCode.ReturnCode, CommandFailed> => {
  const found = ReturnCode.lookup(code)
  if (code === 0) {
    return Effect.fail(
      new CommandFailed({
        problem: "0 is no failure: it is the code of a call that succeeded",
        advice: "For all codes of failures, run: zim codes",
        exit: "Failure"
      })
    )
  }
  return found === undefined
    ? Effect.fail(
        new CommandFailed({
          problem: `${code} is not a documented return code`,
          advice:
            "Calls that return it fail with UnknownReturnCode, which has the code, the message and the request id; " +
            "for all known codes, run: zim codes",
          exit: "Failure"
        })
      )
    : Effect.succeed(found)
}

/**
 * The command.
 */
export const codes = Command.make(
  "codes",
  {
    code: Argument.Int("CODE").pipe(Argument.withDescription("Explain only this one, in detail"), Argument.optional),
    format: Output.formatFlag("How to print them; default: table")
  },
  Effect.fnUntraced(function* ({ code, format }) {
    const found = yield* Option.match(code, {
      onNone: () => Effect.succeed(undefined),
      onSome: (number) => find(number)
    })
    const style = yield* Style.style
    const chosen = Option.getOrElse(format, () => "table" as const)
    if (chosen === "table") return yield* Output.printLines(CodesText.lines(found, style))
    const records = Stream.map(Stream.fromIterable(found === undefined ? ReturnCode.table : [found]), record)
    return yield* Output.print(Output.encode(chosen, keys)(records))
  })
).pipe(
  Command.withDescription("Explain return codes: what each means, whether a call is retried, and what to do."),
  Command.withShortDescription("Explain return codes"),
  Command.withExamples([
    { command: "zim codes", description: "All documented codes" },
    { command: "zim codes 660300005", description: "One in detail" },
    { command: "zim codes --format csv > codes.csv" }
  ])
)

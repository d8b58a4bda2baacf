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
import * as Output from "../internal/output.ts"
import * as Style from "../internal/style.ts"
import { type Cell, row, rows, standardWidth } from "../internal/text.ts"

/** In the order of the table: from the caller's side to the service's. */
const categories: Record<ReturnCode.Category, string> = {
  BadRequest: "The request is wrong",
  NotRegistered: "The user is not registered",
  Authentication: "The app and its secret do not match",
  Clock: "The clocks are apart",
  Permission: "The app may not do this",
  RateLimit: "Too many calls",
  Server: "The service failed"
}

const retries: Record<ReturnCode.Retry, readonly [short: string, long: string]> = {
  Never: ["no", "no: the same call gets the same answer"],
  RateLimit: ["yes", "yes, after waiting for the quota"],
  Transient: ["yes", "yes, after back-off"],
  Bounded: ["twice", "once or twice: it may pass, and a read is safe to repeat"],
  Clock: ["once", "once, signed with the service's time where that differs from this machine's"]
}

const cell = (text: string | number, style?: Cell["style"]): Cell => ({
  text: String(text),
  ...(style === undefined ? {} : { style })
})

const columns = ["CODE", "ERROR CLASS", "RETRIED", "MEANING"]

/** All codes by category. */
const table = (style: Style.Style): ReadonlyArray<string> => {
  const cellsOf = (code: ReturnCode.ReturnCode): ReadonlyArray<Cell> =>
    [code.code, code.error, retries[code.retry][0], code.meaning].map((text) => cell(text))
  const widths = columns.map((title, i) =>
    Math.max(title.length, ...ReturnCode.table.map((code) => cellsOf(code)[i]?.text.length ?? 0))
  )
  const line = (cells: ReadonlyArray<Cell>) => row(cells, widths, { width: standardWidth, indent: 0 })
  return [
    ...line(columns.map((title) => cell(title, style.bold))),
    ...Object.entries(categories).flatMap(([category, meaning]) => [
      "",
      style.dim(`${category}: ${meaning}`),
      ...ReturnCode.table.filter((code) => code.category === category).flatMap((code) => line(cellsOf(code)))
    ])
  ]
}

const detail = (code: ReturnCode.ReturnCode, style: Style.Style): ReadonlyArray<string> => [
  style.bold(`${code.code}  ${code.meaning}`),
  "",
  ...rows(
    [
      [cell("Category", style.dim), cell(`${code.category}: ${categories[code.category].toLowerCase()}`)],
      [cell("Retried", style.dim), cell(retries[code.retry][1])],
      [cell("Error class", style.dim), cell(`${code.error}, caught with Effect.catchTag("${code.error}", ...)`)],
      [cell("What to do", style.dim), cell(code.advice)]
    ],
    { width: standardWidth, indent: 0 }
  )
]

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
    if (chosen === "table") return yield* Output.printLines(found === undefined ? table(style) : detail(found, style))
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

/** What `zim doctor` looks at, one thing after the other, what it finds, and how that is printed. */
import * as TerminalCapabilities from "effect/cli/TerminalCapabilities"
import * as Config from "effect/Config"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import type { Report } from "../../ErrorReport.ts"
import type * as ExitCode from "../../ExitCode.ts"
import * as Colors from "../colors.ts"
import { type Cell, oneLine, row } from "../printableText.ts"

/** Everything that is looked at, in this order, with its title. */
export const titles = {
  appId: "App id",
  secret: "Secret",
  endpoint: "Endpoint",
  policies: "Policies",
  name: "Name",
  connection: "Connection",
  tls: "TLS",
  answer: "Answer",
  clock: "Clock",
  signature: "Signature",
  service: "Service",
  quota: "Quota"
} as const

export type Name = keyof typeof titles

/** What was found where nothing stands in the way of going on, and what later looks need of it. */
export interface Finding<A = undefined> {
  readonly state: "ok" | "warning" | "skipped"
  readonly found: string
  /** Empty where there is nothing to do. */
  readonly advice: string
  readonly value: A
}

/** A look at one thing. It fails with what stands in the way. */
export type Look<A = undefined, R = never> = Effect.Effect<Finding<A>, Report, R>

export const ok = (found: string): Finding => ({ state: "ok", found, advice: "", value: undefined })

export const warning = (found: string, advice: string): Finding => ({ ...ok(found), state: "warning", advice })

export const skipped = (why: string): Finding => ({ ...ok(why), state: "skipped" })

/** One line of the result. */
export interface Check {
  readonly check: Name
  readonly state: Finding["state"] | "failed"
  readonly found: string
  readonly advice: string
  readonly milliseconds: number
  /** What the process ends with, if this is what failed first. */
  readonly exit: ExitCode.Name
}

/** Takes one look after the other, and shows each result. */
export const make = <E, R>(show: (check: Check) => Effect.Effect<void, E, R>) => {
  const checks: Array<Check> = []
  const add = (check: Check): Effect.Effect<void, E, R> => {
    checks.push(check)
    return show(check)
  }
  /** Looks with what went before; where that has failed, the look is skipped. */
  const look = Effect.fnUntraced(function* <A, B, R2>(
    name: Name,
    before: Option.Option<A>,
    at: (before: A) => Look<B, R2>
  ) {
    if (Option.isNone(before)) {
      const cause = checks.findLast(({ state }) => state === "failed")?.check ?? name
      yield* add({ check: name, ...skipped(`not checked: ${titles[cause]} comes first`), milliseconds: 0, exit: "Ok" })
      return Option.none()
    }
    const [took, result] = yield* Effect.timed(Effect.result(at(before.value)))
    const milliseconds = Math.round(Duration.toMillis(took))
    if (Result.isSuccess(result)) {
      const { value, ...finding } = result.success
      yield* add({ check: name, ...finding, milliseconds, exit: "Ok" })
      return Option.some(value)
    }
    const { advice, exit, problem } = result.failure
    yield* add({ check: name, state: "failed", found: problem, advice, milliseconds, exit })
    return Option.none()
  })
  return { checks, look }
}

type Marks = Readonly<Record<Check["state"], Cell>>

/** The language of the terminal has no ticks. */
const isAscii = Config.String("LC_ALL").pipe(
  Config.orElse(() => Config.String("LC_CTYPE")),
  Config.orElse(() => Config.String("LANG")),
  Config.map((locale) => locale !== "" && !/utf-?8/i.test(locale)),
  Config.withDefault(false),
  Effect.orDie
)

const marks: Effect.Effect<Marks> = Effect.gen(function* () {
  const { canColor } = yield* TerminalCapabilities.TerminalCapabilities
  const style = yield* Colors.style
  const hasSymbols = canColor && !(yield* isAscii)
  const mark = (symbol: string, word: string, style: (text: string) => string): Cell => ({
    text: hasSymbols ? symbol : word,
    style
  })
  return {
    ok: mark("✓", "ok", style.green),
    warning: mark("!", "warning", style.yellow),
    failed: mark("✗", "FAILED", style.red),
    skipped: mark("-", "skipped", style.dim)
  }
})

const titleWidth = Math.max(...Object.values(titles).map((title) => title.length))

/** Prints a check in a line or a few: a mark, what it is about, what was found; and what to do. */
export const linesWithin = Effect.fnUntraced(function* (width: number) {
  const style = yield* Colors.style
  const marked = yield* marks
  const widths = [Math.max(...Object.values(marked).map(({ text }) => text.length)), titleWidth]
  const line = (cells: ReadonlyArray<Cell>) => row(cells, widths, { width, indent: 0 })
  return ({ advice, check, found, state }: Check): ReadonlyArray<string> => {
    const words = { text: oneLine(found), style: state === "skipped" ? style.dim : undefined }
    return [
      ...line([marked[state], { text: titles[check], style: style.bold }, words]),
      ...(advice === "" ? [] : line([{ text: "" }, { text: "" }, { text: oneLine(`> ${advice}`) }]))
    ]
  }
})

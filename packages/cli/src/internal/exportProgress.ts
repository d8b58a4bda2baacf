/** How an export is getting on, on standard error: the words, and the line that is rewritten or comes every few seconds. */
import type { Progress } from "@effect-zim/export"
import * as Config from "effect/Config"
import * as Console from "effect/Console"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schedule from "effect/Schedule"
import type * as Scope from "effect/Scope"
import * as Stdio from "effect/Stdio"
import * as Stream from "effect/Stream"
import type * as Terminal from "effect/Terminal"
import { fitList, standardWidth } from "./printableText.ts"
import { number, plural, time } from "./quantities.ts"
import { errorWidth } from "./terminal.ts"

// ---- words ----

/** How many of how many, if that is known. */
export const doneOf = (done: number, all: number | undefined): string =>
  all === undefined ? number(done) : `${number(done)} of ${number(all)}`

export interface Scale {
  /** How many lines the users have, where that is known. */
  readonly lines: number | undefined
  readonly callsPerSecond: number
}

/** Requests that fail are made again for half an hour, in silence: who looks should know before. */
const isInVain = ({ calls, rejections, retries }: Progress.Status): boolean =>
  calls >= 3 && retries === calls && rejections < calls

/** How it is getting on, in one line, the least important at the end. */
export const statusLine = (status: Progress.Status, scale: Scale, width = Infinity): string => {
  const { calls, callsPerSecond, counts, rejections, retries, timeLeft } = status
  const parts = [
    scale.lines === undefined ? plural(counts.lines, "user") : `${number(counts.lines)}/${plural(scale.lines, "user")}`,
    ...(isInVain(status) ? ["every call has failed: see zim doctor"] : []),
    ...(Option.isSome(timeLeft) && calls > 0 ? [`${time(timeLeft.value)} left`] : []),
    `${callsPerSecond.toFixed(1)}/${scale.callsPerSecond} calls/s`,
    `${number(rejections)} rejected`,
    `${number(retries)} retried`,
    plural(counts.conversations, "conversation")
  ]
  return fitList(parts, width)
}

/** What has been done, when there is nothing more to do. */
export const summary = (status: Progress.Status, failures: string): ReadonlyArray<string> => {
  const { calls, counts, elapsed, rejections, retries } = status
  const seconds = Duration.toSeconds(elapsed)
  const took =
    seconds < 1
      ? "less than a second"
      : // The first calls take no time: the pace of a few seconds says nothing about the quota.
        `${time(elapsed)}${seconds < 5 ? "" : ` (${(calls / seconds).toFixed(1)}/s)`}`
  const without = [
    ...(counts.failed > 0 ? [`${plural(counts.failed, "user")} could not be read`] : []),
    ...(counts.invalid > 0
      ? [`${plural(counts.invalid, "line")} ${counts.invalid === 1 ? "is" : "are"} no user id`]
      : []),
    ...(counts.duplicates > 0 ? [plural(counts.duplicates, "duplicate")] : [])
  ]
  return [
    `done: ${plural(counts.users, "user")}, ${plural(counts.conversations, "conversation")}`,
    ...(calls > 0
      ? [`${plural(calls, "call")} in ${took}, ${number(rejections)} rejected, ${number(retries)} retried`]
      : []),
    ...(counts.lines === 0 ? ["there were no users: the input is empty"] : []),
    ...(without.length > 0 ? [`${without.join(", ")}: see ${failures}`] : []),
    ...(counts.atCap > 0
      ? [`${plural(counts.atCap, "user")} may have more than 1000 conversations: the service returns the latest 1000`]
      : []),
    ...(counts.changedWhileReading > 0
      ? [`${plural(counts.changedWhileReading, "list")} kept changing while being read: entries may be missing`]
      : [])
  ]
}

// ---- the line ----

const every = { terminal: Duration.millis(200), pipe: Duration.seconds(5) }

const clearLine = "\r\u001B[2K"

/** Shows a line, which may have a width, until the scope ends; gives what prints other lines. `quiet` shows nothing. */
export const start = Effect.fnUntraced(function* (
  line: (width?: number) => Effect.Effect<string>,
  quiet: boolean
): Effect.fn.Return<(line: string) => Effect.Effect<void>, never, Scope.Scope | Stdio.Stdio | Terminal.Terminal> {
  if (quiet) return () => Effect.void
  const stdio = yield* Stdio.Stdio
  const term = yield* Effect.orElseSucceed(Config.withDefault(Config.String("TERM"), ""), () => "")
  if (!(yield* stdio.stderrIsTerminal) || term === "dumb") {
    const show = Effect.flatMap(line(), (line) => Console.error(line))
    yield* Effect.forkScoped(Effect.repeat(Effect.delay(show, every.pipe), Schedule.forever))
    return (line) => Console.error(line)
  }
  // Progress is not worth an error: whoever closed standard error does not look.
  const write = (text: string) => Effect.ignore(Stream.run(Stream.make(text), stdio.stderr()))
  const show = Effect.gen(function* () {
    const width = (yield* errorWidth) ?? standardWidth
    // There the terminal shows ^C, and some begin a new line at the last column.
    const free = 4
    yield* write(clearLine + (yield* line(width - free)))
  })
  yield* Effect.addFinalizer(() => write(clearLine))
  yield* Effect.forkScoped(Effect.repeat(show, Schedule.spaced(every.terminal)))
  return (line) => write(`${clearLine}${line}\n`)
})

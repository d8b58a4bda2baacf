/** The words of an export that is kept in a database. */
import type { DurableExport } from "@effect-zim/durable"
import * as DateTime from "effect/DateTime"
import * as Duration from "effect/Duration"
import type { Style } from "./colors.ts"
import { fitList, printable, rows, standardWidth } from "./printableText.ts"
import { number, plural, time } from "./quantities.ts"

type Export = DurableExport.DurableExport

/** How much of it is done, with one decimal: not 100 before all of it is. */
export const percent = ({ counts, lines }: Export): number =>
  lines === 0 ? 100 : Math.floor((1000 * counts.lines) / lines) / 10

/** How long it still takes, at the pace of the last minute and with as many calls for a line as there were. */
export const timeLeft = ({ callsPerSecond, counts, lines, state }: Export): Duration.Duration | undefined => {
  const read = counts.lines - counts.duplicates - counts.invalid
  if (state !== "Running" || callsPerSecond === 0 || read <= 0) return undefined
  return Duration.seconds(((lines - counts.lines) * counts.calls) / read / callsPerSecond)
}

/** Who is not in what it has written. */
const without = ({ counts }: Export): number => counts.failed + counts.invalid + counts.duplicates

const problemOf = ({ problem }: Export): ReadonlyArray<string> =>
  problem === undefined ? [] : [`${problem.error}: ${printable(problem.message)}`]

const paceOf = ({ callsPerSecond }: Export, quota: number): string => `${callsPerSecond.toFixed(1)}/${quota} calls/s`

const leftOf = (one: Export): ReadonlyArray<string> => {
  const left = timeLeft(one)
  return left === undefined ? [] : [`${time(left)} left`]
}

const utc = (at: DateTime.DateTime): string =>
  DateTime.formatIso(at)
    .replace("T", " ")
    .replace(/(?:\.\d+)?Z$/, " UTC")

/** How it is getting on, in one line, the least important at the end. */
export const statusLine = (one: Export, quota: number, width = Infinity): string => {
  const { counts, lines, state, workers } = one
  const parts = [
    `${state === "Running" ? "" : `${state.toLowerCase()}: `}${number(counts.lines)}/${plural(lines, "user")} (${percent(one)} %)`,
    ...leftOf(one),
    ...problemOf(one),
    paceOf(one, quota),
    plural(workers.length, "worker"),
    `${number(without(one))} failed`,
    plural(counts.conversations, "conversation")
  ]
  return fitList(parts, width)
}

const workersOf = ({ state, workers }: Export): string => {
  if (workers.length > 0) {
    return workers.map(({ batches, name }) => `${printable(name)} (${plural(batches, "batch", "batches")})`).join(", ")
  }
  return state === "Running" ? "nobody in the last minute: zim worker start" : "nobody"
}

/** All that is to be said of it, for reading. */
export const details = (one: Export, quota: number, style: Style, width = standardWidth): ReadonlyArray<string> => {
  const { counts, endedAt, id, lines, state, submittedAt } = one
  const failed = without(one)
  const facts: ReadonlyArray<readonly [string, ReadonlyArray<string>]> = [
    ["app", [String(one.appId)]],
    ["done", [[`${number(counts.lines)} of ${plural(lines, "user")} (${percent(one)} %)`, ...leftOf(one)].join(", ")]],
    ["conversations", [number(counts.conversations)]],
    ["failed", [failed === 0 ? "0" : `${number(failed)}: zim exports failures ${id}`]],
    ["pace", state === "Running" ? [paceOf(one, quota)] : []],
    ["workers", state === "Running" ? [workersOf(one)] : []],
    ["submitted", [utc(submittedAt)]],
    ["ended", endedAt === undefined ? [] : [utc(endedAt)]],
    ["problem", problemOf(one)]
  ]
  const cells = facts.flatMap(([name, texts]) => texts.map((text) => [{ text: name, style: style.dim }, { text }]))
  return [`${style.bold(id)}  ${state}`, ...rows(cells, { width, indent: 2 })]
}

/** Exports as a table. */
export const table = (all: ReadonlyArray<Export>, style: Style, width = Infinity): ReadonlyArray<string> => {
  const titles = ["EXPORT", "STATE", "DONE", "USERS", "FAILED", "CALLS/S", "LEFT", "SUBMITTED (UTC)"]
  const cells = all.map((one) => {
    const left = timeLeft(one)
    return [
      one.id,
      one.state,
      `${percent(one)} %`,
      number(one.lines),
      number(without(one)),
      one.state === "Running" ? one.callsPerSecond.toFixed(1) : "",
      left === undefined ? "" : time(left),
      utc(one.submittedAt).replace(/ UTC$/, "")
    ]
  })
  const toRow = (texts: ReadonlyArray<string>) => texts.map((text) => ({ text }))
  return rows([titles.map((text) => ({ text, style: style.bold })), ...cells.map(toRow)], { width, indent: 0 })
}

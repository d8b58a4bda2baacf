/** What `zim codes` shows to people. */
import * as ReturnCode from "@effect-zim/protocol/ReturnCode"
import { type Cell, make, standardWidth } from "./layout.ts"
import type * as Style from "./style.ts"

/** The table is ASCII. To measure anything else, Node would have to load what it knows of Unicode. */
const { row, rows } = make((text) => text.length)

/** In the order of the table: from the caller's side to the service's. */
const categories: Record<ReturnCode.Category, string> = {
  BadRequest: "The request is wrong",
  NotRegistered: "The user is not registered",
  Authentication: "The app and its secret do not match",
  Clock: "The clocks are apart",
  Permission: "The app may not do this",
  RateLimit: "Too many calls",
  Server: "The service failed",
  NotFound: "It is not there",
  AlreadyDone: "It is already so",
  Conflict: "Something else has the id",
  Full: "A list is full",
  Rejected: "Somebody refused it",
  AllFailed: "It failed for each item"
}

const retries: Record<ReturnCode.Retry, readonly [short: string, long: string]> = {
  Never: ["no", "no: the same call gets the same answer"],
  RateLimit: ["yes", "yes, after waiting for the quota"],
  Transient: ["yes", "yes, after back-off"],
  Bounded: ["twice", "once or twice: it may pass, and a read is safe to repeat"],
  Clock: ["3 times", "three times at most, signed with other times that answers propose"]
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

/** All codes, or one in detail. */
export const lines = (code: ReturnCode.ReturnCode | undefined, style: Style.Style): ReadonlyArray<string> =>
  code === undefined ? table(style) : detail(code, style)

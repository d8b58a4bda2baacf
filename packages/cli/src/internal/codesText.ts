/** The codes that `zim codes` knows, and what it shows of them to people. */
import * as OperationCode from "@effect-zim/protocol/OperationCode"
import * as ReturnCode from "@effect-zim/protocol/ReturnCode"
import type * as Colors from "./colors.ts"
import { type Cell, make, standardWidth } from "./columns.ts"

/** What is known of a code. */
export interface KnownCode extends OperationCode.OperationCode {
  /** The tag of its error. */
  readonly error: string
}

const table: ReadonlyArray<KnownCode> = [
  ...ReturnCode.table,
  ...OperationCode.table.map((row) => ({ ...row, error: "OperationFailed" }))
].toSorted((a, b) => a.code - b.code)

/** Whether a word is the number of a code, documented or not. */
export const isNumber = (word: string): boolean => /^\d+$/.test(word)

/** The codes in which every word stands, in any letter case: as the number, or in its meaning, category or error. */
export const search = (words: ReadonlyArray<string>): ReadonlyArray<KnownCode> => {
  if (words.length === 1 && words.every(isNumber)) return table.filter(({ code }) => words.includes(String(code)))
  const wanted = words.map((word) => word.toLowerCase())
  return table.filter((row) => {
    const text = [row.code, row.meaning, row.category, categories[row.category], row.error].join(" ").toLowerCase()
    return wanted.every((word) => text.includes(word))
  })
}

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

const cell = (text: string | number, style?: Cell["style"]): Cell => ({ text: String(text), style })

const columns = ["CODE", "ERROR CLASS", "RETRIED", "MEANING"]

/** Codes by category. */
const byCategory = (codes: ReadonlyArray<KnownCode>, style: Colors.Style): ReadonlyArray<string> => {
  const cellsOf = (code: KnownCode): ReadonlyArray<Cell> =>
    [code.code, code.error, retries[code.retry][0], code.meaning].map((text) => cell(text))
  const widths = columns.map((title, i) =>
    Math.max(title.length, ...codes.map((code) => cellsOf(code)[i]?.text.length ?? 0))
  )
  const line = (cells: ReadonlyArray<Cell>) => row(cells, widths, { width: standardWidth, indent: 0 })
  return [
    ...line(columns.map((title) => cell(title, style.bold))),
    ...Object.entries(categories).flatMap(([category, meaning]) => {
      const found = codes.filter((code) => code.category === category)
      return found.length === 0
        ? []
        : ["", style.dim(`${category}: ${meaning}`), ...found.flatMap((code) => line(cellsOf(code)))]
    })
  ]
}

const detail = (code: KnownCode, style: Colors.Style): ReadonlyArray<string> => [
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

/** One code in detail, or several by category. */
export const lines = (codes: ReadonlyArray<KnownCode>, style: Colors.Style): ReadonlyArray<string> => {
  const [only, ...others] = codes
  return only !== undefined && others.length === 0 ? detail(only, style) : byCategory(codes, style)
}

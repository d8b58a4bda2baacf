/** Numbers and tables as text. */
import type * as Measure from "./Measure.ts"
import * as Results from "./Results.ts"

const digits = (value: number): string =>
  value === 0 || Math.abs(value) >= 100 ? value.toFixed(0) : Math.abs(value) >= 10 ? value.toFixed(1) : value.toFixed(2)

interface Unit {
  readonly size: number
  readonly name: string
}

const units: Readonly<Record<Results.Format, ReadonlyArray<Unit>>> = {
  times: [{ size: 1, name: "" }],
  micros: [
    { size: 1e6, name: " s" },
    { size: 1e3, name: " ms" },
    { size: 1, name: " µs" },
    { size: 1e-3, name: " ns" }
  ],
  millis: [
    { size: 1e3, name: " s" },
    { size: 1, name: " ms" }
  ],
  bytes: [
    { size: 1e6, name: " MB" },
    { size: 1e3, name: " KB" }
  ],
  share: [{ size: 0.01, name: " %" }],
  count: [{ size: 1, name: "" }]
}

/** The largest unit in which the number is 1 or more. */
const unitOf = (value: number, format: Results.Format): Unit =>
  units[format].find(({ size }) => Math.abs(value) >= size) ?? units[format].at(-1) ?? { size: 1, name: "" }

const inUnit = (value: number, format: Results.Format, { size }: Unit): string =>
  format === "count" ? value.toLocaleString("en", { maximumFractionDigits: 2 }) : digits(value / size)

export const number = (value: number, format: Results.Format): string => {
  const unit = unitOf(value, format)
  return inUnit(value, format, unit) + unit.name
}

/** The median, and in brackets between which values the middle half lies. */
export const value = (value: Measure.Value | null, format: Results.Format): string => {
  if (value === null) return ""
  const unit = unitOf(value.middle, format)
  const [middle = "", low = "", high = ""] = [value.middle, value.low, value.high].map((part) =>
    part === undefined ? undefined : inUnit(part, format, unit)
  )
  return low === "" || (low === middle && high === middle)
    ? `${middle}${unit.name}`
    : `${middle}${unit.name} (${low} to ${high})`
}

const bound = ({ bound, format }: Results.Goal): string =>
  "atMost" in bound ? `at most ${number(bound.atMost, format)}` : `at least ${number(bound.atLeast, format)}`

/** What was to be reached, what was reached, and whether that will do. */
export const goal = (goal: Results.Goal): readonly [text: string, bound: string, reached: string, verdict: string] => [
  goal.text,
  bound(goal),
  // One more digit: 1.15 may be 1.154.
  goal.format === "times" ? goal.reached.toFixed(3) : number(goal.reached, goal.format),
  Results.isMet(goal) ? "met" : "**not met**"
]

const cells = (table: Results.Table): ReadonlyArray<ReadonlyArray<string>> => [
  ["", ...table.columns.map(({ name }) => name)],
  ...table.rows.map((row) => [
    row.name,
    ...table.columns.map(({ format }, index) => value(row.values[index] ?? null, format))
  ])
]

/** As in `Goal: importing, at most 1.15: 1.04, met`. */
export const goalLine = (one: Results.Goal): string => {
  const [text, bound, reached, verdict] = goal(one)
  return `Goal: ${text}, ${bound}: ${reached}, ${verdict}`
}

/** For a terminal. */
export const table = (table: Results.Table): string => {
  const rows = cells(table)
  const widths = (rows[0] ?? []).map((_, index) => Math.max(...rows.map((row) => row[index]?.length ?? 0)))
  const lines = rows.map((row) =>
    row
      .map((cell, index) => (index === 0 ? cell.padEnd(widths[index] ?? 0) : cell.padStart(widths[index] ?? 0)))
      .join("  ")
  )
  return [table.title, ...lines, ...table.goals.map(goalLine)].join("\n")
}

/** In Markdown. What is ours is in bold. */
export const markdown = (table: Results.Table): string => {
  const [head = [], ...rows] = cells(table)
  const name = (index: number, text: string) => (table.rows[index]?.role === "ours" ? `**${text}**` : text)
  return [
    head,
    head.map((_, index) => (index === 0 ? "---" : "--:")),
    ...rows.map(([first = "", ...rest], index) => [name(index, first), ...rest])
  ]
    .map((row) => `| ${row.join(" | ")} |`)
    .join("\n")
}

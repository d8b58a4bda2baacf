/** Numbers and tables as text. */
import * as Report from "./Report.ts"

const digits = (value: number): string =>
  value === 0 || Math.abs(value) >= 100 ? value.toFixed(0) : Math.abs(value) >= 10 ? value.toFixed(1) : value.toFixed(2)

export const number = (value: number, format: Report.Format): string => {
  switch (format) {
    case "times":
      return digits(value)
    case "micros":
      if (Math.abs(value) >= 1000) return number(value / 1000, "millis")
      return Math.abs(value) < 1 ? `${digits(value * 1000)} ns` : `${digits(value)} µs`
    case "millis":
      return Math.abs(value) >= 10_000 ? `${digits(value / 1000)} s` : `${digits(value)} ms`
    case "bytes":
      return Math.abs(value) >= 1e6 ? `${digits(value / 1e6)} MB` : `${(value / 1000).toFixed(1)} KB`
    case "share":
      return `${(value * 100).toFixed(1)} %`
    case "count":
      return value.toLocaleString("en", { maximumFractionDigits: 2 })
  }
}

/** The median, and in brackets between which values the middle half lies. */
export const value = (value: Report.Value | null, format: Report.Format): string => {
  if (value === null) return ""
  const middle = number(value.middle, format)
  if (value.low === undefined || value.high === undefined) return middle
  const [low, high] = [number(value.low, format), number(value.high, format)]
  return low === middle && high === middle ? middle : `${middle} (${low} to ${high})`
}

/** `at most 1.15: 1.04, met`. */
export const goal = (goal: Report.Goal): string => {
  const { bound, format, reached, text } = goal
  const limit =
    "atMost" in bound ? `at most ${number(bound.atMost, format)}` : `at least ${number(bound.atLeast, format)}`
  return `${text}, ${limit}: ${number(reached, format)}, ${Report.isMet(goal) ? "met" : "**not met**"}`
}

const cells = (table: Report.Table): ReadonlyArray<ReadonlyArray<string>> => [
  ["", ...table.columns.map(({ name }) => name)],
  ...table.rows.map((row) => [
    row.name,
    ...table.columns.map(({ format }, index) => value(row.values[index] ?? null, format))
  ])
]

/** For a terminal. */
export const table = (table: Report.Table): string => {
  const rows = cells(table)
  const widths = (rows[0] ?? []).map((_, index) => Math.max(...rows.map((row) => row[index]?.length ?? 0)))
  const lines = rows.map((row) =>
    row
      .map((cell, index) => (index === 0 ? cell.padEnd(widths[index] ?? 0) : cell.padStart(widths[index] ?? 0)))
      .join("  ")
  )
  return [table.title, ...lines, ...table.goals.map((one) => `Goal: ${goal(one)}`)].join("\n")
}

/** In Markdown. What is ours is in bold. */
export const markdown = (table: Report.Table): string => {
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

/** The ratios as bars, in an SVG that follows the reader's choice of light or dark. */
import type { Outcome, Row, Table } from "./Report.ts"
import * as Text from "./Text.ts"

const width = 860
const labels = 300
const bars = 430
const rowHeight = 20

const style = `
    text { font: 13px system-ui, sans-serif; fill: #1f2328 }
    .title { font-weight: 600; font-size: 14px }
    .quiet { fill: #59636e }
    .back { fill: #ffffff }
    .limit { fill: #8c959f }
    .peer { fill: #9a6700 }
    .ours { fill: #0969da }
    .spread { stroke: #1f2328; stroke-width: 1.5 }
    .ours-text { font-weight: 600 }
    @media (prefers-color-scheme: dark) {
      text { fill: #e6edf3 }
      .quiet { fill: #9198a1 }
      .back { fill: #0d1117 }
      .limit { fill: #656c76 }
      .peer { fill: #d29922 }
      .ours { fill: #4493f8 }
      .spread { stroke: #e6edf3 }
    }`

const escape = (text: string): string =>
  text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll("`", "")

const tick = (value: number): string => value.toFixed(1)

const row = (row: Row, top: number, scale: (value: number) => number, table: Table): string => {
  const value = row.values[0] ?? null
  if (value === null) return ""
  const format = table.columns[0]?.format ?? "times"
  const end = scale(value.middle)
  const spread =
    value.low === undefined || value.high === undefined
      ? ""
      : `<line class="spread" x1="${tick(labels + scale(value.low))}" x2="${tick(labels + scale(value.high))}" y1="${top + 10}" y2="${top + 10}"/>`
  const weight = row.role === "ours" ? ` class="ours-text"` : ""
  return `  <text${weight} x="${labels - 8}" y="${top + 14}" text-anchor="end">${escape(row.name)}</text>
  <rect class="${row.role}" x="${labels}" y="${top + 3}" width="${tick(Math.max(1, end))}" height="14" rx="2"/>
  ${spread}
  <text${weight} x="${tick(labels + scale(value.high ?? value.middle) + 8)}" y="${top + 14}">${Text.number(value.middle, format)}</text>`
}

/** A block of bars on a scale of its own, which starts at 0. */
const block = (outcome: Outcome, table: Table, top: number): string => {
  const most = Math.max(...table.rows.map(({ values: [value] }) => value?.high ?? value?.middle ?? 0))
  const scale = (value: number) => (value / most) * bars
  const column = table.columns[0]?.name ?? ""
  return [
    `  <text class="title" x="16" y="${top + 16}">${escape(`${outcome.suite}: ${table.title}`)}</text>`,
    `  <text class="quiet" x="${width - 16}" y="${top + 16}" text-anchor="end">${escape(column)}</text>`,
    ...table.rows.map((one, index) => row(one, top + 24 + index * rowHeight, scale, table))
  ].join("\n")
}

export const svg = (outcomes: ReadonlyArray<Outcome>): string => {
  let top = 16
  const blocks: Array<string> = []
  for (const outcome of outcomes) {
    for (const table of outcome.tables.filter(({ isCharted }) => isCharted)) {
      blocks.push(block(outcome, table, top))
      top += 24 + table.rows.length * rowHeight + 20
    }
  }
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${top}" viewBox="0 0 ${width} ${top}" role="img" aria-label="Ratios of the benchmarks, as in the tables of docs/benchmarks.md">
  <style>${style}
  </style>
  <rect class="back" width="${width}" height="${top}" rx="6"/>
${blocks.join("\n")}
</svg>
`
}

/** The ratios as bars, in an SVG that follows the reader's choice of light or dark. */
import type { Outcome, Row, Table } from "./Results.ts"
import * as TextTables from "./TextTables.ts"

const width = 900
const labels = 340
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
  const value = row.values[0] ?? { middle: 0 }
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
  <text${weight} x="${tick(labels + scale(value.high ?? value.middle) + 8)}" y="${top + 14}">${TextTables.number(value.middle, format)}</text>`
}

const legend = [
  { role: "limit", text: "the least that the work can cost" },
  { role: "peer", text: "peers" },
  { role: "ours", text: "effect-zim" }
]

const legendAt = (top: number): string =>
  legend
    .map(({ role, text }, index) => {
      const left = 16 + index * 245
      return `  <rect class="${role}" x="${left}" y="${top + 3}" width="14" height="14" rx="2"/>
  <text x="${left + 22}" y="${top + 14}">${text}</text>`
    })
    .concat(`  <text class="quiet" x="${width - 16}" y="${top + 14}" text-anchor="end">shorter is better</text>`)
    .join("\n")

/** The rows that have something to draw. */
const drawn = ({ rows }: Table): ReadonlyArray<Row> => rows.filter(({ values: [value] }) => (value ?? null) !== null)

/** A block of bars on a scale of its own, which starts at 0. */
const block = (outcome: Outcome, table: Table, top: number): string => {
  const rows = drawn(table)
  const most = Math.max(...rows.map(({ values: [value] }) => value?.high ?? value?.middle ?? 0))
  const scale = (value: number) => (value / most) * bars
  const column = table.columns[0]?.name ?? ""
  return [
    `  <text class="title" x="16" y="${top + 16}">${escape(`${outcome.suite}: ${table.title}`)}</text>`,
    `  <text class="quiet" x="${width - 16}" y="${top + 16}" text-anchor="end">${escape(column)}</text>`,
    ...rows.map((one, index) => row(one, top + 24 + index * rowHeight, scale, table))
  ].join("\n")
}

export const svg = (outcomes: ReadonlyArray<Outcome>): string => {
  let top = 56
  const blocks = [legendAt(16)]
  for (const outcome of outcomes) {
    for (const table of outcome.tables.filter(({ isCharted }) => isCharted)) {
      blocks.push(block(outcome, table, top))
      top += 24 + drawn(table).length * rowHeight + 20
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

/** The results as Markdown. */
import type * as Grid from "./Grid.ts"
import type { Summary } from "./Simulation.ts"

export type Row = Grid.Cell & Summary

const percent = (part: number, digits: number): string => `${(part * 100).toFixed(digits)} %`

const share = (part: number, whole: number, digits: number): string =>
  part === 0 ? "0" : percent(part / whole, digits)

const seconds = (millis: number): string => `${(millis / 1000).toFixed(1)} s`

const table = (head: ReadonlyArray<string>, rows: ReadonlyArray<ReadonlyArray<string>>): string =>
  [head, head.map((_, index) => (index === 0 ? "---" : "--:")), ...rows]
    .map((row) => `| ${row.join(" | ")} |`)
    .join("\n")

const unique = <A>(values: ReadonlyArray<A>): ReadonlyArray<A> => [...new Set(values)]

/** Contestants down, servers across: what was used of the quota, and what was rejected. */
const overview = (rows: ReadonlyArray<Row>): string => {
  const servers = unique(rows.map(({ server }) => server.name))
  return table(
    ["", ...servers],
    unique(rows.map(({ contestant }) => contestant.name)).map((name) => [
      name,
      ...servers.map((server) => {
        const row = rows.find((row) => row.contestant.name === name && row.server.name === server)
        return row === undefined ? "" : `${percent(row.used, 1)} / ${share(row.rejected, row.calls, 1)}`
      })
    ])
  )
}

const details = (rows: ReadonlyArray<Row>): string =>
  table(
    ["Server", "", "Used", "Rejected", "Worst second", "p50", "p99", "At first: rejected", "worst second"],
    rows
      .toSorted(
        (a, b) => rows.findIndex((row) => row.server === a.server) - rows.findIndex((row) => row.server === b.server)
      )
      .map((row) => [
        row.server.name,
        row.contestant.name,
        percent(row.used, 1),
        share(row.rejected, row.calls, 2),
        `${row.worstWindow}`,
        seconds(row.median),
        seconds(row.p99),
        `${row.warmUp.rejected} of ${row.warmUp.calls}`,
        `${row.warmUp.worstWindow}`
      ])
  )

const section = (rows: ReadonlyArray<Row>, render: (rows: ReadonlyArray<Row>) => string): string =>
  unique(rows.map(({ processes }) => processes))
    .flatMap((processes) => {
      const some = rows.filter((row) => row.processes === processes)
      return unique(some.map(({ path }) => path.name)).map((path) => {
        const heading = `### ${path}, ${processes === 1 ? "one process" : `${processes} processes`}`
        return `${heading}\n\n${render(some.filter((row) => row.path.name === path))}`
      })
    })
    .join("\n\n")

/** The tables: an overview, and everything. */
export const markdown = (rows: ReadonlyArray<Row>): string =>
  `## Overview

What was used of the quota / how many of the calls were rejected.

${section(rows, overview)}

## Everything

${section(rows, details)}
`

const marker = "<!-- What follows is written by `npm run simulate`. -->"

/** Puts the tables in place of those that a document ends with. */
export const replace = (document: string, tables: string): string =>
  `${document.split(marker, 1).join("").trimEnd()}\n\n${marker}\n\n${tables}`.trimStart()

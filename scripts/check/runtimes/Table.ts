/** The tables of `docs/runtimes.md`: written of what was measured, read again, and compared with that. */

/** By row and column: nothing where it can be done, and why not where not. */
export type Cells = ReadonlyMap<string, ReadonlyMap<string, string>>

const line = (cells: ReadonlyArray<string>): string => `| ${cells.join(" | ")} |`

/** What would end a cell. */
const plain = (text: string): string => text.replaceAll("|", "/").replace(/\s+/g, " ").trim()

const columnsOf = (cells: Cells): ReadonlyArray<string> => [
  ...new Set([...cells.values()].flatMap((row) => [...row.keys()]))
]

/** A table of marks, and one of reasons for those who do not. */
export const print = (cells: Cells): string => {
  const columns = columnsOf(cells)
  const marks = [...cells].map(([row, answers]) => {
    const markOf = (column: string): string => {
      const answer = answers.get(column)
      return answer === undefined ? "" : answer === "" ? "yes" : "**no**"
    }
    return line([row, ...columns.map(markOf)])
  })
  const reasons = [...cells].flatMap(([row, answers]) =>
    [...answers].flatMap(([column, answer]) => (answer === "" ? [] : [line([row, column, plain(answer)])]))
  )
  const head = (names: ReadonlyArray<string>) => [line(names), line(names.map(() => "---"))]
  return [
    ...head(["", ...columns]),
    ...marks,
    ...(reasons.length === 0 ? [] : ["", ...head(["What", "Where not", "What it says"]), ...reasons])
  ].join("\n")
}

const cellsOf = (text: string): ReadonlyArray<string> =>
  text
    .split("|")
    .slice(1, -1)
    .map((cell) => cell.trim())

/** Reads what `print` has written, whatever has aligned it since. */
export const parse = (text: string): Cells => {
  const cells = new Map<string, Map<string, string>>()
  let columns: ReadonlyArray<string> = []
  for (const [first = "", ...others] of text
    .split("\n")
    .filter((one) => one.startsWith("|"))
    .map(cellsOf)) {
    if (first === "") columns = others
    else if (first === "What") columns = []
    else if (/^-+$/.test(first)) continue
    else if (columns.length > 0) {
      const marks = others.flatMap((mark, i) =>
        mark === "" ? [] : [[columns[i] ?? "", mark === "yes" ? "" : "?"] as const]
      )
      cells.set(first, new Map(marks))
    } else cells.get(first)?.set(others[0] ?? "", others[1] ?? "")
  }
  return cells
}

/** The cells of some columns only. */
export const only = (cells: Cells, columns: ReadonlySet<string>): Cells =>
  new Map([...cells].map(([row, answers]) => [row, new Map([...answers].filter(([column]) => columns.has(column)))]))

const say = (answer: string | undefined): string =>
  answer === undefined ? "not there" : answer === "" ? "yes" : `no (${answer})`

/** What is different, in a sentence each; first what has become worse. */
export const differences = (written: Cells, measured: Cells): ReadonlyArray<string> => {
  const worse: Array<string> = []
  const other: Array<string> = []
  for (const row of new Set([...measured.keys(), ...written.keys()])) {
    const columns = new Set([...(measured.get(row)?.keys() ?? []), ...(written.get(row)?.keys() ?? [])])
    for (const column of columns) {
      const was = written.get(row)?.get(column)
      const answer = measured.get(row)?.get(column)
      const is = answer === undefined ? undefined : plain(answer)
      if (was === is) continue
      const isWorse = was === "" && is !== undefined
      const difference = `${row}, on ${column}: was ${say(was)}, is ${say(is)}`
      if (isWorse) worse.push(`WORSE: ${difference}`)
      else other.push(difference)
    }
  }
  return [...worse, ...other]
}

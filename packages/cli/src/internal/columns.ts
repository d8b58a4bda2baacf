/** Text in lines and columns, whatever measures its width. */

/** The narrowest text that is wrapped or laid out on purpose. */
export const standardWidth = 80

/** A cell of a table, with the style of its text: styles do not change widths. */
export interface Cell {
  readonly text: string
  readonly style?: ((text: string) => string) | undefined
}

export interface Options {
  readonly width: number
  readonly indent: number
}

export const make = (displayWidth: (text: string) => number) => {
  const pad = (text: string, width: number): string => text + " ".repeat(Math.max(0, width - displayWidth(text)))

  /** Lines of at most a width, broken between words; a longer word keeps a line to itself. */
  const wrap = (text: string, width: number): ReadonlyArray<string> => {
    const lines: Array<string> = []
    let line = ""
    for (const word of text.split(" ")) {
      const longer = line === "" ? word : `${line} ${word}`
      if (line !== "" && displayWidth(longer) > width) {
        lines.push(line)
        line = word
      } else {
        line = longer
      }
    }
    return [...lines, line]
  }

  /** A row of cells, the last one wrapped to the width that is left. */
  const row = (cells: ReadonlyArray<Cell>, widths: ReadonlyArray<number>, options: Options): ReadonlyArray<string> => {
    const fixed = cells.slice(0, -1)
    const last = cells.at(-1)
    const left = fixed
      .map((cell, i) => `${(cell.style ?? String)(cell.text)}${pad("", (widths[i] ?? 0) - displayWidth(cell.text))}  `)
      .join("")
    const start = options.indent + fixed.reduce((sum, _, i) => sum + (widths[i] ?? 0) + 2, 0)
    return wrap(last?.text ?? "", options.width - start).map((line, i) =>
      `${i === 0 ? " ".repeat(options.indent) + left : " ".repeat(start)}${(last?.style ?? String)(line)}`.trimEnd()
    )
  }

  /** Rows with columns as wide as their widest cell. */
  const rows = (cells: ReadonlyArray<ReadonlyArray<Cell>>, options: Options): ReadonlyArray<string> => {
    const widths = (cells[0] ?? []).map((_, i) => Math.max(...cells.map((row) => displayWidth(row[i]?.text ?? ""))))
    return cells.flatMap((line) => row(line, widths, options))
  }

  return { pad, row, rows, wrap }
}

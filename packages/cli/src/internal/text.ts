/** Text on a terminal: widths, wrapping, and what must not reach it. */
import * as CliOutput from "effect/cli/CliOutput"

const graphemes = new Intl.Segmenter(undefined, { granularity: "grapheme" })

/** The narrowest text that is wrapped or laid out on purpose. */
export const standardWidth = 80

/** Control and formatting characters as escapes: ids come from outside, and a terminal would obey them. */
export const printable = (text: string): string =>
  text.replaceAll(/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu, (character) =>
    // Emoji of several people are joined by it.
    character === "\u200D" ? character : `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`
  )

/** All on one line. */
export const oneLine = (text: string): string => printable(text.trim().replaceAll(/\s+/g, " "))

/** Cut to a width, with an ellipsis where something was cut. Full-width characters count as two. */
export const fit = (text: string, width: number): string => {
  if (CliOutput.displayWidth(text) <= width) return text
  let kept = ""
  let used = 1
  for (const { segment } of graphemes.segment(text)) {
    used += CliOutput.displayWidth(segment)
    if (used > width) break
    kept += segment
  }
  return `${kept}…`
}

export const pad = (text: string, width: number): string =>
  text + " ".repeat(Math.max(0, width - CliOutput.displayWidth(text)))

/** Lines of at most a width, broken between words; a longer word keeps a line to itself. */
export const wrap = (text: string, width: number): ReadonlyArray<string> => {
  const lines: Array<string> = []
  let line = ""
  for (const word of text.split(" ")) {
    const longer = line === "" ? word : `${line} ${word}`
    if (line !== "" && CliOutput.displayWidth(longer) > width) {
      lines.push(line)
      line = word
    } else {
      line = longer
    }
  }
  return [...lines, line]
}

/** A cell of a table, with the style of its text: styles do not change widths. */
export interface Cell {
  readonly text: string
  readonly style?: (text: string) => string
}

/** A row of cells, the last one wrapped to the width that is left. */
export const row = (
  cells: ReadonlyArray<Cell>,
  widths: ReadonlyArray<number>,
  options: { readonly width: number; readonly indent: number }
): ReadonlyArray<string> => {
  const fixed = cells.slice(0, -1)
  const last = cells.at(-1)
  const left = fixed
    .map(
      (cell, i) =>
        `${(cell.style ?? String)(cell.text)}${pad("", (widths[i] ?? 0) - CliOutput.displayWidth(cell.text))}  `
    )
    .join("")
  const start = options.indent + fixed.reduce((sum, _, i) => sum + (widths[i] ?? 0) + 2, 0)
  return wrap(last?.text ?? "", options.width - start).map((line, i) =>
    `${i === 0 ? " ".repeat(options.indent) + left : " ".repeat(start)}${(last?.style ?? String)(line)}`.trimEnd()
  )
}

/** Rows with columns as wide as their widest cell. */
export const rows = (
  cells: ReadonlyArray<ReadonlyArray<Cell>>,
  options: { readonly width: number; readonly indent: number }
): ReadonlyArray<string> => {
  const widths = (cells[0] ?? []).map((_, i) =>
    Math.max(...cells.map((row) => CliOutput.displayWidth(row[i]?.text ?? "")))
  )
  return cells.flatMap((line) => row(line, widths, options))
}

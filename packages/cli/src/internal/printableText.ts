/** Text on a terminal: widths, wrapping, and what must not reach it. */
import * as CliOutput from "effect/cli/CliOutput"
import * as Columns from "./columns.ts"

export { type Cell, standardWidth } from "./columns.ts"

const graphemes = new Intl.Segmenter(undefined, { granularity: "grapheme" })

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

/** As many of some parts as fit, from the first on, which is cut if need be. */
export const fitList = (parts: ReadonlyArray<string>, width: number): string => {
  const fitting = parts.filter((_, i) => CliOutput.displayWidth(parts.slice(0, i + 1).join(", ")) <= width)
  return fitting.length > 0 ? fitting.join(", ") : fit(parts[0] ?? "", width)
}

export const { pad, row, rows, wrap } = Columns.make(CliOutput.displayWidth)

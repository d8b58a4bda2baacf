/**
 * Finds the fenced code blocks of Markdown files and docstrings.
 *
 * A block is opened by three or more backticks and a language, then its mode: nothing, `no-run` or `ignore` for `ts`,
 * and `run` for `sh`.
 */

/** A fenced block as it stands in a file. */
export interface Block {
  readonly language: string
  /** The words after the language. */
  readonly mode: string
  /** The line (from 1) of the first line of code. */
  readonly line: number
  readonly code: string
}

const fence = /^(?<indent>\s*)(?<ticks>`{3,})\s*(?<language>[^\s`]*)\s*(?<mode>[^`]*)$/

const blocksOf = (lines: ReadonlyArray<string>, firstLine: number): ReadonlyArray<Block> => {
  const blocks: Array<Block> = []
  let open: { language: string; mode: string; ticks: string; indent: number; start: number } | undefined
  lines.forEach((line, index) => {
    if (open === undefined) {
      const { indent = "", language = "", mode = "", ticks } = fence.exec(line)?.groups ?? {}
      if (ticks !== undefined) open = { language, mode: mode.trim(), ticks, indent: indent.length, start: index + 1 }
    } else if (line.trim().startsWith(open.ticks) && /^`+$/.test(line.trim())) {
      const { indent, language, mode, start } = open
      const code = lines.slice(start, index).map((text) => text.slice(Math.min(indent, text.search(/\S|$/))))
      blocks.push({ language, mode, line: firstLine + start, code: code.join("\n") })
      open = undefined
    }
  })
  return blocks
}

/** The blocks of a Markdown file. */
export const ofMarkdown = (text: string): ReadonlyArray<Block> => blocksOf(text.split("\n"), 1)

/** The blocks in the docstrings of a TypeScript file. */
export const ofDocstrings = (text: string): ReadonlyArray<Block> =>
  Array.from(text.matchAll(/^[ \t]*\/\*\*[\s\S]*?\*\//gm)).flatMap((comment) => {
    const lines = comment[0].split("\n").map((line) => line.replace(/^\s*\* ?/, ""))
    return blocksOf(lines, text.slice(0, comment.index).split("\n").length)
  })

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
  /** Whether a closing fence was found. */
  readonly closed: boolean
}

const fence = /^(?<indent>\s*)(?<ticks>`{3,})\s*(?<language>[^\s`]*)\s*(?<mode>[^`]*)$/

const blocksOf = (lines: ReadonlyArray<string>, firstLine: number): ReadonlyArray<Block> => {
  const blocks: Array<Block> = []
  let index = 0
  while (index < lines.length) {
    const groups = fence.exec(lines[index++] ?? "")?.groups
    if (groups === undefined) continue
    const { indent = "", language = "", mode = "", ticks = "" } = groups
    const start = index
    const isClosing = (line: string) => /^\s*`+\s*$/.test(line) && line.trim().length >= ticks.length
    while (index < lines.length && !isClosing(lines[index] ?? "")) index++
    const code = lines.slice(start, index).map((line) => line.slice(Math.min(indent.length, line.search(/\S|$/))))
    blocks.push({
      language,
      mode: mode.trim(),
      line: firstLine + start,
      code: code.join("\n"),
      closed: index < lines.length
    })
    index++
  }
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

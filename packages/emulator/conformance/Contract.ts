/** What `docs/contract.md` claims, and which tests it names for that. */
import { readFileSync } from "node:fs"

export const file = new URL("../../../docs/contract.md", import.meta.url)

/** A row of a table, or a piece of prose that ends in a mark. */
export interface Claim {
  /** `1` to `5`. */
  readonly section: string
  readonly text: string
  /** The tests that it names; none after a dash. Undefined where it says nothing about tests, although it should. */
  readonly ids: ReadonlyArray<string> | undefined
}

const idsIn = (text: string): Claim["ids"] => {
  if (text.trim() === "–") return []
  const ids = Array.from(text.matchAll(/`([a-z0-9-]+)`/g), ([, id = ""]) => id)
  return ids.length > 0 ? ids : undefined
}

const mark = /\((?:D|I|\?)(?:: ([^)]*))?\)/g

const ofProse = (section: string, line: string): ReadonlyArray<Claim> => {
  let end = 0
  return Array.from(line.matchAll(mark), (match) => {
    const text = line.slice(end, match.index)
    end = match.index + match[0].length
    return { section, text, ids: idsIn(match[1] ?? "") }
  })
}

/** Cells of a row; a bar that is written `\|` is text. */
const cellsOf = (line: string): ReadonlyArray<string> =>
  line
    .split(/(?<!\\)\|/)
    .slice(1, -1)
    .map((cell) => cell.trim())

export const read = (text: string = readFileSync(file, "utf8")): ReadonlyArray<Claim> => {
  const claims: Array<Claim> = []
  let section = ""
  let header: ReadonlyArray<string> = []
  let code = false
  for (const line of text.split("\n")) {
    if (line.startsWith("```")) code = !code
    if (code) continue
    section = /^## ([0-9]+)\./.exec(line)?.[1] ?? section
    if (section === "") continue
    if (!line.startsWith("|")) {
      header = []
      claims.push(...ofProse(section, line))
      continue
    }
    const cells = cellsOf(line)
    if (header.length === 0) header = cells
    else if (cells[0]?.startsWith("---") === true) continue
    else if (header.at(-1) === "Test") claims.push({ section, text: line, ids: idsIn(cells.at(-1) ?? "") })
    else if (header[0] === "Code") claims.push({ section, text: line, ids: [`code-${cells[0]}`] })
    else if (header[0] !== "Call") claims.push({ section, text: line, ids: undefined })
  }
  return claims
}

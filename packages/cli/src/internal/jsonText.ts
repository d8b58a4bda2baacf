/** JSON as a text: laid out for reading, or made harmless, without a change to what it says. */
import type { Style } from "./colors.ts"

const punctuation = /[[\]{},:]/

/** Where the string ends that begins at a place. Step by step: an expression for all of it overflows its stack. */
const endOfString = (json: string, start: number): number => {
  const special = /["\\]/g
  special.lastIndex = start + 1
  for (let found = special.exec(json); found !== null; found = special.exec(json)) {
    if (found[0] === '"') return special.lastIndex
    special.lastIndex++
  }
  return json.length
}

/** The tokens of a text that is JSON: strings, numbers, names, punctuation. */
const tokensOf = (json: string): ReadonlyArray<string> => {
  const tokens: Array<string> = []
  const start = /[^\s]/g
  for (let found = start.exec(json); found !== null; found = start.exec(json)) {
    const [first] = found
    if (first === '"') start.lastIndex = endOfString(json, found.index)
    else if (!punctuation.test(first)) {
      const end = /[\s[\]{},:]/g
      end.lastIndex = found.index
      start.lastIndex = end.exec(json)?.index ?? json.length
    }
    tokens.push(json.slice(found.index, start.lastIndex))
  }
  return tokens
}

const isOpen = (token: string | undefined): boolean => token === "{" || token === "["
const isClose = (token: string | undefined): boolean => token === "}" || token === "]"

/** The members of an object, each as its tokens, without those of some names. */
const membersOf = (json: string, without: ReadonlySet<unknown>): ReadonlyArray<ReadonlyArray<string>> => {
  const members: Array<Array<string>> = []
  let depth = 0
  let member: Array<string> = []
  for (const token of tokensOf(json).slice(1, -1)) {
    if (depth === 0 && token === ",") {
      members.push(member)
      member = []
      continue
    }
    if (isOpen(token)) depth++
    if (isClose(token)) depth--
    member.push(token)
  }
  return [...members, member].filter(([name]) => name !== undefined && !without.has(JSON.parse(name)))
}

/** The same JSON, but without what a terminal would obey: inside of its strings escapes say the same. */
export const harmless = (json: string): string =>
  json
    .replaceAll("\r", "")
    .replaceAll(/(?![\n\t\u200D])[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu, (character) =>
      Array.from(
        { length: character.length },
        (_, i) => `\\u${character.charCodeAt(i).toString(16).padStart(4, "0")}`
      ).join("")
    )

/** An object for reading: indented, each token as it came, and nothing in it that a terminal would obey. */
export const indented = (json: string, style: Style, without: ReadonlySet<unknown>): string => {
  const members = membersOf(json, without)
  const tokens = ["{", ...members.flatMap((member, i) => (i === 0 ? member : [",", ...member])), "}"]
  let depth = 0
  const newline = (change: number) => `\n${"  ".repeat((depth += change))}`
  return tokens
    .map((token, i) => {
      const before = tokens[i - 1]
      const after = tokens[i + 1]
      if (isOpen(token)) return isClose(after) ? token : token + newline(1)
      if (isClose(token)) return isOpen(before) ? token : newline(-1) + token
      if (token === ",") return token + newline(0)
      if (token === ":") return ": "
      return after === ":" ? style.bold(harmless(token)) : harmless(token)
    })
    .join("")
}

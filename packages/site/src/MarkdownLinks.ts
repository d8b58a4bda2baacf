/**
 * Links of Markdown: found, and led elsewhere, without a look into code.
 */
import { posix } from "node:path"

const fence = /^[ \t]*(`{3,}|~{3,})[^\n]*\n[\s\S]*?^[ \t]*\1[`~]*[ \t]*$/gm

/** A fence and what it encloses, or code in a line: what looks like a link there is none. */
const code = new RegExp(`${fence.source}|(?<!\`)(\`+)(?!\`)(?:[^\`]|\`(?!\\2))*?[^\`]\\2(?!\`)`, "gm")

/** `](target)` and `](target "title")`: what stands in the brackets may be an image. */
const inline = /(?<=\]\()([^()\s<>]+)(?=(?:\s+"[^"]*")?\))/g

const outsideOfCode = (markdown: string, change: (text: string) => string): string => {
  let at = 0
  let changed = ""
  for (const match of markdown.matchAll(code)) {
    changed += change(markdown.slice(at, match.index)) + match[0]
    at = match.index + match[0].length
  }
  return changed + change(markdown.slice(at))
}

/** The targets of all links and images, in their order. */
export const targets = (markdown: string): ReadonlyArray<string> => {
  const found: Array<string> = []
  outsideOfCode(markdown, (text) => {
    found.push(...Array.from(text.matchAll(inline), ([target]) => target))
    return text
  })
  return found
}

/** Leads each link to what `lead` says of its target. */
export const map = (markdown: string, lead: (target: string) => string): string =>
  outsideOfCode(markdown, (text) => text.replaceAll(inline, (target) => lead(target)))

/** Whether it leads out of the repository. */
export const isExternal = (target: string): boolean => /^[a-z][a-z0-9+.-]*:/i.test(target)

/** The anchor of a heading, as GitHub has it: pages keep their anchors wherever they are read. */
export const slug = (heading: string): string =>
  heading
    .trim()
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{M}\p{N}\p{Pc}\- ]/gu, "")
    .replaceAll(" ", "-")

/** The anchors of all headings, in their order. */
export const anchors = (markdown: string): ReadonlyArray<string> => {
  const seen = new Map<string, number>()
  const headings = markdown.replaceAll(fence, "").matchAll(/^#{1,6} (.+)$/gm)
  return Array.from(headings, ([, heading = ""]) => {
    const anchor = slug(heading.replaceAll(/\[([^\]]+)\]\([^)]*\)/g, "$1"))
    const times = seen.get(anchor) ?? 0
    seen.set(anchor, times + 1)
    return times === 0 ? anchor : `${anchor}-${times}`
  })
}

export interface Place {
  /** From the repository's root, without a slash at its end; empty for the root itself. */
  readonly path: string
  /** With its `#`; empty if there is none. */
  readonly anchor: string
}

/** Where a relative link of a file leads. */
export const resolve = (file: string, target: string): Place => {
  const [path = "", ...anchor] = target.split("#")
  const place = path === "" ? file : posix.join(posix.dirname(file), decodeURIComponent(path))
  return {
    path: place.replace(/^\.?\/|\/$|^\.$/g, ""),
    anchor: anchor.length === 0 ? "" : `#${anchor.join("#")}`
  }
}

/** How a page links to another file of the site. */
export const relative = (page: string, file: string): string => {
  const path = posix.relative(posix.dirname(page), file)
  return path.startsWith(".") ? path : `./${path}`
}

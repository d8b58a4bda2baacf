/**
 * Looks for links and anchors that lead nowhere: in the Markdown, and on the site as it is built.
 */
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import { base as siteBase, output } from "./Paths.ts"
import * as MarkdownLinks from "./MarkdownLinks.ts"
import * as MarkdownPages from "./MarkdownPages.ts"

/** The links of the repository's Markdown that lead nowhere, or to an anchor that is not there. */
export const inMarkdown = (site: MarkdownPages.Site): ReadonlyArray<string> => {
  const anchors = new Map(
    Array.from(site.files, ([file, markdown]) => [MarkdownPages.pathOf(file), new Set(MarkdownLinks.anchors(markdown))])
  )
  const isDead = (file: string, target: string): boolean => {
    if (MarkdownLinks.isExternal(target)) return false
    const found = MarkdownPages.lead(site, file, target)
    if (found === undefined) return true
    const { anchor, path } = MarkdownLinks.resolve(MarkdownPages.pathOf(file), found)
    return anchor !== "" && anchors.get(path)?.has(anchor.slice(1)) === false
  }
  return Array.from(site.files).flatMap(([file, markdown]) =>
    MarkdownLinks.targets(markdown)
      .filter((target) => isDead(file, target))
      .map((target) => `${file}: ${target}`)
  )
}

export class DeadLinksFound extends Data.TaggedError("DeadLinksFound")<{ readonly links: ReadonlyArray<string> }> {
  override get message(): string {
    return `${this.links.length} links lead nowhere:\n${this.links.join("\n")}`
  }
}

const unescape = (text: string): string =>
  text
    .replaceAll(/&#(\d+);/g, (_, code: string) => String.fromCodePoint(Number(code)))
    .replaceAll("&quot;", '"')
    .replaceAll("&amp;", "&")

const attributes = (html: string, names: string): ReadonlyArray<string> =>
  Array.from(html.matchAll(new RegExp(`<[a-z][^>]*?\\s(?:${names})="([^"]*)"`, "g")), ([, value = ""]) =>
    unescape(value)
  )

/** Each link of each page that is built leads to a file of the site, and its anchor to an element there. */
export const check = Effect.gen(function* () {
  const fs = yield* FileSystem.FileSystem
  const base = yield* siteBase
  const files = new Set(yield* fs.glob("**/*", { root: output, dot: true }))
  const html = [...files].filter((file) => file.endsWith(".html"))
  const texts = new Map<string, string>()
  for (const file of html) texts.set(file, yield* fs.readFileString(`${output}/${file}`))
  const anchors = new Map(Array.from(texts, ([file, text]) => [file, new Set(attributes(text, "id"))]))
  const dead: Array<string> = []
  let links = 0
  for (const [file, text] of texts) {
    for (const target of new Set(attributes(text, "href|src"))) {
      links++
      const { hash, host, pathname } = new URL(target, `http://site${base}${file}`)
      // What is outside is not asked.
      if (host !== "site") continue
      const path = decodeURIComponent(pathname.slice(base.length))
      const found = [path, `${path}index.html`].find((one) => files.has(one) && !one.endsWith("/"))
      const anchor = decodeURIComponent(hash.slice(1))
      const isThere = found !== undefined && (anchor === "" || anchors.get(found)?.has(anchor) === true)
      if (!isThere) dead.push(`${file}: ${target}`)
    }
  }
  if (dead.length > 0) return yield* new DeadLinksFound({ links: dead })
  return { pages: html.length, links }
})

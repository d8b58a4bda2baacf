/**
 * The Markdown of the repository as pages of the site.
 */
import * as MarkdownLinks from "./MarkdownLinks.ts"

/** A page: Markdown that VitePress makes HTML of, and that stands beside it as it is. */
export interface Page {
  /** Its file on the site: `docs/guides/policies.md`. */
  readonly path: string
  readonly title: string
  /** Plain text, a sentence or two; may be empty. */
  readonly description: string
  readonly markdown: string
}

/** The Markdown that is on the site, by the repository's root; a folder's `README.md` is its index. */
export const places = [
  "*.md",
  "docs/**/*.md",
  "examples/*.md",
  "examples/*/README.md",
  "packages/*/README.md",
  "packages/*/AGENTS.md",
  "packages/*/*/README.md"
]

/** Where a file of Markdown stands on the site. Its own first page is shorter than `README.md`. */
export const pathOf = (file: string): string =>
  file === "README.md"
    ? "overview.md"
    : file.replace(/README\.md$/, "index.md").replace(/^[A-Z]+\.md$/, (name) => name.toLowerCase())

const titleOf = (markdown: string): string => /^# (.+)$/m.exec(markdown)?.[1]?.replaceAll("`", "") ?? ""

/** The first paragraph, if it is one, without its links. */
const descriptionOf = (markdown: string): string =>
  (/^# .+\n+([A-Z`@][^\n]+)/m.exec(markdown)?.[1] ?? "").replaceAll(/\[([^\]]+)\]\([^)]*\)/g, "$1")

/** The table of `docs/README.md`: what is where, and what for. */
export const contents = (
  readme: string
): ReadonlyArray<{ readonly path: string; readonly title: string; readonly about: string }> =>
  Array.from(
    readme.matchAll(/^\| \[([^\]]+)\]\(([^)]+)\) *\| ([^|]+) \|$/gm),
    ([, title = "", path = "", about = ""]) => ({
      path: pathOf(MarkdownLinks.resolve("docs/README.md", path).path),
      title,
      about: about.trim()
    })
  )

export interface Site {
  /** From the path of a file of Markdown to its text. */
  readonly files: ReadonlyMap<string, string>
  /** Whether there is such a file or folder in the repository. */
  readonly exists: (path: string) => boolean
  /** Where a file or a folder that is no page is shown. */
  readonly sourcePath: (path: string) => string
}

/** Where a link of a file leads on the site; `undefined` if there is nothing. */
export const lead = ({ exists, files, sourcePath }: Site, file: string, target: string): string | undefined => {
  if (MarkdownLinks.isExternal(target)) return target
  const { anchor, path } = MarkdownLinks.resolve(file, target)
  const readme = path === "" ? "README.md" : `${path}/README.md`
  const found = [path, readme].find((one) => files.has(one))
  if (found !== undefined)
    return `${found === file ? "" : MarkdownLinks.relative(pathOf(file), pathOf(found))}${anchor}`
  if (!exists(path)) return undefined
  const shown = /\.(?:svg|png)$/.test(path) ? path : sourcePath(path)
  return `${MarkdownLinks.relative(pathOf(file), shown)}${anchor}`
}

/** A file of Markdown as it stands on the site: with links that lead to pages, or to where files are shown. */
export const make = (site: Site, file: string, markdown: string): Page => ({
  path: pathOf(file),
  title: titleOf(markdown),
  description: descriptionOf(markdown),
  markdown: MarkdownLinks.map(markdown, (target) => lead(site, file, target) ?? target)
})

/**
 * The site for programs that read it: an index of all its pages as plain Markdown, and all of them in one file.
 */
import type { Page } from "./MarkdownPages.ts"

export interface Section {
  readonly title: string
  readonly pages: ReadonlyArray<Page>
}

const line = ({ description, path, title }: Page): string =>
  `- [${title}](${path})${description === "" ? "" : `: ${description}`}`

/** `llms.txt`: what there is and what for. */
export const index = (about: string, sections: ReadonlyArray<Section>): string =>
  [
    "# effect-zim",
    `> ${about}`,
    "Each page is plain Markdown. All of them in one file: [llms-full.txt](llms-full.txt).",
    ...sections.map(({ pages, title }) => `## ${title}\n\n${pages.map(line).join("\n")}`)
  ].join("\n\n") + "\n"

/** `llms-full.txt`: every page, each under its address. */
export const full = (sections: ReadonlyArray<Section>): string =>
  sections
    .flatMap(({ pages }) => pages)
    .map(({ markdown, path }) => `<!-- ${path} -->\n\n${markdown.trim()}\n`)
    .join("\n")

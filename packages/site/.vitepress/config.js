// JavaScript, since VitePress's types do not compile under this repository's settings.
import { readFileSync } from "node:fs"
import { defineConfig } from "vitepress"
import { content, output } from "../src/Folders.ts"
import * as Links from "../src/Links.ts"

const sidebar = JSON.parse(readFileSync(`${content}/navigation.json`, "utf8"))

/** Pages that VitePress does not know are fetched, not looked up in it. */
const leaveSources = (markdown) => {
  markdown.core.ruler.push("sources", ({ tokens }) => {
    for (const token of tokens.flatMap(({ children }) => children ?? [])) {
      if (token.type === "link_open" && /(?:^|\/)source\//.test(token.attrGet("href"))) token.attrSet("target", "_self")
    }
  })
}

const icon =
  "data:image/svg+xml," +
  encodeURIComponent(
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 16 16"><rect width="16" height="16" rx="4" fill="#3451b2"/><path d="M4.5 4.5h7l-7 7h7" fill="none" stroke="#fff" stroke-width="2"/></svg>'
  )

export default defineConfig({
  title: "effect-zim",
  description: "ZEGOCLOUD's ZIM server API for Effect: conversation lists as typed, resilient Streams",
  lang: "en",
  base: process.env["SITE_BASE"] ?? "/",
  srcDir: content,
  outDir: output,
  cacheDir: `${content}/cache`,
  // `src/DeadLinks.ts` looks at everything that is built.
  ignoreDeadLinks: true,
  // The index of the search is one file, which only those fetch who search.
  vite: { build: { chunkSizeWarningLimit: 2000 } },
  head: [["link", { rel: "icon", href: icon }]],
  markdown: {
    anchor: { slugify: Links.slug },
    config: leaveSources,
    theme: { light: "github-light-high-contrast", dark: "github-dark-high-contrast" }
  },
  themeConfig: {
    nav: [
      {
        text: "Guides",
        link: "/docs/getting-started",
        activeMatch: "^/(docs/(guides|getting-started|errors|architecture)|overview|packages)"
      },
      { text: "API", link: "/api/", activeMatch: "^/api/" },
      { text: "Contract", link: "/docs/contract" },
      { text: "Benchmarks", link: "/docs/benchmarks" },
      { text: "Decisions", link: "/docs/#decisions", activeMatch: "^/docs/decisions/" }
    ],
    sidebar,
    outline: [2, 3],
    search: { provider: "local" }
  }
})

// JavaScript, since VitePress's types do not compile under this repository's settings.
import { readFileSync } from "node:fs"
import { defineConfig } from "vitepress"
import { content, output } from "../src/Paths.ts"
import { icon } from "../src/Icon.ts"
import * as MarkdownLinks from "../src/MarkdownLinks.ts"

/** What may have to be scrolled can be reached by the keyboard, as tables can. */
const reachPictures = (markdown) => {
  markdown.core.ruler.push("pictures", ({ tokens }) => {
    tokens.forEach(({ children }, i) => {
      if (children?.length === 1 && children[0].type === "image") tokens[i - 1].attrSet("tabindex", "0")
    })
  })
}

/** The client has some modules of the policies again: what is found says whose it is. */
const sayPackage = (text, env, markdown) => {
  const html = markdown.render(text, env)
  const owner = /^api\/(\w+)\/(?!index)/.exec(env.relativePath)?.[1]
  return owner === undefined ? html : html.replace(/<h1[^>]*>/, (heading) => `${heading}${owner} / `)
}

const sidebar = JSON.parse(readFileSync(`${content}/navigation.json`, "utf8"))

/** Pages that VitePress does not know are fetched, not looked up in it. */
const leaveSources = (markdown) => {
  markdown.core.ruler.push("sources", ({ tokens }) => {
    for (const token of tokens.flatMap(({ children }) => children ?? [])) {
      if (token.type === "link_open" && /(?:^|\/)source\//.test(token.attrGet("href"))) token.attrSet("target", "_self")
    }
  })
}

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
  vite: { build: { chunkSizeWarningLimit: 4000 } },
  head: [["link", { rel: "icon", href: icon }]],
  markdown: {
    anchor: { slugify: MarkdownLinks.slug },
    config: (markdown) => [leaveSources, reachPictures].forEach((change) => change(markdown)),
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
    search: { provider: "local", options: { _render: sayPackage } },
    notFound: {
      title: "There is no such page",
      quote: "It may have moved: the search knows where everything is.",
      // By the words that are seen, as voice control calls it.
      linkText: "To the first page",
      linkLabel: "To the first page"
    }
  }
})

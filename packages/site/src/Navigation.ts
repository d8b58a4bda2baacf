/**
 * What is beside every page: the order of guides as `docs/README.md` has it, the packages, the decisions, the modules.
 */
import type { Page } from "./MarkdownPages.ts"
import type { Package } from "./PublishedPackages.ts"

/** A link or a group, as VitePress takes it. */
export interface Item {
  readonly text: string
  readonly link?: string
  readonly items?: ReadonlyArray<Item>
}

/** What is beside the pages below each of these paths. */
export type Navigation = Readonly<Record<string, ReadonlyArray<Item>>>

const linkOf = (path: string): string => `/${path.replace(/index\.md$/, "").replace(/\.md$/, "")}`

const itemOf = ({ path, title }: { readonly path: string; readonly title: string }): Item => ({
  text: title,
  link: linkOf(path)
})

const shortNameOf = ({ name }: Package): string => name.slice(name.indexOf("/") + 1)

export const make = (
  contents: ReadonlyArray<{ readonly path: string; readonly title: string }>,
  pages: ReadonlyArray<Page>,
  packages: ReadonlyArray<Package>
): Navigation => {
  const isGuide = ({ path }: { readonly path: string }) => path.startsWith("docs/guides/")
  const listed = new Set(contents.map(({ path }) => path))
  const unlisted = pages.filter((page) => isGuide(page) && !listed.has(page.path))
  const decisions = pages.filter(({ path }) => /^docs\/decisions\/\d/.test(path))
  const examples = pages.filter(({ path }) => /^examples\/[^/]+\/index\.md$/.test(path))
  const libraries = packages.filter(({ modules }) => modules.length > 0)
  const all = [
    { text: "All packages", link: "/api/" },
    ...libraries.map((one) => ({ text: shortNameOf(one), link: `/api/${one.folder}/` }))
  ]
  const modulesOf = (one: Package): ReadonlyArray<Item> => [
    { text: one.name, items: one.modules.map((name) => ({ text: name, link: `/api/${one.folder}/${name}` })) },
    { text: "API reference", items: all }
  ]
  return {
    "/": [
      {
        text: "Documentation",
        items: [{ text: "Overview", link: "/overview" }, ...contents.filter((one) => !isGuide(one)).map(itemOf)]
      },
      { text: "Guides", items: [...contents.filter(isGuide), ...unlisted].map(itemOf) },
      { text: "Examples", items: examples.map(itemOf) },
      {
        text: "Packages",
        items: packages.map((one) => ({ text: shortNameOf(one), link: `/packages/${one.folder}/` }))
      },
      {
        text: "This repository",
        items: [
          { text: "Decisions", link: "/docs/#decisions" },
          { text: "Contributing", link: "/contributing" }
        ]
      }
    ],
    "/docs/decisions/": [{ text: "Decisions", items: decisions.map(itemOf) }],
    "/api/": [{ text: "API reference", items: all }],
    ...Object.fromEntries(libraries.map((one) => [`/api/${one.folder}/`, modulesOf(one)]))
  }
}

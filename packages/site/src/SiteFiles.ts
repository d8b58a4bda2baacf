/**
 * Everything that is on the site: written for VitePress before it builds, and beside its pages afterwards.
 */
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import { existsSync } from "node:fs"
import { dirname } from "node:path"
import { content, here, output, root } from "./Paths.ts"
import * as Llms from "./Llms.ts"
import * as Navigation from "./Navigation.ts"
import * as MarkdownPages from "./MarkdownPages.ts"
import * as ApiReference from "./ApiReference.ts"
import * as SourcePages from "./SourcePages.ts"
import * as PublishedPackages from "./PublishedPackages.ts"

const ignored = ["**/node_modules/**", "**/dist/**", "**/CHANGELOG.md"]

const glob = Effect.fnUntraced(function* (pattern: string) {
  const fs = yield* FileSystem.FileSystem
  return (yield* fs.glob(pattern, { root, exclude: ignored })).toSorted()
})

const readAll = Effect.fnUntraced(function* (patterns: ReadonlyArray<string>) {
  const fs = yield* FileSystem.FileSystem
  const paths = (yield* Effect.forEach(patterns, glob)).flat()
  const texts = yield* Effect.forEach(paths, (path) => fs.readFileString(root + path))
  return new Map(paths.map((path, i) => [path, texts[i] ?? ""]))
})

const writeAll = Effect.fnUntraced(function* (folder: string, files: Iterable<readonly [path: string, text: string]>) {
  const fs = yield* FileSystem.FileSystem
  for (const [path, text] of files) {
    yield* fs.makeDirectory(dirname(`${folder}/${path}`), { recursive: true })
    yield* fs.writeFileString(`${folder}/${path}`, text)
  }
})

/** The Markdown of the repository, and where its links lead. */
export const site = Effect.map(readAll(MarkdownPages.places), (files): MarkdownPages.Site => ({
  files,
  exists: (path) => existsSync(root + path),
  sourcePath: SourcePages.pathOf
}))

/** The categories of `CONTRIBUTING.md`, from its end: first what is called, then what it is called with. */
const categoriesOf = (contributing: string): ReadonlyArray<string> =>
  Array.from(
    contributing.split("## Categories")[1]?.matchAll(/^\| `([a-z ]+)` /gm) ?? [],
    ([, name = ""]) => name
  ).toReversed()

const tsconfig = (packages: ReadonlyArray<PublishedPackages.Package>): string =>
  JSON.stringify({
    extends: `${root}tsconfig.base.json`,
    compilerOptions: { composite: false, noEmit: true, typeRoots: [`${root}node_modules/@types`] },
    files: packages.flatMap(({ folder, modules }) => modules.map((name) => `${root}packages/${folder}/src/${name}.ts`))
  })

/** Of VitePress, for pages whose title is not their heading. */
const withTitle = ({ markdown, title }: MarkdownPages.Page): string =>
  `---\ntitle: ${JSON.stringify(title)}\n---\n\n${markdown}`

export interface Content {
  readonly pages: ReadonlyArray<MarkdownPages.Page>
  readonly reference: ApiReference.Reference
  readonly packages: ReadonlyArray<PublishedPackages.Package>
}

/** Writes the pages and what VitePress has to know of them. */
export const write = Effect.gen(function* () {
  const fs = yield* FileSystem.FileSystem
  yield* fs.remove(content, { recursive: true, force: true })
  const repository = yield* site
  const packages = yield* PublishedPackages.packages
  const sources = yield* readAll(packages.map(({ folder }) => `packages/${folder}/src/*.ts`))
  const contributing = repository.files.get("CONTRIBUTING.md") ?? ""
  yield* writeAll(content, [["tsconfig.json", tsconfig(packages)]])
  const reference = yield* Effect.promise(() =>
    ApiReference.make({
      packages,
      tsconfig: `${content}/tsconfig.json`,
      categories: categoriesOf(contributing),
      textOf: (file) => sources.get(file) ?? ""
    })
  )
  const contents = MarkdownPages.contents(repository.files.get("docs/README.md") ?? "")
  const pages = Array.from(repository.files, ([file, markdown]) => {
    const page = MarkdownPages.make(repository, file, markdown)
    const about = contents.find(({ path }) => path === page.path)?.about
    return { ...page, description: about ?? page.description }
  })
  yield* writeAll(content, [
    ["navigation.json", JSON.stringify(Navigation.make(contents, pages, packages))],
    ["names.json", JSON.stringify(reference.names)],
    ["index.md", yield* fs.readFileString(`${here}/home.md`)],
    ...pages.map(({ markdown, path }) => [path, markdown] as const),
    ...reference.pages.map((page) => [page.path, withTitle(page)] as const)
  ])
  const images = yield* glob("docs/**/*.{svg,png}")
  for (const path of images) yield* copy(path, content)
  return { pages, reference, packages } satisfies Content
})

const copy = Effect.fnUntraced(function* (path: string, folder: string) {
  const fs = yield* FileSystem.FileSystem
  yield* fs.makeDirectory(dirname(`${folder}/${path}`), { recursive: true })
  yield* fs.copyFile(root + path, `${folder}/${path}`)
})

/** Files and folders that pages lead to and that are no pages. */
const linkedSources = (pages: ReadonlyArray<MarkdownPages.Page>): ReadonlyArray<string> => {
  const links = pages.flatMap(({ markdown }) => Array.from(markdown.matchAll(/(?<=[(/])source\/([^)#\s]+)\.html/g)))
  return links.map(([, path = ""]) => path.replaceAll("dot-", "."))
}

/** Files that are shown, and folders with what is in them. */
const sourcePages = Effect.fnUntraced(function* ({ pages, reference }: Content) {
  const fs = yield* FileSystem.FileSystem
  const written = new Map<string, string>()
  const waiting = [...new Set(linkedSources([...pages, ...reference.pages]))]
  for (let path = waiting.pop(); path !== undefined; path = waiting.pop()) {
    if (written.has(SourcePages.pathOf(path))) continue
    const { type } = yield* fs.stat(root + path)
    if (type === "Directory") {
      const inside = yield* glob(`${path}/*`)
      written.set(SourcePages.pathOf(path), SourcePages.folder(path, inside))
      waiting.push(...inside)
    } else {
      written.set(SourcePages.pathOf(path), SourcePages.file(path, yield* fs.readFileString(root + path)))
    }
  }
  return written
})

const sectionsOf = ({ pages, reference }: Content): ReadonlyArray<Llms.Section> => {
  const isDecision = ({ path }: MarkdownPages.Page) => path.startsWith("docs/decisions/")
  const isPackage = ({ path }: MarkdownPages.Page) => path.startsWith("packages/")
  return [
    { title: "Documentation", pages: pages.filter((page) => !isDecision(page) && !isPackage(page)) },
    { title: "Packages", pages: pages.filter(isPackage) },
    { title: "API reference", pages: reference.pages },
    { title: "Decisions", pages: pages.filter(isDecision) }
  ]
}

const about = "ZEGOCLOUD's ZIM server API for Effect 4: a user's conversation list as a typed, resilient Stream."

/** Writes what stands beside the pages: their Markdown and images, `llms.txt`, the sources. */
export const writeBeside = Effect.fnUntraced(function* (content: Content) {
  const fs = yield* FileSystem.FileSystem
  const { pages, reference } = content
  const sections = sectionsOf(content)
  yield* writeAll(output, [
    ["llms.txt", Llms.index(about, sections)],
    ["llms-full.txt", Llms.full(sections)],
    ["source.css", yield* fs.readFileString(`${here}/source.css`)],
    ...[...pages, ...reference.pages].map(({ markdown, path }) => [path, markdown] as const),
    ...(yield* sourcePages(content))
  ])
  for (const path of yield* glob("docs/**/*.{svg,png}")) yield* copy(path, output)
})

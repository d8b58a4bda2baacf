/**
 * The API reference: one page for each module, from its types and docstrings, as TypeDoc reads them.
 */
import { format } from "oxfmt"
import * as TypeDoc from "typedoc"
import * as DeclarationText from "./DeclarationText.ts"
import * as MarkdownLinks from "./MarkdownLinks.ts"
import type { Page } from "./MarkdownPages.ts"
import * as SourcePages from "./SourcePages.ts"
import { root } from "./Paths.ts"
import type { Package } from "./PublishedPackages.ts"

const { ReflectionKind } = TypeDoc

const pagePath = (folder: string, module: string): string => `api/${folder}/${module}.md`

const sourceOf = (folder: string, module: string): string => `packages/${folder}/src/${module}.ts`

/** What a page says of a public name. */
interface Entry {
  readonly name: string
  readonly category: string
  readonly declarations: ReadonlyArray<TypeDoc.DeclarationReflection>
}

interface Module {
  readonly package: Package
  readonly name: string
  readonly reflection: TypeDoc.DeclarationReflection
  /** How it is imported. */
  readonly import: string
  /** What stands before its names where they are used: `Conversations.`. */
  readonly qualifier: string
  readonly docstring: string
}

const commentOf = (reflection: TypeDoc.DeclarationReflection): TypeDoc.Comment | undefined =>
  reflection.comment ??
  reflection.signatures?.[0]?.comment ??
  (reflection.type instanceof TypeDoc.ReflectionType ? reflection.type.declaration.signatures?.[0]?.comment : undefined)

const tagOf = (comment: TypeDoc.Comment | undefined, name: `@${string}`): string =>
  (comment?.getTag(name)?.content ?? [])
    .map(({ text }) => text)
    .join("")
    .trim()

/** The docstring of a whole file, which TypeDoc takes for that of the first import. */
const docstringOf = (text: string): string =>
  (/^\/\*\*([\s\S]*?)\*\//.exec(text)?.[1] ?? "")
    .split("\n")
    .map((line) => line.replace(/^ \* ?/, ""))
    .join("\n")
    .trim()

const read = async (packages: ReadonlyArray<Package>, tsconfig: string): Promise<TypeDoc.ProjectReflection> => {
  const app = await TypeDoc.Application.bootstrap({
    entryPoints: packages.flatMap(({ folder, modules }) =>
      modules.length === 0 ? [] : [...modules, "index"].map((module) => root + sourceOf(folder, module))
    ),
    tsconfig,
    basePath: root,
    disableGit: true,
    sourceLinkTemplate: "{path}#L{line}",
    // `npm test -- types` finds these, with the repository's own compiler.
    skipErrorChecking: true,
    excludeExternals: true,
    excludeInternal: true,
    excludePrivate: true,
    sort: ["source-order"],
    maxTypeConversionDepth: 20,
    logLevel: "Error"
  })
  const project = await app.convert()
  if (project === undefined || app.logger.hasErrors()) throw new Error("TypeDoc cannot read the sources")
  return project
}

const targetOf = (reflection: TypeDoc.Reflection): TypeDoc.Reflection =>
  reflection instanceof TypeDoc.ReferenceReflection ? reflection.getTargetReflectionDeep() : reflection

const modulesOf = (
  project: TypeDoc.ProjectReflection,
  packages: ReadonlyArray<Package>,
  textOf: (file: string) => string
): ReadonlyArray<Module> => {
  const byFile = new Map<string | undefined, TypeDoc.DeclarationReflection>(
    (project.children ?? []).map((module) => [module.sources?.[0]?.fileName, module])
  )
  return packages.flatMap((one) => {
    const index = byFile.get(sourceOf(one.folder, "index"))
    const exported = new Map((index?.children ?? []).map((child) => [child.name, targetOf(child)]))
    return one.modules.flatMap((name): ReadonlyArray<Module> => {
      const reflection = byFile.get(sourceOf(one.folder, name))
      if (reflection === undefined) return []
      const own = (reflection.children ?? []).filter((child) => exported.get(child.name) === targetOf(child))
      const inIndex = exported.get(name)
      const isNamespace = inIndex !== undefined && inIndex.kind === ReflectionKind.Module
      const names = [...new Set(own.map((child) => child.name))]
      return [
        {
          package: one,
          name,
          reflection,
          import: isNamespace
            ? `import { ${name} } from "${one.name}"`
            : names.length > 0
              ? `import { ${names.join(", ")} } from "${one.name}"`
              : `import * as ${name} from "${one.name}/${name}"`,
          qualifier: isNamespace || names.length === 0 ? `${name}.` : "",
          docstring: docstringOf(textOf(sourceOf(one.folder, name)))
        }
      ]
    })
  })
}

const entriesOf = ({ reflection }: Module): ReadonlyArray<Entry> => {
  const named = Map.groupBy(reflection.children ?? [], ({ name }) => name)
  return [...named].map(([name, declarations]) => {
    const shown = declarations.map(targetOf).filter((one) => one instanceof TypeDoc.DeclarationReflection)
    const category = shown.map((one) => tagOf(commentOf(one), "@category")).find((text) => text !== "")
    return { name, category: category ?? "others", declarations: shown }
  })
}

/** The module that a declaration is a direct part of, or a part of such a part, and that direct part. */
const homeOf = (reflection: TypeDoc.Reflection): { module: TypeDoc.Reflection; name: string } | undefined => {
  let inner: TypeDoc.Reflection = reflection
  while (inner.parent !== undefined) {
    if (inner.parent.kind === ReflectionKind.Module) return { module: inner.parent, name: inner.name }
    inner = inner.parent
  }
  return undefined
}

/** Writes pages; knows where everything is described. */
class Writer {
  readonly #modules: ReadonlyMap<TypeDoc.Reflection, Module>
  readonly #categories: ReadonlyArray<string>

  constructor(modules: ReadonlyArray<Module>, categories: ReadonlyArray<string>) {
    this.#modules = new Map(modules.map((module) => [module.reflection, module]))
    this.#categories = categories
  }

  /** A link to a declaration, or its name as code where it is not described. */
  #link(from: Module, target: TypeDoc.Reflection, text?: string): string {
    if (target.kind === ReflectionKind.Module) {
      const module = this.#modules.get(target)
      return module === undefined
        ? `\`${text ?? target.name}\``
        : `[\`${text ?? module.name}\`](${this.#path(from, module)})`
    }
    const home = homeOf(target)
    const module = home === undefined ? undefined : this.#modules.get(home.module)
    if (home === undefined || module === undefined) return `\`${text ?? target.name}\``
    const label = text ?? `${module === from ? "" : module.qualifier}${home.name}`
    return `[\`${label}\`](${this.#path(from, module)}#${home.name})`
  }

  #path(from: Module, to: Module): string {
    return from === to
      ? ""
      : MarkdownLinks.relative(pagePath(from.package.folder, from.name), pagePath(to.package.folder, to.name))
  }

  #text(from: Module, parts: ReadonlyArray<TypeDoc.CommentDisplayPart>): string {
    return parts
      .map((part) => {
        if (part.kind !== "inline-tag") return part.text
        return part.target instanceof TypeDoc.Reflection ? this.#link(from, part.target, part.text) : `\`${part.text}\``
      })
      .join("")
      .trim()
  }

  /** `{@link Name}` of a file's docstring, by the names of the module. */
  #ownText(from: Module, text: string): string {
    return text.replaceAll(/\{@link ([^}\s]+)\}/g, (_, name: string) => {
      const target = from.reflection.children?.find((child) => child.name === name)
      return target === undefined ? `\`${name}\`` : this.#link(from, target, name)
    })
  }

  async #declarations(declarations: ReadonlyArray<TypeDoc.DeclarationReflection>): Promise<string> {
    const text = DeclarationText.print(declarations)
    const { code, errors } = await format("module.d.ts", text, { semi: false, printWidth: 90, trailingComma: "none" })
    if (errors.length > 0) throw new Error(`${errors[0]?.message}:\n${text}`)
    return code.trim().replaceAll(/^declare /gm, "")
  }

  async #entry(from: Module, { declarations, name }: Entry): Promise<string> {
    const [first] = declarations
    if (first === undefined) return ""
    const heading = `### ${from.qualifier}${name} {#${name}}`
    const comments = declarations.map(commentOf)
    const home = homeOf(first)
    const origin = home === undefined ? undefined : this.#modules.get(home.module)
    if (origin !== undefined && origin !== from) {
      const [summary = ""] = this.#text(from, comments[0]?.summary ?? []).split("\n\n")
      return `${heading}\n\n${summary}\n\nMore at ${this.#link(from, first)} of \`${origin.package.name}\`.`
    }
    const examples = comments.flatMap((comment) => comment?.getTags("@example") ?? [])
    const errors = new Set(
      declarations
        .flatMap(DeclarationText.failures)
        .map((type) =>
          type instanceof TypeDoc.ReferenceType && type.reflection !== undefined
            ? this.#link(from, type.reflection)
            : `\`${type.toString()}\``
        )
    )
    const mentioned = new Set(
      declarations
        .flatMap(DeclarationText.mentions)
        .map((target) => this.#link(from, target))
        .filter((link) => link.startsWith("[") && !link.endsWith(`](#${name})`) && !errors.has(link))
    )
    const source = first.sources?.[0]
    const place =
      source === undefined
        ? []
        : [
            `[Source](${MarkdownLinks.relative(pagePath(from.package.folder, from.name), SourcePages.pathOf(source.fileName))}#L${source.line})`
          ]
    const since = tagOf(comments[0], "@since")
    const facts = [...place, ...(since === "" ? [] : [`since ${since}`])]
    return [
      heading,
      this.#text(from, comments[0]?.summary ?? []),
      `\`\`\`ts\n${await this.#declarations(declarations)}\n\`\`\``,
      ...examples.map(({ content }) => `**Example**\n\n${this.#text(from, content)}`),
      ...(errors.size === 0 ? [] : [`**Fails with** ${[...errors].join(", ")}`]),
      ...(mentioned.size === 0 ? [] : [`**See** ${[...mentioned].join(", ")}`]),
      facts.join(", ")
    ]
      .filter((part) => part !== "")
      .join("\n\n")
  }

  async module(module: Module): Promise<Page> {
    const { name, package: owner } = module
    const path = pagePath(owner.folder, name)
    const entries = entriesOf(module)
    const groups = Map.groupBy(entries, ({ category }) => category)
    const order = [...this.#categories, ...groups.keys()]
    const docstring = module.docstring.replace(/^@since .*$/m, "").replace(/^@example$/m, "**Example**\n")
    const sections = await Promise.all(
      [...new Set(order)].flatMap((category) => {
        const group = groups.get(category)
        if (group === undefined) return []
        const title = `## ${category.charAt(0).toUpperCase()}${category.slice(1)} {#category-${category}}`
        return [
          Promise.all(group.map((entry) => this.#entry(module, entry))).then((texts) => [title, ...texts].join("\n\n"))
        ]
      })
    )
    const description = (docstring.split("\n\n")[0] ?? "").replaceAll("\n", " ").replaceAll(/\{@link ([^}]+)\}/g, "$1")
    const source = MarkdownLinks.relative(path, SourcePages.pathOf(sourceOf(owner.folder, name)))
    const markdown = [
      `# ${name}`,
      this.#ownText(module, docstring).trim(),
      `\`\`\`ts\n${module.import}\n\`\`\``,
      `A module of [\`${owner.name}\`](./index.md), [source](${source}). ${entries.length === 1 ? "One name" : `${entries.length} names`}: ${entries.map((entry) => `[\`${entry.name}\`](#${entry.name})`).join(", ")}.`,
      ...sections
    ].join("\n\n")
    return { path, title: `${name} of ${owner.name}`, description, markdown: `${markdown}\n` }
  }
}

export interface Reference {
  readonly pages: ReadonlyArray<Page>
  /** Every public name as users write it, and where it is described. */
  readonly names: ReadonlyArray<{ readonly name: string; readonly path: string; readonly anchor: string }>
}

/** The pages of all modules of these packages, and one for each package. */
export const make = async (options: {
  readonly packages: ReadonlyArray<Package>
  readonly tsconfig: string
  /** In the order in which they are shown. */
  readonly categories: ReadonlyArray<string>
  readonly textOf: (file: string) => string
}): Promise<Reference> => {
  const project = await read(options.packages, options.tsconfig)
  const modules = modulesOf(project, options.packages, options.textOf)
  const writer = new Writer(modules, options.categories)
  const pages = await Promise.all(modules.map((module) => writer.module(module)))
  const names = modules.flatMap((module) =>
    entriesOf(module).map(({ name }) => ({
      name: module.qualifier + name,
      path: pagePath(module.package.folder, module.name),
      anchor: name
    }))
  )
  const described = new Map(pages.map((page) => [page.path, page.description]))
  const tableOf = (one: Package, base: string): string => {
    const rows = one.modules.map(
      (name) =>
        `| [\`${name}\`](${base}${name}.md) | ${(described.get(pagePath(one.folder, name)) ?? "").replaceAll("|", "\\|")} |`
    )
    return ["| Module | What it is |", "| --- | --- |", ...rows].join("\n")
  }
  const libraries = options.packages.filter(({ modules }) => modules.length > 0)
  const indexes = libraries.map((one): Page => ({
    path: `api/${one.folder}/index.md`,
    title: `API of ${one.name}`,
    description: one.description,
    markdown: `# API of \`${one.name}\`\n\n${one.description}. [What it is for, with examples](../../packages/${one.folder}/index.md).\n\n${tableOf(one, "./")}\n`
  }))
  const overview: Page = {
    path: "api/index.md",
    title: "API reference",
    description: "Every module of every package, from its docstrings.",
    markdown: [
      "# API reference",
      "Every module of every package, from its docstrings. Each module is a concept: its names are grouped by what they are, with an example of what is called, and lead to their source.",
      ...libraries.map(
        (one) => `## ${one.name} {#${one.folder}}\n\n${one.description}.\n\n${tableOf(one, `./${one.folder}/`)}`
      )
    ].join("\n\n")
  }
  return { pages: [overview, ...indexes, ...pages], names }
}

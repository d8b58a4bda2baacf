/**
 * Finds what the public modules export, wherever it is declared, with the docstring of each declaration.
 */
import { Effect, FileSystem, Path } from "effect"
import { parseSync } from "rolldown/utils"
import * as Command from "./Command.ts"
import { publicManifests } from "./Tarballs.ts"

type Parsed = ReturnType<typeof parseSync>
type Statement = Parsed["program"]["body"][number]
type ExportNamed = Extract<Statement, { readonly type: "ExportNamedDeclaration" }>
type Declaration = NonNullable<ExportNamed["declaration"]>

/** One declaration: a schema and the type of the same name are two. */
export interface PublicName {
  readonly name: string
  /** The file and the line that declare it. */
  readonly place: string
  readonly kind: "type" | "function" | "class" | "constant"
  /** Empty where there is none. */
  readonly docstring: string
}

interface Module extends Pick<Parsed, "comments"> {
  readonly file: string
  readonly text: string
  readonly imports: Parsed["module"]["staticImports"]
  readonly body: ReadonlyArray<Statement>
}

const kindOf = (declaration: Declaration): PublicName["kind"] => {
  if (declaration.type === "ClassDeclaration") return "class"
  if (declaration.type === "FunctionDeclaration") return "function"
  if (declaration.type !== "VariableDeclaration") return "type"
  return declaration.declarations[0]?.init?.type === "ArrowFunctionExpression" ? "function" : "constant"
}

const nameOf = (declaration: Declaration): string | undefined => {
  const id = declaration.type === "VariableDeclaration" ? declaration.declarations[0]?.id : declaration.id
  return id?.type === "Identifier" ? id.name : undefined
}

const declarationOf = (statement: Statement): Declaration | undefined => {
  if (statement.type === "ExportNamedDeclaration") return statement.declaration ?? undefined
  const isDeclaration =
    statement.type === "VariableDeclaration" ||
    statement.type === "ClassDeclaration" ||
    statement.type === "FunctionDeclaration" ||
    statement.type === "TSTypeAliasDeclaration" ||
    statement.type === "TSInterfaceDeclaration"
  return isDeclaration ? statement : undefined
}

/** What the module declares, exported or not, under one name or all. */
const declared = ({ comments, file, text }: Module, statements: ReadonlyArray<Statement>, wanted?: string) =>
  statements.flatMap((statement): ReadonlyArray<PublicName> => {
    const declaration = declarationOf(statement)
    const name = declaration === undefined ? undefined : nameOf(declaration)
    if (declaration === undefined || name === undefined || (wanted !== undefined && name !== wanted)) return []
    const comment = comments.findLast(({ end }) => end <= statement.start)
    const isDocstring =
      comment !== undefined && comment.value.startsWith("*") && text.slice(comment.end, statement.start).trim() === ""
    const line = text.slice(0, statement.start).split("\n").length
    return [{ name, place: `${file}:${line}`, kind: kindOf(declaration), docstring: isDocstring ? comment.value : "" }]
  })

const read = Effect.fnUntraced(function* (file: string) {
  const fs = yield* FileSystem.FileSystem
  const text = yield* fs.readFileString(`${Command.root}/${file}`)
  const { comments, module, program } = parseSync(file, text)
  return { file, text, comments, imports: module.staticImports, body: program.body } satisfies Module
})

/** Where a name that is exported again comes from: a file of the package, another package, or here (`undefined`). */
const originOf = (module: Module, statement: ExportNamed, name: string): string | undefined =>
  statement.source?.value ??
  module.imports.find(({ entries }) => entries.some(({ localName }) => localName.value === name))?.moduleRequest.value

const exported = Effect.fnUntraced(function* (file: string) {
  const path = yield* Path.Path
  const module = yield* read(file)
  const { body } = module
  const again = body.flatMap((statement) =>
    statement.type === "ExportNamedDeclaration" && statement.declaration === null
      ? statement.specifiers.flatMap(({ local }) =>
          local.type === "Identifier" ? [{ statement, name: local.name }] : []
        )
      : []
  )
  const elsewhere = yield* Effect.forEach(again, ({ name, statement }) => {
    const origin = originOf(module, statement, name)
    // What another package exports is looked at there.
    if (origin !== undefined && !origin.startsWith(".")) return Effect.succeed([])
    const from = origin === undefined ? Effect.succeed(module) : read(path.join(path.dirname(file), origin))
    return Effect.map(from, (other): ReadonlyArray<PublicName> => {
      const found = declared(other, other.body, name)
      // Under another name, or two files away: to be seen, it must fail.
      return found.length > 0 ? found : [{ name, place: file, kind: "constant", docstring: "" }]
    })
  })
  const own = body.filter((statement) => statement.type === "ExportNamedDeclaration")
  return [...declared(module, own), ...elsewhere.flat()]
})

/** What can be imported by users from all published packages; once, however often it is exported. */
export const publicNames = Effect.gen(function* () {
  const fs = yield* FileSystem.FileSystem
  const packages = (yield* publicManifests).filter((manifest) => "./*" in manifest.exports)
  const files = yield* Effect.forEach(packages, ({ name }) =>
    fs.glob(`packages/${name.slice(name.indexOf("/") + 1)}/src/*.ts`, { root: Command.root })
  )
  const modules = files.flat().filter((file) => !file.endsWith("/index.ts"))
  const names = (yield* Effect.forEach(modules, exported)).flat()
  return [...new Map(names.map((name) => [`${name.place} ${name.name}`, name])).values()]
})

/**
 * The packages as they would be published: built, packed, and listed.
 */
import { Effect, FileSystem, Schema } from "effect"
import * as Command from "./Command.ts"
import { CheckFailed, type Requirements, unusable } from "./Step.ts"

const Manifest = Schema.Struct({
  name: Schema.String,
  version: Schema.String,
  private: Schema.optionalKey(Schema.Boolean),
  exports: Schema.Record(Schema.String, Schema.Unknown),
  dependencies: Schema.optionalKey(Schema.Record(Schema.String, Schema.String)),
  peerDependencies: Schema.optionalKey(Schema.Record(Schema.String, Schema.String)),
  optionalDependencies: Schema.optionalKey(Schema.Record(Schema.String, Schema.String))
})

export interface Tarball {
  readonly name: string
  readonly version: string
  /** The `.tgz` file. */
  readonly file: string
  /** What is in it, relative to the package. */
  readonly contents: ReadonlyArray<string>
  /** In bytes. */
  readonly size: number
  /** What is installed with it. */
  readonly dependencies: ReadonlyArray<string>
  /** What users can import, e.g. `@effect-zim/signing` and `@effect-zim/signing/Signature`; nothing of a program. */
  readonly entryPoints: ReadonlyArray<string>
  /** What users must not be able to import. */
  readonly privatePaths: ReadonlyArray<string>
}

const folder = `${Command.root}/.tsbuild/tarballs`

const decode = Schema.decodeEffect(Schema.fromJsonString(Manifest))

/** The manifests of the packages that are published. */
export const publicManifests = Effect.gen(function* () {
  const fs = yield* FileSystem.FileSystem
  const files = yield* fs.glob("packages/*/package.json", { root: Command.root })
  const manifests = yield* Effect.forEach(files, (file) =>
    Effect.flatMap(fs.readFileString(`${Command.root}/${file}`), decode)
  )
  return manifests.filter((manifest) => manifest.private !== true)
}).pipe(Effect.mapError((error) => new CheckFailed({ output: `packages/*/package.json: ${error.message}` })))

const modules = (contents: ReadonlyArray<string>, folder: string): ReadonlyArray<string> =>
  contents.flatMap((path) => {
    const inside = path.startsWith(folder) ? path.slice(folder.length) : ""
    return /^[^/]+\.js$/.test(inside) ? [inside.slice(0, -".js".length)] : []
  })

const describe = Effect.fnUntraced(function* (manifest: typeof Manifest.Type) {
  const fs = yield* FileSystem.FileSystem
  const { name, version } = manifest
  const file = `${folder}/${name.replace("@", "").replace("/", "-")}-${version}.tgz`
  const listing = yield* Command.succeed("tar", ["-tzf", file])
  const contents = listing
    .split("\n")
    .filter((path) => path !== "")
    .map((path) => path.replace(/^package\//, ""))
  const unreadable = (error: { readonly message: string }) => new CheckFailed({ output: `${file}: ${error.message}` })
  const published = yield* Effect.mapError(
    Effect.flatMap(Command.succeed("tar", ["-xzOf", file, "package/package.json"]), decode),
    unreadable
  )
  const { size } = yield* Effect.mapError(fs.stat(file), unreadable)
  const deep = "./*" in published.exports ? modules(contents, "dist/").filter((module) => module !== "index") : []
  return {
    name,
    version,
    file,
    contents,
    size: Number(size),
    dependencies: Object.keys({
      ...published.dependencies,
      ...published.peerDependencies,
      ...published.optionalDependencies
    }),
    entryPoints: ["." in published.exports ? [name] : [], deep.map((module) => `${name}/${module}`)].flat(),
    privatePaths: [
      `${name}/index`,
      `${name}/dist/index.js`,
      ...modules(contents, "dist/internal/").map((module) => `${name}/internal/${module}`)
    ]
  } satisfies Tarball
})

/** What a file is made from. */
const sourceOf = (path: string): string => path.replace(/(?<=^|\/)dist\/(.*)js$/, "src/$1ts")

const problemsOfLibrary = ({ contents }: Tarball): ReadonlyArray<string> => {
  const missing = ["package.json", "AGENTS.md", "README.md", "LICENSE", "dist/index.js", "dist/index.d.ts"]
    .filter((path) => !contents.includes(path))
    .map((path) => `${path} is missing`)
  const stale = contents
    // What rolldown puts together has no one source: decision 24.
    .filter((path) => /^dist\/(?!internal\/all\.js$).*\.js$/.test(path) && !contents.includes(sourceOf(path)))
    .map((path) => `${path} has no source`)
  const foreign = contents
    .filter(
      (path) =>
        !/^(?:package\.json|(?:AGENTS|README)\.md|LICENSE|CHANGELOG\.md|(?:src|dist)\/.*\.(?:ts|js|map)|src\/.*\.(?:html|css))$/.test(
          path
        )
    )
    .map((path) => `${path} does not belong there`)
  return [...missing, ...stale, ...foreign]
}

/** `bin.js` starts at once, `zim.js` is the program, and some commands load more: see decision 19. */
const program = [
  "AGENTS.md",
  "LICENSE",
  "README.md",
  "package.json",
  ...["bin.js", "zim.js", "THIRD-PARTY-LICENSES.txt"].map((name) => `dist/${name}`)
]

/** In bytes, packed: 670,000 today. */
const largestProgram = 700_000

const problemsOfProgram = ({ contents, dependencies, size }: Tarball): ReadonlyArray<string> => [
  ...program.filter((path) => !contents.includes(path)).map((path) => `${path} is missing`),
  ...contents
    .filter((path) => ![...program, "CHANGELOG.md"].includes(path) && !/^dist\/parts\/[\w-]+\.js$/.test(path))
    .map((path) => `${path} does not belong there`),
  ...dependencies.map((name) => `depends on ${name}, which should be in the bundle`),
  ...(size > largestProgram ? [`has ${size} bytes, more than ${largestProgram}`] : [])
]

/** What is wrong with the contents of a tarball. */
export const problems = (tarball: Tarball): ReadonlyArray<string> => {
  const found = tarball.entryPoints.length === 0 ? problemsOfProgram(tarball) : problemsOfLibrary(tarball)
  return found.map((problem) => `${tarball.name}: ${problem}`)
}

/** What was made of sources that are no more is left where it is, and would be published. */
const removeStale = Effect.gen(function* () {
  const fs = yield* FileSystem.FileSystem
  const made = yield* fs.glob("packages/*/dist/**/*.js", { root: Command.root })
  for (const path of made) {
    if (yield* fs.exists(`${Command.root}/${sourceOf(path)}`)) continue
    for (const extension of [".js", ".js.map", ".d.ts", ".d.ts.map"]) {
      yield* fs.remove(`${Command.root}/${path.slice(0, -".js".length)}${extension}`, { force: true })
    }
  }
}).pipe(Effect.mapError(unusable))

const build: Effect.Effect<ReadonlyArray<Tarball>, CheckFailed, Requirements> = Effect.gen(function* () {
  const fs = yield* FileSystem.FileSystem
  const manifests = yield* publicManifests
  yield* Effect.orDie(fs.remove(folder, { recursive: true, force: true }))
  yield* removeStale
  yield* Command.succeed("tsc", ["-b", ...manifests.map(({ name }) => name.replace("@effect-zim", "packages"))])
  yield* Command.succeed("rolldown", ["--config"])
  const filters = manifests.map(({ name }) => `--filter=${name}`)
  yield* Command.pnpm(["--recursive", ...filters, "pack", "--pack-destination", folder])
  return yield* Effect.forEach(manifests, describe)
})

/** Where they are, by name, for those who install them: they need each other by version, and that is not published yet. */
export const overridesOf = (all: ReadonlyArray<Tarball>): Readonly<Record<string, string>> =>
  Object.fromEntries(all.map(({ file, name }) => [name, `file:${file}`]))

/** Builds and packs once, however many steps ask. */
export const tarballs = Effect.runSync(Effect.cached(build))

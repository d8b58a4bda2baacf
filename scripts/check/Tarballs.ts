/**
 * The packages as they would be published: built, packed, and listed.
 */
import { Effect, FileSystem, Schema } from "effect"
import * as Command from "./Command.ts"
import { CheckFailed, type Requirements } from "./Step.ts"

const Manifest = Schema.Struct({
  name: Schema.String,
  version: Schema.String,
  private: Schema.optionalKey(Schema.Boolean),
  exports: Schema.Record(Schema.String, Schema.Unknown)
})

export interface Tarball {
  readonly name: string
  readonly version: string
  /** The `.tgz` file. */
  readonly file: string
  /** What is in it, relative to the package. */
  readonly contents: ReadonlyArray<string>
  /** What users can import, e.g. `@effect-zim/signing` and `@effect-zim/signing/Signature`. */
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
  const { name, version } = manifest
  const file = `${folder}/${name.replace("@", "").replace("/", "-")}-${version}.tgz`
  const listing = yield* Command.succeed("tar", ["-tzf", file])
  const contents = listing
    .split("\n")
    .filter((path) => path !== "")
    .map((path) => path.replace(/^package\//, ""))
  const published = yield* Effect.mapError(
    Effect.flatMap(Command.succeed("tar", ["-xzOf", file, "package/package.json"]), decode),
    (error) => new CheckFailed({ output: `${file}: ${error.message}` })
  )
  const deep = "./*" in published.exports ? modules(contents, "dist/").filter((module) => module !== "index") : []
  return {
    name,
    version,
    file,
    contents,
    entryPoints: [name, ...deep.map((module) => `${name}/${module}`)],
    privatePaths: [
      `${name}/index`,
      `${name}/dist/index.js`,
      ...modules(contents, "dist/internal/").map((module) => `${name}/internal/${module}`)
    ]
  } satisfies Tarball
})

/** What is wrong with the contents of a tarball. */
export const problems = ({ contents, name }: Tarball): ReadonlyArray<string> => {
  const missing = ["package.json", "README.md", "LICENSE", "dist/index.js", "dist/index.d.ts"]
    .filter((path) => !contents.includes(path))
    .map((path) => `${path} is missing`)
  const stale = contents
    .filter((path) => /^dist\/.*\.js$/.test(path) && !contents.includes(path.replace(/^dist\/(.*)js$/, "src/$1ts")))
    .map((path) => `${path} has no source any more: remove packages/*/dist and build again`)
  const foreign = contents
    .filter(
      (path) =>
        !/^(?:package\.json|README\.md|LICENSE|CHANGELOG\.md|(?:src|dist)\/.*\.(?:ts|js|map)|src\/.*\.(?:html|css))$/.test(
          path
        )
    )
    .map((path) => `${path} does not belong there`)
  return [...missing, ...stale, ...foreign].map((problem) => `${name}: ${problem}`)
}

const build: Effect.Effect<ReadonlyArray<Tarball>, CheckFailed, Requirements> = Effect.gen(function* () {
  const fs = yield* FileSystem.FileSystem
  const manifests = yield* publicManifests
  yield* Effect.orDie(fs.remove(folder, { recursive: true, force: true }))
  yield* Command.succeed("tsc", ["-b", ...manifests.map(({ name }) => name.replace("@effect-zim", "packages"))])
  const filters = manifests.map(({ name }) => `--filter=${name}`)
  yield* Command.pnpm(["--recursive", ...filters, "pack", "--pack-destination", folder])
  return yield* Effect.forEach(manifests, describe)
})

/** Builds and packs once, however many steps ask. */
export const tarballs = Effect.runSync(Effect.cached(build))

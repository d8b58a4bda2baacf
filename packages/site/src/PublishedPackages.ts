/**
 * What the site is made of: the packages of this repository and their modules, taken from their manifests.
 */
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Schema from "effect/Schema"

import { root } from "./Paths.ts"

const Manifest = Schema.fromJsonString(
  Schema.Struct({
    name: Schema.String,
    description: Schema.String,
    private: Schema.optionalKey(Schema.Boolean),
    exports: Schema.Record(Schema.String, Schema.Unknown)
  })
)

export interface Package {
  /** `@effect-zim/client`. */
  readonly name: string
  /** Its folder in `packages`. */
  readonly folder: string
  readonly description: string
  /** The names of the modules that users can import, in alphabetical order: empty of a program. */
  readonly modules: ReadonlyArray<string>
}

/** The packages that are published. */
export const packages = Effect.gen(function* () {
  const fs = yield* FileSystem.FileSystem
  const manifests = yield* fs.glob("packages/*/package.json", { root })
  const read = Effect.fnUntraced(function* (path: string) {
    const manifest = yield* Effect.flatMap(fs.readFileString(root + path), Schema.decodeEffect(Manifest))
    if (manifest.private === true) return []
    const folder = path.slice("packages/".length, -"/package.json".length)
    const files = "./*" in manifest.exports ? yield* fs.readDirectory(`${root}packages/${folder}/src`) : []
    const modules = files.filter((file) => file.endsWith(".ts") && file !== "index.ts").map((file) => file.slice(0, -3))
    return [{ name: manifest.name, folder, description: manifest.description, modules: modules.toSorted() }]
  })
  const all: ReadonlyArray<ReadonlyArray<Package>> = yield* Effect.forEach(manifests.toSorted(), read)
  return all.flat()
})

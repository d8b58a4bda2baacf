/** Where the measuring is done, and with what. */
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Schema from "effect/Schema"
import * as Os from "node:os"
import * as Paths from "./Paths.ts"
import type { Machine } from "./Results.ts"

const Manifest = Schema.fromJsonString(Schema.Struct({ devDependencies: Schema.Record(Schema.String, Schema.String) }))

/** All peers are named with exact versions, so the manifest knows what is installed. */
const versions = Effect.gen(function* () {
  const fs = yield* FileSystem.FileSystem
  const { devDependencies } = yield* Schema.decodeEffect(Manifest)(yield* fs.readFileString(Paths.manifest))
  const peers = Object.entries(devDependencies).filter(([, version]) => !version.startsWith("workspace:"))
  return { node: process.versions.node, v8: process.versions.v8, ...Object.fromEntries(peers) }
}).pipe(Effect.orDie)

export const here: Effect.Effect<Machine, never, FileSystem.FileSystem> = Effect.map(versions, (versions) => ({
  cpu: Os.cpus()[0]?.model.trim() ?? "unknown",
  cores: Os.availableParallelism(),
  memory: Os.totalmem(),
  platform: `${Os.platform()} ${Os.arch()}`,
  versions
}))

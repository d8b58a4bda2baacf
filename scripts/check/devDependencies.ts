import { Effect, FileSystem, Schema } from "effect"
import * as Command from "./Command.ts"
import { type CheckFailed, unusable } from "./Step.ts"

const Manifest = Schema.fromJsonString(Schema.Struct({ devDependencies: Schema.Record(Schema.String, Schema.String) }))

/** The versions that a `package.json` of this repository pins, by name. */
export const devDependencies = (
  file: string
): Effect.Effect<Readonly<Record<string, string>>, CheckFailed, FileSystem.FileSystem> =>
  Effect.flatMap(FileSystem.FileSystem, (fs) => fs.readFileString(`${Command.root}/${file}`)).pipe(
    Effect.flatMap(Schema.decodeEffect(Manifest)),
    Effect.map((manifest) => manifest.devDependencies),
    Effect.mapError(unusable)
  )

/** The checkpoint of an export to files, in a file of its own, and what it says of where to begin. */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as Checkpoint from "../../Checkpoint.ts"
import * as ExportSink from "../../ExportSink.ts"
import { invalid } from "../refusals.ts"
import { changed, emptyMark, Mark, type OutputFiles } from "./outputFiles.ts"

const FileCheckpoint = Schema.Struct({
  ...Checkpoint.Checkpoint.fields,
  format: Schema.String,
  output: Mark,
  failures: Mark,
  /** Where those are, from the folder of the output: both may be moved together. The first checkpoints did not say. */
  failuresPath: Schema.optionalKey(Schema.String)
})

export type FileCheckpoint = typeof FileCheckpoint.Type

export interface CheckpointFile extends ReturnType<typeof make> {}

export const make = (files: OutputFiles, format: string) => {
  const { hasKept, paths, sizeOf } = files
  const { dirname, relative } = files.inspector.path
  const failuresPath = relative(dirname(paths.out), paths.failures)
  const exists = (path: string, isUnfinished: boolean) => new ExportSink.OutputExists({ path, isUnfinished })

  const read = Effect.gen(function* () {
    if ((yield* sizeOf(paths.checkpoint)) === undefined) return undefined
    const json = yield* files.readText(paths.checkpoint)
    const saved = yield* Checkpoint.parse(FileCheckpoint, json, paths.checkpoint)
    if (saved.format === format) return saved
    return yield* invalid(paths.checkpoint, "OtherFormat", `it belongs to an export as ${saved.format}, not ${format}`)
  })

  const write = Effect.fnUntraced(function* (checkpoint: Checkpoint.Checkpoint, output: Mark, failures: Mark) {
    const next: FileCheckpoint = { ...checkpoint, format, output, failures, failuresPath }
    yield* files.replace(paths.checkpoint, paths.temporary, `${JSON.stringify(next)}\n`)
    return next
  })

  const begin = (initial: Checkpoint.Checkpoint) => write(initial, emptyMark, emptyMark)

  const beginNew = Effect.fnUntraced(function* (initial: Checkpoint.Checkpoint) {
    for (const path of [paths.out, paths.part]) {
      if ((yield* sizeOf(path)) !== undefined) return yield* exists(path, false)
    }
    for (const path of [paths.failures, paths.failuresPart]) {
      if (((yield* sizeOf(path)) ?? 0) > 0) return yield* exists(path, false)
    }
    return yield* begin(initial)
  })

  return {
    write,
    /** What to go on from, as far as the mode allows. */
    start: Effect.fnUntraced(function* (mode: ExportSink.Mode, initial: Checkpoint.Checkpoint) {
      const size = yield* sizeOf(paths.out)
      yield* sizeOf(paths.failures)
      if (mode === "restart") return yield* begin(initial)
      const saved = yield* read
      if (saved === undefined) return yield* beginNew(initial)
      const { failuresPath: before = failuresPath, output } = saved
      const hasMoved = before !== failuresPath
      if (saved.isFinished) {
        // Whoever took the output away wants another one. The failures belonged to it.
        if (size === undefined) return yield* (hasMoved ? beginNew : begin)(initial)
        if (mode === "new") return yield* exists(paths.out, false)
        if (size === output.length && (yield* hasKept(paths.out, output))) return saved
        return yield* changed(paths.out, "it has changed since the export was finished")
      }
      if (mode === "new") return yield* exists(paths.out, true)
      if (hasMoved) return yield* changed(paths.failures, `its failures are in ${before}`)
      return saved
    })
  }
}

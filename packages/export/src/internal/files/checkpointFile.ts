/** The checkpoint of an export to files, in a file of its own, and what it says of where to begin. */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as Checkpoint from "../../Checkpoint.ts"
import * as ExportSink from "../../ExportSink.ts"
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

  const read = Effect.gen(function* () {
    if (Option.isNone(yield* sizeOf(paths.checkpoint))) return Option.none<FileCheckpoint>()
    const json = yield* files.readText(paths.checkpoint)
    const checkpoint = yield* Checkpoint.parse(FileCheckpoint, json, paths.checkpoint)
    if (checkpoint.format === format) return Option.some(checkpoint)
    return yield* new Checkpoint.CheckpointInvalid({
      path: paths.checkpoint,
      reason: { _tag: "OtherFormat" },
      problem: `it belongs to an export as ${checkpoint.format}, not ${format}`
    })
  })

  const write = Effect.fnUntraced(function* (
    checkpoint: Checkpoint.Checkpoint,
    marks: Pick<FileCheckpoint, "output" | "failures">
  ) {
    const next: FileCheckpoint = { ...checkpoint, format, ...marks, failuresPath }
    yield* files.replace(paths.checkpoint, paths.temporary, `${JSON.stringify(next)}\n`)
    return next
  })

  const begin = (initial: Checkpoint.Checkpoint) => write(initial, { output: emptyMark, failures: emptyMark })

  const beginNew = Effect.fnUntraced(function* (initial: Checkpoint.Checkpoint) {
    for (const path of [paths.out, paths.part, paths.failures, paths.failuresPart]) {
      const size = yield* sizeOf(path)
      if (Option.isSome(size) && (size.value > 0 || path === paths.out || path === paths.part)) {
        return yield* new ExportSink.OutputExists({ path, isUnfinished: false })
      }
    }
    return yield* begin(initial)
  })

  return {
    write,
    /** What to go on from, as far as the mode allows. */
    start: Effect.fnUntraced(function* (mode: ExportSink.Mode, initial: Checkpoint.Checkpoint) {
      const out = yield* sizeOf(paths.out)
      yield* sizeOf(paths.failures)
      if (mode === "restart") return yield* begin(initial)
      const saved = yield* read
      if (Option.isNone(saved)) return yield* beginNew(initial)
      const { failuresPath: before = failuresPath, output } = saved.value
      const hasMoved = before !== failuresPath
      if (saved.value.isFinished) {
        // Whoever took the output away wants another one. The failures belonged to it.
        if (Option.isNone(out)) return yield* (hasMoved ? beginNew : begin)(initial)
        if (mode === "new") return yield* new ExportSink.OutputExists({ path: paths.out, isUnfinished: false })
        if (Option.contains(out, output.length) && (yield* hasKept(paths.out, output))) return saved.value
        return yield* changed(paths.out, "it has changed since the export was finished")
      }
      if (mode === "new") return yield* new ExportSink.OutputExists({ path: paths.out, isUnfinished: true })
      if (hasMoved) return yield* changed(paths.failures, `its failures are in ${before}`)
      return saved.value
    })
  }
}

/**
 * A sink that appends to a file.
 *
 * While an export runs, its output is `PATH.part`; it becomes `PATH` when all users are done. `PATH.checkpoint` says how
 * many bytes of it count: a crash may leave more, and the next session cuts them off. Order makes it safe: first the
 * data reaches the disk, then the checkpoint replaces the one before it in a single step.
 */
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Path from "effect/Path"
import type { Checkpoint } from "../../Checkpoint.ts"
import * as ConversationRecord from "../../ConversationRecord.ts"
import type * as ExportSink from "../../ExportSink.ts"
import * as Lock from "../../Lock.ts"
import { unusable } from "../refusals.ts"
import * as CheckpointFile from "./checkpointFile.ts"
import * as FileInspector from "./fileInspector.ts"
import * as OutputFiles from "./outputFiles.ts"

export interface Format {
  readonly name: "ndjson" | "csv" | "csv for a spreadsheet"
  /** What the file begins with. */
  readonly header: string
  readonly encode: (records: ReadonlyArray<ConversationRecord.Encoded>) => Effect.Effect<string>
}

/** What is written of a line without a list: JSON. */
export const failureLine = ({ code, error, line, message, requestId, userId }: ExportSink.Failed): string =>
  `${JSON.stringify({ line, userId, error, code, requestId, message })}\n`

const recordsOf = (outcome: ExportSink.Outcome): ReadonlyArray<ConversationRecord.Encoded> =>
  outcome._tag === "Failed"
    ? []
    : outcome.conversations.map((conversation) => ConversationRecord.make(outcome.userId, conversation))

/** Goes on from a checkpoint, with the files that it is about. */
const goOn = Effect.fnUntraced(function* (
  files: OutputFiles.OutputFiles,
  checkpointFile: CheckpointFile.CheckpointFile,
  format: Format,
  first: CheckpointFile.FileCheckpoint,
  assertLocked: Effect.Effect<void, ExportSink.OutputUnusable>
) {
  const { inspector, paths } = files
  const output = yield* files.openAt(paths.part, paths.out, first.output)
  const failures = yield* files.openAt(paths.failuresPart, paths.failures, first.failures)
  yield* files.syncFolders
  let saved = yield* inspector.lstat(paths.checkpoint)

  const assertFile = Effect.fnUntraced(function* ({ id, isIntact, mark, path }: OutputFiles.AppendFile) {
    yield* FileInspector.assertAsLeft(inspector, path, { id, size: mark().length })
    if (yield* Effect.mapError(isIntact, FileInspector.failed(path, "read"))) return
    return yield* unusable(path, "it has been changed while the export was writing")
  })

  /** That nobody has touched what is written, so far, under these names. */
  const assertAsLeft = Effect.fnUntraced(function* (...written: ReadonlyArray<OutputFiles.AppendFile>) {
    yield* assertLocked
    yield* Effect.forEach(written, assertFile, { discard: true })
    if (saved !== undefined) yield* FileInspector.assertAsLeft(inspector, paths.checkpoint, saved)
  })

  const saveCheckpoint = Effect.fnUntraced(function* (checkpoint: Checkpoint) {
    yield* checkpointFile.write(checkpoint, output.mark(), failures.mark())
    saved = yield* inspector.lstat(paths.checkpoint)
  })

  const save: ExportSink.Session["save"] = Effect.fnUntraced(function* (outcomes, checkpoint) {
    yield* assertAsLeft(output, failures)
    const header = output.mark().length === 0 ? format.header : ""
    yield* output.append(header + (yield* format.encode(outcomes.flatMap(recordsOf))))
    const failed = outcomes.filter((outcome) => outcome._tag === "Failed")
    yield* failures.append(failed.map(failureLine).join(""))
    yield* saveCheckpoint(checkpoint)
  })

  const finish: ExportSink.Session["finish"] = Effect.fnUntraced(function* (checkpoint) {
    yield* save([], { ...checkpoint, isFinished: false })
    yield* assertAsLeft(output, failures)
    const finished = [yield* files.complete(failures), yield* files.complete(output)]
    yield* files.syncFolders
    yield* assertAsLeft(...finished)
    yield* saveCheckpoint(checkpoint)
    yield* assertAsLeft(...finished)
  })

  return { checkpoint: first, save, finish }
})

export const make = Effect.fnUntraced(function* (
  format: Format,
  options: OutputFiles.Options
): Effect.fn.Return<ExportSink.ExportSink, never, FileSystem.FileSystem | Path.Path> {
  const fs = yield* FileSystem.FileSystem
  const acquire = yield* Lock.Lock
  const inspector = FileInspector.make(fs, yield* Path.Path)
  const open: ExportSink.ExportSink["open"] = Effect.fnUntraced(function* ({ initial, mode }) {
    const { assertLocked, paths } = yield* OutputFiles.locate(inspector, acquire, options)
    const files = OutputFiles.make(fs, inspector, paths)
    const checkpointFile = CheckpointFile.make(files, format.name)
    const first = yield* checkpointFile.start(mode, initial)
    return first.isFinished
      ? { checkpoint: first, save: () => Effect.void, finish: () => Effect.void }
      : yield* goOn(files, checkpointFile, format, first, assertLocked)
  })
  return { location: options.path, open }
})

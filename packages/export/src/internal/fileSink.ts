/**
 * A sink that appends to a file.
 *
 * While an export runs, its output is `PATH.part`; it becomes `PATH` when all users are done. `PATH.checkpoint` says how
 * many bytes of it count: a crash may leave more, and the next session cuts them off. Order makes it safe: first the
 * data reaches the disk, then the checkpoint replaces the one before it in a single step.
 */
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Option from "effect/Option"
import * as Path from "effect/Path"
import type * as PlatformError from "effect/PlatformError"
import * as Schema from "effect/Schema"
import * as Checkpoint from "../Checkpoint.ts"
import * as Sink from "../Sink.ts"
import * as AppendFile from "./appendFile.ts"
import * as Failures from "./failures.ts"
import { problemOf } from "./platform.ts"
import { token } from "./token.ts"

export interface Format {
  readonly name: "ndjson" | "csv"
  /** What the file begins with. */
  readonly header: string
  readonly encode: (exported: ReadonlyArray<Sink.Exported>) => Effect.Effect<string>
}

export interface Options {
  /** The file to write. Beside it, with more behind the name, are the checkpoint and the unfinished output. */
  readonly path: string
  /**
   * Where to record the lines that have no list, as NDJSON: a file of their own. Default: `PATH.failures.ndjson`.
   */
  readonly failures?: string | undefined
}

const FileCheckpoint = Schema.Struct({
  ...Checkpoint.Checkpoint.fields,
  format: Schema.String,
  /** Drawn by each session: one that finds another's in its place has been overtaken, and must not write. */
  session: Schema.String,
  output: AppendFile.Mark,
  failures: AppendFile.Mark,
  /** Where those are, from the folder of the output: both may be moved together. The first checkpoints did not say. */
  failuresPath: Schema.optionalKey(Schema.String)
})

type FileCheckpoint = typeof FileCheckpoint.Type

const failed =
  (path: string, operation: "read" | "write" = "write") =>
  (error: PlatformError.PlatformError) =>
    new Sink.SinkFailed({ path, operation, problem: problemOf(error), cause: error })

const changed = (path: string, problem: string) =>
  new Checkpoint.CheckpointInvalid({ path, reason: "OutputChanged", problem })

export const make = Effect.fnUntraced(function* (
  format: Format,
  options: Options
): Effect.fn.Return<Sink.Sink, never, FileSystem.FileSystem | Path.Path> {
  const fs = yield* FileSystem.FileSystem
  const { dirname, relative, resolve } = yield* Path.Path
  const folder = dirname(options.path)
  const own = {
    out: options.path,
    part: `${options.path}.part`,
    checkpoint: `${options.path}.checkpoint`,
    temporary: `${options.path}.checkpoint.tmp`
  }
  const paths = { ...own, failures: options.failures ?? `${options.path}.failures.ndjson` }
  const failuresPath = relative(folder, paths.failures)

  const sizeOf = (path: string): Effect.Effect<Option.Option<number>, Sink.SinkFailed | Sink.OutputUnusable> =>
    fs.stat(path).pipe(
      Effect.matchEffect({
        onFailure: (error) =>
          error.reason._tag === "NotFound" ? Effect.succeed(Option.none()) : Effect.fail(failed(path, "read")(error)),
        onSuccess: ({ size, type }) =>
          type === "File"
            ? Effect.succeed(Option.some(Number(size)))
            : Effect.fail(new Sink.OutputUnusable({ path, problem: "it is not a regular file" }))
      })
    )

  /** Makes names last. Not every system can: then they last as soon as it likes. */
  const sync = (folder: string) =>
    Effect.ignore(Effect.scoped(Effect.flatMap(fs.open(folder, { flag: "r" }), (file) => file.sync)))
  const syncFolder = sync(folder)

  const readCheckpoint = Effect.gen(function* () {
    if (Option.isNone(yield* sizeOf(paths.checkpoint))) return Option.none<FileCheckpoint>()
    const json = yield* Effect.mapError(fs.readFileString(paths.checkpoint), failed(paths.checkpoint, "read"))
    const checkpoint = yield* Checkpoint.parse(FileCheckpoint, json, paths.checkpoint)
    if (checkpoint.format === format.name) return Option.some(checkpoint)
    return yield* new Checkpoint.CheckpointInvalid({
      path: paths.checkpoint,
      reason: "OtherFormat",
      problem: `it belongs to an export as ${checkpoint.format}, not ${format.name}`
    })
  })

  const writeCheckpoint = (checkpoint: FileCheckpoint) =>
    Effect.gen(function* () {
      yield* Effect.scoped(
        Effect.gen(function* () {
          const file = yield* fs.open(paths.temporary, { flag: "w" })
          yield* file.writeAll(new TextEncoder().encode(`${JSON.stringify(checkpoint)}\n`))
          yield* file.sync
        })
      )
      yield* fs.rename(paths.temporary, paths.checkpoint)
      yield* syncFolder
    }).pipe(Effect.mapError(failed(paths.checkpoint)))

  const begin = Effect.fnUntraced(function* (initial: Checkpoint.Checkpoint, session: string) {
    const empty = AppendFile.emptyMark
    const checkpoint: FileCheckpoint = {
      ...initial,
      format: format.name,
      session,
      output: empty,
      failures: empty,
      failuresPath
    }
    yield* writeCheckpoint(checkpoint)
    return checkpoint
  })

  const beginNew = Effect.fnUntraced(function* (initial: Checkpoint.Checkpoint, session: string) {
    for (const path of [paths.out, paths.part, paths.failures]) {
      const size = yield* sizeOf(path)
      if (Option.isSome(size) && (size.value > 0 || path !== paths.failures)) {
        return yield* new Sink.OutputExists({ path, isUnfinished: false })
      }
    }
    return yield* begin(initial, session)
  })

  /** Whether a file is as long as it was left, and ends as it did. */
  const isAsLeft = (path: string, size: Option.Option<number>, mark: AppendFile.Mark) =>
    Option.contains(size, mark.length)
      ? fs.open(path, { flag: "r" }).pipe(
          Effect.flatMap((file) => AppendFile.matches(file, mark)),
          Effect.scoped,
          Effect.mapError(failed(path, "read"))
        )
      : Effect.succeed(false)

  /** What to go on from, as far as the mode allows. */
  const start = Effect.fnUntraced(function* (mode: Sink.Mode, initial: Checkpoint.Checkpoint, session: string) {
    const out = yield* sizeOf(paths.out)
    if (mode === "restart") return yield* begin(initial, session)
    const saved = yield* readCheckpoint
    if (Option.isNone(saved)) return yield* beginNew(initial, session)
    const { failuresPath: before = failuresPath } = saved.value
    const hasMoved = before !== failuresPath
    if (saved.value.isFinished) {
      // Whoever took the output away wants another one. The failures belonged to it.
      if (Option.isNone(out)) return yield* (hasMoved ? beginNew : begin)(initial, session)
      if (mode === "new") return yield* new Sink.OutputExists({ path: paths.out, isUnfinished: false })
      if (yield* isAsLeft(paths.out, out, saved.value.output)) return saved.value
      return yield* changed(paths.out, "it has changed since the export was finished")
    }
    if (mode === "new") return yield* new Sink.OutputExists({ path: paths.out, isUnfinished: true })
    if (hasMoved) return yield* changed(paths.failures, `its failures are in ${before}`)
    const taken: FileCheckpoint = { ...saved.value, session }
    yield* writeCheckpoint(taken)
    return taken
  })

  const openFile = (path: string, mark: AppendFile.Mark) =>
    Effect.gen(function* () {
      if (mark.length === 0) {
        const file = yield* Effect.mapError(fs.open(path, { flag: "w" }), failed(path))
        return yield* Effect.mapError(AppendFile.make(file, mark), failed(path))
      }
      const size = yield* sizeOf(path)
      if (Option.isNone(size)) return yield* changed(path, "it is gone")
      if (size.value < mark.length) {
        return yield* changed(path, `it has ${size.value} bytes where ${mark.length} were saved`)
      }
      const file = yield* Effect.mapError(fs.open(path, { flag: "r+" }), failed(path))
      if (!(yield* Effect.mapError(AppendFile.matches(file, mark), failed(path, "read")))) {
        return yield* changed(path, "it has been changed since")
      }
      return yield* Effect.mapError(AppendFile.make(file, mark), failed(path))
    })

  /** A crash may come between the output's last step, its new name, and the checkpoint that says so. */
  const undoRename = Effect.fnUntraced(function* (mark: AppendFile.Mark) {
    const out = yield* sizeOf(paths.out)
    if (Option.isSome(yield* sizeOf(paths.part)) || mark.length === 0) return
    if (yield* isAsLeft(paths.out, out, mark))
      yield* Effect.mapError(fs.rename(paths.out, paths.part), failed(paths.part))
  })

  const open: Sink.Sink["open"] = Effect.fnUntraced(function* ({ initial, mode }) {
    const collision = Object.values(own).find((path) => resolve(path) === resolve(paths.failures))
    if (collision !== undefined) {
      return yield* new Sink.OutputUnusable({
        path: paths.failures,
        problem: `failures cannot go where the export has ${collision}`
      })
    }
    const session = yield* token
    const first = yield* start(mode, initial, session)
    if (first.isFinished) return { checkpoint: first, save: () => Effect.void, finish: () => Effect.void }
    yield* undoRename(first.output)
    const output = yield* openFile(paths.part, first.output)
    const failures = yield* openFile(paths.failures, first.failures)
    // Each save sees to the other names, which may be in another folder.
    yield* sync(dirname(paths.failures))

    const assertAlone = Effect.gen(function* () {
      const other = (problem: string) => new Sink.OutputUnusable({ path: paths.out, problem })
      const found = yield* Effect.catchTag(readCheckpoint, "CheckpointInvalid", (error) => other(error.message))
      if (Option.isNone(found)) return yield* other("its checkpoint has been removed")
      if (found.value.session !== session) return yield* other("another export writes there")
    })

    const append = (file: AppendFile.AppendFile, path: string, text: string) =>
      text === "" ? Effect.void : Effect.mapError(file.append(text), failed(path))

    const save: Sink.Session["save"] = Effect.fnUntraced(function* (outcomes, checkpoint) {
      yield* assertAlone
      const header = output.mark().length === 0 ? format.header : ""
      const exported = outcomes.filter((outcome) => outcome._tag === "Exported")
      yield* append(output, paths.part, header + (exported.length === 0 ? "" : yield* format.encode(exported)))
      yield* append(failures, paths.failures, Failures.toNdjson(outcomes.filter(Failures.isFailed)))
      yield* writeCheckpoint({
        ...checkpoint,
        format: format.name,
        session,
        output: output.mark(),
        failures: failures.mark(),
        failuresPath
      })
    })

    const finish: Sink.Session["finish"] = Effect.fnUntraced(function* (checkpoint) {
      yield* save([], { ...checkpoint, isFinished: false })
      yield* Effect.mapError(fs.rename(paths.part, paths.out), failed(paths.out))
      yield* syncFolder
      yield* save([], checkpoint)
    })

    return { checkpoint: first, save, finish }
  })

  return { location: options.path, open }
})

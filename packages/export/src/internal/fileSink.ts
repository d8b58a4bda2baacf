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
import * as Schema from "effect/Schema"
import * as Checkpoint from "../Checkpoint.ts"
import * as Lock from "../Lock.ts"
import * as Sink from "../Sink.ts"
import * as AppendFile from "./appendFile.ts"
import * as Failures from "./failures.ts"
import { failed, look as lookOf } from "./look.ts"
import * as Place from "./place.ts"

export interface Format {
  readonly name: "ndjson" | "csv" | "csv for a spreadsheet"
  /** What the file begins with. */
  readonly header: string
  readonly encode: (exported: ReadonlyArray<Sink.Exported>) => Effect.Effect<string>
}

export interface Options {
  /**
   * The file to write; where it is a symbolic link, the file that it leads to. Beside that, with more behind the name, are
   * the checkpoint, the lock and the unfinished output.
   */
  readonly path: string
  /**
   * Where to record the lines that have no list, as NDJSON: a file of their own. Default: `PATH.failures.ndjson`.
   */
  readonly failures?: string | undefined
  /** Files that the export reads. It is refused where one of them is a file that it would write. */
  readonly inputs?: ReadonlyArray<string> | undefined
}

const FileCheckpoint = Schema.Struct({
  ...Checkpoint.Checkpoint.fields,
  format: Schema.String,
  output: AppendFile.Mark,
  failures: AppendFile.Mark,
  /** Where those are, from the folder of the output: both may be moved together. The first checkpoints did not say. */
  failuresPath: Schema.optionalKey(Schema.String)
})

type FileCheckpoint = typeof FileCheckpoint.Type

const changed = (path: string, problem: string) =>
  new Checkpoint.CheckpointInvalid({ path, reason: "OutputChanged", problem })

/** The files of an export, by their real names. */
const filesOf = Effect.fnUntraced(function* (look: Place.Look, options: Options) {
  const out = yield* Place.follow(look, options.path)
  const failures = yield* Place.follow(look, options.failures ?? `${out}.failures.ndjson`)
  const paths = {
    out,
    part: `${out}.part`,
    checkpoint: `${out}.checkpoint`,
    temporary: `${out}.checkpoint.tmp`,
    failures,
    failuresPart: `${failures}.part`
  }
  const locks = new Set([Place.lockOf(out), Place.lockOf(failures)])
  yield* Place.assertApart(
    look,
    {
      "the output": paths.out,
      "the unfinished output": paths.part,
      "the checkpoint": paths.checkpoint,
      "the next checkpoint": paths.temporary,
      "the failures": paths.failures,
      "the unfinished failures": paths.failuresPart,
      ...Place.filesOfLocks(locks)
    },
    options.inputs
  )
  yield* Place.assertPlain(look, [paths.part, paths.checkpoint, paths.failuresPart, ...locks])
  return { paths, locks }
})

type Paths = Effect.Success<ReturnType<typeof filesOf>>["paths"]

/** What belongs to one set of files, whoever has their lock. */
const workIn = (fs: FileSystem.FileSystem, look: Place.Look, format: Format, paths: Paths, failuresPath: string) => {
  const { dirname } = look.path

  const sizeOf = (path: string): Effect.Effect<Option.Option<number>, Sink.SinkFailed | Sink.OutputUnusable> =>
    Effect.flatMap(look.lstat(path), (entry) =>
      Option.isSome(entry) && entry.value.type !== "File"
        ? new Sink.OutputUnusable({ path, problem: "it is not a regular file" })
        : Effect.succeed(Option.map(entry, ({ size }) => size))
    )

  /** Makes names last. Not every system can: then they last as soon as it likes. */
  const sync = (folder: string) =>
    Effect.ignore(Effect.scoped(Effect.flatMap(fs.open(folder, { flag: "r" }), (file) => file.sync)))
  const folders = new Set([paths.out, paths.failures].map((path) => dirname(path)))
  const syncFolders = Effect.forEach(folders, sync, { discard: true })

  const rename = (from: string, to: string) => Effect.mapError(fs.rename(from, to), failed(to))

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
          // A crash may have left it.
          yield* fs.remove(paths.temporary, { force: true })
          const file = yield* fs.open(paths.temporary, { flag: "wx" })
          yield* file.writeAll(new TextEncoder().encode(`${JSON.stringify(checkpoint)}\n`))
          yield* file.sync
        })
      )
      yield* fs.rename(paths.temporary, paths.checkpoint)
      yield* sync(dirname(paths.checkpoint))
    }).pipe(Effect.mapError(failed(paths.checkpoint)))

  const begin = Effect.fnUntraced(function* (initial: Checkpoint.Checkpoint) {
    const empty = AppendFile.emptyMark
    const checkpoint: FileCheckpoint = {
      ...initial,
      format: format.name,
      output: empty,
      failures: empty,
      failuresPath
    }
    yield* writeCheckpoint(checkpoint)
    return checkpoint
  })

  const beginNew = Effect.fnUntraced(function* (initial: Checkpoint.Checkpoint) {
    for (const path of [paths.out, paths.part, paths.failures, paths.failuresPart]) {
      const size = yield* sizeOf(path)
      if (Option.isSome(size) && (size.value > 0 || path === paths.out || path === paths.part)) {
        return yield* new Sink.OutputExists({ path, isUnfinished: false })
      }
    }
    return yield* begin(initial)
  })

  /** Whether a file begins with what was left in it. */
  const hasKept = (path: string, size: Option.Option<number>, mark: AppendFile.Mark) =>
    Option.isSome(size) && size.value >= mark.length
      ? fs.open(path, { flag: "r" }).pipe(
          Effect.flatMap((file) => AppendFile.matches(file, mark)),
          Effect.scoped,
          Effect.mapError(failed(path, "read"))
        )
      : Effect.succeed(false)

  /** What to go on from, as far as the mode allows. */
  const start = Effect.fnUntraced(function* (mode: Sink.Mode, initial: Checkpoint.Checkpoint) {
    const out = yield* sizeOf(paths.out)
    yield* sizeOf(paths.failures)
    if (mode === "restart") return yield* begin(initial)
    const saved = yield* readCheckpoint
    if (Option.isNone(saved)) return yield* beginNew(initial)
    const { failuresPath: before = failuresPath } = saved.value
    const hasMoved = before !== failuresPath
    if (saved.value.isFinished) {
      // Whoever took the output away wants another one. The failures belonged to it.
      if (Option.isNone(out)) return yield* (hasMoved ? beginNew : begin)(initial)
      if (mode === "new") return yield* new Sink.OutputExists({ path: paths.out, isUnfinished: false })
      const { output } = saved.value
      if (Option.contains(out, output.length) && (yield* hasKept(paths.out, out, output))) return saved.value
      return yield* changed(paths.out, "it has changed since the export was finished")
    }
    if (mode === "new") return yield* new Sink.OutputExists({ path: paths.out, isUnfinished: true })
    if (hasMoved) return yield* changed(paths.failures, `its failures are in ${before}`)
    return saved.value
  })

  const openFile = (path: string, mark: AppendFile.Mark) =>
    Effect.gen(function* () {
      if (mark.length === 0) {
        yield* Effect.mapError(fs.remove(path, { force: true }), failed(path))
        const file = yield* Effect.mapError(fs.open(path, { flag: "ax+" }), failed(path))
        return yield* Effect.mapError(AppendFile.make(file, mark), failed(path))
      }
      const size = yield* sizeOf(path)
      if (Option.isNone(size)) return yield* changed(path, "it is gone")
      if (size.value < mark.length) {
        return yield* changed(path, `it has ${size.value} bytes where ${mark.length} were saved`)
      }
      const file = yield* Effect.mapError(fs.open(path, { flag: "a+" }), failed(path))
      if (!(yield* Effect.mapError(AppendFile.matches(file, mark), failed(path, "read")))) {
        return yield* changed(path, "it has been changed since")
      }
      return yield* Effect.mapError(AppendFile.make(file, mark), failed(path))
    })

  /** A crash may come between the last step of a file, its new name, and the checkpoint that says so. */
  const undoRename = Effect.fnUntraced(function* (path: string, part: string, mark: AppendFile.Mark) {
    if (Option.isSome(yield* sizeOf(part)) || mark.length === 0) return
    if (yield* hasKept(path, yield* sizeOf(path), mark)) yield* rename(path, part)
  })

  /** Goes on from a checkpoint, with the files that it is about. */
  const goOn = Effect.fnUntraced(function* (
    first: FileCheckpoint,
    assertLocked: Effect.Effect<void, Sink.OutputUnusable>
  ) {
    yield* undoRename(paths.out, paths.part, first.output)
    yield* undoRename(paths.failures, paths.failuresPart, first.failures)
    const output = yield* openFile(paths.part, first.output)
    const failures = yield* openFile(paths.failuresPart, first.failures)
    yield* syncFolders
    let saved = yield* look.lstat(paths.checkpoint)

    const meddled = (path: string, problem: string | undefined) =>
      problem === undefined ? Effect.void : Effect.fail(new Sink.OutputUnusable({ path, problem }))

    const assertFile = Effect.fnUntraced(function* (file: AppendFile.AppendFile, path: string) {
      const known = { id: file.id, size: file.mark().length }
      yield* meddled(path, Place.meddlingOf(yield* look.lstat(path), known))
      if (yield* Effect.mapError(file.isIntact, failed(path, "read"))) return
      return yield* meddled(path, "it has been changed while the export was writing")
    })

    /** That nobody has touched what is written, so far, under these names. */
    const assertAsLeft = Effect.fnUntraced(function* (outputPath: string, failuresPath: string) {
      yield* assertLocked
      yield* assertFile(output, outputPath)
      yield* assertFile(failures, failuresPath)
      const now = yield* look.lstat(paths.checkpoint)
      yield* meddled(
        paths.checkpoint,
        Option.match(saved, { onNone: () => undefined, onSome: (known) => Place.meddlingOf(now, known) })
      )
    })

    const append = (file: AppendFile.AppendFile, path: string, text: string) =>
      text === "" ? Effect.void : Effect.mapError(file.append(text), failed(path))

    const point = Effect.fnUntraced(function* (checkpoint: Checkpoint.Checkpoint) {
      yield* writeCheckpoint({
        ...checkpoint,
        format: format.name,
        output: output.mark(),
        failures: failures.mark(),
        failuresPath
      })
      saved = yield* look.lstat(paths.checkpoint)
    })

    const save: Sink.Session["save"] = Effect.fnUntraced(function* (outcomes, checkpoint) {
      yield* assertAsLeft(paths.part, paths.failuresPart)
      const header = output.mark().length === 0 ? format.header : ""
      const exported = outcomes.filter((outcome) => outcome._tag === "Exported")
      yield* append(output, paths.part, header + (exported.length === 0 ? "" : yield* format.encode(exported)))
      yield* append(failures, paths.failuresPart, Failures.toNdjson(outcomes.filter(Failures.isFailed)))
      yield* point(checkpoint)
    })

    const finish: Sink.Session["finish"] = Effect.fnUntraced(function* (checkpoint) {
      yield* save([], { ...checkpoint, isFinished: false })
      yield* assertAsLeft(paths.part, paths.failuresPart)
      yield* rename(paths.failuresPart, paths.failures)
      yield* rename(paths.part, paths.out)
      yield* syncFolders
      yield* assertAsLeft(paths.out, paths.failures)
      yield* point(checkpoint)
      yield* assertAsLeft(paths.out, paths.failures)
    })

    return { checkpoint: first, save, finish }
  })

  return { start, goOn }
}

export const make = Effect.fnUntraced(function* (
  format: Format,
  options: Options
): Effect.fn.Return<Sink.Sink, never, FileSystem.FileSystem | Path.Path> {
  const fs = yield* FileSystem.FileSystem
  const path = yield* Path.Path
  const acquire = yield* Lock.Lock
  const look = lookOf(fs, path)
  const open: Sink.Sink["open"] = Effect.fnUntraced(function* ({ initial, mode }) {
    const { locks, paths } = yield* filesOf(look, options)
    const assertLocked = yield* Place.lockAll(acquire, locks)
    const failuresPath = path.relative(path.dirname(paths.out), paths.failures)
    const { goOn, start } = workIn(fs, look, format, paths, failuresPath)
    const first = yield* start(mode, initial)
    return first.isFinished
      ? { checkpoint: first, save: () => Effect.void, finish: () => Effect.void }
      : yield* goOn(first, assertLocked)
  })
  return { location: options.path, open }
})

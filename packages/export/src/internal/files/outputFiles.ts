/** The files of an export, by their real names, and what is done with them whatever is in them. */
import * as Effect from "effect/Effect"
import type * as FileSystem from "effect/FileSystem"
import * as Option from "effect/Option"
import { CheckpointInvalid } from "../../Checkpoint.ts"
import * as ExportSink from "../../ExportSink.ts"
import * as AppendFile from "./appendFile.ts"
import { failed, type FileInspector } from "./fileInspector.ts"
import * as PathChecks from "./pathChecks.ts"

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

/** The names, apart from each other, and their locks. */
export const locate = Effect.fnUntraced(function* (inspector: FileInspector, options: Options) {
  const out = yield* PathChecks.follow(inspector, options.path)
  const failures = yield* PathChecks.follow(inspector, options.failures ?? `${out}.failures.ndjson`)
  const paths = {
    out,
    part: `${out}.part`,
    checkpoint: `${out}.checkpoint`,
    temporary: `${out}.checkpoint.tmp`,
    failures,
    failuresPart: `${failures}.part`
  }
  const locks = new Set([PathChecks.lockOf(out), PathChecks.lockOf(failures)])
  yield* PathChecks.assertApart(
    inspector,
    {
      "the output": paths.out,
      "the unfinished output": paths.part,
      "the checkpoint": paths.checkpoint,
      "the next checkpoint": paths.temporary,
      "the failures": paths.failures,
      "the unfinished failures": paths.failuresPart,
      ...PathChecks.filesOfLocks(locks)
    },
    options.inputs
  )
  yield* PathChecks.assertPlain(inspector, [paths.part, paths.checkpoint, paths.failuresPart, ...locks])
  return { paths, locks }
})

export type Paths = Effect.Success<ReturnType<typeof locate>>["paths"]

export const changed = (path: string, problem: string): CheckpointInvalid =>
  new CheckpointInvalid({ path, reason: { _tag: "OutputChanged" }, problem })

/** Writes a file as a whole, in place of one that a crash may have left. */
const writeNew = Effect.fnUntraced(function* (fs: FileSystem.FileSystem, path: string, text: string) {
  yield* fs.remove(path, { force: true })
  const file = yield* fs.open(path, { flag: "wx" })
  yield* file.writeAll(new TextEncoder().encode(text))
  yield* file.sync
})

export interface OutputFiles extends ReturnType<typeof make> {}

export const make = (fs: FileSystem.FileSystem, inspector: FileInspector, paths: Paths) => {
  const { dirname } = inspector.path

  const sizeOf = (
    path: string
  ): Effect.Effect<Option.Option<number>, ExportSink.SinkFailed | ExportSink.OutputUnusable> =>
    Effect.flatMap(inspector.lstat(path), (entry) =>
      Option.isSome(entry) && entry.value.type !== "File"
        ? new ExportSink.OutputUnusable({ path, problem: "it is not a regular file" })
        : Effect.succeed(Option.map(entry, ({ size }) => size))
    )

  /** Makes names last. Not every system can: then they last as soon as it likes. */
  const syncFolderOf = (path: string) =>
    Effect.ignore(Effect.scoped(Effect.flatMap(fs.open(dirname(path), { flag: "r" }), (folder) => folder.sync)))

  const rename = (from: string, to: string) => Effect.mapError(fs.rename(from, to), failed(to))

  /** Whether a file begins with what was left in it. */
  const hasKept = Effect.fnUntraced(function* (path: string, mark: AppendFile.Mark) {
    const size = yield* sizeOf(path)
    if (Option.isNone(size) || size.value < mark.length) return false
    return yield* fs.open(path, { flag: "r" }).pipe(
      Effect.flatMap((file) => AppendFile.matches(file, mark)),
      Effect.scoped,
      Effect.mapError(failed(path, "read"))
    )
  })

  return {
    paths,
    inspector,
    sizeOf,
    rename,
    hasKept,
    syncFolders: Effect.forEach(
      new Map([paths.out, paths.failures].map((path) => [dirname(path), path])).values(),
      syncFolderOf,
      { discard: true }
    ),

    /** Replaces a file in one step: whenever the program is killed, it is one or the other. */
    replace: (path: string, temporary: string, text: string) =>
      Effect.gen(function* () {
        yield* Effect.scoped(writeNew(fs, temporary, text))
        yield* fs.rename(temporary, path)
        yield* syncFolderOf(path)
      }).pipe(Effect.mapError(failed(path))),

    readText: (path: string) => Effect.mapError(fs.readFileString(path), failed(path, "read")),

    /** A crash may come between the last step of a file, its new name, and the checkpoint that says so. */
    undoRename: Effect.fnUntraced(function* (path: string, part: string, mark: AppendFile.Mark) {
      if (Option.isSome(yield* sizeOf(part)) || mark.length === 0) return
      if (yield* hasKept(path, mark)) yield* rename(path, part)
    }),

    /** Opens a file to append to it, with what was left in it. */
    openAt: Effect.fnUntraced(function* (path: string, mark: AppendFile.Mark) {
      if (mark.length === 0) {
        yield* Effect.mapError(fs.remove(path, { force: true }), failed(path))
      } else {
        const size = yield* sizeOf(path)
        if (Option.isNone(size)) return yield* changed(path, "it is gone")
        if (size.value < mark.length) {
          return yield* changed(path, `it has ${size.value} bytes where ${mark.length} were saved`)
        }
      }
      const file = yield* Effect.mapError(fs.open(path, { flag: mark.length === 0 ? "ax+" : "a+" }), failed(path))
      if (!(yield* Effect.mapError(AppendFile.matches(file, mark), failed(path, "read")))) {
        return yield* changed(path, "it has been changed since")
      }
      return yield* Effect.mapError(AppendFile.make(file, mark), failed(path))
    })
  }
}

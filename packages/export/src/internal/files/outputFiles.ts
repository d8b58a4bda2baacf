/** The files of an export, by their real names, and what is done with them whatever is in them. */
import * as Effect from "effect/Effect"
import type * as FileSystem from "effect/FileSystem"
import * as Schema from "effect/Schema"
import type * as Lock from "../../Lock.ts"
import { invalid, unusable } from "../refusals.ts"
import * as Hash from "../textHash.ts"
import { failed, type FileInspector, follow, idOf, occupy } from "./fileInspector.ts"

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

/** The real names, whose locks are held until the scope ends. */
export const locate = Effect.fnUntraced(function* (inspector: FileInspector, acquire: Lock.Acquire, options: Options) {
  const out = yield* follow(inspector, options.path)
  const failures = yield* follow(inspector, options.failures ?? `${out}.failures.ndjson`)
  const paths = {
    out,
    part: `${out}.part`,
    checkpoint: `${out}.checkpoint`,
    temporary: `${out}.checkpoint.tmp`,
    failures,
    failuresPart: `${failures}.part`
  }
  const written = {
    parts: {
      "the output": paths.out,
      "the unfinished output": paths.part,
      "the checkpoint": paths.checkpoint,
      "the next checkpoint": paths.temporary,
      "the failures": paths.failures,
      "the unfinished failures": paths.failuresPart
    },
    outputs: [out, failures],
    inPlace: [paths.part, paths.checkpoint, paths.failuresPart]
  }
  return { paths, assertLocked: yield* occupy(inspector, acquire, written, options.inputs) }
})

/** How much of a file counts, and a hash of its last bytes, by which a change is noticed. */
export const Mark = Schema.Struct({
  length: Schema.Int.check(Schema.isGreaterThanOrEqualTo(0)),
  tail: Schema.String
})

export type Mark = typeof Mark.Type

/** How many last bytes the hash is of. */
const tailLength = 4096

const decoder = new TextDecoder("latin1")

const markOf = (length: number, tail: Uint8Array): Mark => ({
  length,
  tail: Hash.format(Hash.add(Hash.zero, decoder.decode(tail)))
})

export const emptyMark: Mark = markOf(0, new Uint8Array())

const tailOf = Effect.fnUntraced(function* (file: FileSystem.File, length: number) {
  const tail = new Uint8Array(Math.min(length, tailLength))
  let filled = 0
  while (filled < tail.length) {
    const position = BigInt(length - tail.length + filled)
    const count = yield* file.read(tail.subarray(filled), { position })
    if (count === 0) break
    filled += count
  }
  return tail.subarray(0, filled)
})

/** Whether the file is as it was when the mark was made, up to the mark. */
const matches = (file: FileSystem.File, mark: Mark) =>
  Effect.map(tailOf(file, mark.length), (tail) => markOf(mark.length, tail).tail === mark.tail)

/**
 * Appends to a file from a mark on: what is behind the mark is cut off. The file must be open for appending: what somebody
 * has cut off is not filled with zeros then, but missed.
 */
const appendFrom = Effect.fnUntraced(function* (path: string, name: string, file: FileSystem.File, mark: Mark) {
  let tail = yield* tailOf(file, mark.length)
  let { length } = mark
  yield* file.truncate(length)
  const now = () => markOf(length, tail)
  return {
    path,
    /** What it is called when it is complete. */
    name,
    mark: now,
    /** Of the file itself, whatever its name. */
    id: idOf(yield* file.stat),
    /** Whether its last bytes are those that were written. */
    isIntact: Effect.suspend(() => matches(file, now())),
    /** Returns when the text is on the disk. Wherever the file ends by then, that is where it goes. */
    append: Effect.fnUntraced(
      function* (text: string) {
        if (text === "") return
        const bytes = new TextEncoder().encode(text)
        yield* file.writeAll(bytes)
        yield* file.sync
        length += bytes.length
        tail = new Uint8Array([...tail, ...bytes.subarray(-tailLength)]).slice(-tailLength)
      },
      Effect.mapError(failed(path))
    )
  }
})

/** A file that is appended to, and its name of the moment. */
export interface AppendFile extends Effect.Success<ReturnType<typeof appendFrom>> {}

export const changed = (path: string, problem: string) => invalid(path, "OutputChanged", problem)

export interface OutputFiles extends ReturnType<typeof make> {}

export const make = (
  fs: FileSystem.FileSystem,
  inspector: FileInspector,
  paths: Effect.Success<ReturnType<typeof locate>>["paths"]
) => {
  const { dirname } = inspector.path

  const sizeOf = Effect.fnUntraced(function* (path: string) {
    const entry = yield* inspector.lstat(path)
    if (entry !== undefined && entry.type !== "File") return yield* unusable(path, "it is not a regular file")
    return entry?.size
  })

  /** Makes names last. Not every system can: then they last as soon as it likes. */
  const syncFolder = (path: string) =>
    Effect.ignore(Effect.scoped(Effect.flatMap(fs.open(path, { flag: "r" }), (folder) => folder.sync)))

  const rename = (from: string, to: string) => Effect.mapError(fs.rename(from, to), failed(to))

  /** Whether a file begins with what was left in it. */
  const hasKept = Effect.fnUntraced(function* (path: string, mark: Mark) {
    if (((yield* sizeOf(path)) ?? -1) < mark.length) return false
    return yield* fs.open(path, { flag: "r" }).pipe(
      Effect.flatMap((file) => matches(file, mark)),
      Effect.scoped,
      Effect.mapError(failed(path, "read"))
    )
  })

  return {
    paths,
    inspector,
    sizeOf,
    hasKept,
    syncFolders: Effect.forEach(new Set([dirname(paths.out), dirname(paths.failures)]), syncFolder, { discard: true }),

    /** Replaces a file in one step: whenever the program is killed, it is one or the other. */
    replace: (path: string, temporary: string, text: string) =>
      Effect.gen(function* () {
        // A crash may have left one.
        yield* fs.remove(temporary, { force: true })
        const file = yield* fs.open(temporary, { flag: "wx" })
        yield* file.writeAll(new TextEncoder().encode(text))
        yield* file.sync
      }).pipe(
        Effect.scoped,
        Effect.andThen(fs.rename(temporary, path)),
        Effect.andThen(syncFolder(dirname(path))),
        Effect.mapError(failed(path))
      ),

    readText: (path: string) => Effect.mapError(fs.readFileString(path), failed(path, "read")),

    /** Opens a file to append to it, with what was left in it. It has its name only when it is complete. */
    openAt: Effect.fnUntraced(function* (path: string, name: string, mark: Mark) {
      if (mark.length === 0) yield* Effect.mapError(fs.remove(path, { force: true }), failed(path))
      else {
        // A crash may come between the last step of a file, its name, and the checkpoint that says so.
        if ((yield* sizeOf(path)) === undefined && (yield* hasKept(name, mark))) yield* rename(name, path)
        const size = yield* sizeOf(path)
        if (size === undefined) return yield* changed(path, "it is gone")
        if (size < mark.length) return yield* changed(path, `it has ${size} bytes where ${mark.length} were saved`)
      }
      const file = yield* Effect.mapError(fs.open(path, { flag: mark.length === 0 ? "ax+" : "a+" }), failed(path))
      if (!(yield* Effect.mapError(matches(file, mark), failed(path, "read")))) {
        return yield* changed(path, "it has been changed since")
      }
      return yield* Effect.mapError(appendFrom(path, name, file, mark), failed(path))
    }),

    /** Gives a complete file its name. */
    complete: (file: AppendFile) => Effect.as(rename(file.path, file.name), { ...file, path: file.name })
  }
}

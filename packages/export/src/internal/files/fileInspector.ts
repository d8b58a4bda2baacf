/**
 * Looks at files: what their names stand for, that those of an export are apart from each other and from what it reads,
 * and whether somebody has tampered with them.
 */
import * as Effect from "effect/Effect"
import type * as FileSystem from "effect/FileSystem"
import * as Option from "effect/Option"
import type * as Path from "effect/Path"
import type { PlatformError } from "effect/PlatformError"
import * as ExportSink from "../../ExportSink.ts"
import type * as Lock from "../../Lock.ts"
import { unusable } from "../refusals.ts"

/** What a name stands for, without following it where it is a symbolic link. */
export interface FileEntry {
  readonly type: "File" | "SymbolicLink" | "Other"
  /** Of the file itself, whatever its name; none where the system has no such thing. */
  readonly id: string | undefined
  /** How many names the file has. */
  readonly names: number
  readonly size: number
}

/** A file system, as far as it must be looked at: undefined is nothing. */
export interface FileInspector {
  readonly lstat: (path: string) => Effect.Effect<FileEntry | undefined, ExportSink.SinkFailed>
  readonly readLink: (path: string) => Effect.Effect<string, ExportSink.SinkFailed>
  readonly realPath: (path: string) => Effect.Effect<string | undefined>
  readonly path: Pick<Path.Path, "basename" | "dirname" | "join" | "relative" | "resolve">
}

export const failed =
  (path: string, operation: "read" | "write" = "write") =>
  (error: PlatformError): ExportSink.SinkFailed =>
    ExportSink.failed(path, operation, error)

export const idOf = ({ dev, ino }: FileSystem.File.Info): string | undefined =>
  Option.getOrUndefined(Option.map(ino, (ino) => `${dev}:${ino}`))

/** By Effect's file system. */
export const make = (fs: FileSystem.FileSystem, path: Path.Path): FileInspector => ({
  lstat: (path) =>
    Effect.matchEffect(fs.lstat(path), {
      onSuccess: (info) =>
        Effect.succeed({
          type: info.type === "File" || info.type === "SymbolicLink" ? info.type : "Other",
          id: idOf(info),
          names: Number(Option.getOrElse(info.nlink, () => 1n)),
          size: Number(info.size)
        }),
      onFailure: (error) =>
        error.reason._tag === "NotFound" ? Effect.undefined : Effect.fail(failed(path, "read")(error))
    }),
  readLink: (path) => Effect.mapError(fs.readLink(path), failed(path, "read")),
  realPath: (path) => Effect.orElseSucceed(fs.realPath(path), () => undefined),
  path
})

/** Fails where somebody has done something to a file since it was seen last. A log of SQLite may have grown. */
export const assertAsLeft = Effect.fnUntraced(function* (
  inspector: FileInspector,
  path: string,
  { id, size }: Pick<FileEntry, "id" | "size">,
  mayGrow = false
) {
  const now = yield* inspector.lstat(path)
  if (now === undefined) return yield* unusable(path, "it has been removed or moved while the export was writing")
  if (now.type !== "File" || now.id !== id) {
    return yield* unusable(path, "it has been replaced while the export was writing")
  }
  if (now.size === size || (mayGrow && now.size > size)) return
  return yield* unusable(path, `it has ${now.size} bytes, where the export had written ${size}`)
})

/** As many symbolic links are followed, one to the next: more of them go in a circle. */
const longestChain = 40

/** The file that a name leads to, whether or not it is there yet. */
export const follow = Effect.fnUntraced(function* (inspector: FileInspector, name: string) {
  const { basename, dirname, join, resolve } = inspector.path
  let path = name
  for (let links = 0; ; links++) {
    const real = yield* inspector.realPath(path)
    if (real !== undefined) return real
    const folder = dirname(resolve(path))
    const entry = yield* inspector.lstat(path)
    if (entry?.type !== "SymbolicLink") return join((yield* inspector.realPath(folder)) ?? folder, basename(path))
    if (links === longestChain) return yield* unusable(path, "its symbolic links lead nowhere")
    path = resolve(folder, yield* inspector.readLink(path))
  }
})

/** What the names of an export's own files end with, beside its output. */
const endings =
  /(?<=[^/\\])(?:\.part|\.checkpoint(?:\.tmp)?|\.failures\.ndjson|\.new|-wal|-shm|-journal|\.lock(?:\.json)?)$/

/** The lock of a file that an export writes: that of the output whose companion it would be. */
const lockOf = (path: string): string => (endings.test(path) ? lockOf(path.replace(endings, "")) : `${path}.lock`)

/** Refuses one file that has two parts, by whatever name. The names must be real. */
const assertApart = Effect.fnUntraced(function* (
  inspector: FileInspector,
  parts: ReadonlyArray<readonly [role: string, path: string]>
) {
  const seen = new Map<string, string>()
  for (const [role, path] of parts) {
    const id = (yield* inspector.lstat(path))?.id
    for (const key of [path, ...(id === undefined ? [] : [`id ${id}`])]) {
      const other = seen.get(key)
      if (other !== undefined && other !== role) return yield* new ExportSink.SameFile({ path, roles: [other, role] })
      seen.set(key, role)
    }
  }
})

/** Refuses what is written in place and is a link, or has other names: writing would change another file. */
const assertPlain = Effect.fnUntraced(function* (inspector: FileInspector, paths: ReadonlyArray<string>) {
  for (const path of paths) {
    const entry = yield* inspector.lstat(path)
    if (entry === undefined) continue
    if (entry.type === "SymbolicLink") return yield* unusable(path, "it is a symbolic link")
    if (entry.type === "Other") return yield* unusable(path, "it is not a regular file")
    if (entry.names > 1) return yield* unusable(path, "it has another name, a hard link: that file would change too")
  }
})

/** What an export writes, by real names. */
interface Written {
  /** All of it, by what it is, in words. */
  readonly parts: Readonly<Record<string, string>>
  /** Of these, what nobody else may write: each has a lock. */
  readonly outputs: ReadonlyArray<string>
  /** Of these, what is written in place. */
  readonly inPlace: ReadonlyArray<string>
}

/**
 * Locks what an export writes until the scope ends, and returns what tells whether it is still locked. Where one of these
 * files is another one of them or an input, it is refused, and nothing is changed.
 */
export const occupy = Effect.fnUntraced(function* (
  inspector: FileInspector,
  acquire: Lock.Acquire,
  { inPlace, outputs, parts }: Written,
  inputs: ReadonlyArray<string> = []
) {
  const read = yield* Effect.forEach(inputs, (input) => follow(inspector, input))
  const locks = [...new Set(outputs.map(lockOf))]
  yield* assertApart(inspector, [
    ...read.map((path) => ["the input", path] as const),
    ...Object.entries(parts),
    ...locks.map((lock) => [`the lock ${lock}`, lock] as const),
    ...locks.map((lock) => [`the owner of the lock ${lock}`, `${lock}.json`] as const)
  ])
  yield* assertPlain(inspector, [...inPlace, ...locks])
  return Effect.all(yield* Effect.forEach(locks, acquire), { discard: true })
})

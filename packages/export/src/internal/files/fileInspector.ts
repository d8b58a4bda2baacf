/** Looks at files: what a name stands for, and whether somebody has tampered with it. Here by Effect's file system. */
import * as Effect from "effect/Effect"
import type * as FileSystem from "effect/FileSystem"
import * as Option from "effect/Option"
import type * as Path from "effect/Path"
import type * as PlatformError from "effect/PlatformError"
import * as ExportSink from "../../ExportSink.ts"
import { problemOfPlatform, reasonOf } from "../fileErrors.ts"

/** What a name stands for, without following it where it is a symbolic link. */
export interface FileEntry {
  readonly type: "File" | "SymbolicLink" | "Other"
  /** Of the file itself, whatever its name; none where the system has no such thing. */
  readonly id: string | undefined
  /** How many names the file has. */
  readonly names: number
  readonly size: number
}

/** A file system, as far as it must be looked at. */
export interface FileInspector {
  readonly lstat: (path: string) => Effect.Effect<Option.Option<FileEntry>, ExportSink.SinkFailed>
  readonly readLink: (path: string) => Effect.Effect<string, ExportSink.SinkFailed>
  /** None where there is nothing. */
  readonly realPath: (path: string) => Effect.Effect<Option.Option<string>>
  readonly path: Pick<Path.Path, "basename" | "dirname" | "join" | "relative" | "resolve">
}

export const failed =
  (path: string, operation: "read" | "write" = "write") =>
  (error: PlatformError.PlatformError): ExportSink.SinkFailed =>
    new ExportSink.SinkFailed({
      path,
      operation,
      reason: reasonOf(error),
      problem: problemOfPlatform(error),
      cause: error
    })

export const idOf = ({ dev, ino }: FileSystem.File.Info): string | undefined =>
  Option.getOrUndefined(Option.map(ino, (ino) => `${dev}:${ino}`))

const entryOf = (info: FileSystem.File.Info): FileEntry => ({
  type: info.type === "File" || info.type === "SymbolicLink" ? info.type : "Other",
  id: idOf(info),
  names: Number(Option.getOrElse(info.nlink, () => 1n)),
  size: Number(info.size)
})

export const make = (fs: FileSystem.FileSystem, path: Path.Path): FileInspector => ({
  lstat: (path) =>
    fs.lstat(path).pipe(
      Effect.map((info) => Option.some(entryOf(info))),
      Effect.catchIf(
        ({ reason }) => reason._tag === "NotFound",
        () => Effect.succeedNone
      ),
      Effect.mapError(failed(path, "read"))
    ),
  readLink: (path) => Effect.mapError(fs.readLink(path), failed(path, "read")),
  realPath: (path) => Effect.option(fs.realPath(path)),
  path
})

/** What somebody has done to a file since it was seen last, if anything. A log of SQLite may have grown. */
export const tamperingOf = (
  now: Option.Option<FileEntry>,
  { id, size }: Pick<FileEntry, "id" | "size">,
  mayGrow = false
): string | undefined => {
  if (Option.isNone(now)) return "it has been removed or moved while the export was writing"
  if (now.value.type !== "File" || now.value.id !== id) return "it has been replaced while the export was writing"
  return now.value.size === size || (mayGrow && now.value.size > size)
    ? undefined
    : `it has ${now.value.size} bytes, where the export had written ${size}`
}

/** Files, looked at by Effect's file system. */
import * as Effect from "effect/Effect"
import type * as FileSystem from "effect/FileSystem"
import * as Option from "effect/Option"
import type * as Path from "effect/Path"
import type * as PlatformError from "effect/PlatformError"
import * as Sink from "../Sink.ts"
import type * as Place from "./place.ts"
import { problemOf } from "./platform.ts"

export const failed =
  (path: string, operation: "read" | "write" = "write") =>
  (error: PlatformError.PlatformError): Sink.SinkFailed =>
    new Sink.SinkFailed({ path, operation, problem: problemOf(error), cause: error })

export const idOf = ({ dev, ino }: FileSystem.File.Info): string | undefined =>
  Option.getOrUndefined(Option.map(ino, (ino) => `${dev}:${ino}`))

const entryOf = (info: FileSystem.File.Info): Place.Entry => ({
  type: info.type === "File" || info.type === "SymbolicLink" ? info.type : "Other",
  id: idOf(info),
  names: Number(Option.getOrElse(info.nlink, () => 1n)),
  size: Number(info.size)
})

export const look = (fs: FileSystem.FileSystem, path: Path.Path): Place.Look => ({
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

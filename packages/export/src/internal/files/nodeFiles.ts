/** Files, looked at with Node's own functions: what these throw is a failure of the sink. Node only. */
import * as Effect from "effect/Effect"
import * as Fs from "node:fs"
import * as Path from "node:path"
import * as ExportSink from "../../ExportSink.ts"
import type { FileEntry, FileInspector } from "./fileInspector.ts"

const attemptTo =
  (operation: "read" | "write") =>
  <A>(path: string, run: () => A): Effect.Effect<A, ExportSink.SinkFailed> =>
    Effect.try({ try: run, catch: (cause) => ExportSink.failed(path, operation, cause) })

/** Runs what throws where the file fails. */
export const attempt = attemptTo("write")

/** The same for what only reads. */
export const attemptRead = attemptTo("read")

/** What a name stands for. Throws. */
export const lstat = (path: string): FileEntry | undefined => {
  const stat = Fs.lstatSync(path, { bigint: true, throwIfNoEntry: false })
  return (
    stat && {
      type: stat.isFile() ? "File" : stat.isSymbolicLink() ? "SymbolicLink" : "Other",
      id: `${stat.dev}:${stat.ino}`,
      names: Number(stat.nlink),
      size: Number(stat.size)
    }
  )
}

export const nodeFiles: FileInspector = {
  lstat: (path) => attemptRead(path, () => lstat(path)),
  readLink: (path) => attemptRead(path, () => Fs.readlinkSync(path)),
  realPath: (path) =>
    Effect.orElseSucceed(
      attemptRead(path, () => Fs.realpathSync(path)),
      () => undefined
    ),
  path: Path
}

/** Which file a name stands for, if any. */
export const idAt = (path: string): Effect.Effect<string | undefined, ExportSink.SinkFailed> =>
  Effect.map(nodeFiles.lstat(path), (entry) => entry?.id)

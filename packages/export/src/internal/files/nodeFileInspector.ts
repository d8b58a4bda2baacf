/** Files, looked at with Node's own functions. Node only. */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Fs from "node:fs"
import * as Path from "node:path"
import { attemptRead } from "../sqlite/sqliteErrors.ts"
import type { FileEntry, FileInspector } from "./fileInspector.ts"

/** What a name stands for. Throws. */
export const lstat = (path: string): Option.Option<FileEntry> => {
  const stat = Fs.lstatSync(path, { bigint: true, throwIfNoEntry: false })
  return stat === undefined
    ? Option.none()
    : Option.some({
        type: stat.isFile() ? "File" : stat.isSymbolicLink() ? "SymbolicLink" : "Other",
        id: `${stat.dev}:${stat.ino}`,
        names: Number(stat.nlink),
        size: Number(stat.size)
      })
}

export const nodeFileInspector: FileInspector = {
  lstat: (path) => attemptRead(path, () => lstat(path)),
  readLink: (path) => attemptRead(path, () => Fs.readlinkSync(path)),
  realPath: (path) => Effect.option(attemptRead(path, () => Fs.realpathSync(path))),
  path: Path
}

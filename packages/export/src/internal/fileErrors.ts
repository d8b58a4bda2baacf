/** What went wrong with a file, in a few words: what the codes of the system and of SQLite mean. */
import type * as PlatformError from "effect/PlatformError"
import * as Predicate from "effect/Predicate"
import * as Schema from "effect/Schema"

/** What can be told apart for advice. */
export const Reason = Schema.TaggedUnion({
  Damaged: {},
  DeviceFailed: {},
  Locked: {},
  NoDatabase: {},
  NoSpace: {},
  PermissionDenied: {},
  ReadOnlyFileSystem: {},
  TooManyOpenFiles: {},
  Unreachable: {},
  Unknown: {}
})

export type Reason = typeof Reason.Type

export interface Meaning {
  readonly problem: string
  readonly reason?: Reason["_tag"]
}

/** Of a runtime without `node:sqlite`, or with one that opens nothing, as on Cloudflare. */
export const withoutSqlite = "this runtime has no SQLite to lock it by; see Lock of the export"

const system: Readonly<Record<string, Meaning>> = {
  EACCES: { problem: "permission denied", reason: "PermissionDenied" },
  EPERM: { problem: "permission denied", reason: "PermissionDenied" },
  EROFS: { problem: "the file system is read-only", reason: "ReadOnlyFileSystem" },
  ENOENT: { problem: "no such file or folder" },
  ENOTDIR: { problem: "a part of the path is no folder" },
  EISDIR: { problem: "it is a folder" },
  ENOSPC: { problem: "no space left on the device", reason: "NoSpace" },
  EDQUOT: { problem: "the disk quota is used up", reason: "NoSpace" },
  EFBIG: { problem: "the file would be larger than the system allows", reason: "NoSpace" },
  EIO: { problem: "the device failed" },
  EMFILE: { problem: "too many open files", reason: "TooManyOpenFiles" },
  EEXIST: { problem: "it exists already" }
}

/** SQLite's primary result codes. */
const sqlite: Readonly<Record<number, Meaning>> = {
  5: { problem: "another program keeps it locked", reason: "Locked" },
  6: { problem: "another program keeps it locked", reason: "Locked" },
  8: { problem: "it is read-only", reason: "PermissionDenied" },
  10: { problem: "the device failed, or has no more room", reason: "DeviceFailed" },
  11: { problem: "the database is damaged", reason: "Damaged" },
  13: { problem: "no space left on the device", reason: "NoSpace" },
  14: { problem: "it cannot be opened: the folder may be read-only", reason: "PermissionDenied" },
  22: { problem: "the file system has no locks" },
  23: { problem: "permission denied", reason: "PermissionDenied" },
  26: { problem: "it is no SQLite database", reason: "NoDatabase" }
}

/** Extended ones: a lock could not be read, taken or looked for. */
const withoutLocks: ReadonlySet<number> = new Set([10 | (9 << 8), 10 | (15 << 8), 10 | (14 << 8)])

/** SQLite's name of an error; 0 where there is none. */
export const errcodeOf = (error: unknown): number =>
  Predicate.hasProperty(error, "errcode") && typeof error.errcode === "number" ? error.errcode : 0

/** The system's name of an error, for example `ENOSPC`. */
export const codeOf = (error: unknown): string | undefined =>
  Predicate.hasProperty(error, "code") && typeof error.code === "string" ? error.code : undefined

const meaningOf = (error: unknown): Meaning | undefined => {
  // Deno was not allowed to, and says which flag would.
  if (error instanceof Error && error.name === "NotCapable") {
    return { problem: error.message, reason: "PermissionDenied" }
  }
  const errcode = errcodeOf(error)
  if (withoutLocks.has(errcode)) return { problem: "the file system has no locks" }
  const code = codeOf(error)
  return sqlite[errcode & 255] ?? (code === undefined ? undefined : (system[code] ?? { problem: code }))
}

/** In words. */
export const problemOf = (error: unknown): string => meaningOf(error)?.problem ?? String(error)

/** The same of an error of Effect's file system. */
export const problemOfPlatform = ({ reason }: PlatformError.PlatformError): string => {
  const known = "cause" in reason ? meaningOf(reason.cause) : undefined
  return known?.problem ?? (reason._tag === "NotFound" ? "no such file or folder" : reason.message)
}

/** Why, however deep the cause is. */
export const reasonOf = (error: unknown): Reason => {
  const meaning = meaningOf(error)
  if (meaning !== undefined) return { _tag: meaning.reason ?? "Unknown" }
  const inner = Predicate.hasProperty(error, "reason") ? error.reason : error
  return Predicate.hasProperty(inner, "cause") ? reasonOf(inner.cause) : { _tag: "Unknown" }
}

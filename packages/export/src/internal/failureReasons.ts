/** What went wrong with a file or a database: what the codes of the system, of SQLite and of PostgreSQL mean. */
import { PlatformError } from "effect/PlatformError"
import * as Predicate from "effect/Predicate"
import * as Schema from "effect/Schema"
import type * as SqlError from "effect/sql/SqlError"

/**
 * What to see to when reading or writing failed.
 *
 * @category errors
 * @since 0.1.0
 */
export const FailureReason = Schema.TaggedUnion({
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

/**
 * One of the reasons.
 *
 * @category errors
 * @since 0.1.0
 */
export type FailureReason = typeof FailureReason.Type

/** In a few words, and for advice: left out, that is `Unknown`. */
interface Meaning {
  readonly problem: string
  readonly reason?: FailureReason["_tag"]
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

/** PostgreSQL's codes, or the beginning of them. */
const postgres: Readonly<Record<string, Meaning>> = {
  "25006": { problem: "the database is read-only", reason: "PermissionDenied" },
  "3D": { problem: "there is no such database", reason: "NoDatabase" },
  "3F": { problem: "there is no export in the database", reason: "NoDatabase" },
  "42P01": { problem: "there is no export in the database", reason: "NoDatabase" },
  "53100": { problem: "the database has no space left", reason: "NoSpace" },
  "53300": { problem: "the database takes no more connections", reason: "Unreachable" },
  "57P": { problem: "the database has ended the connection, or is not ready", reason: "Unreachable" },
  "58": { problem: "the database's device failed", reason: "DeviceFailed" },
  XX001: { problem: "the database is damaged", reason: "Damaged" },
  XX002: { problem: "the database is damaged", reason: "Damaged" }
}

const unreachable: Meaning = { problem: "the database cannot be reached", reason: "Unreachable" }
const denied: Meaning = { problem: "permission denied by the database", reason: "PermissionDenied" }
const locked: Meaning = { problem: "another program keeps the database locked", reason: "Locked" }

/** What Effect makes of PostgreSQL's other codes. */
const sqlReasons: Readonly<Partial<Record<SqlError.SqlErrorReason["_tag"], Meaning>>> = {
  AuthenticationError: denied,
  AuthorizationError: denied,
  ConnectionError: unreachable,
  DeadlockError: locked,
  LockTimeoutError: locked
}

/** SQLite's name of an error; 0 where there is none. */
const errcodeOf = (error: unknown): number =>
  Predicate.hasProperty(error, "errcode") && typeof error.errcode === "number" ? error.errcode : 0

/** Whether somebody else has locked a SQLite file. Deno has only the message. */
export const isBusy = (error: unknown): boolean =>
  (errcodeOf(error) & 255) === 5 || (error instanceof Error && error.message === "database is locked")

/** Whether it is no SQLite database at all. */
export const isNoDatabase = (error: unknown): boolean => (errcodeOf(error) & 255) === 26

/** Whether it is a SQLite database in part only. */
export const isDamaged = (error: unknown): boolean => (errcodeOf(error) & 255) === 11

/** The system's name of an error, for example `ENOSPC`, or PostgreSQL's. */
export const codeOf = (error: unknown): string | undefined =>
  Predicate.hasProperty(error, "code") && typeof error.code === "string" ? error.code : undefined

const known = (error: unknown): Meaning | undefined => {
  // Deno was not allowed to, and says which flag would.
  if (error instanceof Error && error.name === "NotCapable") {
    return { problem: error.message, reason: "PermissionDenied" }
  }
  const errcode = errcodeOf(error)
  if (withoutLocks.has(errcode)) return { problem: "the file system has no locks" }
  const code = codeOf(error)
  return sqlite[errcode & 255] ?? (code === undefined ? undefined : (system[code] ?? { problem: code }))
}

/** Why, however deep the cause is. */
const reasonOf = (error: unknown): FailureReason => {
  const meaning = known(error)
  if (meaning !== undefined) return { _tag: meaning.reason ?? "Unknown" }
  const inner = Predicate.hasProperty(error, "reason") ? error.reason : error
  return Predicate.hasProperty(inner, "cause") ? reasonOf(inner.cause) : { _tag: "Unknown" }
}

const problemOf = (error: unknown): string => {
  if (!(error instanceof PlatformError)) return known(error)?.problem ?? String(error)
  const { _tag, cause, message } = error.reason
  return known(cause)?.problem ?? (_tag === "NotFound" ? "no such file or folder" : message)
}

/** What an error of the system, of SQLite or of Effect's file system means. */
export const meaningOf = (error: unknown) => ({ problem: problemOf(error), reason: reasonOf(error) })

/** The same of an error of PostgreSQL. */
export const meaningOfSql = ({ message, reason: { _tag, cause } }: SqlError.SqlError) => {
  const code = codeOf(cause) ?? ""
  const { problem, reason = "Unknown" }: Meaning = postgres[code] ??
    postgres[code.slice(0, 3)] ??
    postgres[code.slice(0, 2)] ??
    sqlReasons[_tag] ?? { problem: Predicate.isError(cause) ? cause.message : message }
  return { problem, reason: { _tag: reason } }
}

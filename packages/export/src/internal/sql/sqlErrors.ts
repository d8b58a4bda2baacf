/** What went wrong with a database, in a few words: what the codes of PostgreSQL mean. */
import * as Predicate from "effect/Predicate"
import type * as SqlError from "effect/sql/SqlError"
import * as ExportSink from "../../ExportSink.ts"
import { codeOf, type Meaning } from "../fileErrors.ts"

/** By the database's code, or the beginning of it. */
const codes: Readonly<Record<string, Meaning>> = {
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

/** By what Effect makes of the code. */
const reasons: Readonly<Partial<Record<SqlError.SqlErrorReason["_tag"], Meaning>>> = {
  AuthenticationError: denied,
  AuthorizationError: denied,
  ConnectionError: unreachable,
  DeadlockError: locked,
  LockTimeoutError: locked
}

const meaningOf = (error: SqlError.SqlError): Meaning => {
  const { reason } = error
  const code = codeOf(reason.cause) ?? ""
  const known = codes[code] ?? codes[code.slice(0, 3)] ?? codes[code.slice(0, 2)] ?? reasons[reason._tag]
  if (known !== undefined) return known
  return { problem: Predicate.isError(reason.cause) ? reason.cause.message : error.message }
}

/** The error of a sink whose database failed. */
export const failed = (path: string, operation: "read" | "write", cause: SqlError.SqlError): ExportSink.SinkFailed => {
  const { problem, reason = "Unknown" } = meaningOf(cause)
  return new ExportSink.SinkFailed({ path, operation, reason: { _tag: reason }, problem, cause })
}

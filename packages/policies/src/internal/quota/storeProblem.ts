/** Why the store of a shared quota gave no answer, in its own words. */
import * as Predicate from "effect/Predicate"
import type * as SqlError from "effect/sql/SqlError"
import type { QuotaUnavailable } from "../../PolicyError.ts"
import type { StoreUnavailable } from "./store.ts"

/** The innermost cause that says something: what is around it only says that a command failed. */
const textOf = (cause: unknown): string => {
  let text = ""
  const seen = new Set<unknown>()
  for (let at = cause; Predicate.isObject(at) && !seen.has(at);) {
    seen.add(at)
    const message = Predicate.hasProperty(at, "message") ? at.message : undefined
    const code = Predicate.hasProperty(at, "code") ? at.code : undefined
    // A connection that was tried by several addresses has a code, and no message.
    const said = [message, code].find((one) => typeof one === "string" && one !== "")
    if (typeof said === "string") text = said
    at = Predicate.hasProperty(at, "cause") ? at.cause : undefined
  }
  return text === "" ? (typeof cause === "string" ? cause : "no reason given") : text
}

/** On one line, short, and without the credentials of a URL. */
const clean = (text: string): string => {
  const line = text
    .slice(0, 4000)
    .replaceAll(/\/\/[^/\s]*@/gu, "//<redacted>@")
    .replaceAll(/[\p{Cc}\s]+/gu, " ")
    .trim()
  return line.length > 200 ? `${line.slice(0, 200)}…` : line
}

/** What an answer of Redis begins with that is an error. */
const errorCode = /^([A-Z][A-Z0-9]{2,})(?: |$)/

/** Answers that concern everybody who asks, and pass: Redis starts, fails over, is busy, or has no room. */
const passing = new Set([
  "BUSY",
  "CLUSTERDOWN",
  "LOADING",
  "MASTERDOWN",
  "MISCONF",
  "NOREPLICAS",
  "OOM",
  "READONLY",
  "TRYAGAIN"
])

/** What a failed command of Redis says of it. */
export const ofRedis = (cause: unknown): Pick<StoreUnavailable, "reason" | "problem"> => {
  const problem = clean(textOf(cause))
  const code = errorCode.exec(problem)?.[1]
  return { problem, reason: { _tag: code === undefined ? "NoAnswer" : passing.has(code) ? "Refused" : "Denied" } }
}

/** The SQLSTATE of what failed, if PostgreSQL has answered. */
export const sqlState = ({ reason: { cause } }: SqlError.SqlError): string | undefined =>
  Predicate.hasProperty(cause, "code") && typeof cause.code === "string" && /^[0-9A-Z]{5}$/.test(cause.code)
    ? cause.code
    : undefined

/**
 * Answers that concern everybody who asks, and pass: a server that takes no writes, starts, ends, or fails, or has no room
 * or no connection left.
 */
const passingState = /^(?:25006|53|55|57|58)/

/** What a failed statement says of the database. */
export const ofSql = (error: SqlError.SqlError): Pick<StoreUnavailable, "reason" | "problem"> => {
  const problem = clean(textOf(error))
  switch (error.reason._tag) {
    case "ConnectionError":
      return { problem, reason: { _tag: "NoAnswer" } }
    case "DeadlockError":
    case "LockTimeoutError":
    case "SerializationError":
    case "StatementTimeoutError":
      return { problem, reason: { _tag: "Refused" } }
    default:
      return { problem, reason: { _tag: passingState.test(sqlState(error) ?? "") ? "Refused" : "Denied" } }
  }
}

/** What somebody else's store said. */
export const ofStore = ({
  cause,
  problem,
  reason
}: StoreUnavailable): Pick<QuotaUnavailable, "reason" | "problem"> => ({
  reason,
  problem: clean(problem ?? textOf(cause))
})

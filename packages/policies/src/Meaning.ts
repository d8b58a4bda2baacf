/**
 * What a failure means to the policies, as data: the client of an API says it once for each of its errors.
 *
 * @since 0.1.0
 */
import * as Duration from "effect/Duration"
import type * as CircuitBreaker from "./CircuitBreaker.ts"
import { AttemptTimedOut, CircuitOpen, DeadlineExceeded, type PolicyError, QuotaUnavailable } from "./PolicyError.ts"
import type * as Quota from "./Quota.ts"
import type * as RetryPolicy from "./RetryPolicy.ts"

/**
 * What a failure means.
 *
 * @category models
 * @since 0.1.0
 */
export interface Meaning {
  /** Which schedule of the retry policy is for it; `undefined` where the same call would fail again, or has no time. */
  readonly retry: RetryPolicy.Kind | undefined
  /**
   * The least wait before that, where it is known. Of a service that has answered, it is for every call of the key: the
   * quota gives nobody a permit for so long.
   */
  readonly retryAfter?: Duration.Duration
  /** How the quota counts the attempt. */
  readonly count: Quota.Outcome
  /** What it says of the host's health. */
  readonly host: CircuitBreaker.Health
  /** Whether the time that was sent may be why, so that the same call, with the clock corrected, may succeed at once. */
  readonly mayBeClock?: boolean
}

/**
 * The service answered, so its host is well: a rejection is the sign of a healthy host, too.
 *
 * @example
 * ```ts
 * import { Meaning } from "@effect-zim/policies"
 *
 * Meaning.answered("rateLimit") // the quota counts a rejection, and the host is well
 * Meaning.answered() // the same call would fail again
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const answered = (retry?: RetryPolicy.Kind): Meaning => ({
  retry,
  count: retry === "rateLimit" ? "Rejected" : "Answered",
  host: "Well"
})

/**
 * Nothing was sent, and the same call would not be sent either.
 *
 * @category constants
 * @since 0.1.0
 */
export const unsent: Meaning = { retry: undefined, count: "NotSent", host: "Unclear" }

/**
 * Sent, perhaps, and given up for a reason that is not the host's.
 *
 * @category constants
 * @since 0.1.0
 */
export const abandoned: Meaning = { ...unsent, count: "Abandoned" }

/**
 * The host did not answer.
 *
 * @category constants
 * @since 0.1.0
 */
export const noAnswer: Meaning = { ...abandoned, retry: "transport", host: "Ill" }

/** No gateway means a longer wait than an hour, in milliseconds. */
const longestWait = 3_600_000

/** One of the three forms that HTTP has for a date, in milliseconds; `NaN` for anything else that `Date.parse` reads. */
const millisOfDate = (text: string): number =>
  /^(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)[a-z]*,? [\w: -]+$/.test(text)
    ? Date.parse(text.endsWith(" GMT") ? text : `${text} GMT`)
    : Number.NaN

/**
 * How long an answer asks to wait, by its `Retry-After` header: a number of seconds, or a date. A date counts from the
 * `Date` of the same answer, or else from `now`, in milliseconds since the epoch: this machine's clock may be wrong. What
 * is neither, has passed, or is more than an hour away is ignored.
 *
 * @example
 * ```ts
 * import { Meaning } from "@effect-zim/policies"
 *
 * Meaning.retryAfterOf("120", { now: Date.now() }) // 2 minutes
 * Meaning.retryAfterOf("soon", { now: Date.now() }) // undefined
 * ```
 *
 * @category converting
 * @since 0.1.0
 */
export const retryAfterOf = (
  header: string | undefined,
  answered: { readonly date?: string | undefined; readonly now: number }
): Duration.Duration | undefined => {
  if (header === undefined) return undefined
  const text = header.trim()
  const from = millisOfDate(answered.date ?? "")
  const millis = /^\d+(?:\.\d+)?$/.test(text)
    ? Number(text) * 1000
    : millisOfDate(text) - (Number.isNaN(from) ? answered.now : from)
  return millis >= 0 && millis <= longestWait ? Duration.millis(Math.ceil(millis)) : undefined
}

const transientStatus: ReadonlySet<number> = new Set([408, 425, 500, 502, 503, 504])

/**
 * An answer that says no more than its HTTP status and, where it does, how long to wait.
 *
 * @example
 * ```ts
 * import { Meaning } from "@effect-zim/policies"
 *
 * Meaning.ofStatus(503) // transient, from a host that is ill
 * Meaning.ofStatus(429, Meaning.retryAfterOf("30", { now: Date.now() })) // rejected, for 30 seconds
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const ofStatus = (status: number, retryAfter?: Duration.Duration): Meaning => ({
  ...answered(status === 429 ? "rateLimit" : transientStatus.has(status) ? "transient" : undefined),
  host: status >= 500 ? "Ill" : "Unclear",
  ...(retryAfter === undefined ? {} : { retryAfter })
})

/**
 * What the policies' own errors mean.
 *
 * @example
 * ```ts
 * import { Meaning, type PolicyError } from "@effect-zim/policies"
 *
 * // What a failure means, for an API with an error of its own.
 * const meaningOf = (error: PolicyError | Error): Meaning.Meaning =>
 *   Meaning.isPolicyError(error) ? Meaning.ofPolicyError(error) : Meaning.answered()
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const ofPolicyError = (error: PolicyError): Meaning => {
  switch (error._tag) {
    case "AttemptTimedOut":
      return noAnswer
    case "CircuitOpen":
      return { ...unsent, retry: "circuit", retryAfter: error.retryAfter }
    // How much time a call has left says nothing about the host.
    case "DeadlineExceeded":
      return abandoned
    case "QuotaUnavailable":
      return error.reason._tag === "Denied" ? unsent : { ...unsent, retry: "transport" }
  }
}

/**
 * Whether an error is one of the policies' own.
 *
 * @example
 * ```ts
 * import { Meaning } from "@effect-zim/policies"
 *
 * const isOurs = (error: unknown): boolean => !Meaning.isPolicyError(error)
 * ```
 *
 * @category errors
 * @since 0.1.0
 */
export const isPolicyError = (error: unknown): error is PolicyError =>
  error instanceof AttemptTimedOut ||
  error instanceof CircuitOpen ||
  error instanceof DeadlineExceeded ||
  error instanceof QuotaUnavailable

/**
 * What a failure means to the policies, as data: the client of an API says it once for each of its errors.
 *
 * @since 0.1.0
 */
import type * as Duration from "effect/Duration"
import type * as CircuitBreaker from "./CircuitBreaker.ts"
import { AttemptTimedOut, CircuitOpen, DeadlineExceeded, type PolicyError, QuotaUnavailable } from "./PolicyError.ts"
import type * as Quota from "./Quota.ts"
import type * as RetryPolicy from "./RetryPolicy.ts"

/**
 * What a failure means.
 *
 * @since 0.1.0
 */
export interface Meaning {
  /** Which schedule of the retry policy is for it; `undefined` where the same call would fail again, or has no time. */
  readonly retry: RetryPolicy.Kind | undefined
  /** The least wait before that, where it is known. */
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
 * @since 0.1.0
 */
export const unsent: Meaning = { retry: undefined, count: "NotSent", host: "Unclear" }

/**
 * Sent, perhaps, and given up for a reason that is not the host's.
 *
 * @since 0.1.0
 */
export const abandoned: Meaning = { ...unsent, count: "Abandoned" }

/**
 * The host did not answer.
 *
 * @since 0.1.0
 */
export const noAnswer: Meaning = { ...abandoned, retry: "transport", host: "Ill" }

const transientStatus: ReadonlySet<number> = new Set([408, 425, 500, 502, 503, 504])

/**
 * An answer that says no more than its HTTP status.
 *
 * @example
 * ```ts
 * import { Meaning } from "@effect-zim/policies"
 *
 * Meaning.ofStatus(503) // transient, from a host that is ill
 * Meaning.ofStatus(429) // rejected by the quota
 * ```
 *
 * @since 0.1.0
 */
export const ofStatus = (status: number): Meaning => ({
  ...answered(status === 429 ? "rateLimit" : transientStatus.has(status) ? "transient" : undefined),
  host: status >= 500 ? "Ill" : "Unclear"
})

/**
 * What the policies' own errors mean.
 *
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
      return error.reason === "Denied" ? unsent : { ...unsent, retry: "transport" }
  }
}

/**
 * Whether an error is one of the policies' own.
 *
 * @since 0.1.0
 */
export const isPolicyError = (error: unknown): error is PolicyError =>
  error instanceof AttemptTimedOut ||
  error instanceof CircuitOpen ||
  error instanceof DeadlineExceeded ||
  error instanceof QuotaUnavailable

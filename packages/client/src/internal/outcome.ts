/** What the end of an attempt says about the service: about its count of the calls, and about its health. */
import { ServiceError } from "@effect-zim/protocol"
import * as Exit from "effect/Exit"
import * as Option from "effect/Option"
import type { Health } from "../Breaker.ts"
import type { AttemptError } from "../ClientError.ts"
import type { Outcome } from "../Quota.ts"

type Failure = AttemptError<ServiceError.ServiceError>

const countOf = (error: Failure): Outcome => {
  switch (error._tag) {
    case "CircuitOpen":
    case "QuotaUnavailable":
      return "NotSent"
    case "TransportFailed":
    case "ClientClosed":
    case "AttemptTimedOut":
    case "DeadlineExceeded":
      return "Abandoned"
    case "ResponseUnreadable":
      return error.reason === "HttpStatus" && error.status === 429 ? "Rejected" : "Answered"
    default:
      return ServiceError.isRateLimit(error) ? "Rejected" : "Answered"
  }
}

/** What the service has counted. */
export const count = (exit: Exit.Exit<unknown, Failure>): Outcome => {
  if (Exit.isSuccess(exit)) return "Answered"
  const error = Exit.findErrorOption(exit)
  return Option.isSome(error) ? countOf(error.value) : "Abandoned"
}

/**
 * Whether the attempt found the host ill: it did not answer, or answered that it cannot. A rejection or a refusal is a
 * healthy answer; whether a failed query was the host's fault or the user's data's is anybody's guess.
 */
export const health = (exit: Exit.Exit<unknown, Failure>): Health => {
  if (Exit.isSuccess(exit)) return "Well"
  const error = Exit.findErrorOption(exit)
  return Option.isSome(error) ? healthOf(error.value) : "Unclear"
}

/** Whether it is worth turning to another host. */
export const isIll = (error: Failure): boolean => healthOf(error) === "Ill"

const healthOf = (error: Failure): Health => {
  switch (error._tag) {
    case "CircuitOpen":
    case "QuotaUnavailable":
    case "QueryFailed":
    case "ClientClosed":
    // How much time a call has left says nothing about the host.
    case "DeadlineExceeded":
      return "Unclear"
    case "TransportFailed":
    case "AttemptTimedOut":
    case "ServiceFailed":
      return "Ill"
    case "ResponseUnreadable":
      return error.reason === "HttpStatus" && error.status >= 500 ? "Ill" : "Unclear"
    default:
      return "Well"
  }
}

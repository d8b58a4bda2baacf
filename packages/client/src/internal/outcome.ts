/** What the end of an attempt says about the service: about its count of the calls, and about its health. */
import type { ServiceError } from "@effect-zim/protocol"
import * as Exit from "effect/Exit"
import * as Option from "effect/Option"
import type { CircuitBreaker, Quota } from "@effect-zim/policies"
import { type AttemptError, traits } from "../ClientError.ts"

type Attempt = Exit.Exit<unknown, AttemptError<ServiceError.ServiceError>>

/** What the service has counted. */
export const count = (exit: Attempt): Quota.Outcome => {
  if (Exit.isSuccess(exit)) return "Answered"
  const error = Exit.findErrorOption(exit)
  return Option.isSome(error) ? traits(error.value).count : "Abandoned"
}

/** Whether the attempt found the host ill: it did not answer, or answered that it cannot. */
export const health = (exit: Attempt): CircuitBreaker.Health => {
  if (Exit.isSuccess(exit)) return "Well"
  const error = Exit.findErrorOption(exit)
  return Option.isSome(error) ? traits(error.value).host : "Unclear"
}

/** What an attempt's end says about the service's count of its calls. */
import { ServiceError } from "@effect-zim/protocol"
import * as Exit from "effect/Exit"
import * as Option from "effect/Option"
import type { CallError } from "../ClientError.ts"
import type { Outcome } from "../Quota.ts"

type AttemptError = CallError<ServiceError.ServiceError>

const ofError = (error: AttemptError): Outcome => {
  switch (error._tag) {
    case "TransportFailed":
    case "AttemptTimedOut":
    case "DeadlineExceeded":
    case "RequestInvalid":
      return "Abandoned"
    case "ResponseUnreadable":
      return error.reason === "HttpStatus" && error.status === 429 ? "Rejected" : "Answered"
    default:
      return ServiceError.isRateLimit(error) ? "Rejected" : "Answered"
  }
}

export const ofExit = (exit: Exit.Exit<unknown, AttemptError>): Outcome => {
  if (Exit.isSuccess(exit)) return "Answered"
  const error = Exit.findErrorOption(exit)
  return Option.isSome(error) ? ofError(error.value) : "Abandoned"
}

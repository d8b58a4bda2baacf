/** The state of one call: what its errors, its retries and its telemetry need to know of it. */
import { Call } from "@effect-zim/policies"

export class CallState extends Call.Call {
  /** The endpoint to try first: moves on when one fails. */
  endpoint = 0
  /** The offset of the service's clock that the last attempt was signed with, in milliseconds. */
  signedOffset = 0
  /** What the last answer said, as far as it did. */
  answer: { readonly status: number; readonly code?: number; readonly requestId?: string | undefined } | undefined
}

/**
 * An error that may be kept for long. Until its stack is read, it refers to all that the functions on the stack refer to:
 * the whole answer, for one.
 */
export const keepable = <E extends Error>(error: E): E => {
  Reflect.get(error, "stack")
  return error
}

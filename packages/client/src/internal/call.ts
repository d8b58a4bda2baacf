/** The state of one call: what its errors, its retries and its telemetry need to know of it. */
import type { ServiceError } from "@effect-zim/protocol"
import type * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import { DeadlineExceeded } from "../ClientError.ts"

export interface Call {
  readonly action: string
  readonly clock: Clock.Clock
  readonly startedAt: bigint
  /** The time the call has as a whole. */
  readonly deadline: Duration.Duration
  /** Requests sent so far. */
  attempts: number
  /** The endpoint to try first: moves on when one fails. */
  endpoint: number
  /** The offset of the service's clock that the last attempt was signed with, in milliseconds. */
  signedOffset: number
  /** What the last attempt failed with. */
  lastFailure: { readonly _tag: string } | undefined
  /** What the last answer said, as far as it did. */
  answer: { readonly status: number; readonly code?: number; readonly requestId?: string | undefined } | undefined
}

export const start = (action: string, clock: Clock.Clock, deadline: Duration.Duration): Call => ({
  action,
  clock,
  startedAt: clock.monotonicTimeNanosUnsafe(),
  deadline,
  attempts: 0,
  endpoint: 0,
  signedOffset: 0,
  lastFailure: undefined,
  answer: undefined
})

/** Milliseconds since the call began. */
export const elapsedMillis = (call: Call): number =>
  Number(call.clock.monotonicTimeNanosUnsafe() - call.startedAt) / 1e6

/** In whole milliseconds: nobody reads more in an error. */
export const elapsed = (call: Call): Duration.Duration => Duration.millis(Math.floor(elapsedMillis(call)))

/** What every error says about the call. */
export const describe = (call: Call): Pick<ServiceError.Details, "action" | "attempts" | "elapsed"> => ({
  action: call.action,
  attempts: call.attempts,
  elapsed: elapsed(call)
})

/**
 * An error that may be kept for long. Until its stack is read, it refers to all that the functions on the stack refer to:
 * the whole answer, for one.
 */
export const keepable = <E extends Error>(error: E): E => {
  Reflect.get(error, "stack")
  return error
}

/** The time left until the deadline. */
export const timeLeft = (call: Call): Duration.Duration =>
  Duration.millis(Math.max(0, Duration.toMillis(call.deadline) - elapsedMillis(call)))

/** The error of a call that is late, or will be: then `needed` is what the next step would have taken. */
export const deadlineExceeded = (call: Call, needed?: Duration.Duration): DeadlineExceeded =>
  new DeadlineExceeded({
    ...describe(call),
    deadline: call.deadline,
    ...(needed === undefined ? {} : { needed }),
    ...(call.lastFailure === undefined ? {} : { cause: call.lastFailure })
  })

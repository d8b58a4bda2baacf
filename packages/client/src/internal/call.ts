/** The state of one call: what its errors, its retries and its telemetry need to know of it. */
import type { ServiceError } from "@effect-zim/protocol"
import type * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"

export interface Call {
  readonly action: string
  readonly clock: Clock.Clock
  readonly startedAt: bigint
  /** Requests sent so far. */
  attempts: number
  /** The endpoint to try first: moves on when one fails. */
  endpoint: number
  /** The offset of the service's clock that the last attempt was signed with, in milliseconds. */
  signedOffset: number
  /** What the last answer said, as far as it did. */
  answer: { readonly status: number; readonly code?: number; readonly requestId?: string | undefined } | undefined
}

export const start = (action: string, clock: Clock.Clock): Call => ({
  action,
  clock,
  startedAt: clock.monotonicTimeNanosUnsafe(),
  attempts: 0,
  endpoint: 0,
  signedOffset: 0,
  answer: undefined
})

/** In whole milliseconds: nobody reads more in an error. */
export const elapsed = (call: Call): Duration.Duration =>
  Duration.millis(Number((call.clock.monotonicTimeNanosUnsafe() - call.startedAt) / 1_000_000n))

/** What every error says about the call. */
export const describe = (call: Call): Pick<ServiceError.Answer, "action" | "attempts" | "elapsed"> => ({
  action: call.action,
  attempts: call.attempts,
  elapsed: elapsed(call)
})

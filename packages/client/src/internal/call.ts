/** The state of one call: what its errors say about it. */
import type { ServiceError } from "@effect-zim/protocol"
import type * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"

export interface Call {
  readonly action: string
  readonly startedAt: bigint
  attempts: number
}

export const start = (action: string, clock: Clock.Clock): Call => ({
  action,
  startedAt: clock.monotonicTimeNanosUnsafe(),
  attempts: 0
})

/** In whole milliseconds: nobody reads more in an error. */
export const elapsed = (call: Call, clock: Clock.Clock): Duration.Duration =>
  Duration.millis(Number((clock.monotonicTimeNanosUnsafe() - call.startedAt) / 1_000_000n))

export const describe = (
  call: Call,
  clock: Clock.Clock
): Pick<ServiceError.Answer, "action" | "attempts" | "elapsed"> => ({
  action: call.action,
  attempts: call.attempts,
  elapsed: elapsed(call, clock)
})

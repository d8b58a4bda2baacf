/** The time as the policies count it. */
import type * as Clock from "effect/Clock"

/** Milliseconds of the monotonic clock: setting the machine's clock changes nothing. */
export const millisOf = (clock: Clock.Clock): number => Number(clock.monotonicTimeNanosUnsafe()) / 1e6

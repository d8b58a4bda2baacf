import type * as Clock from "effect/Clock"

/** Reads a clock's time in whole milliseconds since the epoch, as it would be had nobody set the clock since. */
export type SteadyClock = (clock: Clock.Clock) => number

/** Begins at the time that the clock shows, and goes on with its monotonic one: what lasts so long is counted by it. */
export const from = (clock: Clock.Clock): SteadyClock => {
  const begin = clock.currentTimeMillisUnsafe()
  const origin = clock.monotonicTimeNanosUnsafe()
  // A millisecond that is short of rounded nanoseconds only is over: a client that sleeps for it would come too soon.
  return (clock) => begin + Math.floor((Number(clock.monotonicTimeNanosUnsafe() - origin) + 1000) / 1e6)
}

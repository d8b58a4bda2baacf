import type * as Clock from "effect/Clock"

/** Reads a clock's time in whole milliseconds since the epoch, as it would be had nobody set the clock since. */
export type Steady = (clock: Clock.Clock) => number

/** Begins at the time that the clock shows, and goes on with its monotonic one: what lasts so long is counted by it. */
export const from = (clock: Clock.Clock): Steady => {
  const begin = clock.currentTimeMillisUnsafe()
  const origin = clock.monotonicTimeNanosUnsafe()
  return (clock) => begin + Math.floor(Number(clock.monotonicTimeNanosUnsafe() - origin) / 1e6)
}

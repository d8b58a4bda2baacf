/** The options of a quota: its defaults, and what they may be. */
import * as Duration from "effect/Duration"
import { inRange } from "../inRange.ts"
import type { Limits } from "./permits.ts"

/** Outside of its range a quota would give out no permit at all, or one to everybody. */
const ofQuota = (name: string, value: number, isValid: boolean, range: string): number =>
  inRange(`the quota's ${name}`, value, isValid, range)

/** What a quota is told of its numbers: `Quota.Options` describes them. */
export interface Numbers {
  readonly limit?: number | undefined
  readonly window?: Duration.Input | undefined
  readonly grace?: Duration.Input | undefined
}

/** Throws a `RangeError` that names the option that is wrong. */
export const limitsOf = (options: Numbers): Limits => {
  const limit = options.limit ?? 20
  const window = Duration.toMillis(options.window ?? "1 second")
  const grace = Duration.toMillis(options.grace ?? "2 seconds")
  return {
    limit: ofQuota("limit", limit, Number.isSafeInteger(limit) && limit > 0, "a whole number of calls, 1 or more"),
    window: ofQuota("window", window, Number.isFinite(window) && window > 0, "a finite time, in milliseconds, above 0"),
    grace: ofQuota("grace", grace, Number.isFinite(grace) && grace >= 0, "a finite time, in milliseconds, 0 or more")
  }
}

/** How many calls a window a part of a quota allows: one at least. */
export const partOf = (limit: number, share: number): number =>
  Math.max(1, Math.floor(limit * ofQuota("share", share, share > 0 && share <= 1, "above 0, and 1 at most")))

/** How long a store has to answer: one that has for ever never counts as away. */
export const timeoutOf = (timeout: Duration.Input = "1 second"): Duration.Duration => {
  const millis = Duration.toMillis(timeout)
  return Duration.millis(
    ofQuota("timeout", millis, Number.isFinite(millis) && millis > 0, "a finite time, in milliseconds, above 0")
  )
}

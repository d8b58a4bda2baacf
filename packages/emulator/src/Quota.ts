/**
 * How the service counts calls: the models of its frequency limit.
 *
 * The documentation gives a number, 20 calls per second, and says neither how the window is aligned nor whether rejected
 * calls count (contract, section 5). So the model is a value: a client that stays within the strictest of them stays
 * within the real one.
 */
import * as Duration from "effect/Duration"

/**
 * A limit, and how it is counted.
 *
 * - `Sliding`: at most `limit` calls in any window, wherever it starts.
 * - `Fixed`: at most `limit` calls in each window; windows are aligned to the epoch, so twice as many can pass around an
 *   edge.
 * - `Unlimited`: nothing is rejected.
 */
export type Quota =
  | {
      readonly model: "Sliding" | "Fixed"
      /** Calls per window: a whole number, 0 or more. */
      readonly limit: number
      readonly window: Duration.Duration
      /** Whether a rejected call takes a place in the window. */
      readonly countRejected: boolean
      /** What has a budget of its own: each app, or each action of each app. */
      readonly per: "App" | "Action"
    }
  | { readonly model: "Unlimited" }

/** What can be said of a windowed {@link Quota}. */
export interface Options {
  /** Calls per window, default 20. */
  readonly limit?: number | undefined
  /** Default one second. */
  readonly window?: Duration.Input | undefined
  /** Default `false`. */
  readonly countRejected?: boolean | undefined
  /** Default `App`, as the text of the return code says. */
  readonly per?: "App" | "Action" | undefined
}

const windowed =
  (model: "Sliding" | "Fixed") =>
  (options?: Options): Quota => ({
    model,
    limit: options?.limit ?? 20,
    window: Duration.fromInputUnsafe(options?.window ?? "1 second"),
    countRejected: options?.countRejected ?? false,
    per: options?.per ?? "App"
  })

/**
 * At most `limit` calls in any window: the strictest reading, and the default.
 *
 * @example
 * ```ts
 * import { Quota } from "@effect-zim/emulator"
 *
 * const quota = Quota.sliding({ limit: 5, countRejected: true })
 * ```
 */
export const sliding: (options?: Options) => Quota = windowed("Sliding")

/**
 * At most `limit` calls in each window, aligned to the epoch.
 */
export const fixed: (options?: Options) => Quota = windowed("Fixed")

/**
 * No limit.
 */
export const unlimited: Quota = { model: "Unlimited" }

/**
 * A running count. `admit` says whether a call at this time (milliseconds, never going back) passes, and counts it.
 */
export interface Meter {
  readonly admit: (now: number) => boolean
}

const slidingMeter = (limit: number, window: number, countRejected: boolean): Meter => {
  // The times of the last `limit` counted calls, in a ring: the oldest is the next to be overwritten.
  const ring = new Float64Array(limit).fill(-Infinity)
  let next = 0
  return {
    admit: (now) => {
      const oldest = ring[next] ?? now
      const passes = now - oldest >= window
      if (limit > 0 && (passes || countRejected)) {
        ring[next] = now
        next = (next + 1) % limit
      }
      return passes
    }
  }
}

const fixedMeter = (limit: number, window: number, countRejected: boolean): Meter => {
  let current = -Infinity
  let count = 0
  return {
    admit: (now) => {
      const start = Math.floor(now / window)
      if (start !== current) {
        current = start
        count = 0
      }
      const passes = count < limit
      if (passes || countRejected) count++
      return passes
    }
  }
}

/**
 * Starts counting, from zero.
 *
 * @example
 * ```ts
 * import { Quota } from "@effect-zim/emulator"
 *
 * const meter = Quota.meter(Quota.sliding({ limit: 1 }))
 * meter.admit(0) // true
 * meter.admit(999) // false
 * meter.admit(1000) // true
 * ```
 */
export const meter = (quota: Quota): Meter => {
  switch (quota.model) {
    case "Sliding":
      return slidingMeter(quota.limit, Duration.toMillis(quota.window), quota.countRejected)
    case "Fixed":
      return fixedMeter(quota.limit, Duration.toMillis(quota.window), quota.countRejected)
    case "Unlimited":
      return { admit: () => true }
  }
}

/**
 * Which of a quota's meters a call is counted by.
 */
export const budgetOf = (quota: Quota, call: { readonly appId: number; readonly action: string }): string =>
  quota.model !== "Unlimited" && quota.per === "Action" ? `${call.appId}/${call.action}` : `${call.appId}`

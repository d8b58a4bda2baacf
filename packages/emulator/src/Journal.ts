/**
 * What the emulator has seen: one entry per call, and questions to ask of them.
 *
 * An entry never holds a secret, a signature or a nonce. The functions here work on any list of entries, so filter
 * first to ask about one user, one app or the calls that passed.
 */
import * as Duration from "effect/Duration"

/**
 * One call.
 */
export interface Entry {
  /** The number of the call, from 1. */
  readonly index: number
  /** When it arrived, in milliseconds since the epoch, by the emulator's clock. */
  readonly time: number
  /** Where it was readable. */
  readonly appId: number | undefined
  /** As it was sent, empty where it was left out; at most 64 characters. */
  readonly action: string
  /** As it was sent, where it was readable; at most 64 characters. */
  readonly userId: string | undefined
  /** `Limit` as it was sent, where it was a number. */
  readonly limit: number | undefined
  /** Whether it went on from an earlier page. */
  readonly cursorGiven: boolean
  /** Which page of the list it asked for, from 1, where the cursor is known. */
  readonly page: number | undefined
  /** The return code of the answer; `undefined` where a fault came first. */
  readonly code: number | undefined
  /** Why the code is what it is, which the answer itself does not say: `expired by 37 s`. */
  readonly reason: string | undefined
  /** The HTTP status of the answer; `undefined` where none was sent. */
  readonly status: number | undefined
  /** The faults that were applied, by name. */
  readonly faults: ReadonlyArray<string>
  /** Whether this app had used this nonce before, within the signature's window. */
  readonly nonceReused: boolean
  /** How old the signature was, in seconds; negative for one from the future, `undefined` without a readable one. */
  readonly signatureAge: number | undefined
}

/** Whether the quota rejected the call. */
export const isRateLimited = (entry: Entry): boolean => entry.code === 660300005

/**
 * The most calls in any window of this length, wherever it starts. A window includes its start and not its end.
 *
 * @example
 * ```ts
 * import { Emulator, Journal } from "@effect-zim/emulator"
 * import * as Effect from "effect/Effect"
 *
 * const program = Effect.gen(function* () {
 *   const emulator = yield* Emulator.Emulator
 *   const entries = yield* emulator.journal.entries
 *   return Journal.peak(entries.filter((entry) => !Journal.isRateLimited(entry)), "1 second")
 * })
 * ```
 */
export const peak = (entries: ReadonlyArray<Entry>, window: Duration.Input): number => {
  const length = Duration.toMillis(window)
  const times = entries.map((entry) => entry.time).toSorted((a, b) => a - b)
  let start = 0
  let most = 0
  times.forEach((time, end) => {
    while (time - (times[start] ?? time) >= length) start++
    most = Math.max(most, end - start + 1)
  })
  return most
}

/**
 * How many calls came with a nonce that had been used before.
 */
export const nonceReuses = (entries: ReadonlyArray<Entry>): number =>
  entries.filter((entry) => entry.nonceReused).length

/**
 * How many calls were made for each user.
 */
export const attempts = (entries: ReadonlyArray<Entry>): ReadonlyMap<string, number> => {
  const counts = new Map<string, number>()
  for (const { userId } of entries) {
    if (userId !== undefined) counts.set(userId, (counts.get(userId) ?? 0) + 1)
  }
  return counts
}

/**
 * The age of the oldest signature in seconds, as it was when its call arrived; `undefined` where no call was signed.
 */
export const maximumSignatureAge = (entries: ReadonlyArray<Entry>): number | undefined =>
  entries.reduce<number | undefined>(
    (oldest, { signatureAge }) =>
      signatureAge === undefined || (oldest !== undefined && oldest >= signatureAge) ? oldest : signatureAge,
    undefined
  )

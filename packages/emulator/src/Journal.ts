/**
 * What the emulator has seen: one entry per call, questions to ask of them, and rules to hold them to.
 *
 * An entry never holds a secret, a signature or a nonce. The functions here work on any list of entries, so filter
 * first to ask about one user, one app or the calls that passed.
 */
import * as Duration from "effect/Duration"
import * as Schema from "effect/Schema"
import { inRange } from "./internal/inRange.ts"

/**
 * The schema of an {@link Entry}. What is `undefined` is `null` in JSON.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Entry = Schema.Struct({
  /** The number of the call, from 1. */
  index: Schema.Int,
  /** When it was counted, in milliseconds since the epoch, by Effect's `Clock`. */
  time: Schema.Finite,
  /** Where it was readable. */
  appId: Schema.UndefinedOr(Schema.Finite),
  /** As it was sent, empty where it was left out; at most 64 characters. */
  action: Schema.String,
  /** As it was sent, where it was readable; at most 64 characters. */
  userId: Schema.UndefinedOr(Schema.String),
  /** `Limit` as it was sent, where it was a number. */
  limit: Schema.UndefinedOr(Schema.Finite),
  /** Whether it went on from an earlier page. */
  cursorGiven: Schema.Boolean,
  /** Which page of the list it asked for, from 1, where the cursor is known. */
  page: Schema.UndefinedOr(Schema.Int),
  /** The return code of the answer; `undefined` where a fault came first. */
  code: Schema.UndefinedOr(Schema.Int),
  /** Why the code is what it is, which the answer itself does not say: `expired by 37 s`. */
  reason: Schema.UndefinedOr(Schema.String),
  /** The HTTP status of the answer; `undefined` where none was sent. */
  status: Schema.UndefinedOr(Schema.Int),
  /** The faults that were applied, by name. */
  faults: Schema.Array(Schema.String),
  /** Whether this app had used this nonce before, within the signature's window. */
  nonceReused: Schema.Boolean,
  /** How often it has used it by now, where that is more than once. */
  nonceUses: Schema.optionalKey(Schema.Int),
  /** How old the signature was, in seconds; negative for one from the future, `undefined` without a readable one. */
  signatureAge: Schema.UndefinedOr(Schema.Finite)
}).annotate({ identifier: "@effect-zim/emulator/JournalEntry" })

/**
 * One call.
 *
 * @category schemas
 * @since 0.1.0
 */
export interface Entry extends Schema.Schema.Type<typeof Entry> {}

/**
 * Whether the quota rejected the call.
 *
 * @example
 * ```ts
 * import { Journal } from "@effect-zim/emulator"
 *
 * const rejected = (entries: ReadonlyArray<Journal.Entry>): number => entries.filter(Journal.isRateLimited).length
 * ```
 *
 * @category guards
 * @since 0.1.0
 */
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
 *
 * @category accessors
 * @since 0.1.0
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
 *
 * @example
 * ```ts
 * import { Journal } from "@effect-zim/emulator"
 *
 * const isSafe = (entries: ReadonlyArray<Journal.Entry>): boolean => Journal.nonceReuses(entries) === 0
 * ```
 *
 * @category accessors
 * @since 0.1.0
 */
export const nonceReuses = (entries: ReadonlyArray<Entry>): number =>
  entries.filter((entry) => entry.nonceReused).length

/**
 * How many calls were made for each user.
 *
 * @example
 * ```ts
 * import { Journal } from "@effect-zim/emulator"
 *
 * const callsOf = (entries: ReadonlyArray<Journal.Entry>): number => Journal.attempts(entries).get("user-3") ?? 0
 * ```
 *
 * @category accessors
 * @since 0.1.0
 */
export const attempts = (entries: ReadonlyArray<Entry>): ReadonlyMap<string, number> =>
  tally(entries.flatMap(({ userId }) => userId ?? []))

const tally = <A>(items: ReadonlyArray<A>): ReadonlyMap<A, number> => {
  const counts = new Map<A, number>()
  for (const item of items) counts.set(item, (counts.get(item) ?? 0) + 1)
  return counts
}

/**
 * The age of the oldest signature in seconds, as it was when its call arrived; `undefined` where no call was signed.
 *
 * @example
 * ```ts
 * import { Journal } from "@effect-zim/emulator"
 *
 * const isFresh = (entries: ReadonlyArray<Journal.Entry>): boolean => (Journal.maximumSignatureAge(entries) ?? 0) <= 10
 * ```
 *
 * @category accessors
 * @since 0.1.0
 */
export const maximumSignatureAge = (entries: ReadonlyArray<Entry>): number | undefined =>
  entries
    .flatMap(({ signatureAge }) => signatureAge ?? [])
    .reduce<number | undefined>((oldest, age) => Math.max(age, oldest ?? age), undefined)

/**
 * Which entries to look at; all that is given must hold.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Filter = Schema.Struct({
  appId: Schema.optional(Schema.Finite),
  userId: Schema.optional(Schema.String),
  code: Schema.optional(Schema.Int),
  /** Whether the call was answered with code 0. */
  ok: Schema.optional(Schema.Boolean),
  /** The name of a fault that was applied: its function's, with or without what the journal adds to it. */
  fault: Schema.optional(Schema.String),
  /** Entries after the one with this index. */
  after: Schema.optional(Schema.Int),
  /** Entries counted at this time or later, in milliseconds since the epoch. */
  since: Schema.optional(Schema.Finite),
  /** Entries counted before this time. */
  until: Schema.optional(Schema.Finite),
  /** Only so many, the latest. */
  latest: Schema.optional(Schema.Int.check(Schema.isGreaterThanOrEqualTo(0)))
})

/**
 * The type of {@link Filter}.
 *
 * @category schemas
 * @since 0.1.0
 */
export interface Filter extends Schema.Schema.Type<typeof Filter> {}

const is = <A>(wanted: A | undefined, holds: (wanted: A) => boolean): boolean => wanted === undefined || holds(wanted)

/**
 * The entries that a filter lets through, in their order.
 *
 * @example
 * ```ts
 * import { Emulator, Journal } from "@effect-zim/emulator"
 * import * as Effect from "effect/Effect"
 *
 * const program = Effect.gen(function* () {
 *   const emulator = yield* Emulator.Emulator
 *   return Journal.query(yield* emulator.journal.entries, { userId: "user-7", ok: false, latest: 10 })
 * })
 * ```
 *
 * @category accessors
 * @since 0.1.0
 */
export const query = (entries: ReadonlyArray<Entry>, filter: Filter): ReadonlyArray<Entry> => {
  const found = entries.filter(
    (entry) =>
      is(filter.appId, (wanted) => entry.appId === wanted) &&
      is(filter.userId, (wanted) => entry.userId === wanted) &&
      is(filter.code, (wanted) => entry.code === wanted) &&
      is(filter.ok, (wanted) => (entry.code === 0) === wanted) &&
      is(filter.fault, (wanted) => entry.faults.some((name) => name === wanted || name.startsWith(`${wanted} `))) &&
      is(filter.after, (wanted) => entry.index > wanted) &&
      is(filter.since, (wanted) => entry.time >= wanted) &&
      is(filter.until, (wanted) => entry.time < wanted)
  )
  return filter.latest === undefined ? found : found.slice(Math.max(0, found.length - filter.latest))
}

/**
 * What can be said of entries in numbers.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Stats = Schema.Struct({
  calls: Schema.Int,
  /** Calls answered with code 0. */
  succeeded: Schema.Int,
  /** Calls that the quota rejected. */
  rateLimited: Schema.Int,
  /** Calls without an answer. */
  unanswered: Schema.Int,
  /** How often each code was answered. */
  codes: Schema.Record(Schema.String, Schema.Int),
  /** How often each fault was applied. */
  faults: Schema.Record(Schema.String, Schema.Int),
  /** How many calls were made for each user. */
  attempts: Schema.Record(Schema.String, Schema.Int),
  /** See {@link nonceReuses}. */
  nonceReuses: Schema.Int,
  /** The most calls in any window of `window` milliseconds. */
  peak: Schema.Int,
  /** The same without those that the quota rejected. */
  peakAdmitted: Schema.Int,
  window: Schema.Finite,
  /** See {@link maximumSignatureAge}. */
  maximumSignatureAge: Schema.UndefinedOr(Schema.Finite)
}).annotate({ identifier: "@effect-zim/emulator/JournalStats" })

/**
 * The type of {@link Stats}.
 *
 * @category schemas
 * @since 0.1.0
 */
export interface Stats extends Schema.Schema.Type<typeof Stats> {}

/**
 * The numbers of these entries.
 *
 * @param window how long the window is in which the most calls are looked for; default one second
 *
 * @example
 * ```ts
 * import { Emulator, Journal } from "@effect-zim/emulator"
 * import { Effect } from "effect"
 *
 * const program = Effect.gen(function* () {
 *   const emulator = yield* Emulator.Emulator
 *   const { calls, peak } = Journal.stats(yield* emulator.journal.entries, "1 second")
 *   return `${calls} calls, at most ${peak} in a second`
 * })
 * ```
 *
 * @category accessors
 * @since 0.1.0
 */
export const stats = (entries: ReadonlyArray<Entry>, window: Duration.Input = "1 second"): Stats => {
  const admitted = entries.filter((entry) => !isRateLimited(entry))
  return {
    calls: entries.length,
    succeeded: entries.filter(({ code }) => code === 0).length,
    rateLimited: entries.length - admitted.length,
    unanswered: entries.filter(({ status }) => status === undefined).length,
    codes: Object.fromEntries(tally(entries.flatMap(({ code }) => code ?? []))),
    faults: Object.fromEntries(tally(entries.flatMap(({ faults }) => faults))),
    attempts: Object.fromEntries(attempts(entries)),
    nonceReuses: nonceReuses(entries),
    peak: peak(entries, window),
    peakAdmitted: peak(admitted, window),
    window: Duration.toMillis(window),
    maximumSignatureAge: maximumSignatureAge(entries)
  }
}

/**
 * What a well-behaved client keeps to. What is left out is not looked at.
 *
 * @category models
 * @since 0.1.0
 */
export interface Rules {
  /** At most so many calls in any window; `admitted: true` leaves out those that the quota rejected. */
  readonly peak?:
    | { readonly calls: number; readonly window: Duration.Input; readonly admitted?: boolean | undefined }
    | undefined
  /** At most so many calls with a nonce used before. */
  readonly nonceReuses?: number | undefined
  /** At most so many calls for each user. */
  readonly attempts?: number | undefined
  /** No signature older than this when its call arrives. */
  readonly signatureAge?: Duration.Input | undefined
}

/**
 * Which rules these entries break, each in a sentence; none is a good journal. Throws a `RangeError` where the number of
 * a rule is none.
 *
 * @example
 * ```ts
 * import { Emulator, Journal } from "@effect-zim/emulator"
 * import * as Effect from "effect/Effect"
 *
 * const program = Effect.gen(function* () {
 *   const emulator = yield* Emulator.Emulator
 *   return Journal.violations(yield* emulator.journal.entries, {
 *     peak: { calls: 20, window: "1 second" },
 *     nonceReuses: 0,
 *     signatureAge: "10 seconds"
 *   })
 * })
 * ```
 *
 * @category accessors
 * @since 0.1.0
 */
export const violations = (entries: ReadonlyArray<Entry>, rules: Rules): ReadonlyArray<string> => {
  const broken: Array<string> = []
  const atMost = (rule: string, allowed: number, found: ReadonlyMap<string, number>): void => {
    // Nothing is more than no number: such a rule would hold for everything.
    inRange(`the rule ${rule}`, allowed, allowed >= 0, "a number of calls, 0 or more")
    for (const [what, count] of found) {
      const calls = count === 1 ? "call" : "calls"
      if (count > allowed) broken.push(`${count} ${calls} ${what}, at most ${allowed} are allowed`)
    }
  }
  if (rules.peak !== undefined) {
    const { admitted, calls, window } = rules.peak
    const most = peak(admitted === true ? entries.filter((entry) => !isRateLimited(entry)) : entries, window)
    atMost("peak.calls", calls, new Map([[`within ${Duration.format(Duration.fromInputUnsafe(window))}`, most]]))
  }
  if (rules.nonceReuses !== undefined) {
    atMost("nonceReuses", rules.nonceReuses, new Map([["with a nonce used before", nonceReuses(entries)]]))
  }
  if (rules.attempts !== undefined) {
    const ofUsers = Array.from(attempts(entries), ([userId, count]) => [`for ${userId}`, count] as const)
    atMost("attempts", rules.attempts, new Map(ofUsers))
  }
  if (rules.signatureAge !== undefined) {
    const oldest = maximumSignatureAge(entries)
    const allowed = Duration.toSeconds(rules.signatureAge)
    if (oldest !== undefined && oldest > allowed) {
      broken.push(`a signature was ${oldest} s old, at most ${allowed} s are allowed`)
    }
  }
  return broken
}

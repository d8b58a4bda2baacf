/** What there is to say about many conversations, in constant memory: a user's must come together. */
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"

export interface Entry {
  readonly userId: string
  readonly conversationId: string
  readonly type: string
  /** Milliseconds since the epoch. */
  readonly updatedAt: number
}

export interface Statistics {
  readonly conversations: number
  /** Users with conversations. */
  readonly users: number
  readonly byType: ReadonlyMap<string, number>
  /** By days since the epoch, in UTC. */
  readonly byDay: ReadonlyMap<number, number>
  readonly largest: ReadonlyArray<{ readonly userId: string; readonly conversations: number }>
  readonly recent: ReadonlyArray<Entry>
}

const shown = 5
const dayInMillis = 86_400_000

/** Puts an item into a short list, the greatest first; of equal ones the first stays. */
const rank = <A>(list: Array<A>, item: A, valueOf: (item: A) => number): void => {
  const last = list.at(-1)
  if (list.length === shown && last !== undefined && valueOf(last) >= valueOf(item)) return
  const index = list.findIndex((other) => valueOf(other) < valueOf(item))
  list.splice(index < 0 ? list.length : index, 0, item)
  if (list.length > shown) list.pop()
}

const increase = <Key>(counts: Map<Key, number>, key: Key): void => {
  counts.set(key, (counts.get(key) ?? 0) + 1)
}

export const collect = <E, R>(entries: Stream.Stream<Entry, E, R>): Effect.Effect<Statistics, E, R> =>
  Effect.gen(function* () {
    const byType = new Map<string, number>()
    const byDay = new Map<number, number>()
    const largest: Array<{ readonly userId: string; readonly conversations: number }> = []
    const recent: Array<Entry> = []
    let conversations = 0
    let users = 0
    let current: string | undefined
    let ofCurrent = 0
    const endUser = () => {
      if (current === undefined) return
      users++
      rank(largest, { userId: current, conversations: ofCurrent }, (user) => user.conversations)
    }
    yield* Stream.runForEachArray(entries, (some) =>
      Effect.sync(() => {
        for (const entry of some) {
          if (entry.userId !== current) {
            endUser()
            current = entry.userId
            ofCurrent = 0
          }
          conversations++
          ofCurrent++
          increase(byType, entry.type)
          increase(byDay, Math.floor(entry.updatedAt / dayInMillis))
          rank(recent, entry, ({ updatedAt }) => updatedAt)
        }
      })
    )
    endUser()
    return { conversations, users, byType, byDay, largest, recent }
  })

/** A period of the chart. */
export interface Period {
  readonly label: string
  readonly count: number
}

const iso = (day: number): string => DateTime.formatIso(DateTime.makeUnsafe(day * dayInMillis))

interface Unit {
  /** The number of a day's period. */
  readonly of: (day: number) => number
  readonly label: (period: number) => string
}

const monthOf = (day: number): number => {
  const { month, year } = DateTime.toPartsUtc(DateTime.makeUnsafe(day * dayInMillis))
  return year * 12 + month - 1
}
const month = (months: number): string => `${Math.floor(months / 12)}-${String((months % 12) + 1).padStart(2, "0")}`

/** From the finest to the coarsest. A week begins on Monday: the epoch was a Thursday. */
const units: ReadonlyArray<Unit> = [
  { of: (day) => day, label: (day) => iso(day).slice(0, 10) },
  { of: (day) => Math.floor((day + 3) / 7), label: (week) => iso(week * 7 - 3).slice(0, 10) },
  { of: monthOf, label: month },
  { of: (day) => Math.floor(monthOf(day) / 3), label: (quarter) => `${Math.floor(quarter / 4)} Q${(quarter % 4) + 1}` },
  { of: (day) => Math.floor(monthOf(day) / 12), label: String }
]

/** The most periods that are shown one by one. */
const maximumPeriods = 16

/** Activity over time, in periods of the finest unit that gives few enough of them; the latest, where there are too many. */
export const periods = (byDay: ReadonlyMap<number, number>): ReadonlyArray<Period> => {
  if (byDay.size === 0) return []
  const days = [...byDay.keys()]
  const [first, last] = days.reduce(
    ([low, high], day) => [Math.min(low, day), Math.max(high, day)],
    [Infinity, -Infinity]
  )
  const unit = units.find(({ of }) => of(last) - of(first) < maximumPeriods) ?? units[4]
  if (unit === undefined) return []
  const counts = new Map<number, number>()
  for (const [day, count] of byDay) counts.set(unit.of(day), (counts.get(unit.of(day)) ?? 0) + count)
  const end = unit.of(last)
  const start = Math.max(unit.of(first), end - maximumPeriods + 1)
  return Array.from({ length: end - start + 1 }, (_, i) => ({
    label: unit.label(start + i),
    count: counts.get(start + i) ?? 0
  }))
}

const eighths = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"]

/** A bar whose length is a share of the width, to an eighth of a column; what is there at all can be seen. */
export const bar = (share: number, width: number): string => {
  if (share <= 0) return ""
  const length = Math.max(1, Math.round(share * width * 8))
  return "█".repeat(Math.floor(length / 8)) + (eighths[length % 8] ?? "")
}

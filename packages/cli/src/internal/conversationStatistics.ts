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
  /** By hours since the epoch. */
  readonly byHour: ReadonlyMap<number, number>
  readonly largest: ReadonlyArray<{ readonly userId: string; readonly conversations: number }>
  readonly recent: ReadonlyArray<Entry>
}

const shown = 5
const hourInMillis = 3_600_000

/** Puts an item into a short list, the greatest first; of equal ones that with the lesser name, whatever came first. */
const rank = <A>(list: Array<A>, item: A, valueOf: (item: A) => number, nameOf: (item: A) => string): void => {
  const isBehind = (other: A) =>
    valueOf(other) < valueOf(item) || (valueOf(other) === valueOf(item) && nameOf(other) > nameOf(item))
  const last = list.at(-1)
  if (list.length === shown && last !== undefined && !isBehind(last)) return
  const index = list.findIndex(isBehind)
  list.splice(index < 0 ? list.length : index, 0, item)
  if (list.length > shown) list.pop()
}

const increase = <Key>(counts: Map<Key, number>, key: Key, by = 1): void => {
  counts.set(key, (counts.get(key) ?? 0) + by)
}

export const collect = <E, R>(entries: Stream.Stream<Entry, E, R>): Effect.Effect<Statistics, E, R> =>
  Effect.gen(function* () {
    const byType = new Map<string, number>()
    const byHour = new Map<number, number>()
    const largest: Array<{ readonly userId: string; readonly conversations: number }> = []
    const recent: Array<Entry> = []
    let conversations = 0
    let users = 0
    let current: string | undefined
    let ofCurrent = 0
    const endUser = () => {
      if (current === undefined) return
      users++
      rank(
        largest,
        { userId: current, conversations: ofCurrent },
        (user) => user.conversations,
        (user) => user.userId
      )
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
          increase(byHour, Math.floor(entry.updatedAt / hourInMillis))
          rank(
            recent,
            entry,
            ({ updatedAt }) => updatedAt,
            ({ conversationId, userId }) => `${userId}: ${conversationId}`
          )
        }
      })
    )
    endUser()
    return { conversations, users, byType, byHour, largest, recent }
  })

/** A period of the chart. */
export interface Period {
  readonly label: string
  readonly count: number
}

const atHour = (hour: number): DateTime.Utc => DateTime.makeUnsafe(hour * hourInMillis)
const iso = (hour: number): string => DateTime.formatIso(atHour(hour))

interface Unit {
  /** The number of an hour's period. */
  readonly of: (hour: number) => number
  readonly label: (period: number) => string
}

const hours = (count: number): Unit => ({
  of: (hour) => Math.floor(hour / count),
  label: (period) =>
    iso(period * count)
      .slice(0, 16)
      .replace("T", " ")
})

const monthOf = (hour: number): number => {
  const { month, year } = DateTime.toPartsUtc(atHour(hour))
  return year * 12 + month - 1
}
const month = (months: number): string => `${Math.floor(months / 12)}-${String((months % 12) + 1).padStart(2, "0")}`

const day: Unit = { of: (hour) => Math.floor(hour / 24), label: (day) => iso(day * 24).slice(0, 10) }

/** From the finest to the coarsest. A week begins on Monday: the epoch was a Thursday. */
const units: ReadonlyArray<Unit> = [
  hours(1),
  hours(3),
  hours(6),
  day,
  { of: (hour) => Math.floor((day.of(hour) + 3) / 7), label: (week) => day.label(week * 7 - 3) },
  { of: monthOf, label: month },
  {
    of: (hour) => Math.floor(monthOf(hour) / 3),
    label: (quarter) => `${Math.floor(quarter / 4)} Q${(quarter % 4) + 1}`
  }
]

const year: Unit = { of: (hour) => Math.floor(monthOf(hour) / 12), label: String }

/** The most periods that are shown one by one. */
const maximumPeriods = 16

const countBy = (byHour: ReadonlyMap<number, number>, unit: Unit): ReadonlyMap<number, number> => {
  const counts = new Map<number, number>()
  for (const [hour, count] of byHour) increase(counts, unit.of(hour), count)
  return counts
}

/** Activity over time, in periods of the finest unit that gives few enough of them; the latest, where there are too many. */
export const periods = (byHour: ReadonlyMap<number, number>): ReadonlyArray<Period> => {
  if (byHour.size === 0) return []
  let [first, last] = [Infinity, -Infinity]
  for (const hour of byHour.keys()) [first, last] = [Math.min(first, hour), Math.max(last, hour)]
  const unit = units.find(({ of }) => of(last) - of(first) < maximumPeriods) ?? year
  const counts = countBy(byHour, unit)
  const end = unit.of(last)
  const start = Math.max(unit.of(first), end - maximumPeriods + 1)
  return Array.from({ length: end - start + 1 }, (_, i) => ({
    label: unit.label(start + i),
    count: counts.get(start + i) ?? 0
  }))
}

/** All days with activity, ascending. */
export const days = (byHour: ReadonlyMap<number, number>): ReadonlyArray<Period> =>
  Array.from(countBy(byHour, day))
    .toSorted(([a], [b]) => a - b)
    .map(([number, count]) => ({ label: day.label(number), count }))

const eighths = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"]

/** A bar whose length is a share of the width, to an eighth of a column; what is there at all can be seen. */
export const bar = (share: number, width: number): string => {
  if (share <= 0) return ""
  const length = Math.max(1, Math.round(share * width * 8))
  return "█".repeat(Math.floor(length / 8)) + (eighths[length % 8] ?? "")
}

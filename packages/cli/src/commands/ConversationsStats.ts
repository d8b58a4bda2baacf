/**
 * `zim conversations stats`: what there is in a list, or in an export.
 */
import { Conversations, ZimClient } from "@effect-zim/client"
import { UndiciHttpClient } from "@effect-zim/node"
import * as Argument from "effect/cli/Argument"
import * as CliOutput from "effect/cli/CliOutput"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Order from "effect/Order"
import * as Stream from "effect/Stream"
import { CommandFailed } from "../ErrorReport.ts"
import * as Colors from "../internal/colors.ts"
import * as ExportReader from "../internal/exportReader.ts"
import { path } from "../internal/flags.ts"
import * as Output from "../internal/output.ts"
import { fit, pad, printable, standardWidth } from "../internal/printableText.ts"
import { number, plural } from "../internal/quantities.ts"
import * as Terminal from "../internal/terminal.ts"

// ---- counting ----

const shown = 5
const hourInMillis = 3_600_000

interface UserCount {
  readonly userId: string
  readonly conversations: number
}

/** The largest first; of equal ones that with the lesser name. */
const bySize = Order.combine(
  Order.mapInput(Order.flip(Order.Number), (user: UserCount) => user.conversations),
  Order.mapInput(Order.String, (user: UserCount) => user.userId)
)

/** The latest first; of equal ones that with the lesser name. */
const byTime = Order.combine(
  Order.mapInput(Order.flip(Order.Number), (entry: ExportReader.Entry) => entry.updatedAt),
  Order.mapInput(Order.String, (entry: ExportReader.Entry) => `${entry.userId}: ${entry.conversationId}`)
)

/** Puts an item into a short list, in this order, whatever came first. */
const rank = <A>(list: Array<A>, item: A, order: Order.Order<A>): void => {
  const index = list.findIndex((other) => order(item, other) < 0)
  list.splice(index < 0 ? list.length : index, 0, item)
  if (list.length > shown) list.pop()
}

const increase = <Key>(counts: Map<Key, number>, key: Key, by = 1): void => {
  counts.set(key, (counts.get(key) ?? 0) + by)
}

/** In constant memory: a user's conversations must come together. */
const collect = <E, R>(entries: Stream.Stream<ExportReader.Entry, E, R>) =>
  Effect.gen(function* () {
    const byType = new Map<string, number>()
    // By hours since the epoch.
    const byHour = new Map<number, number>()
    const largest: Array<UserCount> = []
    const recent: Array<ExportReader.Entry> = []
    let conversations = 0
    // Users with conversations.
    let users = 0
    let current: string | undefined
    let ofCurrent = 0
    const endUser = () => {
      if (current === undefined) return
      users++
      rank(largest, { userId: current, conversations: ofCurrent }, bySize)
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
          rank(recent, entry, byTime)
        }
      })
    )
    endUser()
    return { conversations, users, byType, byHour, largest, recent }
  })

type Statistics = Effect.Success<ReturnType<typeof collect>>

/** A period of the chart. */
interface Period {
  readonly label: string
  readonly count: number
}

const isoOf = (millis: number): string => DateTime.formatIso(DateTime.makeUnsafe(millis))

interface Unit {
  /** The number of an hour's period. */
  readonly of: (hour: number) => number
  readonly label: (period: number) => string
}

const hours = (count: number): Unit => ({
  of: (hour) => Math.floor(hour / count),
  label: (period) =>
    isoOf(period * count * hourInMillis)
      .slice(0, 16)
      .replace("T", " ")
})

const monthOf = (hour: number): number => {
  const { month, year } = DateTime.toPartsUtc(DateTime.makeUnsafe(hour * hourInMillis))
  return year * 12 + month - 1
}
const month = (months: number): string => `${Math.floor(months / 12)}-${String((months % 12) + 1).padStart(2, "0")}`

const day: Unit = { of: (hour) => Math.floor(hour / 24), label: (day) => isoOf(day * 24 * hourInMillis).slice(0, 10) }

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
const periods = (byHour: ReadonlyMap<number, number>): ReadonlyArray<Period> => {
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
const days = (byHour: ReadonlyMap<number, number>): ReadonlyArray<Period> =>
  Array.from(countBy(byHour, day))
    .toSorted(([a], [b]) => a - b)
    .map(([number, count]) => ({ label: day.label(number), count }))

const eighths = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"]

/** A bar whose length is a share of the width, to an eighth of a column; what is there at all can be seen. */
const bar = (share: number, width: number): string => {
  if (share <= 0) return ""
  const length = Math.max(1, Math.round(share * width * 8))
  return "█".repeat(Math.floor(length / 8)) + (eighths[length % 8] ?? "")
}

// ---- showing ----

const ofUser = (userId: string) =>
  Conversations.stream(userId).pipe(
    Stream.map(({ id, type, updatedAtMillis }): ExportReader.Entry => ({
      userId,
      conversationId: id,
      type,
      updatedAt: updatedAtMillis
    })),
    collect,
    Effect.provide(ZimClient.layerConfig().pipe(Layer.provide(UndiciHttpClient.layer)))
  )

/** A row: what it is about, how many, and a bar. */
const rows = (
  counts: ReadonlyArray<{ readonly label: string; readonly count: number }>,
  width: number
): ReadonlyArray<string> => {
  const most = Math.max(...counts.map(({ count }) => count))
  const labels = Math.min(32, Math.max(...counts.map(({ label }) => CliOutput.displayWidth(label))))
  const numbers = Math.max(...counts.map(({ count }) => number(count).length))
  return counts.map(({ count, label }) => {
    const left = `  ${pad(fit(label, labels), labels)}  ${number(count).padStart(numbers)}  `
    return `${left}${bar(count / most, width - left.length)}`.trimEnd()
  })
}

const table = (statistics: Statistics, style: Colors.Style, options: { isUser: boolean; width: number }) => {
  const { byHour, byType, conversations, largest, recent, users } = statistics
  const { isUser, width } = options
  const section = (title: string, lines: ReadonlyArray<string>) =>
    lines.length === 0 ? [] : ["", style.bold(title), ...lines]
  const of = isUser ? "" : ` of ${plural(users, "user")}`
  return [
    style.bold(`${plural(conversations, "conversation")}${of}`),
    ...section(
      "BY TYPE",
      rows(
        Array.from(byType, ([label, count]) => ({ label, count })).toSorted((a, b) => b.count - a.count),
        width
      )
    ),
    ...section("LAST CHANGED (UTC)", rows(periods(byHour), width)),
    ...section(
      "LARGEST",
      isUser
        ? []
        : rows(
            largest.map((user) => ({ label: printable(user.userId), count: user.conversations })),
            width
          )
    ),
    ...section(
      "MOST RECENT (UTC)",
      recent.map(({ conversationId, type, updatedAt, userId }) => {
        const time = isoOf(updatedAt).replace("T", " ").slice(0, 19)
        const id = printable(conversationId)
        return fit(`  ${time}  ${type.padEnd(8)}  ${isUser ? id : `${printable(userId)}: ${id}`}`, width)
      })
    )
  ]
}

const record = (statistics: Statistics) => ({
  conversations: statistics.conversations,
  users: statistics.users,
  byType: Object.fromEntries(statistics.byType),
  byDay: Object.fromEntries(days(statistics.byHour).map(({ count, label }) => [label, count])),
  largest: statistics.largest,
  recent: statistics.recent.map((entry) => ({ ...entry, updatedAt: isoOf(entry.updatedAt) }))
})

const usage = (problem: string) =>
  new CommandFailed({ problem, advice: "Give a user, or --from and the file of an export.", exit: "Usage" })

/**
 * The command.
 */
export const stats = Command.make(
  "stats",
  {
    userId: Argument.String("USER").pipe(Argument.withDescription("The user's id"), Argument.optional),
    from: Flag.String("from").pipe(
      Flag.withMetavar("EXPORT"),
      Flag.withDescription("Instead: a file that zim conversations export has written"),
      Flag.withSchema(path),
      Flag.optional
    ),
    format: Flag.Literals("format", ["table", "json"]).pipe(
      Flag.withDescription("How to print them; default: table on a terminal, json in a pipe"),
      Flag.optional
    )
  },
  Effect.fnUntraced(function* ({ format, from, userId }) {
    if (Option.isSome(from) && Option.isSome(userId)) return yield* usage("USER and --from exclude each other")
    if (Option.isNone(from) && Option.isNone(userId)) return yield* usage("there is neither a USER nor --from")
    const statistics = Option.isSome(from)
      ? yield* collect(ExportReader.read(from.value))
      : yield* ofUser(Option.getOrElse(userId, () => ""))
    const chosen = yield* Output.formatFor(format, "table", "json")
    if (chosen !== "table") return yield* Output.printJson(JSON.stringify(record(statistics)))
    const width = (yield* Terminal.width) ?? standardWidth
    return yield* Output.printLines(
      table(statistics, yield* Colors.style, { isUser: Option.isSome(userId), width: Math.min(width, 120) })
    )
  })
).pipe(
  Command.withDescription(
    "Count conversations by type and by the time of their last change, and show the largest lists and the latest entries: " +
      "of a user, or of an export."
  ),
  Command.withShortDescription("Count a list, or an export"),
  Command.withExamples([
    { command: "zim conversations stats user-42" },
    { command: "zim conversations stats --from lists.ndjson", description: "An export, in any of its formats" },
    { command: "zim conversations stats --from lists.db --format json | jq .byType" }
  ])
)

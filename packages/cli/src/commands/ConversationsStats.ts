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
import * as Stream from "effect/Stream"
import { CommandFailed } from "../ErrorReport.ts"
import { path } from "../internal/flags/commonFlags.ts"
import * as ReadExport from "../internal/export/readExport.ts"
import * as Output from "../internal/output.ts"
import { number, plural } from "../internal/export/progressText.ts"
import * as Statistics from "../internal/conversationStatistics.ts"
import * as Colors from "../internal/terminal/colors.ts"
import { fit, pad, printable, standardWidth } from "../internal/terminal/terminalText.ts"

const ofUser = (userId: string) =>
  Conversations.stream(userId).pipe(
    Stream.map(({ id, type, updatedAtMillis }): Statistics.Entry => ({
      userId,
      conversationId: id,
      type,
      updatedAt: updatedAtMillis
    })),
    Statistics.collect,
    Effect.provide(ZimClient.layerConfig().pipe(Layer.provide(UndiciHttpClient.layer)))
  )

const isoOf = (millis: number): string => DateTime.formatIso(DateTime.makeUnsafe(millis))

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
    return `${left}${Statistics.bar(count / most, width - left.length)}`.trimEnd()
  })
}

const table = (statistics: Statistics.Statistics, style: Colors.Style, options: { isUser: boolean; width: number }) => {
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
    ...section("LAST CHANGED (UTC)", rows(Statistics.periods(byHour), width)),
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

const record = (statistics: Statistics.Statistics) => ({
  conversations: statistics.conversations,
  users: statistics.users,
  byType: Object.fromEntries(statistics.byType),
  byDay: Object.fromEntries(Statistics.days(statistics.byHour).map(({ count, label }) => [label, count])),
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
      ? yield* Statistics.collect(ReadExport.read(from.value))
      : yield* ofUser(Option.getOrElse(userId, () => ""))
    const chosen = Option.isSome(format) ? format.value : yield* Output.formatFor(Option.none())
    if (chosen !== "table") return yield* Output.printLines([JSON.stringify(record(statistics))])
    const width = (yield* Output.terminalWidth) ?? standardWidth
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

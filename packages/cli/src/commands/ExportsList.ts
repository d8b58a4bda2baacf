/**
 * `zim exports list`: all exports that are kept in a database.
 */
import * as Command from "effect/cli/Command"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import type { DurableExport } from "@effect-zim/durable"
import { percent, table } from "../internal/durableExportText.ts"
import * as Output from "../internal/output.ts"
import * as Terminal from "../internal/terminal.ts"
import * as Colors from "../internal/colors.ts"
import { database, databaseUrl } from "../internal/flags.ts"
import { importDurable } from "../internal/lazyImports.ts"

const keys = [
  "id",
  "name",
  "appId",
  "state",
  "percent",
  "lines",
  "done",
  "users",
  "conversations",
  "failed",
  "invalid",
  "duplicates",
  "callsPerSecond",
  "workers",
  "submittedAt",
  "endedAt",
  "problem"
] as const

const record = (one: DurableExport.DurableExport) => {
  const { appId, callsPerSecond, counts, endedAt, id, lines, name, problem, state, submittedAt, workers } = one
  return {
    id,
    name,
    appId,
    state,
    percent: percent(one),
    lines,
    done: counts.lines,
    users: counts.users,
    conversations: counts.conversations,
    failed: counts.failed,
    invalid: counts.invalid,
    duplicates: counts.duplicates,
    callsPerSecond,
    workers: workers.length,
    submittedAt: DateTime.formatIso(submittedAt),
    endedAt: endedAt === undefined ? undefined : DateTime.formatIso(endedAt),
    problem: problem?.message
  }
}

/**
 * The command.
 */
export const list = Command.make(
  "list",
  {
    database,
    format: Output.formatFlag("How to print them; default: table on a terminal, ndjson in a pipe")
  },
  Effect.fnUntraced(function* ({ database, format }) {
    const url = yield* databaseUrl(database)
    const durable = yield* importDurable
    const all = yield* durable.Exports.list.pipe(Effect.mapError(durable.asked), Effect.provide(durable.store(url)))
    const chosen = yield* Output.formatFor(format)
    if (chosen !== "table")
      return yield* Output.print(Output.encode(chosen, keys)(Stream.fromIterable(all.map(record))))
    return yield* Output.printLines(table(all, yield* Colors.style, yield* Terminal.width))
  })
).pipe(
  Command.withDescription("List all exports in the database, the latest first, with how far they are."),
  Command.withShortDescription("List all exports, the latest first"),
  Command.withExamples([
    { command: "zim exports list" },
    {
      command: "zim exports list --format json | jq '.[] | select(.state == \"Failed\")'",
      description: "Those that failed"
    }
  ])
)

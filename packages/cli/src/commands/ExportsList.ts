/**
 * `zim exports list`: all exports that are kept in a database.
 */
import * as Command from "effect/cli/Command"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Record from "effect/Record"
import * as Stream from "effect/Stream"
import * as Struct from "effect/Struct"
import type { DurableExport } from "@effect-zim/durable"
import * as Colors from "../internal/colors.ts"
import { percent, table } from "../internal/durableExportText.ts"
import { database, databaseUrl } from "../internal/flags.ts"
import { importDurable } from "../internal/lazyImports.ts"
import * as Output from "../internal/output.ts"
import * as Terminal from "../internal/terminal.ts"

/** What there is of an export for programs. */
const columns = {
  id: ({ id }) => id,
  name: ({ name }) => name,
  appId: ({ appId }) => appId,
  state: ({ state }) => state,
  percent,
  lines: ({ lines }) => lines,
  done: ({ counts }) => counts.lines,
  users: ({ counts }) => counts.users,
  conversations: ({ counts }) => counts.conversations,
  failed: ({ counts }) => counts.failed,
  invalid: ({ counts }) => counts.invalid,
  duplicates: ({ counts }) => counts.duplicates,
  callsPerSecond: ({ callsPerSecond }) => callsPerSecond,
  workers: ({ workers }) => workers.length,
  submittedAt: ({ submittedAt }) => DateTime.formatIso(submittedAt),
  endedAt: ({ endedAt }) => (endedAt === undefined ? undefined : DateTime.formatIso(endedAt)),
  problem: ({ problem }) => problem?.message
} satisfies Record<string, (one: DurableExport.DurableExport) => string | number | undefined>

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
    const chosen = yield* Output.formatFor(format, "table", "ndjson")
    if (chosen !== "table") {
      const records = all.map((one) => Record.map(columns, (column) => column(one)))
      return yield* Output.print(Output.encode(Stream.fromIterable(records), chosen, Struct.keys(columns)))
    }
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

/**
 * `zim exports failures`: who is missing in an export, and why.
 */
import * as Command from "effect/cli/Command"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import type { ExportSink } from "@effect-zim/export"
import * as Colors from "../internal/colors.ts"
import { database, databaseUrl, exportId } from "../internal/flags.ts"
import { importDurable } from "../internal/lazyImports.ts"
import * as Output from "../internal/output.ts"
import { pad, printable } from "../internal/printableText.ts"

const keys = ["line", "userId", "error", "code", "requestId", "message"] as const

/** Lines are printed as they come: the widths are those of what is usual. */
const columns = (line: string, user: string, error: string, message: string): string =>
  `${line.padStart(9)}  ${pad(user, 32)}  ${error.padEnd(18)}  ${message}`

const tableLine = ({ error, line, message, userId }: ExportSink.Failed): string =>
  `${columns(String(line), printable(userId), error, printable(message))}\n`

/**
 * The command.
 */
export const failures = Command.make(
  "failures",
  {
    id: exportId,
    database,
    format: Output.formatFlag("How to print them; default: table on a terminal, ndjson in a pipe")
  },
  Effect.fnUntraced(function* ({ database, format, id }) {
    const url = yield* databaseUrl(database)
    const durable = yield* importDurable
    const chosen = yield* Output.formatFor(format, "table", "ndjson")
    const style = yield* Colors.style
    const failed = durable.failuresOf(id)
    const text =
      chosen === "table"
        ? failed.pipe(
            Stream.map(tableLine),
            Output.withHeader(`${style.bold(columns("LINE", "USER", "ERROR", "MESSAGE"))}\n`)
          )
        : Output.encode(failed, chosen, keys)
    yield* Output.print(text).pipe(Effect.provide(durable.store(url)))
  })
).pipe(
  Command.withDescription(
    "List the lines of an export that came to nothing, ascending: no user id, a user who came before, or a list that could " +
      "not be read."
  ),
  Command.withShortDescription("List the lines that came to nothing"),
  Command.withExamples([
    { command: "zim exports failures users-2026-11-29-0123456789" },
    {
      command: "zim exports failures users-2026-11-29-0123456789 | jq -r .userId > again.txt",
      description: "Their ids, for another export"
    }
  ])
)

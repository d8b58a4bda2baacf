/**
 * `zim exports show`: how far an export is.
 */
import type { DurableExport } from "@effect-zim/durable"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Console from "effect/Console"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Schedule from "effect/Schedule"
import * as Stream from "effect/Stream"
import { CommandFailed } from "../ErrorReport.ts"
import * as Colors from "../internal/colors.ts"
import { details, percent, statusLine, timeLeft } from "../internal/durableExportText.ts"
import * as ExportProgress from "../internal/exportProgress.ts"
import { boolean, database, databaseUrl, exportId, perSecond, Quiet } from "../internal/flags.ts"
import { importDurable } from "../internal/lazyImports.ts"
import * as Output from "../internal/output.ts"
import * as Terminal from "../internal/terminal.ts"

type Export = DurableExport.DurableExport

/** An export that was watched and has not come to its end. */
const unfinished = ({ id, problem, state }: Export): CommandFailed =>
  new CommandFailed({
    problem: `${id} ${state === "Cancelled" ? "was cancelled" : `has failed${problem === undefined ? "" : `: ${problem.message}`}`}`,
    advice:
      (problem?.error === "AuthenticationFailed"
        ? "Correct the app's ZIM_SERVER_SECRET in the settings of the workers, and start them again.\n"
        : "") + `What has been read stays; to go on from there: zim exports resume ${id}`,
    exit: state === "Cancelled" ? "ExportCancelled" : "ExportFailed"
  })

/** The quota of its app in calls per second, where its settings are known here. */
const quotaOf = Effect.fnUntraced(function* (appId: number) {
  const durable = yield* importDurable
  const apps = yield* Effect.orElseSucceed(durable.appsOf(undefined), () => [])
  return perSecond(apps.find(({ settings }) => settings.client.appId === appId)?.settings.quota)
})

const run = Effect.fnUntraced(function* (id: string, isWatched: boolean, format: "text" | "json") {
  const durable = yield* importDurable
  const first = yield* Effect.mapError(durable.Exports.get(id), durable.asked)
  const quota = yield* quotaOf(first.appId)
  const style = yield* Colors.style
  const show = Effect.fnUntraced(function* (one: Export) {
    if (format === "text") {
      return yield* Output.printLines(details(one, quota, style, yield* Terminal.width))
    }
    const left = timeLeft(one)
    const json = JSON.stringify({
      ...durable.encode(one),
      percent: percent(one),
      quota,
      ...(left === undefined ? {} : { secondsLeft: Math.round(Duration.toSeconds(left)) })
    })
    return yield* Output.printJson(json)
  })
  if (!isWatched) return yield* show(first)
  let latest = first
  let shown = ""
  yield* Effect.scoped(
    Effect.gen(function* () {
      const quiet = yield* Quiet
      const line = (width?: number) => Effect.sync(() => statusLine(latest, quota, width))
      const say = format === "text" ? yield* ExportProgress.start(line, quiet) : Console.error
      let isAway = false
      const watched = durable.Exports.watch(id).pipe(
        Stream.mapError((error) => ({ failed: durable.asked(error), isAway: durable.isAway(error) })),
        Stream.tapError((error) => {
          if (!error.isAway || isAway) return Effect.void
          isAway = true
          return quiet ? Effect.void : say(`${error.failed.problem}; it is asked again until it answers`)
        }),
        Stream.retry(($) => $(Schedule.spaced("1 second")).pipe(Schedule.while(({ input }) => input.isAway))),
        Stream.mapError(({ failed }) => failed)
      )
      yield* Stream.runForEach(
        watched,
        Effect.fnUntraced(function* (now) {
          isAway = false
          latest = now
          const text = JSON.stringify(durable.encode(now))
          if (format === "text" || text === shown) return
          shown = text
          yield* show(now)
        })
      )
    })
  )
  if (format === "text") yield* show(latest)
  if (latest.state !== "Finished") return yield* unfinished(latest)
})

/**
 * The command.
 */
export const show = Command.make(
  "show",
  {
    id: exportId,
    database,
    watch: boolean("watch").pipe(
      Flag.withDescription("Follow it until it ends; the exit code says how: 0, 8 failed, 9 cancelled")
    ),
    format: Flag.Literals("format", ["text", "json"]).pipe(
      Flag.withDescription(
        "How to print it; default: text on a terminal, json in a pipe, watched a line for each change"
      ),
      Flag.optional
    )
  },
  Effect.fnUntraced(function* ({ database, format, id, watch }) {
    const url = yield* databaseUrl(database)
    const durable = yield* importDurable
    const chosen = yield* Output.formatFor(format, "text", "json")
    yield* Effect.provide(run(id, watch, chosen), durable.store(url))
  })
).pipe(
  Command.withDescription(
    "Show how far an export is: users, conversations and failures, calls per second against the app's quota (that of its " +
      "settings, where they are in the environment, or 20), who works on it, the time left, and what it waits for or has " +
      "failed of."
  ),
  Command.withShortDescription("Show how far an export is"),
  Command.withExamples([
    { command: "zim exports show users-2026-11-29-0123456789" },
    { command: "zim exports show users-2026-11-29-0123456789 --watch", description: "Follow it until it ends" },
    {
      command: "zim exports show users-2026-11-29-0123456789 | jq .percent",
      description: "In a pipe: one JSON object"
    }
  ])
)

/**
 * `zim conversations export`: everybody's lists.
 */
import { ZimClient } from "@effect-zim/client"
import { Export, Progress, UserList } from "@effect-zim/export"
import { UndiciHttpClient } from "@effect-zim/node"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Console from "effect/Console"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import process from "node:process"
import * as V8 from "node:v8"
import * as ErrorReport from "../ErrorReport.ts"
import * as ExportProgress from "../internal/exportProgress.ts"
import * as ExportTarget from "../internal/exportTarget.ts"
import {
  boolean,
  callsPerSecond,
  path,
  positive,
  Quiet,
  quotaLayer,
  quotaPerSecond,
  spreadsheet,
  standardStream,
  users,
  usersOf
} from "../internal/flags.ts"
import { number } from "../internal/quantities.ts"

/** `-` is no output as it is an input of `--users`: an export on standard output could not be resumed. */
const outputPath = path.check(
  Schema.makeFilter((text) => text !== standardStream && !text.endsWith("/"), {
    expected: "the path of a file, neither of a folder nor - for standard output"
  })
)

const defaultConcurrency = 16

const flags = {
  users,
  out: Flag.String("out").pipe(
    Flag.withMetavar("PATH"),
    Flag.withDescription("The file to write"),
    Flag.withSchema(outputPath)
  ),
  format: Flag.Literals("format", ExportTarget.formats).pipe(
    Flag.withDescription("How to write it; default: what the name of the file says, else ndjson"),
    Flag.optional
  ),
  resume: boolean("resume").pipe(Flag.withDescription("Go on with an unfinished export; begin where there is none")),
  restart: boolean("restart").pipe(Flag.withDescription("Begin anew, and replace what is there when all is done")),
  failures: Flag.String("failures").pipe(
    Flag.withMetavar("FILE"),
    Flag.withDescription("Where to record who could not be read; default: PATH.failures.ndjson, or a table"),
    Flag.withSchema(outputPath),
    Flag.optional
  ),
  spreadsheet,
  concurrency: Flag.Int("concurrency").pipe(
    Flag.withMetavar("N"),
    Flag.withDescription(`Users read at a time; default ${defaultConcurrency}`),
    Flag.withSchema(positive),
    Flag.withDefault(defaultConcurrency)
  ),
  callsPerSecond
}

type Flags = Command.Command.Config.Infer<typeof flags>

const quote = (word: string): string => (/^[\w./:=@%+-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`)

/**
 * An export runs for hours beside other programs. Left to itself, V8 lets garbage pile up to several times of what is in
 * use, as long as there is memory.
 */
const saveMemory = Effect.sync(() => V8.setFlagsFromString("--optimize-for-size"))

/** The command that goes on. */
const resumeCommand = (flags: Flags): string =>
  [
    `zim conversations export --users ${quote(flags.users)} --out ${quote(flags.out)}`,
    ...Option.match(flags.format, { onNone: () => [], onSome: (format) => [`--format ${format}`] }),
    ...(flags.spreadsheet ? ["--spreadsheet"] : []),
    ...Option.match(flags.failures, { onNone: () => [], onSome: (file) => [`--failures ${quote(file)}`] }),
    ...(flags.concurrency === defaultConcurrency ? [] : [`--concurrency ${flags.concurrency}`]),
    ...Option.match(flags.callsPerSecond, { onNone: () => [], onSome: (calls) => [`--calls-per-second ${calls}`] }),
    "--resume"
  ].join(" ")

const modeOf = Effect.fnUntraced(function* ({ restart, resume }: Flags) {
  if (resume && restart) {
    return yield* new ErrorReport.CommandFailed({
      problem: "--resume and --restart exclude each other",
      advice: "Use --resume to go on with what there is, --restart to begin anew and replace it.",
      exit: "Usage"
    })
  }
  return resume ? "resume" : restart ? "restart" : "new"
})

const meddled = "Put back what was there and go on with --resume, or begin anew with --restart."

/** How long users that are under way may take to finish, once it should stop. */
const grace = "5 seconds"

/** Another signal, from somebody who does not want to wait. */
const signal = Effect.callback<void>((resume) => {
  const heard = () => resume(Effect.void)
  process.on("SIGINT", heard).on("SIGTERM", heard)
  return Effect.sync(() => process.off("SIGINT", heard).off("SIGTERM", heard))
}).pipe(Effect.andThen(Console.error("stopping now")))

/**
 * Runs an effect that stops by itself when `stop` is done. Interrupted, it is given time to do so, or until the next
 * signal; then `stopped` tells about it.
 */
const stoppable = <A, E, R, R2>(
  run: (stop: Effect.Effect<void>) => Effect.Effect<A, E, R>,
  stopped: Effect.Effect<void, never, R2>
): Effect.Effect<A, E, R | R2> =>
  Effect.gen(function* () {
    const stop = yield* Deferred.make<void>()
    const scope = yield* Effect.scope
    const fiber = yield* Effect.forkIn(Effect.interruptible(run(Deferred.await(stop))), scope)
    return yield* Fiber.join(fiber).pipe(
      Effect.onInterrupt(() =>
        Deferred.succeed(stop, undefined).pipe(
          Effect.andThen(Effect.raceAllFirst([Fiber.await(fiber), Effect.sleep(grace), signal])),
          Effect.andThen(Fiber.interrupt(fiber)),
          Effect.andThen(stopped)
        )
      )
    )
  }).pipe(Effect.scoped)

const run = Effect.fnUntraced(function* (flags: Flags) {
  yield* saveMemory
  const mode = yield* modeOf(flags)
  const users = flags.users === standardStream ? Option.none() : Option.some(flags.users)
  const { failures, sink, unfinished } = yield* ExportTarget.target({ ...flags, users })
  // All of it, before anything is begun: what is no text of users is found here.
  const lines = flags.users === standardStream ? undefined : yield* UserList.count(flags.users)
  const scale = { lines, callsPerSecond: yield* quotaPerSecond(flags.callsPerSecond) }
  const meter = yield* Progress.meter(scale)
  let isStarted = false
  let isFinished = false

  const exported = (stop: Effect.Effect<void>) =>
    Effect.gen(function* () {
      const line = (width?: number) =>
        Effect.map(meter.status, (status) => ExportProgress.statusLine(status, scale, width))
      const say = yield* ExportProgress.start(line, yield* Quiet)
      yield* Effect.forkScoped(
        Effect.andThen(
          stop,
          say(`stopping: finishing the users that are under way, for ${grace} at most; once more to stop now`)
        )
      )
      let goingOn = Effect.void
      const events = Export.run(usersOf(flags.users), { sink, mode, concurrency: flags.concurrency, until: stop })
      yield* Stream.runForEach(
        events,
        Effect.fnUntraced(function* (event) {
          yield* meter.add(event)
          if (event._tag === "UserFailed") yield* Effect.logDebug(`line ${event.line}: ${event.message}`)
          if (event._tag === "Finished") {
            isFinished = true
            if (event.wasFinished) goingOn = say("it was finished before: --restart begins anew")
          }
          if (event._tag === "Started") {
            isStarted = true
            if (event.isResumed) goingOn = say(`going on after ${number(event.counts.lines)} users`)
            return
          }
          // Not before it is sure that the users are the same.
          yield* goingOn
          goingOn = Effect.void
        })
      )
      if (!isFinished) return
      for (const line of ExportProgress.summary(yield* meter.status, failures)) yield* say(line)
    }).pipe(Effect.scoped)

  const stopped = Effect.gen(function* () {
    if (isFinished) return
    const { counts } = yield* meter.status
    yield* Console.error(`stopped: ${ExportProgress.doneOf(counts.lines, lines)} users are done and saved`)
    yield* Console.error(`help: Go on with: ${resumeCommand(flags)}`)
  })

  yield* stoppable(exported, stopped).pipe(
    Effect.mapError((error) => {
      const report = ErrorReport.report(error)
      const advised = (advice: string) => new ErrorReport.CommandFailed({ ...report, advice })
      if (error._tag === "NobodyExported") return advised(`See ${unfinished}. ${report.advice}`)
      if (isStarted && error._tag === "OutputUnusable") return advised(meddled)
      // What goes wrong before anything was begun leaves nothing to go on with, nor does a checkpoint of something else.
      const isRefused = error._tag === "CheckpointInvalid"
      const goOn = isStarted && !isFinished && !isRefused ? ` Then go on with: ${resumeCommand(flags)}` : ""
      return advised(report.advice + goOn)
    })
  )
})

/**
 * The command.
 */
export const exportCommand = Command.make("export", flags, run).pipe(
  Command.provide(({ callsPerSecond }) =>
    ZimClient.layerConfig().pipe(Layer.provide(quotaLayer(callsPerSecond)), Layer.provide(UndiciHttpClient.layer))
  ),
  Command.withDescription(
    "Export the lists of many users to a file. It can be stopped or killed at any moment: with --resume it goes on, and " +
      "the file is as if nothing had happened. A SQLite file can be exported to again: only what has changed is written."
  ),
  Command.withShortDescription("Export the lists of many users"),
  Command.withExamples([
    {
      command: "zim conversations export --users users.txt --out lists.ndjson",
      description: "One line per conversation"
    },
    {
      command: "zim conversations export --users users.txt --out lists.ndjson --resume",
      description: "Go on after an interruption"
    },
    {
      command: "zim conversations export --users users.txt --out lists.db --resume",
      description: "SQLite: run it every night, and only changes are written"
    },
    {
      command: "cut -d, -f1 users.csv | zim conversations export --users - --out lists.csv",
      description: "Users from another program"
    }
  ])
)

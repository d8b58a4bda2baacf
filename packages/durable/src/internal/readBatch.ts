/** Reads one batch to its end, on this machine: an export of its own, whose sink is the store. */
import { ClientError, Timeout, ZimClient } from "@effect-zim/client"
import { Checkpoint, Export, ExportSink } from "@effect-zim/export"
import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Metric from "effect/Metric"
import * as Option from "effect/Option"
import * as Schedule from "effect/Schedule"
import * as Stream from "effect/Stream"
import { Apps, type AppUnknown } from "../Apps.ts"
import { type DurableExport, isEnded } from "../DurableExport.ts"
import { type Batch, ExportStore } from "../ExportStore.ts"
import * as Telemetry from "../Telemetry.ts"
import { whileAway } from "./whileStoreIsAway.ts"

/** See `ExportWorkflow.WorkerName`. */
export const WorkerName = Context.Reference<string>("@effect-zim/durable/WorkerName", {
  defaultValue: () => "worker"
})

/** How soon a worker notices that an export was paused, resumed or ended. */
const attention = Duration.seconds(1)

/** The time that a call has: what lasts longer is told to whoever asks for the export, and tried again. */
const deadline = Duration.minutes(2)

/** How often in a row a batch may end by what time does not heal. */
const mostFailures = 5

/** How long to wait before a batch is read again that has ended by such a thing so many times, in seconds. */
const pauseAfter = (failures: number): Duration.Duration => Duration.seconds(Math.min(60, 2 ** failures))

/** The least time between two saves of a batch, in milliseconds: with many batches the database has more to do for each save than for each list. */
const betweenSaves = 500

type Trouble = Exclude<Export.ExportError, Export.NobodyExported> | AppUnknown

/** Whether time heals it; nobody knows of the rest whether it is everybody's. */
const kindOf = (error: Trouble): "Passing" | "Unclear" | "Fatal" => {
  switch (error._tag) {
    case "AppUnknown":
    case "SinkFailed":
    case "ClientClosed":
      return "Passing"
    case "CheckpointInvalid":
    case "OutputExists":
    case "OutputInUse":
    case "OutputUnusable":
    case "SameFile":
    case "UsersVanished":
      return "Fatal"
    default:
      if (ClientError.isRetryable(error)) return "Passing"
      return ClientError.traits(error).concerns === "Everybody" ? "Fatal" : "Unclear"
  }
}

const attributed = (metric: Metric.Counter<number>, appId: number) =>
  Metric.withAttributes(metric, { "zim.app_id": `${appId}` })

/** The batch as a sink: what an export says of its lines is said of the lines of the whole. */
const sinkOf = ({ checkpoint, lease, lines, witness }: Batch, store: ExportStore["Service"]) => {
  const location = `batch ${lease.batch} of ${lease.id}`
  let isSuperseded = false
  let latest = checkpoint
  let savedAt = -Infinity
  const save = Effect.fnUntraced(function* (
    outcomes: ReadonlyArray<ExportSink.Outcome>,
    next: Checkpoint.Checkpoint
  ): Effect.fn.Return<void, ExportSink.SaveError> {
    const ofWhole = outcomes.map((outcome) => ({ ...outcome, line: lines[outcome.line - 1]?.line ?? outcome.line }))
    const saved = yield* Effect.mapError(
      store.save(lease, ofWhole, next),
      (cause) => new ExportSink.SinkFailed({ path: location, operation: "write", problem: cause.problem, cause })
    )
    if (saved === "Superseded") {
      isSuperseded = true
      return yield* new ExportSink.OutputUnusable({ path: location, problem: "another worker has taken it" })
    }
    const before = latest?.counts ?? Checkpoint.noCounts
    latest = next
    savedAt = yield* Clock.currentTimeMillis
    const { appId, counts } = next
    yield* Metric.update(attributed(Telemetry.lines, appId), counts.lines - before.lines)
    yield* Metric.update(attributed(Telemetry.conversations, appId), counts.conversations - before.conversations)
  })
  /** Saves after what the last save left time for: meanwhile lists come together for this one. */
  const saveInTurn: typeof save = (outcomes, next) =>
    Effect.flatMap(Clock.currentTimeMillis, (now) =>
      Effect.delay(save(outcomes, next), Math.min(betweenSaves, Math.max(0, savedAt + betweenSaves - now)))
    )
  const sink: ExportSink.ExportSink = {
    location,
    open: ({ initial }) => {
      const begun: Checkpoint.Checkpoint = { ...(checkpoint ?? initial), witness: checkpoint?.witness ?? witness }
      latest = begun
      return Effect.succeed({ checkpoint: begun, save: saveInTurn, finish: (last) => save([], last) })
    }
  }
  return {
    sink,
    isSuperseded: () => isSuperseded,
    /** There was nobody in it, which says nothing of the whole. */
    finish: Effect.suspend(() => (latest === undefined ? Effect.void : save([], { ...latest, isFinished: true })))
  }
}

/** An attempt to read a batch. */
interface Task {
  readonly id: string
  readonly attempt: number
  readonly batch: number
}

/** Reads a batch until it is done, or until its export no longer runs. */
const readOnce = Effect.fnUntraced(function* (
  taken: Batch,
  { attempt, batch, id }: Task,
  { appId, settings }: DurableExport
) {
  const store = yield* ExportStore
  const client = yield* (yield* Apps).client(appId)
  const { finish, isSuperseded, sink } = sinkOf(taken, store)
  const until = Effect.repeat(whileAway(store.isRunning(id, attempt)), {
    while: (isRunning) => isRunning,
    schedule: Schedule.spaced(attention)
  })
  const { concurrency, pageSize } = settings
  const users = Stream.fromIterable(taken.lines.map(({ text }) => text))
  yield* Export.run(users, { sink, mode: "resume", concurrency, pageSize, until }).pipe(
    Stream.runDrain,
    Effect.catchTag("NobodyExported", () => finish),
    Timeout.provide({ deadline }),
    Effect.provideService(ZimClient.ZimClient, client),
    // Whoever has it now says what becomes of it; this worker has only not been told yet that it is no longer its own.
    Effect.catchIf(isSuperseded, () => until),
    Effect.withSpan("zim.export.batch", { attributes: { "zim.export": id, "zim.batch": batch, "zim.app_id": appId } })
  )
})

/** What a batch has come to: every line is done, or its export has ended otherwise. */
export type Result = "Done" | "Ended"

export const run = Effect.fnUntraced(function* (task: Task): Effect.fn.Return<Result, never, ExportStore | Apps> {
  const { attempt, batch, id } = task
  const store = yield* ExportStore
  const worker = yield* WorkerName
  /** Ends the export, or waits. */
  const judge = Effect.fnUntraced(function* (
    kind: ReturnType<typeof kindOf>,
    problem: NonNullable<DurableExport["problem"]>,
    failures: number
  ) {
    if (kind === "Fatal" || (kind === "Unclear" && failures >= mostFailures)) {
      return yield* Effect.asVoid(whileAway(store.change(id, ["Running", "Paused"], "Failed", { attempt, problem })))
    }
    yield* whileAway(store.report(id, problem))
    yield* Effect.logWarning(`batch ${batch} of ${id} is tried again: ${problem.message}`)
    yield* Effect.sleep(pauseAfter(failures))
  })

  for (let failures = 0, done = 0; ;) {
    const found = Option.getOrUndefined(yield* whileAway(store.find(id)))
    if (found === undefined || found.attempt !== attempt || isEnded(found)) return "Ended"
    if (found.state === "Paused") {
      yield* Effect.sleep(attention)
      continue
    }
    const taken = yield* whileAway(store.take(id, batch, worker))
    if (taken.checkpoint?.isFinished === true) return "Done"
    const lines = taken.checkpoint?.counts.lines ?? 0
    if (lines > done) failures = 0
    done = lines
    yield* Effect.catchCause(readOnce(taken, task, found), (cause) => {
      const reason = cause.reasons.find(Cause.isFailReason)
      if (reason !== undefined) {
        const { _tag, message } = reason.error
        return judge(kindOf(reason.error), { error: _tag, message }, ++failures)
      }
      if (Cause.hasInterruptsOnly(cause)) return Effect.interrupt
      const [message = ""] = Cause.pretty(Cause.fromReasons(cause.reasons.slice(0, 1))).split("\n", 1)
      return judge("Unclear", { error: "Defect", message }, ++failures)
    })
  }
})

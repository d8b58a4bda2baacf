/**
 * Exports the conversation lists of many users: a stream of user ids in, a sink out, and progress as a stream of events.
 *
 * @since 0.1.0
 */
import { type Conversations, ZimClient } from "@effect-zim/client"
import { PageSize } from "@effect-zim/protocol"
import * as Clock from "effect/Clock"
import * as DateTime from "effect/DateTime"
import * as Deferred from "effect/Deferred"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Random from "effect/Random"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import * as Checkpoint from "./Checkpoint.ts"
import { assertInRange, assertOfApp, invalid } from "./internal/refusals.ts"
import * as ListCalls from "./internal/reading/listCalls.ts"
import { UserReader } from "./internal/reading/userReader.ts"
import type { UsersVanished } from "./internal/reading/outageDetector.ts"
import { InputLines } from "./internal/reading/inputLines.ts"
import type * as Progress from "./Progress.ts"
import type * as ExportSink from "./ExportSink.ts"

/**
 * Options for {@link run}.
 *
 * @category models
 * @since 0.1.0
 */
export interface Options {
  readonly sink: ExportSink.ExportSink
  /** Default: `new`. */
  readonly mode?: ExportSink.Mode | undefined
  /** How many users are read at a time, 1 or more; else it dies with a `RangeError`. Default: 16, enough to use up 20 calls a second at any usual round trip. */
  readonly concurrency?: number | undefined
  /** Conversations per call, a whole number, 1 to 500; else it dies with a `RangeError`. Default: 500, since every call costs the same quota. */
  readonly pageSize?: number | undefined
  /** When this is done no further user is begun; those under way are finished and saved. Default: never. */
  readonly until?: Effect.Effect<unknown> | undefined
}

/**
 * There were users, but none of them could be read: most often the input is something else than it seems, or of another
 * app. Each line is recorded with its reason; the output is not finished.
 *
 * @category errors
 * @since 0.1.0
 */
export class NobodyExported extends Schema.TaggedError<NobodyExported>("@effect-zim/export/NobodyExported")(
  "NobodyExported",
  {
    counts: Checkpoint.Counts
  }
) {
  override get message(): string {
    const { failed, invalid, lines } = this.counts
    const none = `${invalid} ${invalid === 1 ? "is" : "are"} no user id`
    const users = `${failed} ${failed === 1 ? "user" : "users"}`
    return `nobody could be read: of ${lines} lines ${none}, and ${users} could not be read`
  }
}

export { UsersVanished } from "./internal/reading/outageDetector.ts"

/**
 * What ends an export, beside failures of the users' own stream: the sink cannot be opened or written, the checkpoint is
 * of something else, nobody could be read, all users have vanished, or a failure of the client that concerns everybody: a
 * wrong secret, a service that is not enabled, an outage.
 *
 * @category errors
 * @since 0.1.0
 */
export type ExportError =
  | ExportSink.OpenError
  | ExportSink.SaveError
  | NobodyExported
  | UsersVanished
  | Conversations.ListError

/**
 * The time that a call has in an export, unless `Timeout.Deadline` is provided around it: an outage shorter than that is
 * waited out.
 *
 * @category constants
 * @since 0.1.0
 */
export const deadline: Duration.Duration = ListCalls.deadline

/** How many lists are kept until they are saved, at most. */
const buffered = 64

const isAboutTheLine: ReadonlySet<string> = new Set(["BlankLine", "UserIdInvalid"])

const count = (counts: Checkpoint.Counts, outcome: ExportSink.Outcome, pageSize: number): Checkpoint.Counts => {
  const lines = counts.lines + 1
  if (outcome._tag === "Failed") {
    if (isAboutTheLine.has(outcome.error)) return { ...counts, lines, invalid: counts.invalid + 1 }
    if (outcome.error === "DuplicateUser") return { ...counts, lines, duplicates: counts.duplicates + 1 }
    return { ...counts, lines, failed: counts.failed + 1, calls: counts.calls + 1 }
  }
  const { conversations, verdict } = outcome
  return {
    ...counts,
    lines,
    users: counts.users + 1,
    conversations: counts.conversations + conversations.length,
    calls: counts.calls + Math.max(1, Math.ceil(conversations.length / pageSize)),
    changedWhileReading: counts.changedWhileReading + (verdict === "ChangedWhileReading" ? 1 : 0),
    atCap: counts.atCap + (verdict === "AtCap" ? 1 : 0)
  }
}

const eventOf = (outcome: ExportSink.Outcome): Progress.Event => {
  if (outcome._tag === "Failed") return { ...outcome, _tag: "UserFailed" }
  const { conversations, line, userId, verdict } = outcome
  return { _tag: "UserExported", line, userId, verdict, conversations: conversations.length }
}

/** Opens the sink, for the app that the client is of. */
const open = Effect.fnUntraced(function* ({ mode = "new", sink }: Options, appId: number) {
  const initial = Checkpoint.initial({
    run: (yield* Random.nextIntBetween(0, 2 ** 48)).toString(36).padStart(10, "0"),
    startedAt: DateTime.formatIso(yield* DateTime.now),
    appId
  })
  const session = yield* sink.open({ mode, initial })
  yield* assertOfApp(sink.location, session.checkpoint.appId, appId)
  return { session, isResumed: session.checkpoint.run !== initial.run }
})

/** An open session, and the checkpoint that it has come to. */
const makeSaver = (session: ExportSink.Session, lines: InputLines, pageSize: number) => {
  let { checkpoint } = session
  return {
    /** Saves what has become of lines, and tells it. */
    save: Effect.fnUntraced(function* (
      outcomes: ReadonlyArray<ExportSink.Outcome>
    ): Effect.fn.Return<readonly [Progress.Event, ...Array<Progress.Event>], ExportSink.SaveError> {
      const next: Checkpoint.Checkpoint = {
        ...checkpoint,
        place: lines.placeAfter(outcomes),
        counts: outcomes.reduce((counts, outcome) => count(counts, outcome, pageSize), checkpoint.counts),
        witness: outcomes.findLast(({ _tag }) => _tag === "Exported")?.userId ?? checkpoint.witness
      }
      yield* session.save(outcomes, next)
      lines.settle(outcomes)
      checkpoint = next
      return [{ _tag: "Saved", counts: next.counts }, ...outcomes.map(eventOf)]
    }, Effect.uninterruptible),
    /** Finishes the output, if every line is done. */
    end: Effect.gen(function* (): Effect.fn.Return<Progress.Event, ExportSink.SaveError | NobodyExported> {
      const { counts } = checkpoint
      if (!lines.isComplete) return { _tag: "Stopped", counts }
      if (counts.lines > 0 && counts.users === 0) return yield* new NobodyExported({ counts })
      yield* session.finish({ ...checkpoint, place: lines.placeAfter([]), isFinished: true })
      return { _tag: "Finished", wasFinished: false, counts }
    }).pipe(Effect.uninterruptible)
  }
}

/**
 * Exports the lists of all users to a sink. Nothing happens until the stream is run; each event comes when what it tells
 * has been saved.
 *
 * - Users may be done in another order; a user's conversations stay together, ascending by time.
 * - A line that is no user id, a user who came before and a user whose list cannot be read are recorded by the sink, with
 *   their line, and do not end the export. What concerns everybody ends it at once.
 * - What may be everybody's trouble, such as no answer or one of another shape, is recorded only where the list of somebody
 *   else can be read right before and right after. Until that is sure the user is pending, also for the next run: an outage
 *   ends the export, and records nobody.
 * - Where there were users but nobody could be read, it fails with {@link NobodyExported}; with {@link UsersVanished} where
 *   the service no longer knows anybody.
 * - Whenever the program is killed, running it again with `mode: "resume"` and the same users goes on, and leaves the
 *   output as if nothing had happened. The users may have grown at the end while the export is not finished; others are
 *   refused (`CheckpointInvalid`).
 * - Memory depends on neither the users nor the output, but for 11 bytes or so for each user, by which duplicates are
 *   recognized. (They are 64-bit hashes: among a million users the chance that two different ones are taken for the same is
 *   1 in 37 million, and it would be recorded as a duplicate.)
 * - Calls are retried patiently, and have {@link deadline}, unless other policies are provided around the stream.
 *
 * @example
 * ```ts
 * import { Export, NdjsonSink, UserList } from "@effect-zim/export"
 * import { Console, Effect, Stream } from "effect"
 *
 * const program = Effect.gen(function* () {
 *   const sink = yield* NdjsonSink.make({ path: "conversations.ndjson" })
 *   yield* Export.run(UserList.file("users.txt"), { sink, mode: "resume" }).pipe(
 *     Stream.runForEach((event) => (event._tag === "Finished" ? Console.log(event.counts) : Effect.void))
 *   )
 * })
 * ```
 *
 * @category running
 * @since 0.1.0
 */
export const run = <E, R>(
  users: Stream.Stream<string, E, R>,
  options: Options
): Stream.Stream<Progress.Event, E | ExportError, R | ZimClient.ZimClient> =>
  Stream.unwrap(
    Effect.gen(function* () {
      const { appId } = yield* ZimClient.ZimClient
      const clock = yield* Clock.Clock
      const { concurrency = 16 } = options
      const pageSize = PageSize.correct(options.pageSize ?? PageSize.maximum)
      assertInRange("the export's pageSize", pageSize, Number.isInteger(pageSize), "a whole number")
      assertInRange("the export's concurrency", concurrency, concurrency >= 1, "a number of users at a time, 1 or more")
      const { location } = options.sink
      const { isResumed, session } = yield* open(options, appId)
      const { checkpoint } = session
      const { counts, place: from, witness } = checkpoint

      const stopped = yield* Deferred.make<void>()
      yield* Effect.forkScoped(Effect.andThen(options.until ?? Effect.never, Deferred.succeed(stopped, undefined)))
      const until = Deferred.await(stopped)
      const half = Random.nextIntBetween(0, 2 ** 32)
      const hashStart = yield* Effect.all({ high: half, low: half })
      const lines = new InputLines({ from, location, hashStart })
      const tasks = lines.tasks(users, until)
      const started: Progress.Event = { _tag: "Started", isResumed, run: checkpoint.run, counts }
      if (checkpoint.isFinished) {
        if (Option.isSome(yield* Stream.runHead(tasks))) {
          const problem = `it is finished, and its users ended after ${from.read} lines: now there are more`
          return yield* invalid(location, "MoreUsers", problem)
        }
        return Stream.make<Array<Progress.Event>>(started, { _tag: "Finished", wasFinished: true, counts })
      }

      const reader = new UserReader({
        pageSize,
        concurrency,
        witness,
        another: (than) => lines.another(than),
        now: () => Number(clock.monotonicTimeNanosUnsafe()) / 1e6
      })
      const saver = makeSaver(session, lines, pageSize)
      const waiting = Stream.unwrap(
        Effect.map(Deferred.isDone(stopped), (isStopped) => (isStopped ? Stream.empty : reader.waiting))
      ).pipe(Stream.haltWhen(until))
      const outcomes = tasks.pipe(
        // It takes no more of the users that are there.
        Stream.haltWhen(until),
        Stream.mapEffect((task) => reader.read(task), { concurrency, unordered: true }),
        Stream.flattenIterable,
        Stream.concat(waiting),
        // Whatever is done by the time that the last save is, is saved at once.
        Stream.buffer({ capacity: buffered }),
        Stream.mapArrayEffect((outcomes) => saver.save(outcomes))
      )
      return Stream.make(started).pipe(Stream.concat(outcomes), Stream.concat(Stream.fromEffect(saver.end)))
    })
  )

/**
 * Submits exports, and tells how far they are: from any process that reaches the store.
 *
 * @since 0.1.0
 */
import type { ExportSink } from "@effect-zim/export"
import { PageSize } from "@effect-zim/protocol"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schedule from "effect/Schedule"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import { type DurableExport, isEnded, Name, Settings, State } from "./DurableExport.ts"
import { ExportStore, type StoreFailed, type Submitted } from "./ExportStore.ts"

/**
 * There is no export of that id.
 *
 * @category errors
 * @since 0.1.0
 */
export class ExportNotFound extends Schema.TaggedError<ExportNotFound>("@effect-zim/durable/ExportNotFound")(
  "ExportNotFound",
  { id: Schema.String }
) {
  override get message(): string {
    return `there is no export ${this.id}`
  }
}

/**
 * What was asked for is not possible in the state that the export is in. Nothing has been changed.
 *
 * @category errors
 * @since 0.1.0
 */
export class NotPossible extends Schema.TaggedError<NotPossible>("@effect-zim/durable/NotPossible")("NotPossible", {
  id: Schema.String,
  /** What was asked for. */
  action: Schema.Literals(["pause", "resume", "cancel"]),
  state: State
}) {
  override get message(): string {
    return `cannot ${this.action} ${this.id}: it is ${this.state.toLowerCase()}`
  }
}

/**
 * A submission that cannot be: its name or its settings are out of range. `problem` says which, and what is allowed.
 *
 * @category errors
 * @since 0.1.0
 */
export class SubmissionInvalid extends Schema.TaggedError<SubmissionInvalid>("@effect-zim/durable/SubmissionInvalid")(
  "SubmissionInvalid",
  { problem: Schema.String }
) {
  override get message(): string {
    return `cannot submit the export: ${this.problem}`
  }
}

/**
 * What to export, beside the users.
 *
 * @category models
 * @since 0.1.0
 */
export interface Options {
  /** 1 to 64 letters, digits, dots, dashes and underscores. The same name, app and users again are the same export. */
  readonly name: string
  readonly appId: number
  /** Conversations per call, 1 to 500. Default: 500. */
  readonly pageSize?: number | undefined
  /** How many batches are read at a time, by all workers together, 1 or more. Default: 8. */
  readonly batches?: number | undefined
  /** How many users of a batch are read at a time, 1 or more. Default: 4: with 8 batches enough for 20 calls a second. */
  readonly concurrency?: number | undefined
}

const decodeSubmission = Schema.decodeUnknownEffect(
  Schema.Struct({ name: Name, appId: Schema.Int, settings: Settings })
)

/**
 * Submits an export of users, one id for each line, from a file, a table or anywhere. It is taken in wholly or not at all,
 * and read as soon as there is a worker. The same name, app and users again are the same export, whatever has become of
 * it, with the settings that it had: `isNew` says so.
 *
 * Lines that are no user id and users who come twice are recorded as failures, and do no harm.
 *
 * @example
 * ```ts
 * import { Exports } from "@effect-zim/durable"
 * import { UserList } from "@effect-zim/export"
 *
 * const program = Exports.submit(UserList.file("users.txt"), { name: "nightly-2026-11-29", appId: 1234567890 })
 * ```
 *
 * @category running
 * @since 0.1.0
 */
export const submit = Effect.fn("Exports.submit")(function* <E, R>(
  users: Stream.Stream<string, E, R>,
  { appId, batches = 8, concurrency = 4, name, pageSize = PageSize.maximum }: Options
): Effect.fn.Return<Submitted, E | SubmissionInvalid | StoreFailed, R | ExportStore> {
  const submission = yield* Effect.mapError(
    decodeSubmission({ name, appId, settings: { pageSize, batches, concurrency } }),
    ({ message }) => new SubmissionInvalid({ problem: message.replaceAll(/\s+/g, " ") })
  )
  return yield* (yield* ExportStore).submit(submission, users)
})

/**
 * An export as it is now.
 *
 * @example
 * ```ts
 * import { Exports } from "@effect-zim/durable"
 * import { Effect } from "effect"
 *
 * const done = Effect.map(Exports.get("nightly-0123456789"), ({ counts, lines }) => counts.lines / lines)
 * ```
 *
 * @category accessors
 * @since 0.1.0
 */
export const get = Effect.fnUntraced(function* (
  id: string
): Effect.fn.Return<DurableExport, ExportNotFound | StoreFailed, ExportStore> {
  const found = yield* (yield* ExportStore).find(id)
  return Option.isSome(found) ? found.value : yield* new ExportNotFound({ id })
})

/**
 * All exports, the latest first.
 *
 * @example
 * ```ts
 * import { Exports } from "@effect-zim/durable"
 * import { Effect } from "effect"
 *
 * const running = Effect.map(Exports.list, (all) => all.filter(({ state }) => state === "Running"))
 * ```
 *
 * @category accessors
 * @since 0.1.0
 */
export const list: Effect.Effect<ReadonlyArray<DurableExport>, StoreFailed, ExportStore> = ExportStore.use(
  ({ list }) => list
)

/**
 * An export as it is, at once and then again and again, until it has ended.
 *
 * @example
 * ```ts
 * import { Exports } from "@effect-zim/durable"
 * import { Console, Stream } from "effect"
 *
 * const tell = Exports.watch("nightly-0123456789", "10 seconds").pipe(
 *   Stream.runForEach(({ counts, lines }) => Console.log(`${counts.lines} of ${lines}`))
 * )
 * ```
 *
 * @category running
 * @since 0.1.0
 */
export const watch = (
  id: string,
  every: Duration.Input = "1 second"
): Stream.Stream<DurableExport, ExportNotFound | StoreFailed, ExportStore> =>
  Stream.fromEffectSchedule(get(id), Schedule.spaced(every)).pipe(Stream.takeUntil(isEnded))

/**
 * Waits until an export has ended, in whatever way: its `state` says which.
 *
 * @example
 * ```ts
 * import { Exports } from "@effect-zim/durable"
 * import { Effect, Stream } from "effect"
 *
 * const program = Exports.submit(Stream.make("ada", "grace"), { name: "two", appId: 1234567890 }).pipe(
 *   Effect.flatMap(({ id }) => Exports.wait(id))
 * )
 * ```
 *
 * @category running
 * @since 0.1.0
 */
export const wait = (id: string): Effect.Effect<DurableExport, ExportNotFound | StoreFailed, ExportStore> =>
  Effect.repeat(get(id), { until: isEnded, schedule: Schedule.spaced("1 second") })

/**
 * The lines of an export that came to nothing, ascending: no user id, a user who came before, or a list that could not be
 * read.
 *
 * @example
 * ```ts
 * import { Exports } from "@effect-zim/durable"
 * import { Stream } from "effect"
 *
 * const unregistered = Exports.failures("nightly-0123456789").pipe(
 *   Stream.filter(({ error }) => error === "UserNotRegistered")
 * )
 * ```
 *
 * @category running
 * @since 0.1.0
 */
export const failures = (id: string): Stream.Stream<ExportSink.Failed, ExportNotFound | StoreFailed, ExportStore> =>
  Stream.unwrap(
    Effect.gen(function* () {
      yield* get(id)
      return (yield* ExportStore).failures(id)
    })
  )

const change = (action: NotPossible["action"], from: ReadonlyArray<State>, to: State) =>
  Effect.fnUntraced(function* (
    id: string
  ): Effect.fn.Return<DurableExport, ExportNotFound | NotPossible | StoreFailed, ExportStore> {
    const isChanged = yield* (yield* ExportStore).change(id, from, to)
    const now = yield* get(id)
    return isChanged || now.state === to ? now : yield* new NotPossible({ id, action, state: now.state })
  })

/**
 * Lets nothing of an export be read until it is resumed; what is under way is finished and saved. Pausing what is paused
 * changes nothing.
 *
 * @example
 * ```ts
 * import { Exports } from "@effect-zim/durable"
 *
 * const program = Exports.pause("nightly-0123456789")
 * ```
 *
 * @category running
 * @since 0.1.0
 */
export const pause = change("pause", ["Running"], "Paused")

/**
 * Goes on with an export: one that is paused, or one that has failed or was cancelled, from where it ended.
 *
 * @example
 * ```ts
 * import { Exports } from "@effect-zim/durable"
 *
 * const program = Exports.resume("nightly-0123456789")
 * ```
 *
 * @category running
 * @since 0.1.0
 */
export const resume = change("resume", ["Paused", "Failed", "Cancelled"], "Running")

/**
 * Ends an export where it is. What has been read stays; {@link resume} goes on with it.
 *
 * @example
 * ```ts
 * import { Exports } from "@effect-zim/durable"
 *
 * const program = Exports.cancel("nightly-0123456789")
 * ```
 *
 * @category running
 * @since 0.1.0
 */
export const cancel = change("cancel", ["Running", "Paused"], "Cancelled")

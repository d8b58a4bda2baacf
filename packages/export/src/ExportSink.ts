/**
 * Where an export goes. Make your own to write to a database, a queue or a bucket: see {@link ExportSink}.
 *
 * @since 0.1.0
 */
import type { Conversations } from "@effect-zim/client"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import type { Checkpoint, CheckpointInvalid } from "./Checkpoint.ts"
import { FailureReason, meaningOf } from "./internal/failureReasons.ts"

/**
 * A user whose list has been read: each conversation once, ascending by time.
 *
 * @category models
 * @since 0.1.0
 */
export interface Exported {
  readonly _tag: "Exported"
  /** The user's place among the users, from 1: for a file, the line. */
  readonly line: number
  readonly userId: string
  readonly conversations: Conversations.Snapshot["conversations"]
  readonly verdict: Conversations.Verdict
}

/**
 * A line without a list: its user could not be read, it is no user id, or its user had come before.
 *
 * @category models
 * @since 0.1.0
 */
export interface Failed {
  readonly _tag: "Failed"
  readonly line: number
  /** The line's text, cut where it is long. */
  readonly userId: string
  /** `BlankLine`, `UserIdInvalid`, `DuplicateUser`, or the tag of the client's error. */
  readonly error: string
  /** The service's return code, where it answered one. */
  readonly code: number | undefined
  readonly requestId: string | undefined
  readonly message: string
}

/**
 * What became of a line.
 *
 * @category models
 * @since 0.1.0
 */
export type Outcome = Exported | Failed

/**
 * How to begin:
 *
 * - `new`: refuse if there is anything there already.
 * - `resume`: go on from the checkpoint; where there is none, begin.
 * - `restart`: begin anew, and replace what is there.
 *
 * @category models
 * @since 0.1.0
 */
export type Mode = "new" | "resume" | "restart"

/**
 * There is something there already: an output, or an export that is not finished.
 *
 * @category errors
 * @since 0.1.0
 */
export class OutputExists extends Schema.TaggedError<OutputExists>("@effect-zim/export/OutputExists")("OutputExists", {
  path: Schema.String,
  isUnfinished: Schema.Boolean
}) {
  override get message(): string {
    return this.isUnfinished ? `there is an unfinished export to ${this.path}` : `${this.path} exists already`
  }
}

/**
 * Which process writes to an output: its number, 1 or more, its machine, and since when, in ISO 8601.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Holder = Schema.Struct({
  pid: Schema.Int.check(Schema.isGreaterThanOrEqualTo(1)),
  host: Schema.String,
  since: Schema.String
})

/**
 * @category schemas
 * @since 0.1.0
 */
export type Holder = typeof Holder.Type

/**
 * Another export writes there, in this process or another one: of any number exactly one goes on. Nothing has been
 * changed, and the output is free as soon as that export ends, in whatever way.
 *
 * @category errors
 * @since 0.1.0
 */
export class OutputInUse extends Schema.TaggedError<OutputInUse>("@effect-zim/export/OutputInUse")("OutputInUse", {
  path: Schema.String,
  /** Who it is, where that is known. */
  holder: Schema.optionalKey(Holder)
}) {
  override get message(): string {
    if (this.holder === undefined) return `another export writes to ${this.path}, or keeps it locked`
    const { host, pid, since } = this.holder
    return `another export writes to ${this.path}: process ${pid} on ${host}, since ${since}`
  }
}

/**
 * One file would have two parts, for example as input and as output, by whatever names. Nothing has been changed.
 *
 * @category errors
 * @since 0.1.0
 */
export class SameFile extends Schema.TaggedError<SameFile>("@effect-zim/export/SameFile")("SameFile", {
  path: Schema.String,
  /** What it would be, in words. */
  roles: Schema.Tuple([Schema.String, Schema.String])
}) {
  override get message(): string {
    return `${this.roles[0]} and ${this.roles[1]} are the same file: ${this.path}`
  }
}

/**
 * The output cannot be used for an export, or no longer: it is something else, or somebody has removed, replaced or cut it
 * while the export was writing. The export has changed nothing in it since.
 *
 * @category errors
 * @since 0.1.0
 */
export class OutputUnusable extends Schema.TaggedError<OutputUnusable>("@effect-zim/export/OutputUnusable")(
  "OutputUnusable",
  {
    path: Schema.String,
    problem: Schema.String
  }
) {
  override get message(): string {
    return `cannot export to ${this.path}: ${this.problem}`
  }
}

export { FailureReason } from "./internal/failureReasons.ts"

/**
 * Writing failed, for example because the disk is full; or reading, for example a checkpoint or an earlier output. What
 * was saved before stays saved.
 *
 * @category errors
 * @since 0.1.0
 */
export class SinkFailed extends Schema.TaggedError<SinkFailed>("@effect-zim/export/SinkFailed")("SinkFailed", {
  path: Schema.String,
  /** What failed. Left out, it is writing. */
  operation: Schema.optionalKey(Schema.Literals(["read", "write"])),
  /** What to see to, where it is known. Left out, it is `Unknown`. */
  reason: FailureReason.pipe(Schema.withConstructorDefault(Effect.succeed({ _tag: "Unknown" }))),
  problem: Schema.String,
  cause: Schema.Defect()
}) {
  override get message(): string {
    return `cannot ${this.operation ?? "write"} ${this.path}: ${this.problem}`
  }
}

/**
 * The error of a sink whose file or database failed: what the codes of the system and of SQLite mean, in words and as a
 * reason.
 *
 * @example
 * ```ts
 * import { ExportSink } from "@effect-zim/export"
 * import { Effect } from "effect"
 * import { appendFile } from "node:fs/promises"
 *
 * const append = (path: string, text: string) =>
 *   Effect.tryPromise({ try: () => appendFile(path, text), catch: (cause) => ExportSink.failed(path, "write", cause) })
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const failed = (path: string, operation: "read" | "write", cause: unknown): SinkFailed =>
  new SinkFailed({ path, operation, ...meaningOf(cause), cause })

/**
 * What opening a sink can fail with.
 *
 * @category errors
 * @since 0.1.0
 */
export type OpenError = OutputExists | OutputInUse | OutputUnusable | SameFile | SinkFailed | CheckpointInvalid

/**
 * What saving can fail with.
 *
 * @category errors
 * @since 0.1.0
 */
export type SaveError = OutputUnusable | SinkFailed

/**
 * A sink that has been opened, for one run of the program.
 *
 * @category models
 * @since 0.1.0
 */
export interface Session {
  /** Where to go on: what was saved last, or the `initial` checkpoint. */
  readonly checkpoint: Checkpoint
  /**
   * Writes outcomes and the checkpoint after them, both or neither: whenever the program is killed, `checkpoint` of the
   * next session and what is written must be of the same moment. Called one at a time and never interrupted.
   */
  readonly save: (outcomes: ReadonlyArray<Outcome>, checkpoint: Checkpoint) => Effect.Effect<void, SaveError>
  /** Called once, after the last `save`, with a checkpoint that is finished. */
  readonly finish: (checkpoint: Checkpoint) => Effect.Effect<void, SaveError>
}

/**
 * A sink. All it has to promise is what {@link Session} says of `save`; the exactly-once of an export follows from that. A
 * database keeps the promise with a transaction.
 *
 * @example
 * ```ts
 * import { ExportSink } from "@effect-zim/export"
 * import { Effect } from "effect"
 *
 * // Keeps everything in memory: nothing is left after a crash, so the next run begins anew.
 * const lists = new Map<string, ReadonlyArray<string>>()
 * const inMemory: ExportSink.ExportSink = {
 *   location: "memory",
 *   open: ({ initial }) =>
 *     Effect.succeed({
 *       checkpoint: initial,
 *       save: (outcomes) =>
 *         Effect.sync(() => {
 *           for (const outcome of outcomes) {
 *             if (outcome._tag === "Exported") lists.set(outcome.userId, outcome.conversations.map(({ id }) => id))
 *           }
 *         }),
 *       finish: () => Effect.void
 *     })
 * }
 * ```
 *
 * @category models
 * @since 0.1.0
 */
export interface ExportSink {
  /** A name for people: a path, a URL without credentials. */
  readonly location: string
  /** Opens it. `initial` is the checkpoint of a run that begins here and now. */
  readonly open: (options: {
    readonly mode: Mode
    readonly initial: Checkpoint
  }) => Effect.Effect<Session, OpenError, Scope.Scope>
}

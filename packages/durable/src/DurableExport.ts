/**
 * An export that is kept in a store, as anybody can see it: how far it is, how fast, and who works on it.
 *
 * @since 0.1.0
 */
import { Checkpoint } from "@effect-zim/export"
import { PageSize } from "@effect-zim/protocol"
import * as Schema from "effect/Schema"

/**
 * Where an export is in its life:
 *
 * - `Running`: workers read its users, or will as soon as there is one.
 * - `Paused`: nothing is read until it is resumed.
 * - `Finished`: every line is done.
 * - `Failed`: ended by what concerns everybody. What has been read stays, and resuming it goes on from there.
 * - `Cancelled`: ended by somebody. The same.
 *
 * @category schemas
 * @since 0.1.0
 */
export const State = Schema.Literals(["Running", "Paused", "Finished", "Failed", "Cancelled"])

/**
 * @category schemas
 * @since 0.1.0
 */
export type State = typeof State.Type

/**
 * The name of an export: 1 to 64 letters, digits, dots, dashes and underscores.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Name = Schema.String.check(
  Schema.isPattern(/^[\w.-]{1,64}$/, { expected: "1 to 64 letters, digits, dots, dashes and underscores" })
)

const natural = Schema.Int.check(Schema.isGreaterThanOrEqualTo(0))
const positive = Schema.Int.check(Schema.isGreaterThanOrEqualTo(1))

/**
 * How an export is read.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Settings = Schema.Struct({
  /** Conversations per call, 1 to 500. */
  pageSize: PageSize.PageSize,
  /** How many batches are read at a time, by all workers together. */
  batches: positive,
  /** How many users of a batch are read at a time. */
  concurrency: positive
})

/**
 * @category schemas
 * @since 0.1.0
 */
export type Settings = typeof Settings.Type

/**
 * An export.
 *
 * @category schemas
 * @since 0.1.0
 */
export const DurableExport = Schema.Struct({
  id: Schema.String,
  name: Schema.String,
  appId: Schema.Int,
  state: State,
  /** How often it was begun: 1, and one more for each time that it was resumed after it had ended. */
  attempt: positive,
  /** Its number among the runs of the tables that it writes. */
  run: natural,
  settings: Settings,
  submittedAt: Schema.DateTimeUtcFromString,
  /** Since when it is in a state that is an end. */
  endedAt: Schema.optionalKey(Schema.DateTimeUtcFromString),
  /** How many lines were submitted. */
  lines: natural,
  /** What has been done of them. */
  counts: Checkpoint.Counts,
  /** Its batches, and those of them that are done. */
  batches: Schema.Struct({ total: natural, finished: natural }),
  /** Calls a second over the last minute, or since it has begun; one for each page that was saved. */
  callsPerSecond: Schema.Number,
  /** Who reads batches of it, by the last minute's saves. */
  workers: Schema.Array(Schema.Struct({ name: Schema.String, batches: natural })),
  /** Why it has ended or waits: the tag of an error, and what it says. */
  problem: Schema.optionalKey(Schema.Struct({ error: Schema.String, message: Schema.String }))
}).annotate({ identifier: "@effect-zim/durable/DurableExport" })

/**
 * @category schemas
 * @since 0.1.0
 */
export interface DurableExport extends Schema.Schema.Type<typeof DurableExport> {}

/**
 * Whether it is over: finished, failed or cancelled.
 *
 * @example
 * ```ts
 * import { DurableExport, Exports } from "@effect-zim/durable"
 * import { Effect } from "effect"
 *
 * const isOver = Effect.map(Exports.get("nightly-0123456789"), DurableExport.isEnded)
 * ```
 *
 * @category guards
 * @since 0.1.0
 */
export const isEnded = ({ state }: Pick<DurableExport, "state">): boolean => state !== "Running" && state !== "Paused"

/**
 * Where an export is: enough to go on after a crash at any instant.
 *
 * A sink keeps a checkpoint together with what it has written, so that both are always of the same moment. Its size does
 * not depend on how many users there are: the lines that have been read but are not done are those under way.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"

/**
 * The version of the format. A checkpoint of another one is refused.
 *
 * @category constants
 * @since 0.1.0
 */
export const version = 2

const natural = Schema.Int.check(Schema.isGreaterThanOrEqualTo(0))

/**
 * How far the users have been read.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Place = Schema.Struct({
  /** The number of the last line that was read. */
  read: natural,
  /** A hash of all lines up to that one, by which other users are told. */
  digest: Schema.String.check(Schema.isPattern(/^[0-9a-f]{16}$/, { expected: "16 hexadecimal digits" })),
  /** The lines among them that are not done. */
  pending: Schema.Array(natural)
})

/**
 * @category schemas
 * @since 0.1.0
 */
export type Place = typeof Place.Type

const count = natural.pipe(Schema.withConstructorDefault(Effect.succeed(0)))

/**
 * What has been done so far.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Counts = Schema.Struct({
  /** Lines that are done, whatever became of them. */
  lines: count,
  /** Users whose lists are in the output. */
  users: count,
  conversations: count,
  /** Calls that these took at the least: one for each page. */
  calls: count,
  /** Users whose lists could not be read. */
  failed: count,
  /** Lines that are no user id. */
  invalid: count,
  /** Lines whose user had come before. */
  duplicates: count,
  /** Users whose lists changed while they were read, each time: entries may be missing. */
  changedWhileReading: count,
  /** Users with as many conversations as the service returns at most: they may have more. */
  atCap: count
})

/**
 * @category schemas
 * @since 0.1.0
 */
export type Counts = typeof Counts.Type

/**
 * A checkpoint.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Checkpoint = Schema.Struct({
  version: Schema.Literal(version),
  /** A name for the run, drawn when it began. */
  run: Schema.String,
  /** When it began, in ISO 8601. */
  startedAt: Schema.String,
  appId: Schema.Int,
  place: Place,
  counts: Counts,
  /** The last user whose list was saved, if there is one: asked to tell one user's trouble from everybody's. */
  witness: Schema.optional(Schema.String),
  /** Whether all users are done. */
  isFinished: Schema.Boolean
})

/**
 * @category schemas
 * @since 0.1.0
 */
export type Checkpoint = typeof Checkpoint.Type

/**
 * Why a checkpoint cannot be gone on from:
 *
 * - `Unreadable`: it is damaged, or no checkpoint.
 * - `OtherVersion`: another version of this package made it.
 * - `OtherFormat`: it belongs to an output of another format.
 * - `OtherApp`: it is of another app.
 * - `OtherUsers`: the users are not those it was made with.
 * - `MoreUsers`: it is finished, and users have been added since.
 * - `OutputChanged`: the output is not as it was left.
 *
 * @category errors
 * @since 0.1.0
 */
export const InvalidReason = Schema.TaggedUnion({
  Unreadable: {},
  OtherVersion: {},
  OtherFormat: {},
  OtherApp: {},
  OtherUsers: {},
  MoreUsers: {},
  OutputChanged: {}
})

/**
 * One of the reasons.
 *
 * @category errors
 * @since 0.1.0
 */
export type InvalidReason = typeof InvalidReason.Type

/**
 * A checkpoint cannot be gone on from: `reason` says why.
 *
 * @category errors
 * @since 0.1.0
 */
export class CheckpointInvalid extends Schema.TaggedError<CheckpointInvalid>("@effect-zim/export/CheckpointInvalid")(
  "CheckpointInvalid",
  {
    /** The file or place it was found in. */
    path: Schema.String,
    reason: InvalidReason,
    problem: Schema.String
  }
) {
  override get message(): string {
    return `cannot go on from ${this.path}: ${this.problem}`
  }
}

/**
 * The counts at the beginning.
 *
 * @category constants
 * @since 0.1.0
 */
export const noCounts: Counts = Counts.make({})

/**
 * The checkpoint of a run that has done nothing yet.
 *
 * @example
 * ```ts
 * import { Checkpoint } from "@effect-zim/export"
 *
 * const checkpoint = Checkpoint.initial({ run: "nightly", startedAt: "2026-01-01T00:00:00Z", appId: 12345 })
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const initial = (run: Pick<Checkpoint, "run" | "startedAt" | "appId">): Checkpoint => ({
  version,
  ...run,
  place: { read: 0, digest: "0".repeat(16), pending: [] },
  counts: noCounts,
  witness: undefined,
  isFinished: false
})

const decodeVersion = Schema.decodeUnknownEffect(Schema.fromJsonString(Schema.Struct({ version: Schema.Unknown })))

/**
 * Reads a checkpoint, or what a sink made of it, from JSON. `path` says where it was found.
 *
 * @example
 * ```ts
 * import { Checkpoint } from "@effect-zim/export"
 * import { Schema } from "effect"
 *
 * const read = (json: string) => Checkpoint.parse(Schema.toCodecJson(Checkpoint.Checkpoint), json, "export.checkpoint")
 * ```
 *
 * @category converting
 * @since 0.1.0
 */
export const parse = Effect.fnUntraced(function* <A>(
  schema: Schema.Codec<A, unknown>,
  json: string,
  path: string
): Effect.fn.Return<A, CheckpointInvalid> {
  const invalid = (reason: InvalidReason["_tag"], problem: string) =>
    new CheckpointInvalid({ path, reason: { _tag: reason }, problem })
  const found = yield* Effect.mapError(decodeVersion(json), () =>
    invalid("Unreadable", "it is damaged, or no checkpoint")
  )
  if (found.version !== version) {
    const made = JSON.stringify(found.version)
    return yield* invalid("OtherVersion", `it is of version ${made}, this program makes version ${version}`)
  }
  return yield* Effect.mapError(Schema.decodeUnknownEffect(Schema.fromJsonString(schema))(json), ({ message }) =>
    invalid("Unreadable", `it is damaged: ${message.replaceAll(/\s+/g, " ")}`)
  )
})

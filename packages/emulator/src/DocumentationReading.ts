/**
 * Where the documentation is silent: which of its possible readings the emulator takes.
 *
 * A client should cope with all of them. The points are those that the contract marks as undocumented.
 *
 * @example
 * ```ts
 * import { Emulator, World } from "@effect-zim/emulator"
 *
 * const layer = Emulator.layer({
 *   world: World.generate({ seed: 1, users: 10 }),
 *   reading: { emptyList: "Absent", totalCount: "Capped" }
 * })
 * ```
 */

import * as Schema from "effect/Schema"

/**
 * One choice per silent point.
 *
 * @category schemas
 * @since 0.1.0
 */
export const DocumentationReading = Schema.Struct({
  /** The `List` of an empty answer. */
  emptyList: Schema.Literals(["Empty", "Null", "Absent"]),
  /** `TotalCount`: all conversations of the user, at most 1000, or left out. */
  totalCount: Schema.Literals(["All", "Capped", "Absent"]),
  /** Whether the first page holds the oldest conversations, or the latest (each page ascending). */
  order: Schema.Literals(["AcrossPages", "WithinPages"]),
  /** What a nonce gets that its app has used within the signature's window: accepted, or 100000005. */
  nonceReuse: Schema.Literals(["Accept", "Reject"])
}).annotate({ identifier: "@effect-zim/emulator/Reading" })

/**
 * The type of {@link DocumentationReading}.
 *
 * @category schemas
 * @since 0.1.0
 */
export type DocumentationReading = typeof DocumentationReading.Type

/**
 * What the emulator does unless told otherwise: `[]`, all, ascending across pages, accepted (and noted in the journal).
 *
 * @category constants
 * @since 0.1.0
 */
export const standard: DocumentationReading = {
  emptyList: "Empty",
  totalCount: "All",
  order: "AcrossPages",
  nonceReuse: "Accept"
}

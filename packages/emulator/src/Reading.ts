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

/**
 * One choice per silent point.
 */
export interface Reading {
  /** The `List` of an empty answer. */
  readonly emptyList: "Empty" | "Null" | "Absent"
  /** `TotalCount`: all conversations of the user, at most 1000, or left out. */
  readonly totalCount: "All" | "Capped" | "Absent"
  /** Whether the first page holds the oldest conversations, or the latest (each page ascending). */
  readonly order: "AcrossPages" | "WithinPages"
  /** What a nonce gets that its app has used within the signature's window: accepted, or 100000005. */
  readonly nonceReuse: "Accept" | "Reject"
}

/**
 * What the emulator does unless told otherwise: `[]`, all, ascending across pages, accepted (and noted in the journal).
 */
export const standard: Reading = {
  emptyList: "Empty",
  totalCount: "All",
  order: "AcrossPages",
  nonceReuse: "Accept"
}

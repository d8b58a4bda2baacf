import { Conversation, QueryConversationList } from "@effect-zim/protocol"
import { memoize } from "effect/Function"
import * as Hash from "effect/Hash"
import type { User } from "../../World.ts"
import type { Edge } from "./cursors.ts"

const edgeOf = (entry: Conversation.Wire): Edge => ({
  UpdateTime: entry.UpdateTime,
  ConvId: entry.ConvId,
  ConvType: entry.ConvType ?? Conversation.typeCodes.OneToOne
})

/** The order of a list: by time; entries of equal time by id, then by type, so that every entry has one place. */
const compare = (a: Edge, b: Edge): number =>
  a.UpdateTime - b.UpdateTime || (a.ConvId < b.ConvId ? -1 : a.ConvId > b.ConvId ? 1 : a.ConvType - b.ConvType)

/** As the service does: for some one-to-one conversations the type is left out. Always the same ones, by their id. */
const withoutSomeTypes = (entry: Conversation.Wire): Conversation.Wire =>
  entry.ConvType === Conversation.typeCodes.OneToOne && Hash.string(entry.ConvId) % 2 === 0
    ? { ConvId: entry.ConvId, UpdateTime: entry.UpdateTime }
    : entry

/** In the order of a list. */
export const arranged = (conversations: ReadonlyArray<Conversation.Wire>): ReadonlyArray<Conversation.Wire> =>
  conversations.toSorted((a, b) => compare(edgeOf(a), edgeOf(b)))

/** A user's list as the service keeps it: in order, the latest 1000; and how many there are. Users are immutable, so each is arranged once. */
export const of = memoize(({ conversations }: User) => ({
  entries: arranged(conversations).slice(-QueryConversationList.maximumConversations).map(withoutSomeTypes),
  total: conversations.length
}))
type ConversationList = ReturnType<typeof of>

/** How many entries come before the first one that is not before the edge (or, with `past`, that is after it). */
const position = (entries: ReadonlyArray<Conversation.Wire>, edge: Edge, past: boolean): number => {
  const index = entries.findIndex((entry) => compare(edgeOf(entry), edge) >= (past ? 1 : 0))
  return index < 0 ? entries.length : index
}

/** A page, and the edge where the next one starts. */
const slice = (entries: ReadonlyArray<Conversation.Wire>, edge: Conversation.Wire | undefined) => ({
  entries,
  next: edge === undefined ? undefined : edgeOf(edge)
})

/**
 * A page of so many entries. `shift` moves the start of a page that has an edge: back, so that entries come twice (but
 * one at least is new), or on, so that some are left out.
 */
export interface Window {
  readonly limit: number
  readonly shift: number
}

const shifted = ({ limit, shift }: Window): number => Math.max(shift, 1 - limit)

/** The entries after the edge, oldest first. */
export const after = (list: ConversationList, edge: Edge | undefined, window: Window) => {
  const { length } = list.entries
  const moved = edge === undefined ? 0 : position(list.entries, edge, true) + shifted(window)
  const start = Math.min(Math.max(moved, 0), length)
  const end = Math.min(start + window.limit, length)
  return slice(list.entries.slice(start, end), end < length ? list.entries[end - 1] : undefined)
}

/** The latest entries before the edge. */
export const before = (list: ConversationList, edge: Edge | undefined, window: Window) => {
  const { length } = list.entries
  const moved = edge === undefined ? length : position(list.entries, edge, false) - shifted(window)
  const end = Math.min(Math.max(moved, 0), length)
  const start = Math.max(end - window.limit, 0)
  return slice(list.entries.slice(start, end), start > 0 ? list.entries[start] : undefined)
}

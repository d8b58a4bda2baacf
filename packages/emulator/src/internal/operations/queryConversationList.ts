/** `QueryConversationList`, served: the order of a list, its pages, and what is answered. */
import { Conversation, Cursor, QueryConversationList, WireJson } from "@effect-zim/protocol"
import { memoize } from "effect/Function"
import * as Hash from "effect/Hash"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import type { User } from "../../World.ts"
import type { Edge } from "./cursors.ts"
import * as OperationHandler from "./operationHandler.ts"

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
const listOf = memoize(({ conversations }: User) => ({
  entries: arranged(conversations).slice(-QueryConversationList.maximumConversations).map(withoutSomeTypes),
  total: conversations.length
}))
type Entries = ReadonlyArray<Conversation.Wire>

/** How many entries come before the first one that is not before the edge (or, with `past`, that is after it). */
const position = (entries: Entries, edge: Edge, past: boolean): number => {
  const index = entries.findIndex((entry) => compare(edgeOf(entry), edge) >= (past ? 1 : 0))
  return index < 0 ? entries.length : index
}

/** A page, and the edge where the next one starts. */
const slice = (entries: Entries, edge: Conversation.Wire | undefined) => ({
  entries,
  next: edge === undefined ? undefined : edgeOf(edge)
})

/** How many entries a page has at most, and how far the start of one that has an edge is moved: on, or back. */
interface Window {
  readonly limit: number
  readonly shift: number
}

/** The entries after the edge, oldest first. */
const after = (entries: Entries, edge: Edge | undefined, window: Window) => {
  const { length } = entries
  const moved = edge === undefined ? 0 : position(entries, edge, true) + window.shift
  const start = Math.min(Math.max(moved, 0), length)
  const end = Math.min(start + window.limit, length)
  return slice(entries.slice(start, end), end < length ? entries[end - 1] : undefined)
}

/** The latest entries before the edge. */
const before = (entries: Entries, edge: Edge | undefined, window: Window) => {
  const { length } = entries
  const moved = edge === undefined ? length : position(entries, edge, false) - window.shift
  const end = Math.min(Math.max(moved, 0), length)
  const start = Math.max(end - window.limit, 0)
  return slice(entries.slice(start, end), start > 0 ? entries[start] : undefined)
}

const field = (body: unknown, name: string): unknown =>
  typeof body === "object" && body !== null ? Object.getOwnPropertyDescriptor(body, name)?.value : undefined

const isInteger = Schema.is(WireJson.WireInteger)

const maximumUserIdBytes = 32
const encoder = new TextEncoder()

export const handler: OperationHandler.OperationHandler = OperationHandler.make({
  operation: QueryConversationList.operation,
  summarize: (body) => {
    const userId = field(body, "FromUserId")
    const limit = field(body, "Limit")
    const next = field(body, "Next")
    return {
      userId: typeof userId === "string" ? userId : undefined,
      // `1e999` is JSON, and becomes `Infinity`, which is none.
      limit: typeof limit === "number" && Number.isFinite(limit) ? limit : undefined,
      cursor: next === undefined ? Cursor.start : isInteger(next) ? String(next) : undefined
    }
  },
  precheck: (body) => {
    const userId = field(body, "FromUserId")
    return typeof userId === "string" && encoder.encode(userId).length > maximumUserIdBytes
      ? { code: 660000012, reason: `FromUserId is longer than ${maximumUserIdBytes} bytes` }
      : undefined
  },
  answer: ({ cursor, pageSize, userId }, { appId, cursors, largeCursors, reading, shift, users }) => {
    const user = users.get(userId)
    if (user === undefined) return Result.fail({ code: 660500002, reason: "the user is not registered" })
    const place =
      cursor === Cursor.start ? { appId, userId, page: 1, edge: undefined } : cursors.find(appId, userId, cursor)
    if (place === undefined) {
      return Result.fail({ code: 660000002, reason: "Next is no cursor that this user's list was answered with" })
    }
    const { entries, total } = listOf(user)
    // Where entries come twice, one at least is new.
    const window = { limit: pageSize, shift: Math.max(shift, 1 - pageSize) }
    const page =
      reading.order === "AcrossPages" ? after(entries, place.edge, window) : before(entries, place.edge, window)
    return Result.succeed({
      ...(reading.totalCount !== "Absent" && {
        TotalCount: reading.totalCount === "All" ? total : entries.length
      }),
      Next: page.next ? cursors.issue({ appId, userId, page: place.page + 1, edge: page.next }, largeCursors) : 0,
      ...((page.entries.length > 0 || reading.emptyList !== "Absent") && {
        List: page.entries.length === 0 && reading.emptyList === "Null" ? null : page.entries
      })
    })
  }
})

import { Cursor, QueryConversationList, WireJson } from "@effect-zim/protocol"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as ConversationPages from "./conversationPages.ts"
import * as OperationHandler from "./operationHandler.ts"

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
  answer: ({ cursor, pageSize, userId }, { appId, cursors, largeCursors, reading, shift, user: lookUp }) => {
    const user = lookUp(userId)
    if (user === undefined) return Result.fail({ code: 660500002, reason: "the user is not registered" })
    const place =
      cursor === Cursor.start ? { appId, userId, page: 1, edge: undefined } : cursors.find(appId, userId, cursor)
    if (place === undefined) {
      return Result.fail({ code: 660000002, reason: "Next is no cursor that this user's list was answered with" })
    }
    const list = ConversationPages.of(user)
    const window = { limit: pageSize, shift }
    const page =
      reading.order === "AcrossPages"
        ? ConversationPages.after(list, place.edge, window)
        : ConversationPages.before(list, place.edge, window)
    const next = page.next
    return Result.succeed({
      ...(reading.totalCount !== "Absent" && {
        TotalCount: reading.totalCount === "All" ? list.total : list.entries.length
      }),
      Next: next === undefined ? 0 : cursors.issue({ appId, userId, page: place.page + 1, edge: next }, largeCursors),
      ...((page.entries.length > 0 || reading.emptyList !== "Absent") && {
        List: page.entries.length === 0 && reading.emptyList === "Null" ? null : page.entries
      })
    })
  }
})

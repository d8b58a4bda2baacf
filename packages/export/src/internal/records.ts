/** What an export writes as text: a conversation as a flat record, and a line without a list as JSON. */
import type { Conversation } from "@effect-zim/protocol"
import * as DateTime from "effect/DateTime"
import type { Failed } from "../ExportSink.ts"

export const conversationKeys = ["userId", "conversationId", "type", "typeCode", "updatedAt"] as const

export const conversationRecord = (userId: string, conversation: Conversation.Conversation) => ({
  userId,
  conversationId: conversation.id,
  type: conversation.type,
  typeCode: conversation.typeCode,
  updatedAt: DateTime.formatIso(conversation.updatedAt)
})

/** One JSON object per line. */
export const failureLines = (failures: ReadonlyArray<Failed>): string =>
  failures
    .map(
      ({ code, error, line, message, requestId, userId }) =>
        `${JSON.stringify({ line, userId, error, code, requestId, message })}\n`
    )
    .join("")

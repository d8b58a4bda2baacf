/** A conversation as a flat record, the same in every text format. */
import type { Conversation } from "@effect-zim/protocol"
import * as DateTime from "effect/DateTime"

export const keys = ["userId", "conversationId", "type", "typeCode", "updatedAt"] as const

export const record = (userId: string, conversation: Conversation.Conversation) => ({
  userId,
  conversationId: conversation.id,
  type: conversation.type,
  typeCode: conversation.typeCode,
  updatedAt: DateTime.formatIso(conversation.updatedAt)
})

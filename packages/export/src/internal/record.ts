/** A conversation as a flat record, the same in every text format. */
import type { Conversation } from "@effect-zim/protocol"
import * as DateTime from "effect/DateTime"

export const keys = ["userId", "conversationId", "type", "typeCode", "updatedAt"] as const

/**
 * The same text, with halves of characters as JSON writes them (`\ud800`): UTF-8 has none, and any two would become the
 * same sign for what cannot be shown.
 */
export const wellFormed = (text: string): string =>
  text.isWellFormed()
    ? text
    : text.replaceAll(/\p{Surrogate}/gu, (half) => `\\u${half.charCodeAt(0).toString(16).padStart(4, "0")}`)

export const record = (userId: string, conversation: Conversation.Conversation) => ({
  userId,
  conversationId: conversation.id,
  type: conversation.type,
  typeCode: conversation.typeCode,
  updatedAt: DateTime.formatIso(conversation.updatedAt)
})

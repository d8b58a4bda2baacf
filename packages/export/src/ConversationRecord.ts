/**
 * A conversation as a flat record: a line of an export, and of what `zim conversations list` prints.
 *
 * @since 0.1.0
 */
import type { Conversation } from "@effect-zim/protocol"
import * as DateTime from "effect/DateTime"
import * as Schema from "effect/Schema"

/**
 * The record, as a schema: it reads a line of an export back. The rows of a CSV file are text:
 * `Schema.toCodecStringTree` makes the schema for them.
 *
 * @example
 * ```ts
 * import { ConversationRecord } from "@effect-zim/export"
 * import { Schema } from "effect"
 *
 * export const readLine = Schema.decodeEffect(Schema.fromJsonString(ConversationRecord.ConversationRecord))
 * ```
 *
 * @category schemas
 * @since 0.1.0
 */
export const ConversationRecord = Schema.Struct({
  userId: Schema.String,
  /** The peer's user id, or the group's id. */
  conversationId: Schema.String,
  type: Schema.Literals(["OneToOne", "Group", "Unknown"]),
  typeCode: Schema.Int,
  /** ISO 8601, in UTC. */
  updatedAt: Schema.DateTimeUtcFromString
}).annotate({ identifier: "@effect-zim/export/ConversationRecord" })

/**
 * A record that was read.
 *
 * @category models
 * @since 0.1.0
 */
export interface ConversationRecord extends Schema.Schema.Type<typeof ConversationRecord> {}

/**
 * A record as it is written.
 *
 * @category models
 * @since 0.1.0
 */
export type Encoded = typeof ConversationRecord.Encoded

/**
 * The names of its fields, in their order.
 *
 * @category constants
 * @since 0.1.0
 */
export const keys = ["userId", "conversationId", "type", "typeCode", "updatedAt"] as const satisfies ReadonlyArray<
  keyof Encoded
>

/**
 * The record of a user's conversation, as it is written.
 *
 * @example
 * ```ts
 * import { ConversationRecord } from "@effect-zim/export"
 * import { Conversation } from "@effect-zim/protocol"
 *
 * const ada = new Conversation.Conversation({ ConvId: "ada", UpdateTime: 1708254395000 })
 * ConversationRecord.make("grace", ada).updatedAt // 2024-02-18T11:06:35.000Z
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = (userId: string, { id, type, typeCode, updatedAt }: Conversation.Conversation): Encoded => ({
  userId,
  conversationId: id,
  type,
  typeCode,
  updatedAt: DateTime.formatIso(updatedAt)
})

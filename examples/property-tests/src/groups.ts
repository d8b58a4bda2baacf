/**
 * The pipeline: the groups of a user in batches, each with the checkpoint after it, from which a later run goes on.
 */
import { Conversations } from "@effect-zim/client"
import type { Cursor } from "@effect-zim/protocol"
import { Stream } from "effect"

export const groupBatches = (userId: string, from?: Cursor.Cursor) =>
  Conversations.pages(userId, { from, pageSize: 20 }).pipe(
    Stream.map(({ conversations, next }) => ({ groups: conversations.filter(({ type }) => type === "Group"), next }))
  )

export const groups = (userId: string) =>
  Stream.flattenIterable(Stream.map(groupBatches(userId), ({ groups }) => groups))

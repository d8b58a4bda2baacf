/**
 * The procedures as values: the server handles them, and clients are made of them. What they take, give and fail with is
 * the operation's own.
 */
import { Conversations } from "@effect-zim/client"
import * as Derive from "@effect-zim/client/Derive"
import { QueryConversationList } from "@effect-zim/protocol"
import { Schema } from "effect"
import { Rpc, RpcGroup } from "effect/rpc"

export class Lists extends RpcGroup.make(
  // A stream: each page crosses as soon as it is there, and no page is read that nobody asks for.
  Derive.rpcItems("conversations", QueryConversationList.operation),
  Rpc.make("snapshot", {
    payload: { userId: Schema.String },
    success: Conversations.Snapshot,
    error: Conversations.ListError
  })
) {}

/**
 * The side that has the secret, over HTTP. All callers share its client, and with it the quota.
 */
import { Conversations, Paging, ZimClient } from "@effect-zim/client"
import { UndiciHttpClient } from "@effect-zim/node"
import { QueryConversationList } from "@effect-zim/protocol"
import { Layer } from "effect"
import { HttpRouter } from "effect/http"
import { RpcSerialization, RpcServer } from "effect/rpc"
import { Lists } from "./Lists.ts"

const handlers = Lists.toLayer({
  conversations: (input) => Paging.items(QueryConversationList.operation, input),
  snapshot: ({ userId }) => Conversations.snapshot(userId)
})

const procedures = RpcServer.layer(Lists).pipe(
  Layer.provide(handlers),
  Layer.provide(RpcServer.layerProtocolHttp({ path: "/rpc" })),
  Layer.provide(RpcSerialization.layerNdjson)
)

/** Needs an `HttpServer`. */
export const server = HttpRouter.serve(procedures).pipe(
  Layer.provide(ZimClient.layerConfig().pipe(Layer.provide(UndiciHttpClient.layer)))
)

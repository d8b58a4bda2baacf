/** What two processes share: procedures and an API, derived from the operation and from what its list is made of. */
import { Conversations } from "@effect-zim/client"
import * as Derive from "@effect-zim/client/Derive"
import { World } from "@effect-zim/emulator"
import { QueryConversationList } from "@effect-zim/protocol"
import * as HttpApi from "effect/http-api/HttpApi"
import * as HttpApiGroup from "effect/http-api/HttpApiGroup"
import * as Redacted from "effect/Redacted"
import * as Rpc from "effect/rpc/Rpc"
import * as RpcGroup from "effect/rpc/RpcGroup"
import * as Schema from "effect/Schema"

const { operation } = QueryConversationList

export const world = World.generate({ seed: 7, users: 3 })

export const [app = { appId: 0, serverSecret: Redacted.make("") }] = world.apps

export class Lists extends RpcGroup.make(
  Derive.rpc("page", operation),
  Derive.rpcItems("conversations", operation),
  Rpc.make("snapshot", {
    payload: { userId: Schema.String },
    success: Conversations.Snapshot,
    error: Conversations.ListError
  })
) {}

class ListsApi extends HttpApiGroup.make("lists").add(Derive.endpoint("page", "/page", operation)) {}

export class Api extends HttpApi.make("api").add(ListsApi) {}

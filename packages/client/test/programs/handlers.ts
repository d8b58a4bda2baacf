/** The side that has the secret: a client of an emulator in the same process. */
import { Conversations, Paging, ZimClient } from "@effect-zim/client"
import { EmulatorClient } from "@effect-zim/emulator"
import { QueryConversationList } from "@effect-zim/protocol"
import * as HttpApiBuilder from "effect/http-api/HttpApiBuilder"
import * as Layer from "effect/Layer"
import { Api, app, Lists, world } from "./api.ts"

const { operation } = QueryConversationList

export const client = ZimClient.layer({
  ...app,
  baseUrl: "http://127.0.0.1:1"
}).pipe(Layer.provide(EmulatorClient.layerWithEmulator({ world })))

export const procedures = Lists.toLayer({
  page: (input) => ZimClient.execute(operation, input),
  conversations: (input) => Paging.items(operation, input),
  snapshot: ({ userId }) => Conversations.snapshot(userId)
})

export const routes = HttpApiBuilder.group(Api, "lists", (handlers) =>
  handlers.handle("page", ({ payload }) => ZimClient.execute(operation, payload))
)

/**
 * The other side: another service of yours, which knows neither the secret nor the vendor's API.
 */
import { Context, Effect, Layer, Stream } from "effect"
import { FetchHttpClient } from "effect/http"
import { RpcClient, type RpcClientError, RpcSerialization } from "effect/rpc"
import { Lists } from "./Lists.ts"

export class ListsClient extends Context.Service<
  ListsClient,
  RpcClient.FromGroup<typeof Lists, RpcClientError.RpcClientError>
>()("rpc/ListsClient") {
  static readonly layer = (url: string) =>
    Layer.effect(this, RpcClient.make(Lists)).pipe(
      Layer.provide(RpcClient.layerProtocolHttp({ url: `${url}/rpc` })),
      Layer.provide([FetchHttpClient.layer, RpcSerialization.layerNdjson])
    )
}

/** The first groups of a list. */
export const someGroups = Effect.fn("someGroups")(function* (userId: string, count: number) {
  const lists = yield* ListsClient
  return yield* lists.conversations({ userId, pageSize: 20 }).pipe(
    Stream.filter(({ type }) => type === "Group"),
    Stream.take(count),
    Stream.runCollect
  )
})

/** How many conversations there are: none where nobody has that id. */
export const count = Effect.fn("count")(function* (userId: string) {
  const lists = yield* ListsClient
  return yield* lists.snapshot({ userId }).pipe(
    Effect.map(({ conversations }) => conversations.length),
    Effect.catchTag("UserNotRegistered", () => Effect.succeed(0))
  )
})

/**
 * The other side: another service of yours, which knows neither the secret nor the vendor's API.
 */
import { Effect, Layer, Stream } from "effect"
import { FetchHttpClient } from "effect/http"
import { RpcClient, RpcSerialization } from "effect/rpc"
import { Lists } from "./Lists.ts"

export const protocol = (url: string) =>
  RpcClient.layerProtocolHttp({ url: `${url}/rpc` }).pipe(
    Layer.provide([FetchHttpClient.layer, RpcSerialization.layerNdjson])
  )

/** The first groups of a list. */
export const someGroups = Effect.fn("someGroups")(function* (userId: string, count: number) {
  const lists = yield* RpcClient.make(Lists)
  return yield* lists.conversations({ userId, pageSize: 20 }).pipe(
    Stream.filter(({ type }) => type === "Group"),
    Stream.take(count),
    Stream.runCollect
  )
})

/** How many conversations there are: none where nobody has that id. */
export const count = Effect.fn("count")(function* (userId: string) {
  const lists = yield* RpcClient.make(Lists)
  return yield* lists.snapshot({ userId }).pipe(
    Effect.map(({ conversations }) => conversations.length),
    Effect.catchTag("UserNotRegistered", () => Effect.succeed(0))
  )
})

/**
 * The apps that a worker can export: a client for each.
 *
 * @since 0.1.0
 */
import { ZimClient } from "@effect-zim/client"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"

/**
 * A worker was asked for an app that it has no settings of.
 *
 * @category errors
 * @since 0.1.0
 */
export class AppUnknown extends Schema.TaggedError<AppUnknown>("@effect-zim/durable/AppUnknown")("AppUnknown", {
  appId: Schema.Int
}) {
  override get message(): string {
    return `no settings of app ${this.appId}: give them to every worker`
  }
}

/**
 * The clients of a worker, by their AppIDs.
 *
 * @example
 * ```ts
 * import { Conversations, ZimClient } from "@effect-zim/client"
 * import { Apps } from "@effect-zim/durable"
 * import { Effect } from "effect"
 *
 * const page = (appId: number, userId: string) =>
 *   Effect.gen(function* () {
 *     const client = yield* (yield* Apps.Apps).client(appId)
 *     return yield* Effect.provideService(Conversations.page(userId), ZimClient.ZimClient, client)
 *   })
 * ```
 *
 * @category services
 * @since 0.1.0
 */
export class Apps extends Context.Service<
  Apps,
  { readonly client: (appId: number) => Effect.Effect<ZimClient.ZimClient["Service"], AppUnknown> }
>()("@effect-zim/durable/Apps") {}

/**
 * Makes it of clients.
 *
 * @example
 * ```ts
 * import { ZimClient } from "@effect-zim/client"
 * import { Apps } from "@effect-zim/durable"
 * import { Effect } from "effect"
 *
 * const one = Effect.map(ZimClient.ZimClient, (client) => Apps.make([client]))
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = (clients: Iterable<ZimClient.ZimClient["Service"]>): Apps["Service"] => {
  const byId = new Map(Array.from(clients, (client) => [Number(client.appId), client]))
  return {
    client: (appId) =>
      Effect.suspend(() => {
        const client = byId.get(appId)
        return client === undefined ? new AppUnknown({ appId }) : Effect.succeed(client)
      })
  }
}

/**
 * One app: that of the client in the context.
 *
 * @example
 * ```ts
 * import { ZimClient } from "@effect-zim/client"
 * import { Apps } from "@effect-zim/durable"
 * import { Layer } from "effect"
 *
 * const apps = Apps.layerClient.pipe(Layer.provide(ZimClient.layerConfig()))
 * ```
 *
 * @category layers
 * @since 0.1.0
 */
export const layerClient: Layer.Layer<Apps, never, ZimClient.ZimClient> = Layer.effect(
  Apps,
  Effect.map(ZimClient.ZimClient, (client) => make([client]))
)

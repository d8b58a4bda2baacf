/**
 * The apps that a worker can export: a client for each, made of settings in a file or in the environment. The quota of each
 * is kept in the database, by all workers together.
 *
 * @since 0.1.0
 */
import { type ClientError, Quota, ZimClient } from "@effect-zim/client"
import * as SqlQuota from "@effect-zim/client/SqlQuota"
import * as Config from "effect/Config"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type * as FileSystem from "effect/FileSystem"
import type * as HttpClient from "effect/http/HttpClient"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import type * as SqlClient from "effect/sql/SqlClient"
import * as AppSettings from "./internal/appSettings.ts"

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
    client: (appId) => Effect.mapError(Effect.fromNullishOr(byId.get(appId)), () => new AppUnknown({ appId }))
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

export type { App } from "./internal/appSettings.ts"
export { AppInvalid, AppsUnreadable, readConfig, readFile } from "./internal/appSettings.ts"

const clientOf = Effect.fnUntraced(
  function* ({ settings }: AppSettings.App) {
    const quota = yield* SqlQuota.make({ ...settings.quota, schema: "zim" })
    const client = yield* Layer.build(ZimClient.layerConfig(Config.succeed(settings))).pipe(
      Effect.provideService(Quota.Quota, quota)
    )
    return Context.get(client, ZimClient.ZimClient)
  },
  (self, { name }) =>
    Effect.mapError(self, ({ problem, setting }) => new AppSettings.AppInvalid({ app: name, setting, problem }))
)

/**
 * Apps of these settings. All workers over one database, and whoever else has an `SqlQuota` in its schema `zim`, keep the
 * quota of an app together: that of its settings, or 20 calls a second.
 *
 * @example
 * ```ts
 * import { Apps } from "@effect-zim/durable"
 * import { Effect, Layer } from "effect"
 *
 * // Only some of those in a file.
 * const some = Layer.unwrap(
 *   Effect.map(Apps.readFile("apps.json"), (apps) => Apps.layer(apps.filter(({ name }) => name.startsWith("eu-"))))
 * )
 * ```
 *
 * @category layers
 * @since 0.1.0
 */
export const layer = (
  apps: Iterable<AppSettings.App>
): Layer.Layer<Apps, AppSettings.AppInvalid, HttpClient.HttpClient | SqlClient.SqlClient> =>
  Layer.effect(Apps, Effect.map(Effect.forEach(apps, clientOf), make))

/**
 * Apps of the settings in the `ConfigProvider`, or in the file that it names: see {@link readConfig}.
 *
 * @example
 * ```ts
 * import { Apps } from "@effect-zim/durable"
 * import * as NodeWorker from "@effect-zim/durable/NodeWorker"
 * import { UndiciHttpClient } from "@effect-zim/node"
 * import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
 * import { Layer, Redacted } from "effect"
 *
 * const worker = NodeWorker.layer({ host: "10.0.0.7" }).pipe(
 *   Layer.provide(Apps.layerConfig),
 *   Layer.provide([UndiciHttpClient.layer, NodeFileSystem.layer]),
 *   Layer.provide(NodeWorker.layerDatabase(Redacted.make("postgres://zim@10.0.0.1/zim")))
 * )
 * ```
 *
 * @category layers
 * @since 0.1.0
 */
export const layerConfig: Layer.Layer<
  Apps,
  AppSettings.AppInvalid | AppSettings.AppsUnreadable | ClientError.SettingsInvalid,
  HttpClient.HttpClient | SqlClient.SqlClient | FileSystem.FileSystem
> = Layer.unwrap(Effect.map(AppSettings.readConfig, layer))

/**
 * Apps of the settings in a file: see {@link readFile}.
 *
 * @example
 * ```ts
 * import { Apps } from "@effect-zim/durable"
 *
 * const apps = Apps.layerFile("/run/secrets/apps.json")
 * ```
 *
 * @category layers
 * @since 0.1.0
 */
export const layerFile = (
  path: string
): Layer.Layer<
  Apps,
  AppSettings.AppInvalid | AppSettings.AppsUnreadable,
  HttpClient.HttpClient | SqlClient.SqlClient | FileSystem.FileSystem
> => Layer.unwrap(Effect.map(AppSettings.readFile(path), layer))

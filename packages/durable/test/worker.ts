/** `worker.ts SETTINGS`: a worker for apps of the emulator's. Says `ready` when it is. */
import { ZimClient } from "@effect-zim/client"
import * as SqlQuota from "@effect-zim/client/SqlQuota"
import { Apps } from "@effect-zim/durable"
import * as NodeWorker from "@effect-zim/durable/NodeWorker"
import { UndiciHttpClient } from "@effect-zim/node"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"

const settings = Schema.decodeSync(
  Schema.fromJsonString(
    Schema.Struct({
      database: Schema.String,
      baseUrl: Schema.String,
      port: Schema.Int,
      appIds: Schema.Array(Schema.Int),
      secret: Schema.String,
      limit: Schema.Int
    })
  )
)(process.argv[2] ?? "")

const { appIds, baseUrl, database, limit, port, secret } = settings

const apps = Layer.effect(
  Apps.Apps,
  Effect.map(
    Effect.forEach(appIds, (appId) => ZimClient.make({ appId, serverSecret: Redacted.make(secret), baseUrl })),
    Apps.make
  )
)

const main = Effect.sync(() => void process.stdout.write("ready\n")).pipe(
  Effect.andThen(Effect.never),
  Effect.provide(
    NodeWorker.layer({ port }).pipe(
      Layer.provide(apps),
      Layer.provide(SqlQuota.layer({ schema: "zim", limit })),
      Layer.provide(UndiciHttpClient.layer),
      Layer.provide(NodeWorker.layerDatabase(Redacted.make(database)))
    )
  )
)

NodeRuntime.runMain(main)

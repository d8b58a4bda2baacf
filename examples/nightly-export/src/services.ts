/**
 * What the export needs, all of it from the environment: `ZIM_APP_ID`, `ZIM_SERVER_SECRET` and `DATABASE_URL`.
 */
import { ZimClient } from "@effect-zim/client"
import { UndiciHttpClient } from "@effect-zim/node"
import * as NodeServices from "@effect/platform-node/NodeServices"
import { PgClient } from "@effect/sql-pg"
import { Config, Layer } from "effect"

export const services = Layer.mergeAll(
  ZimClient.layerConfig().pipe(Layer.provide(UndiciHttpClient.layer)),
  PgClient.layerConfig({ url: Config.Redacted("DATABASE_URL") }),
  NodeServices.layer
)

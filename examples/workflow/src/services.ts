/**
 * A process that runs workflows: one of them at a time, which whoever starts it again replaces. For several at once there is
 * `NodeClusterSocket` of `@effect/platform-node` in place of `SingleRunner`.
 */
import { ZimClient } from "@effect-zim/client"
import { UndiciHttpClient } from "@effect-zim/node"
import * as NodeCrypto from "@effect/platform-node/NodeCrypto"
import { PgClient } from "@effect/sql-pg"
import { Config, Layer } from "effect"
import { ClusterWorkflowEngine, SingleRunner } from "effect/cluster"
import * as DailyDigest from "./DailyDigest.ts"
import { Outbox } from "./Outbox.ts"

export const database = PgClient.layerConfig({ url: Config.Redacted("DATABASE_URL") })

const cluster = SingleRunner.layer({ shardingConfig: { shardsPerGroup: 10, entityMessagePollInterval: "1 second" } })

export const services = DailyDigest.layer.pipe(
  Layer.provideMerge(ClusterWorkflowEngine.layer),
  Layer.provide(cluster),
  Layer.provide([ZimClient.layerConfig().pipe(Layer.provide(UndiciHttpClient.layer)), Outbox.layer]),
  Layer.provide([database, NodeCrypto.layer])
)

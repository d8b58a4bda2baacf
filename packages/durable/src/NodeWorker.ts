/**
 * A worker on Node: one runner of a cluster that keeps everything in PostgreSQL. Start as many as you like, on as many
 * machines; each takes its share of the batches, and those of one that dies.
 *
 * This module is an entry point of its own: it needs `@effect/platform-node` and `@effect/sql-pg`.
 *
 * @since 0.1.0
 */
import * as NodeClusterSocket from "@effect/platform-node/NodeClusterSocket"
import * as PgClient from "@effect/sql-pg/PgClient"
import * as ClusterWorkflowEngine from "effect/cluster/ClusterWorkflowEngine"
import * as RunnerAddress from "effect/cluster/RunnerAddress"
import type * as Sharding from "effect/cluster/Sharding"
import type * as ShardingConfig from "effect/cluster/ShardingConfig"
import type * as Config from "effect/Config"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import type * as Redacted from "effect/Redacted"
import type * as SocketServer from "effect/socket/SocketServer"
import type * as SqlClient from "effect/sql/SqlClient"
import type * as SqlError from "effect/sql/SqlError"
import type * as WorkflowEngine from "effect/workflow/WorkflowEngine"
import type { Apps } from "./Apps.ts"
import { ExportStore, type StoreFailed } from "./ExportStore.ts"
import * as ExportWorkflow from "./ExportWorkflow.ts"
import * as SqlStore from "./SqlStore.ts"

/**
 * Where a worker is.
 *
 * @category models
 * @since 0.1.0
 */
export interface Options {
  /** By which name or address the other workers reach this one. Default: `127.0.0.1`, for workers on one machine. */
  readonly host?: string | undefined
  /** Its port. Default: 34431. */
  readonly port?: number | undefined
  /** Settings of the cluster in place of those here; all workers must have the same `shardsPerGroup`. */
  readonly sharding?: Partial<ShardingConfig.ShardingConfig["Service"]> | undefined
}

/**
 * The port of a worker that is given none.
 *
 * @category constants
 * @since 0.1.0
 */
export const defaultPort = 34431

/** A worker that dies is noticed after 5 seconds, and its batches are read elsewhere after 15 at the most. */
const sharding: Partial<ShardingConfig.ShardingConfig["Service"]> = {
  shardsPerGroup: 60,
  shardLockExpiration: "10 seconds",
  shardLockRefreshInterval: "2 seconds",
  runnerHealthCheckInterval: "5 seconds",
  refreshAssignmentsInterval: "500 millis",
  entityMessagePollInterval: "1 second",
  entityTerminationTimeout: "100 millis"
}

/**
 * A connection to the database, whose tables are in the schema `zim`.
 *
 * @example
 * ```ts
 * import { Exports, SqlStore } from "@effect-zim/durable"
 * import * as NodeWorker from "@effect-zim/durable/NodeWorker"
 * import { Effect, Layer, Redacted } from "effect"
 *
 * const store = SqlStore.layer.pipe(
 *   Layer.provide(NodeWorker.layerDatabase(Redacted.make("postgres://zim@127.0.0.1:5432/zim")))
 * )
 * const all = Effect.provide(Exports.list, store)
 * ```
 *
 * @category layers
 * @since 0.1.0
 */
export const layerDatabase = (
  url: Redacted.Redacted
): Layer.Layer<PgClient.PgClient | SqlClient.SqlClient, SqlError.SqlError> =>
  // The cluster's own tables go where no schema is named.
  PgClient.layer({
    url,
    applicationName: "effect-zim",
    startupParameters: {
      search_path: "zim",
      // What a process that is frozen has locked, nobody else could take.
      idle_in_transaction_session_timeout: "10s"
    },
    // Saves of many batches must not keep calls waiting that ask for the quota.
    maxConnections: 16
  })

/**
 * A worker: it joins the cluster of that database, starts what is submitted there, and reads batches, until its scope ends:
 * then what it reads goes on elsewhere at once.
 *
 * @example
 * ```ts
 * import { ZimClient } from "@effect-zim/client"
 * import { Apps } from "@effect-zim/durable"
 * import * as NodeWorker from "@effect-zim/durable/NodeWorker"
 * import { UndiciHttpClient } from "@effect-zim/node"
 * import { Layer, Redacted } from "effect"
 *
 * const worker = NodeWorker.layer({ host: "10.0.0.7" }).pipe(
 *   Layer.provide(Apps.layerClient),
 *   Layer.provide(ZimClient.layerConfig()),
 *   Layer.provide(UndiciHttpClient.layer),
 *   Layer.provide(NodeWorker.layerDatabase(Redacted.make("postgres://zim@10.0.0.1/zim")))
 * )
 * ```
 *
 * @category layers
 * @since 0.1.0
 */
export const layer = (
  options: Options = {}
): Layer.Layer<
  ExportStore | WorkflowEngine.WorkflowEngine | Sharding.Sharding,
  StoreFailed | SocketServer.SocketServerError | Config.ConfigError,
  Apps | SqlClient.SqlClient
> => {
  const { host = "127.0.0.1", port = defaultPort } = options
  const cluster = NodeClusterSocket.layer({
    shardingConfig: { ...sharding, ...options.sharding, runnerAddress: Option.some(RunnerAddress.make(host, port)) }
  })
  const worker = ExportWorkflow.layer.pipe(
    Layer.provideMerge(ClusterWorkflowEngine.layer),
    Layer.provideMerge(cluster),
    Layer.provide(Layer.succeed(ExportWorkflow.WorkerName, `${host}:${port}`))
  )
  // The store first: it makes the schema that the cluster's tables are in.
  return Layer.unwrap(Effect.as(ExportStore, worker)).pipe(Layer.provideMerge(SqlStore.layer))
}

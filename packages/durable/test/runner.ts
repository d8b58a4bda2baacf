/** A runner of exports in this process, in memory, and what outlives it. */
import { Apps, ExportWorkflow } from "@effect-zim/durable"
import * as ClusterWorkflowEngine from "effect/cluster/ClusterWorkflowEngine"
import * as MessageStorage from "effect/cluster/MessageStorage"
import * as RunnerHealth from "effect/cluster/RunnerHealth"
import * as Runners from "effect/cluster/Runners"
import * as RunnerStorage from "effect/cluster/RunnerStorage"
import * as Sharding from "effect/cluster/Sharding"
import * as ShardingConfig from "effect/cluster/ShardingConfig"
import * as Layer from "effect/Layer"

export const runner = ExportWorkflow.layer.pipe(
  Layer.provideMerge(ClusterWorkflowEngine.layer),
  Layer.provide(Sharding.layer.pipe(Layer.provide([Runners.layerNoop, RunnerHealth.layerNoop]))),
  Layer.provide(Apps.layerClient)
)

export const storage = Layer.mergeAll(MessageStorage.layerMemory, RunnerStorage.layerMemory).pipe(
  Layer.provideMerge(ShardingConfig.layer())
)

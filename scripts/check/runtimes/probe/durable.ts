import { Apps, Exports, ExportWorkflow, MemoryStore } from "@effect-zim/durable"
import { ZimTest } from "@effect-zim/testing"
import * as ClusterWorkflowEngine from "effect/cluster/ClusterWorkflowEngine"
import * as MessageStorage from "effect/cluster/MessageStorage"
import * as RunnerHealth from "effect/cluster/RunnerHealth"
import * as Runners from "effect/cluster/Runners"
import * as RunnerStorage from "effect/cluster/RunnerStorage"
import * as Sharding from "effect/cluster/Sharding"
import * as ShardingConfig from "effect/cluster/ShardingConfig"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Stream from "effect/Stream"
import { type Check, expect } from "./Check.ts"
import { world } from "./emulator.ts"

const runner = ExportWorkflow.layer.pipe(
  Layer.provideMerge(ClusterWorkflowEngine.layer),
  Layer.provide(Sharding.layer.pipe(Layer.provide([Runners.layerNoop, RunnerHealth.layerNoop]))),
  Layer.provide([MessageStorage.layerMemory, RunnerStorage.layerMemory]),
  Layer.provide(ShardingConfig.layer()),
  Layer.provide(Apps.layerClient),
  Layer.provideMerge(MemoryStore.layer)
)

const exportsAll = Effect.gen(function* () {
  const users = Stream.fromIterable(world.users.map(({ userId }): string => userId))
  const { id } = yield* Exports.submit(users, { name: "all", appId: 12345 })
  const { counts, state } = yield* Exports.wait(id)
  yield* expect(state === "Finished" && counts.users === world.users.length, `${state} with ${counts.users} users`)
})

export const check: Check = () => ZimTest.run(Effect.provide(exportsAll, runner), world)

/** The same procedures in a worker. */
import * as NodeWorkerRunner from "@effect/platform-node/NodeWorkerRunner"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as RpcServer from "effect/rpc/RpcServer"
import { Lists } from "./api.ts"
import * as Handlers from "./handlers.ts"

Effect.runFork(
  Layer.launch(
    RpcServer.layer(Lists).pipe(
      Layer.provide(Handlers.procedures),
      Layer.provide(Handlers.client),
      Layer.provide(RpcServer.layerProtocolWorkerRunner),
      Layer.provide(NodeWorkerRunner.layer)
    )
  )
)

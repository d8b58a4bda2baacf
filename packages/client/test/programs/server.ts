/** A process that serves them over HTTP, and prints its URL. */
import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import * as Effect from "effect/Effect"
import * as HttpApiBuilder from "effect/http-api/HttpApiBuilder"
import * as HttpRouter from "effect/http/HttpRouter"
import * as HttpServer from "effect/http/HttpServer"
import * as Layer from "effect/Layer"
import * as RpcSerialization from "effect/rpc/RpcSerialization"
import * as RpcServer from "effect/rpc/RpcServer"
import { createServer } from "node:http"
import { Api, Lists } from "./api.ts"
import * as Handlers from "./handlers.ts"

const rpc = RpcServer.layer(Lists).pipe(
  Layer.provide(Handlers.procedures),
  Layer.provide(RpcServer.layerProtocolHttp({ path: "/rpc" })),
  Layer.provide(RpcSerialization.layerNdjson)
)
const api = HttpApiBuilder.layer(Api, { openapiPath: "/openapi.json" }).pipe(Layer.provide(Handlers.routes))
const ready = Layer.effectDiscard(
  HttpServer.addressFormattedWith((url) => Effect.sync(() => void process.stdout.write(`${url}\n`)))
)
const server = NodeHttpServer.layer(createServer, { port: 0, host: "127.0.0.1" })

Effect.runFork(
  Layer.launch(
    HttpRouter.serve(Layer.mergeAll(rpc, api), { disableLogger: true, disableListenLog: true }).pipe(
      Layer.merge(ready),
      Layer.provide([server, Handlers.client])
    )
  )
)

/**
 * The API, served: from a ZIM client that all requests share, and with it its quota.
 */
import { Conversations, RetryPolicy, Timeout, ZimClient } from "@effect-zim/client"
import { UndiciHttpClient } from "@effect-zim/node"
import { Layer } from "effect"
import { HttpRouter } from "effect/http"
import { HttpApiBuilder, HttpApiScalar } from "effect/http-api"
import { Api } from "./Api.ts"

const users = HttpApiBuilder.group(Api, "users", (handlers) =>
  handlers.handle("conversations", ({ params }) => Conversations.snapshot(params.userId))
)

// Who waits for a response waits for seconds: the defaults are two minutes for a call, and up to nine attempts.
const client = ZimClient.layerConfig().pipe(
  Layer.provide(Timeout.layer({ attempt: "2 seconds", deadline: "10 seconds" })),
  Layer.provide(RetryPolicy.layer({ ...RetryPolicy.standard, attempts: 2 })),
  Layer.provide(UndiciHttpClient.layer)
)

const routes = Layer.mergeAll(
  HttpApiBuilder.layer(Api, { openapiPath: "/openapi.json" }).pipe(Layer.provide(users)),
  HttpApiScalar.layer(Api, { path: "/docs" })
)

/** Needs an `HttpServer`. */
export const server = HttpRouter.serve(routes).pipe(Layer.provide(client))

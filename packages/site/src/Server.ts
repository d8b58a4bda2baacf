/**
 * The site as it is built, on a port of this machine: what any static host does.
 */
import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import * as Config from "effect/Config"
import * as Context from "effect/Context"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as HttpRouter from "effect/http/HttpRouter"
import * as HttpServer from "effect/http/HttpServer"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as HttpStaticServer from "effect/http/HttpStaticServer"
import * as Layer from "effect/Layer"
import * as Predicate from "effect/Predicate"
import * as Schema from "effect/Schema"
import * as Http from "node:http"
import { base, output } from "./Paths.ts"

const Port = Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 65_535 }))

class CannotServe extends Data.TaggedError("CannotServe")<{ readonly port: number; readonly cause: unknown }> {
  override get message(): string {
    const isInUse = Predicate.hasProperty(this.cause, "code") && this.cause.code === "EADDRINUSE"
    const problem = isInUse ? `port ${this.port} is in use by another program` : `cannot listen on port ${this.port}`
    return `${problem}. Choose another one with SITE_PORT, or a free one with SITE_PORT=0`
  }
}

/** Where the site is. */
export class Server extends Context.Service<Server, { readonly url: string }>()("site/Server") {}

const routes = Layer.effectDiscard(
  Effect.gen(function* () {
    const router = yield* HttpRouter.HttpRouter
    const files = yield* HttpStaticServer.make({ root: output })
    const notFound = HttpServerResponse.file(`${output}/404.html`, { status: 404, contentType: "text/html" })
    const app = Effect.catchReason(files, "HttpServerError", "RouteNotFound", () => notFound)
    yield* router.prefixed(yield* base).add("GET", "/*", app)
  })
)

/** Serves the site as long as the layer is open; on a free port, if it is 0. */
export const layer = (port: number) =>
  Layer.effect(
    Server,
    Effect.gen(function* () {
      const path = yield* base
      return yield* HttpServer.addressFormattedWith((url) => Effect.succeed({ url: url + path }))
    })
  ).pipe(
    Layer.merge(HttpRouter.serve(routes, { disableLogger: true, disableListenLog: true })),
    Layer.provide(
      NodeHttpServer.layer(() => Http.createServer(), {
        host: "127.0.0.1",
        port,
        gracefulShutdownTimeout: "250 millis"
      })
    )
  )

/** Serves the site on `SITE_PORT` until the scope ends. Its URL. */
export const start = Effect.gen(function* () {
  const port = yield* Config.schema(Port, "SITE_PORT").pipe(Config.withDefault(4173))
  const running = yield* Layer.build(layer(port)).pipe(
    Effect.catchTag("ServeError", ({ cause }) => new CannotServe({ port, cause }))
  )
  return Context.get(running, Server).url
})

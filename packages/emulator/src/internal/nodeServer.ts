/** What the servers of the emulator have in common. */
import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import * as ByteSize from "effect/ByteSize"
import type * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as HttpIncomingMessage from "effect/http/HttpIncomingMessage"
import * as HttpMiddleware from "effect/http/HttpMiddleware"
import * as HttpServer from "effect/http/HttpServer"
import * as Layer from "effect/Layer"
import * as Http from "node:http"

/** Listens as long as the layer is open, and says where; without spans, for bodies of so many bytes at most. */
export const layer = <I, R>(
  running: Context.Key<I, { readonly url: string }>,
  serve: Layer.Layer<never, never, R>,
  options: { readonly host: string; readonly port?: number | undefined; readonly maximumBodyBytes: number }
) =>
  Layer.effect(
    running,
    HttpServer.addressFormattedWith((url) => Effect.succeed({ url }))
  ).pipe(
    Layer.merge(serve),
    Layer.provide([
      Layer.succeed(HttpMiddleware.TracerDisabledWhen, () => true),
      Layer.succeed(HttpIncomingMessage.MaxBodySize, ByteSize.fromInputUnsafe(options.maximumBodyBytes)),
      // Java's client asks for HTTP/2 with its first request; the answer is to go on with HTTP/1.1.
      NodeHttpServer.layer(() => Http.createServer({ shouldUpgradeCallback: () => false }), {
        host: options.host,
        port: options.port ?? 0,
        gracefulShutdownTimeout: "250 millis"
      })
    ])
  )

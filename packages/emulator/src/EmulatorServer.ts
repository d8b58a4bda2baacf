/**
 * The emulator as an HTTP server on a loopback port, for any client in any language. Node only.
 *
 * Lost connections, truncated bodies and slow bodies really happen on the socket.
 */
import * as NodeHttpServerRequest from "@effect/platform-node/NodeHttpServerRequest"
import * as NodeStream from "@effect/platform-node/NodeStream"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as HttpServer from "effect/http/HttpServer"
import type * as HttpServerError from "effect/http/HttpServerError"
import * as HttpServerRequest from "effect/http/HttpServerRequest"
import type * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import { Emulator } from "./Emulator.ts"
import { maximumBodyBytes } from "./HttpExchange.ts"
import * as AccessGuard from "./internal/admin/accessGuard.ts"
import * as NodeServer from "./internal/nodeServer.ts"
import { toServerResponse } from "./internal/requests/writeReply.ts"

/**
 * A running server: where it listens.
 *
 * @example
 * ```ts
 * import * as EmulatorServer from "@effect-zim/emulator/EmulatorServer"
 *
 * const baseUrl = EmulatorServer.EmulatorServer.useSync(({ url }) => url)
 * ```
 *
 * @category services
 * @since 0.1.0
 */
export class EmulatorServer extends Context.Service<
  EmulatorServer,
  {
    /** `http://127.0.0.1:PORT`: the base URL to give to a client. */
    readonly url: string
  }
>()("@effect-zim/emulator/EmulatorServer") {}

/**
 * The server was asked to listen on a host that others can reach. The emulator serves this machine only.
 *
 * @category errors
 * @since 0.1.0
 */
export class HostNotLoopback extends Schema.TaggedError<HostNotLoopback>("@effect-zim/emulator/HostNotLoopback")(
  "HostNotLoopback",
  { host: Schema.String }
) {
  override get message(): string {
    return `the emulator listens on loopback addresses only (127.0.0.1, ::1, localhost), not on ${this.host}`
  }
}

const hangUp = (request: HttpServerRequest.HttpServerRequest, how: "reset" | "end"): Effect.Effect<never> =>
  Effect.suspend(() => {
    const { socket } = NodeHttpServerRequest.toIncomingMessage(request)
    // What was written before still leaves with `end`; a reset drops it.
    if (how === "reset") socket.resetAndDestroy()
    else socket.destroySoon()
    return Effect.never
  })

const app: Effect.Effect<HttpServerResponse.HttpServerResponse, never, Emulator | HttpServerRequest.HttpServerRequest> =
  Effect.gen(function* () {
    const emulator = yield* Emulator
    const request = yield* HttpServerRequest.HttpServerRequest
    const incoming = NodeHttpServerRequest.toIncomingMessage(request)
    const text = NodeStream.toString(() => incoming, { maxBytes: maximumBodyBytes, destroyOnOverflow: false })
    const reply = yield* emulator
      .handle({
        method: incoming.method ?? "",
        target: incoming.url ?? "",
        contentType: incoming.headers["content-type"],
        // Where it breaks off or is too long, as soon as it is.
        body: yield* Effect.orElseSucceed(text, () => undefined)
      })
      .pipe(Effect.catchTag("ConnectionLost", () => hangUp(request, "reset")))
    return toServerResponse(
      typeof reply.body === "string"
        ? reply
        : {
            ...reply,
            body: Stream.catchTag(reply.body, "ConnectionLost", () => Stream.fromEffect(hangUp(request, "end")))
          }
    )
  })

/**
 * Serves the emulator on a loopback port until the layer is closed.
 *
 * @param options.port 0, the default, takes a free one
 * @param options.host a loopback address; default 127.0.0.1
 *
 * @example
 * ```ts
 * import { Emulator, World } from "@effect-zim/emulator"
 * import * as EmulatorServer from "@effect-zim/emulator/EmulatorServer"
 * import * as Console from "effect/Console"
 * import * as Effect from "effect/Effect"
 * import * as Layer from "effect/Layer"
 *
 * const program = Effect.gen(function* () {
 *   const { url } = yield* EmulatorServer.EmulatorServer
 *   yield* Console.log(url)
 * }).pipe(
 *   Effect.provide(EmulatorServer.layer().pipe(
 *     Layer.provide(Emulator.layer({ world: World.generate({ seed: 1, users: 10 }) }))
 *   ))
 * )
 * ```
 *
 * @category layers
 * @since 0.1.0
 */
export const layer = (options?: {
  readonly port?: number | undefined
  readonly host?: string | undefined
}): Layer.Layer<EmulatorServer, HostNotLoopback | HttpServerError.ServeError, Emulator> => {
  const host = options?.host ?? "127.0.0.1"
  if (!AccessGuard.isLoopback(host)) return Layer.effect(EmulatorServer, Effect.fail(new HostNotLoopback({ host })))
  // Handlers are uninterruptible unless they ask: without this, a hanging one would outlive its client and the server.
  const serve = HttpServer.serve(Effect.interruptible(app))
  return NodeServer.layer(EmulatorServer, serve, { host, port: options?.port, maximumBodyBytes })
}

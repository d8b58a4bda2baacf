/**
 * The emulator in the same process: an `HttpClient` that answers without sockets, whatever host is asked.
 *
 * Time comes from Effect's `Clock`, so in a test latencies, quotas and expiry pass when `TestClock` moves. A lost
 * connection is an `HttpClientError` with a `TransportError`, or a `DecodeError` in the middle of a body, as with a real
 * client. Interrupting a request that hangs ends it.
 *
 * Clients of one AppID and host share quota, retry budget, breaker and clock where they are on one `Clock`, as all are
 * outside of `TestClock`. Two emulators in one such process are told apart by their apps, or by the `baseUrl` of the
 * client, which may be any.
 */
import * as Effect from "effect/Effect"
import type * as HttpBody from "effect/http/HttpBody"
import * as HttpClient from "effect/http/HttpClient"
import * as HttpClientError from "effect/http/HttpClientError"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Layer from "effect/Layer"
import * as Stream from "effect/Stream"
import * as Emulator from "./Emulator.ts"
import { toServerResponse } from "./internal/requests/writeReply.ts"

const decoder = new TextDecoder()

const readBody = (body: HttpBody.HttpBody): Effect.Effect<string | undefined> => {
  switch (body._tag) {
    case "Empty":
      return Effect.succeed("")
    case "Uint8Array":
      return Effect.succeed(body.text ?? decoder.decode(body.body))
    case "Stream":
      return body.stream.pipe(
        Stream.decodeText,
        Stream.mkString,
        Effect.orElseSucceed(() => undefined)
      )
    case "Raw":
      return Effect.succeed(typeof body.body === "string" ? body.body : undefined)
    case "FormData":
      return Effect.undefined
  }
}

const contentTypeOf = (body: HttpBody.HttpBody): string | undefined =>
  body._tag === "Empty" ? undefined : body.contentType

/**
 * An `HttpClient` whose every request goes to the emulator.
 *
 * @example
 * ```ts
 * import { Emulator, EmulatorClient, World } from "@effect-zim/emulator"
 * import { Layer } from "effect"
 *
 * // One emulator for a client in this process, and for the test that looks at it.
 * const emulator = Emulator.layer({ world: World.generate({ seed: 1, users: 10 }) })
 * const http = EmulatorClient.layer.pipe(Layer.provideMerge(emulator))
 * ```
 *
 * @category layers
 * @since 0.1.0
 */
export const layer: Layer.Layer<HttpClient.HttpClient, never, Emulator.Emulator> = Layer.effect(
  HttpClient.HttpClient,
  Effect.map(Emulator.Emulator, (emulator) =>
    HttpClient.make((request, url) =>
      readBody(request.body).pipe(
        Effect.flatMap((body) =>
          emulator.handle({
            method: request.method,
            target: url.pathname + url.search,
            contentType: request.headers["content-type"] ?? contentTypeOf(request.body),
            body
          })
        ),
        Effect.map((reply) => HttpServerResponse.toClientResponse(toServerResponse(reply), { request })),
        Effect.mapError((cause) => {
          const reason = new HttpClientError.TransportError({ request, cause })
          return new HttpClientError.HttpClientError({ reason })
        })
      )
    )
  )
)

/**
 * An emulator and the `HttpClient` that goes to it: all that a test needs below the client.
 *
 * @example
 * ```ts
 * import { EmulatorClient, World } from "@effect-zim/emulator"
 *
 * const layer = EmulatorClient.layerWithEmulator({ world: World.generate({ seed: 1, users: 10 }) })
 * ```
 *
 * @category layers
 * @since 0.1.0
 */
export const layerWithEmulator = (options: Emulator.Options): Layer.Layer<HttpClient.HttpClient | Emulator.Emulator> =>
  Layer.provideMerge(layer, Emulator.layer(options))

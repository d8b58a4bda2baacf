/**
 * Effect's `HttpClient` on undici's dispatcher, for Node: connections are kept alive from call to call, with as little
 * overhead as possible.
 *
 * It follows no redirects, unpacks no compressed bodies and asks for none, and hands over no connection of an upgrade. A
 * request that is interrupted closes its connection at once. Each failure is an `HttpClientError`: a `TransportError`
 * before the answer's head, a `DecodeError` in its body, with undici's error as the `cause`.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Headers from "effect/http/Headers"
import type * as HttpBody from "effect/http/HttpBody"
import * as HttpClient from "effect/http/HttpClient"
import * as HttpClientError from "effect/http/HttpClientError"
import type * as HttpClientRequest from "effect/http/HttpClientRequest"
import type * as HttpClientResponse from "effect/http/HttpClientResponse"
import * as Layer from "effect/Layer"
import * as Url from "effect/http/Url"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as Tracer from "effect/Tracer"
import { Readable } from "node:stream"
import type { Agent, Dispatcher } from "undici"
import { DispatchHandler } from "./internal/dispatchHandler.ts"
import { abandonable, ArrivingResponse } from "./internal/arrivingResponse.ts"

/**
 * Settings of the connections, those of undici's `Agent`: `connections` for each host, `connectTimeout`,
 * `keepAliveTimeout`, `headersTimeout`, `bodyTimeout` in milliseconds, `maxHeaderSize` in bytes, `connect` for TLS.
 *
 * @category models
 * @since 0.1.0
 */
export type Options = Agent.Options

/**
 * What `layer` starts from, in place of undici's own defaults: at most 256 connections for each host, so that a host that
 * hangs does not get a new one with every call; and HTTP/1.1, whose connections close at once.
 *
 * Of undici's defaults remain: 10 seconds to connect, 5 minutes until the head of the answer and between two pieces of its
 * body, 4 seconds until an idle connection is closed unless the server says something else, and 16 KiB of headers.
 *
 * @category constants
 * @since 0.1.0
 */
export const defaults = { connections: 256, allowH2: false } as const satisfies Options

/**
 * The dispatcher cannot send: what Bun has in place of undici has none. A defect, of a layer or of `make`, since no caller
 * can do anything about it; `FetchHttpClient.layer` of `effect/http` does there.
 *
 * @category errors
 * @since 0.1.0
 */
export class DispatcherUnusable extends Schema.TaggedError<DispatcherUnusable>("@effect-zim/node/DispatcherUnusable")(
  "DispatcherUnusable",
  {}
) {
  override get message(): string {
    return "this runtime's undici has no dispatcher: use FetchHttpClient.layer of effect/http in place of UndiciHttpClient"
  }
}

const assertUsable = (dispatcher: Partial<Dispatcher>): void => {
  if (typeof dispatcher.dispatch !== "function") throw new DispatcherUnusable()
}

type Sent = Effect.Effect<HttpClientResponse.HttpClientResponse, HttpClientError.HttpClientError>

const failed = (reason: HttpClientError.RequestError): Sent =>
  Effect.fail(new HttpClientError.HttpClientError({ reason }))

/** Loaded when it is needed. By its default export, which is all that esbuild leaves of it in a bundle of several files. */
const undici = async () => (await import("undici")).default

/** A request's body as undici takes it. */
type UndiciBody = NonNullable<Dispatcher.DispatchOptions["body"]> | null

const isRaw = (body: unknown): body is string | Uint8Array | Readable =>
  typeof body === "string" || body instanceof Uint8Array || body instanceof Readable

/** What is no body that can be sent is `undefined`. */
const bodyOf = (body: HttpBody.HttpBody): Effect.Effect<UndiciBody | undefined> => {
  switch (body._tag) {
    case "Empty":
      return Effect.succeed(null)
    case "Uint8Array":
      return Effect.succeed(body.body)
    case "Raw":
      return Effect.succeed(isRaw(body.body) ? body.body : undefined)
    case "Stream":
      return Effect.sync(() => Readable.from(Stream.toAsyncIterable(body.stream), { objectMode: false }))
    case "FormData":
      return Effect.promise(async () => {
        const { FormData } = await undici()
        // undici takes none but its own.
        const form = new FormData()
        for (const [name, value] of body.formData) form.append(name, value)
        return form
      })
  }
}

/** Where a request goes; `url` is what its answer says of that. */
interface Target {
  readonly origin: string
  readonly path: string
  readonly url: string
}

const targetOf = ({ hash, href, origin, pathname, search }: URL): Target => ({
  origin,
  path: pathname + search,
  url: hash === "" ? href : href.slice(0, -hash.length)
})

// What parsing a URL leaves as it is.
const plainBase = /^https?:\/\/[\w.:[\]/-]+$/
const plainQuery = /^\?[\w.~%&=-]+$/

/** Requests to one API mostly differ in their query only: what comes before it is parsed once. */
const parse = (() => {
  let base = ""
  let parsed: Target | undefined
  return ({ hash, url, urlParams }: HttpClientRequest.HttpClientRequest): Result.Result<Target, Url.UrlError> => {
    const at = url.indexOf("?")
    const query = url.slice(at)
    if (urlParams.params.length === 0 && plainQuery.test(query)) {
      const before = url.slice(0, at)
      if (before !== base) {
        base = before
        parsed = plainBase.test(before) && URL.canParse(before) ? targetOf(new URL(before)) : undefined
      }
      if (parsed !== undefined) {
        return Result.succeed({ origin: parsed.origin, path: parsed.path + query, url: parsed.url + query })
      }
    }
    return Result.map(Url.make(url, urlParams, Option.getOrUndefined(hash)), targetOf)
  }
})()

/** Without a signal, an answer that is forgotten closes its connection when it is collected. */
const send = (
  dispatcher: Dispatcher,
  request: HttpClientRequest.HttpClientRequest,
  { origin, path, url }: Target,
  signal: AbortSignal | undefined
): Sent =>
  Effect.flatMapEager(bodyOf(request.body), (body) => {
    if (body === undefined) {
      const description = "a raw body must be a string, a Uint8Array or a Readable"
      return failed(new HttpClientError.EncodeError({ request, description }))
    }
    return Effect.callback((resume) => {
      const handler = new DispatchHandler(body instanceof Readable ? body : undefined)
      const abort = () => handler.abort()
      const look = () => {
        if (handler.status > 0) {
          const response = new ArrivingResponse(request, url, handler)
          if (signal === undefined) abandonable(response)
          resume(Effect.succeed(response))
        } else if (handler.failure !== undefined) {
          resume(failed(new HttpClientError.TransportError({ request, cause: handler.failure.cause })))
        } else {
          handler.onChange(look)
        }
      }
      signal?.addEventListener("abort", abort, { once: true })
      try {
        dispatcher.dispatch(
          {
            origin,
            path,
            method: request.method,
            // A form's boundary is known to undici only.
            headers:
              request.body._tag === "FormData" ? Headers.remove(request.headers, "content-type") : request.headers,
            body
          },
          handler
        )
      } catch (cause) {
        handler.fail(cause)
      }
      look()
      return Effect.sync(abort)
    })
  })

/** Without spans, and without a scope to end with: those of Effect's `HttpClient` that have one do not come this way. */
const sendPlainly = (dispatcher: Dispatcher, request: HttpClientRequest.HttpClientRequest): Sent => {
  const target = parse(request)
  return Result.isSuccess(target)
    ? send(dispatcher, request, target.success, undefined)
    : failed(new HttpClientError.InvalidUrlError({ request, cause: target.failure.cause }))
}

/**
 * A client that sends through a dispatcher, whoever closes that.
 *
 * @example
 * ```ts
 * import { UndiciHttpClient } from "@effect-zim/node"
 * import { getGlobalDispatcher } from "undici"
 *
 * const client = UndiciHttpClient.make(getGlobalDispatcher())
 * ```
 * @category constructors
 * @since 0.1.0
 */
export const make = (dispatcher: Dispatcher): HttpClient.HttpClient => {
  assertUsable(dispatcher)
  const client = HttpClient.make((request, url, signal) => send(dispatcher, request, targetOf(url), signal))
  const observed = client.execute
  return Object.assign(client, {
    execute: (request: HttpClientRequest.HttpClientRequest): Sent =>
      Effect.withFiber((fiber) =>
        fiber.getRef(Tracer.DisablePropagation) || fiber.getRef(HttpClient.TracerDisabledWhen)(request)
          ? sendPlainly(dispatcher, request)
          : observed(request)
      )
  })
}

const scoped = <E, R>(
  acquire: Effect.Effect<Dispatcher, E, R>
): Effect.Effect<HttpClient.HttpClient, E, R | Scope.Scope> =>
  Effect.map(
    Effect.acquireRelease(
      Effect.tap(acquire, (dispatcher) => Effect.sync(() => assertUsable(dispatcher))),
      (dispatcher) => Effect.promise(() => dispatcher.destroy())
    ),
    make
  )

/**
 * A client with connections of its own, by your settings where you have any, `defaults` elsewhere. They are closed with the
 * layer's scope.
 *
 * @example
 * ```ts
 * import { UndiciHttpClient } from "@effect-zim/node"
 *
 * const layer = UndiciHttpClient.layerOptions({ connections: 32, connectTimeout: 3000 })
 * ```
 * @category layers
 * @since 0.1.0
 */
export const layerOptions = (options?: Options): Layer.Layer<HttpClient.HttpClient> =>
  Layer.effect(
    HttpClient.HttpClient,
    scoped(Effect.map(Effect.promise(undici), ({ Agent }) => new Agent({ ...defaults, ...options })))
  )

/**
 * A client with connections of its own, closed with the layer's scope.
 *
 * @example
 * ```ts
 * import { ZimClient } from "@effect-zim/client"
 * import { UndiciHttpClient } from "@effect-zim/node"
 * import { Layer } from "effect"
 *
 * const client = ZimClient.layerConfig().pipe(Layer.provide(UndiciHttpClient.layer))
 * ```
 * @category layers
 * @since 0.1.0
 */
export const layer: Layer.Layer<HttpClient.HttpClient> = layerOptions()

/**
 * A client that sends through a dispatcher of your own, for example through a proxy. It is made when the layer is built,
 * and destroyed with the layer's scope.
 *
 * @example
 * ```ts
 * import { UndiciHttpClient } from "@effect-zim/node"
 * import { EnvHttpProxyAgent } from "undici"
 *
 * const layer = UndiciHttpClient.layerDispatcher(() => new EnvHttpProxyAgent())
 * ```
 * @category layers
 * @since 0.1.0
 */
export const layerDispatcher = (make: () => Dispatcher): Layer.Layer<HttpClient.HttpClient> =>
  Layer.effect(HttpClient.HttpClient, scoped(Effect.sync(make)))

/** An answer that may still be arriving, as Effect's `HttpClientResponse`. */
import * as Arr from "effect/Array"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import { constVoid } from "effect/Function"
import * as Cookies from "effect/http/Cookies"
import * as Headers from "effect/http/Headers"
import * as HttpClientError from "effect/http/HttpClientError"
import type * as HttpClientRequest from "effect/http/HttpClientRequest"
import * as HttpClientResponse from "effect/http/HttpClientResponse"
import * as HttpIncomingMessage from "effect/http/HttpIncomingMessage"
import type * as UrlParams from "effect/http/UrlParams"
import * as Inspectable from "effect/Inspectable"
import * as Option from "effect/Option"
import { pipeArguments } from "effect/Pipeable"
import type * as Pull from "effect/Pull"
import type * as Schema from "effect/Schema"
import type * as Socket from "effect/socket/Socket"
import * as Stream from "effect/Stream"
import type { DispatchHandler } from "./dispatchHandler.ts"

type Read<A> = Effect.Effect<A, HttpClientError.HttpClientError>

const utf8 = new TextDecoder()

/**
 * Begins to read, if it has not yet, and waits for the next thing to arrive. Who is interrupted meanwhile closes the
 * connection. All in one step: between two of them a fiber may have to wait, and be interrupted.
 */
const next = (handler: DispatchHandler, begin: () => void = constVoid): Effect.Effect<void> =>
  Effect.callback((resume) => {
    begin()
    const look = (): void => (handler.isReady ? resume(Effect.void) : handler.onChange(look))
    look()
    return Effect.sync(() => handler.abort())
  })

const abandoned = new FinalizationRegistry((handler: DispatchHandler) => handler.abort())

export class ArrivingResponse extends Inspectable.Class implements HttpClientResponse.HttpClientResponse {
  readonly [HttpIncomingMessage.TypeId]: typeof HttpIncomingMessage.TypeId = HttpIncomingMessage.TypeId
  readonly [HttpClientResponse.TypeId]: typeof HttpClientResponse.TypeId = HttpClientResponse.TypeId
  readonly request: HttpClientRequest.HttpClientRequest
  readonly status: number
  readonly url: string
  readonly handler: DispatchHandler

  #headers: Headers.Headers | undefined
  #cookies: Cookies.Cookies | undefined
  /** A body is read as a whole, as often as one likes, or once as a stream. */
  #reader: "whole" | "stream" | undefined
  #whole: ArrayBuffer | undefined

  constructor(request: HttpClientRequest.HttpClientRequest, url: string, handler: DispatchHandler) {
    super()
    this.request = request
    this.status = handler.status
    this.url = url
    this.handler = handler
  }

  get headers(): Headers.Headers {
    return (this.#headers ??= Headers.fromInput(this.handler.headers))
  }

  get cookies(): Cookies.Cookies {
    return (this.#cookies ??= Cookies.fromSetCookie(this.handler.headers["set-cookie"] ?? []))
  }

  get remoteAddress(): Option.Option<string> {
    return Option.none()
  }

  get arrayBuffer(): Read<ArrayBuffer> {
    return this.#readAll()
  }

  get stream(): Stream.Stream<Uint8Array, HttpClientError.HttpClientError> {
    return Stream.suspend(() => {
      if (this.#whole !== undefined) return Stream.make(new Uint8Array(this.#whole))
      if (this.#reader !== undefined) return Stream.fromEffect(this.#failed(new Error("The body is being read")))
      const handler = this.handler
      const pull: Pull.Pull<Arr.NonEmptyReadonlyArray<Uint8Array>, HttpClientError.HttpClientError> = Effect.suspend(
        () => {
          const chunks = handler.take()
          if (Arr.isReadonlyArrayNonEmpty(chunks)) return Effect.succeed(chunks)
          if (handler.failure !== undefined) return this.#failed(handler.failure.cause)
          return handler.isComplete ? Cause.done() : Effect.flatMap(next(handler), () => pull)
        }
      )
      return Stream.ensuring(
        Stream.fromPull(
          Effect.sync(() => {
            this.#read("stream")
            return pull
          })
        ),
        Effect.sync(() => handler.abort())
      )
    })
  }

  get text(): Read<string> {
    return Effect.map(this.arrayBuffer, (bytes) => utf8.decode(bytes))
  }

  get json(): Read<Schema.Json> {
    return this.#decoded((body) => body.json)
  }

  get urlParamsBody(): Read<UrlParams.UrlParams> {
    return this.#decoded((body) => body.urlParamsBody)
  }

  get formData(): Read<FormData> {
    return this.#decoded((body) => body.formData)
  }

  get upgrade(): Read<Socket.Socket> {
    return Effect.fail(
      new HttpClientError.HttpClientError({
        reason: new HttpClientError.StatusCodeError({
          request: this.request,
          response: this,
          description: "this client hands over no connection"
        })
      })
    )
  }

  override toJSON(): unknown {
    return HttpIncomingMessage.inspect(this, {
      _id: "effect/http/HttpClientResponse",
      request: this.request.toJSON(),
      status: this.status
    })
  }

  pipe() {
    return pipeArguments(this, arguments)
  }

  /** Who reads ends it. Until then the registry keeps all of it from being collected while it is young. */
  #read(reader: "whole" | "stream"): void {
    this.#reader = reader
    abandoned.unregister(this.handler)
  }

  #readAll(): Read<ArrayBuffer> {
    return Effect.suspend((): Read<ArrayBuffer> => {
      if (this.#whole !== undefined) return Effect.succeed(this.#whole)
      if (this.#reader === "stream") return this.#failed(new Error("The body was read as a stream"))
      const handler = this.handler
      if (handler.failure !== undefined) return this.#failed(handler.failure.cause)
      if (handler.isComplete) return Effect.succeed((this.#whole = concat(handler.take())))
      const begin = () => {
        this.#read("whole")
        handler.takeAll()
      }
      return Effect.flatMap(next(handler, begin), () => this.#readAll())
    })
  }

  #failed(cause: unknown): Effect.Effect<never, HttpClientError.HttpClientError> {
    return Effect.fail(
      new HttpClientError.HttpClientError({
        reason: new HttpClientError.DecodeError({ request: this.request, response: this, cause })
      })
    )
  }

  /** What Effect makes of the same body when fetch brings it. */
  #decoded<A>(read: (body: HttpClientResponse.HttpClientResponse) => Read<A>): Read<A> {
    return Effect.flatMap(this.arrayBuffer, (bytes) => {
      const web = new globalThis.Response(bytes, { headers: this.headers })
      return Effect.catch(read(HttpClientResponse.fromWeb(this.request, web)), ({ cause }) => this.#failed(cause))
    })
  }
}

/** Closes the connection of an answer that nobody reads to its end and nobody holds any more. */
export const abandonable = (response: ArrivingResponse): void => {
  const { handler } = response
  if (!handler.isOver) abandoned.register(response, handler, handler)
}

const concat = (chunks: ReadonlyArray<Uint8Array>): ArrayBuffer => {
  const bytes = new Uint8Array(chunks.reduce((size, chunk) => size + chunk.byteLength, 0))
  let offset = 0
  for (const chunk of chunks) {
    bytes.set(chunk, offset)
    offset += chunk.byteLength
  }
  return bytes.buffer
}

/** A service of the test's own: answers what it is told and keeps every request that it saw. */
import { ZimClient } from "@effect-zim/client"
import { WireJson } from "@effect-zim/protocol"
import type { Conversation } from "@effect-zim/protocol"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import { dual } from "effect/Function"
import * as HttpClient from "effect/http/HttpClient"
import * as HttpClientError from "effect/http/HttpClientError"
import type * as HttpClientRequest from "effect/http/HttpClientRequest"
import * as HttpClientResponse from "effect/http/HttpClientResponse"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import type * as Stream from "effect/Stream"
import * as TestClock from "effect/testing/TestClock"

export const app = { appId: 12345, serverSecret: "9193cc662a4c0ec135ec71fb57194b38" } as const

/** A request as it would have been sent. */
export interface Sent {
  readonly request: HttpClientRequest.HttpClientRequest
  readonly url: URL
  readonly method: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
  readonly signal: AbortSignal
  /** When, in milliseconds by the test's clock. */
  readonly time: number
}

export type Reply = HttpServerResponse.HttpServerResponse | Response

/** What the service answers to its nth request, counted from 0. */
export type Answer = (sent: Sent, index: number) => Effect.Effect<Reply, HttpClientError.HttpClientError>

const decoder = new TextDecoder()

export interface FakeService {
  readonly sent: ReadonlyArray<Sent>
  readonly layer: Layer.Layer<HttpClient.HttpClient>
}

export const make = (answer: Answer): FakeService => {
  const sent: Array<Sent> = []
  const http = HttpClient.make((request, url, signal) =>
    Effect.gen(function* () {
      const body = request.body._tag === "Uint8Array" ? decoder.decode(request.body.body) : ""
      const time = yield* Clock.currentTimeMillis
      const seen: Sent = { request, url, method: request.method, headers: request.headers, body, signal, time }
      const reply = yield* answer(seen, sent.push(seen) - 1)
      return reply instanceof Response
        ? HttpClientResponse.fromWeb(request, reply)
        : HttpServerResponse.toClientResponse(reply, { request })
    })
  )
  return { sent, layer: Layer.succeed(HttpClient.HttpClient, http) }
}

/** A service that answers one thing after the other, the last one for ever. */
export const answering = (...replies: ReadonlyArray<Reply | Answer>): FakeService =>
  make((sent, index) => {
    const reply = replies[Math.min(index, replies.length - 1)]
    if (reply === undefined) return Effect.never
    return typeof reply === "function" ? reply(sent, index) : Effect.succeed(reply)
  })

/** A client of the app above. Its settings are right, so the layer cannot fail. */
export const client = (
  baseUrl = "http://127.0.0.1:1"
): Layer.Layer<ZimClient.ZimClient, never, HttpClient.HttpClient> =>
  Layer.orDie(ZimClient.layer({ appId: app.appId, serverSecret: Redacted.make(app.serverSecret), baseUrl }))

/** A client of the fake service, or of any HTTP client. */
export const clientOf = (http: Layer.Layer<HttpClient.HttpClient>, baseUrl?: string) =>
  Layer.provide(client(baseUrl), http)

// ---- replies ----

/** An answer with this text for a body. */
export const text = (body: string, options?: { readonly status?: number; readonly contentType?: string }): Reply =>
  HttpServerResponse.text(body, {
    status: options?.status ?? 200,
    contentType: options?.contentType ?? "application/json"
  })

export const bytes = (body: Uint8Array, headers: Record<string, string> = {}): Reply =>
  HttpServerResponse.uint8Array(body, { headers })

export const chunks = <E>(body: Stream.Stream<Uint8Array, E>, headers: Record<string, string> = {}): Reply =>
  HttpServerResponse.stream(body, { contentType: "application/json", headers })

/** The envelope of an answer, and fields of the operation's own. */
export const envelope = (fields: Readonly<Record<string, unknown>>): Reply =>
  text(WireJson.stringify({ Code: 0, Message: "success", RequestId: "343649807833778782", ...fields }))

export const code = (code: number, message = "in the vendor's words", requestId = "343649807833778782"): Reply =>
  envelope({ Code: code, Message: message, RequestId: requestId })

export const entry = (id: string, time: number, type: number | "absent" = 2): Conversation.Wire => ({
  ConvId: id,
  UpdateTime: time,
  ...(type === "absent" ? {} : { ConvType: type })
})

/** A page of a list. */
export const page = (
  List: ReadonlyArray<Conversation.Wire>,
  Next: number | bigint = 0,
  TotalCount: number | undefined = List.length
): Reply => envelope({ ...(TotalCount === undefined ? {} : { TotalCount }), Next, List })

/** A list of this many conversations, served page by page as the contract says. */
export const entries = (count: number): ReadonlyArray<Conversation.Wire> =>
  Array.from({ length: count }, (_, i) => entry(`c${i}`, 1_700_000_000_000 + i * 1000, i % 3 === 0 ? "absent" : 2))

const decodeAsked = Schema.decodeUnknownSync(
  Schema.Struct({ FromUserId: Schema.String, Limit: Schema.Int, Next: WireJson.WireInteger })
)

/** What the request asked for. */
export const asked = (sent: Sent): { readonly FromUserId: string; readonly Limit: number; readonly Next: string } => {
  const fields = decodeAsked(WireJson.parse(sent.body))
  return { ...fields, Next: fields.Next.toString() }
}

/** Serves a list; the cursor of an entry is an odd number beyond 2^53. */
export const serving =
  (list: ReadonlyArray<Conversation.Wire>): Answer =>
  (sent) => {
    const { Limit, Next } = asked(sent)
    const start = Next === "0" ? 0 : Number((BigInt(Next) - 2n ** 60n - 1n) / 2n)
    const end = start + Limit
    const next = end < list.length ? 2n ** 60n + BigInt(end) * 2n + 1n : 0
    return Effect.succeed(page(list.slice(start, end), next, list.length))
  }

export const transportError = (
  sent: Sent,
  cause: unknown = Object.assign(new Error("read ECONNRESET"), { code: "ECONNRESET" })
): Effect.Effect<never, HttpClientError.HttpClientError> =>
  Effect.fail(
    new HttpClientError.HttpClientError({
      reason: new HttpClientError.TransportError({ request: sent.request, cause })
    })
  )

// ---- time ----

/** Lets everything that is not waiting for the test's clock happen: promises, streams, sockets in this process. */
export const settle: Effect.Effect<void> = Effect.promise(() => new Promise((resolve) => setImmediate(resolve)))

export interface InTimeOptions {
  /** When it counts as hanging, in milliseconds. Default: 10 minutes. */
  readonly limit?: number
  /** How far the clock goes before it is asked whether it is done. Default: 5 seconds. */
  readonly step?: number
}

/**
 * Runs an effect while the test's clock goes on in steps, until it is done; dies where it is not done in time: a hang.
 */
export const inTime: {
  (options?: InTimeOptions): <A, E, R>(effect: Effect.Effect<A, E, R>) => Effect.Effect<A, E, R | Scope.Scope>
  <A, E, R>(effect: Effect.Effect<A, E, R>, options?: InTimeOptions): Effect.Effect<A, E, R | Scope.Scope>
} = dual(
  (args) => Effect.isEffect(args[0]),
  <A, E, R>(effect: Effect.Effect<A, E, R>, options?: InTimeOptions): Effect.Effect<A, E, R | Scope.Scope> =>
    Effect.gen(function* () {
      const { limit = 600_000, step = 5000 } = options ?? {}
      const fiber = yield* Effect.forkScoped(effect, { startImmediately: true })
      yield* settle
      for (let elapsed = 0; fiber.pollUnsafe() === undefined; elapsed += step) {
        if (elapsed >= limit) return yield* Effect.die(new Error(`still running after ${limit} ms`))
        yield* TestClock.adjust(step)
        yield* settle
      }
      return yield* Fiber.join(fiber)
    })
)

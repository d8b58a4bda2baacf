/** What requests find in their context: nothing that shows the signed URL, and no `fetch` that sends one of them twice. */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import { constTrue, memoize } from "effect/Function"
import * as FetchHttpClient from "effect/http/FetchHttpClient"
import * as HttpClient from "effect/http/HttpClient"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import * as Predicate from "effect/Predicate"

type Fetch = typeof globalThis.fetch

/**
 * A body that can be read once. The length of a stream goes with it in the header; Deno heeds no such header, but knows the
 * length of a `Blob`, and reads that as a stream.
 */
const readOnce = (bytes: Uint8Array<ArrayBuffer>): BodyInit | null =>
  "Deno" in globalThis ? new Blob([bytes]) : new Response(bytes).body

const isBytes = (body: unknown): body is Uint8Array<ArrayBuffer> => body instanceof Uint8Array

const makeClientOfDeno = (): unknown => {
  const deno: unknown = Reflect.get(globalThis, "Deno")
  const create = Predicate.hasProperty(deno, "createHttpClient") ? deno.createHttpClient : undefined
  return typeof create === "function" ? Reflect.apply(create, deno, [{ poolMaxIdlePerHost: 0 }]) : undefined
}

let clientOfDeno: unknown

/**
 * Settings by which a request has a connection of its own. A GET has no body to make unrepeatable, and Bun and Deno send it
 * again where a connection breaks that was used before. One of Deno's clients does it, and is made once.
 */
const onItsOwn = (): object => {
  if ("Bun" in globalThis) return { keepalive: false }
  return "Deno" in globalThis ? { client: (clientOfDeno ??= makeClientOfDeno()) } : {}
}

/**
 * `fetch` sends a request again when the answer is HTTP 421, and Bun's and Deno's when a connection breaks: a body that can
 * be read once keeps it from that, and a GET a connection of its own.
 */
const once =
  (fetch: Fetch): Fetch =>
  (input, init) => {
    if (init?.method === "GET") return fetch(input, { ...onItsOwn(), ...init })
    if (!isBytes(init?.body)) return fetch(input, init)
    const headers = new Headers(init.headers)
    headers.set("content-length", String(init.body.byteLength))
    const options = { ...init, headers, body: readOnce(init.body), duplex: "half" }
    return fetch(input, options)
  }

/**
 * The context that an HTTP client's requests see: a layer of `fetch` adds to it what it was given itself. Found out by a
 * request that ends before it is sent.
 */
const contextWithin = (http: HttpClient.HttpClient): Effect.Effect<Context.Context<never>> =>
  Effect.suspend(() => {
    let found = Context.empty()
    const asking = HttpClient.mapRequestEffect(http, () =>
      Effect.flatMap(Effect.context<never>(), (context) => {
        found = context
        return Effect.interrupt
      })
    )
    return Effect.map(Effect.exit(asking.execute(HttpClientRequest.post(""))), () => found)
  })

/** The context of requests within that of their call. */
export const make = (
  http: HttpClient.HttpClient
): Effect.Effect<(around: Context.Context<never>) => Context.Context<never>> =>
  Effect.map(contextWithin(http), (within) => {
    // Effect's own spans and trace headers of HTTP requests would show the signed URL to whoever sees them.
    const always = Context.make(HttpClient.TracerDisabledWhen, constTrue).pipe(
      Context.add(FetchHttpClient.RequestInit, {
        ...Context.getOrUndefined(within, FetchHttpClient.RequestInit),
        redirect: "manual"
      }),
      Context.add(FetchHttpClient.Fetch, once(Context.get(within, FetchHttpClient.Fetch)))
    )
    return memoize((around) => {
      const own = Context.getOrUndefined(around, FetchHttpClient.Fetch)
      const merged = Context.merge(around, always)
      return own === undefined ? merged : Context.add(merged, FetchHttpClient.Fetch, once(own))
    })
  })

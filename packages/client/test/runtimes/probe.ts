/** Calls that a server answers as their user ids say. It runs on every runtime, so it takes nothing but the client and Effect. */
import { CircuitBreaker, Quota, RetryPolicy, ZimClient } from "@effect-zim/client"
import type { Catalog } from "@effect-zim/protocol"
import * as Effect from "effect/Effect"
import * as FetchHttpClient from "effect/http/FetchHttpClient"
import type * as HttpClient from "effect/http/HttpClient"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"

/** What a call ended with: the message of its error, or nothing. */
export type Outcomes = Record<string, string>

/** After an answer, a pool may take a turn until it gives the connection to the next request. */
const connectionFree = Effect.promise(() => new Promise((resolve) => setTimeout(resolve, 0)))

/** Before each call another one, by POST or by the same method, which leaves a connection to be used again. */
export const probe = (
  baseUrl: string,
  userIds: ReadonlyArray<string>,
  method: Catalog.Method,
  http: Layer.Layer<HttpClient.HttpClient> = FetchHttpClient.layer
): Promise<Outcomes> => {
  const call = (userId: string, by: Catalog.Method) =>
    ZimClient.call("QueryBlacklist", { FromUserId: userId }, { method: by }).pipe(
      RetryPolicy.provide(RetryPolicy.none),
      Effect.match({ onFailure: ({ message }) => message, onSuccess: () => "" })
    )
  const client = ZimClient.layer({ appId: 12345, serverSecret: Redacted.make("not a secret"), baseUrl }).pipe(
    Layer.provide([Quota.layer({ limit: 1_000_000 }), CircuitBreaker.layerNone]),
    Layer.provide(http)
  )
  const calls = Effect.forEach(userIds, (userId, index) =>
    call(`before-${userId}`, index % 4 < 2 ? "POST" : method).pipe(
      Effect.andThen(connectionFree),
      Effect.andThen(call(userId, method)),
      Effect.map((outcome) => [userId, outcome] as const)
    )
  )
  return Effect.runPromise(Effect.provide(Effect.map(calls, Object.fromEntries<string>), client))
}

/**
 * All policies together, around the calls of a client: its deadline, retries, quota, circuit breaker and timeouts.
 *
 * @since 0.1.0
 */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import { constVoid } from "effect/Function"
import type * as Scope from "effect/Scope"
import * as Call from "./Call.ts"
import * as InForce from "./internal/policiesInForce.ts"
import * as Pipeline from "./internal/pipeline.ts"
import * as Watchdog from "./internal/watchdog.ts"
import * as Meaning from "./Meaning.ts"
import type { PolicyError } from "./PolicyError.ts"
import type * as RetryPolicy from "./RetryPolicy.ts"

export type { Attempt, Host, Observer } from "./internal/pipeline.ts"
export type { Shared } from "./internal/policiesInForce.ts"
export { makeProvide, type Program, type Provide, type Provided } from "./internal/provide.ts"

/**
 * What a client says of the API that it calls.
 *
 * @category models
 * @since 0.1.0
 */
export interface Options<E, H> {
  /** Whose calls the service counts together: an account, an app. Clients of one key share what they were not given. */
  readonly key: string
  /** Which service that is: what the clients of another one do says nothing of it. Default: the first host. */
  readonly service?: string | undefined
  /** Where calls go: to the first, unless it fails. */
  readonly hosts: readonly [H, ...ReadonlyArray<H>]
  /** What a failure of an attempt means. */
  readonly meaningOf: (error: E) => Meaning.Meaning
  /** Which reference says the retry policy. Default: `RetryPolicy.Current`. */
  readonly retryPolicy?: Context.Reference<RetryPolicy.RetryPolicy<E | PolicyError>> | undefined
  /** What those policies are made of that the context does not have, and clients of the key share. */
  readonly shared?: InForce.Shared | undefined
}

/**
 * How a call is made.
 *
 * @category models
 * @since 0.1.0
 */
export interface CallOptions<H> {
  /**
   * Whether the call changes nothing, so that it may be made again after any failure. Else it is repeated only where it
   * was surely not done: it was rejected, or not sent. Default: true.
   */
  readonly isRepeatable?: boolean | undefined
  readonly observer?: Pipeline.Observer<H> | undefined
}

/**
 * The policies of a client.
 *
 * @category models
 * @since 0.1.0
 */
export interface Policies<E, H> {
  /**
   * Makes a call: waits for the quota, sends, and again where that helps, within the deadline. `send` makes one attempt,
   * with nothing left of the one before it.
   */
  readonly execute: <A, Failure extends E & { readonly _tag: string }>(
    operation: string,
    send: (attempt: Pipeline.Attempt<H>) => Effect.Effect<A, Failure>,
    options?: CallOptions<H>
  ) => Effect.Effect<A, Failure | PolicyError>
}

const unobservedPermit = { taken: constVoid, returned: () => undefined }

const unobserved: Pipeline.Observer<unknown> = {
  call: (self) => self,
  permit: () => unobservedPermit,
  attempt: (self) => Effect.contextWith(self),
  retrying: () => Effect.void,
  gaveUp: () => Effect.void
}

/**
 * The policies of a client. Those in the context become the client's; a call's own win over them. A quota, budget, clock
 * or breaker that is not in the context is shared with all clients of the key that this copy of the package knows, by the
 * same `Clock`; `shared` says what those are made of, and dies with a `RangeError` where an option is out of its range.
 *
 * @example
 * ```ts
 * import { Meaning, Policies } from "@effect-zim/policies"
 * import { Effect } from "effect"
 * import { HttpClient, type HttpClientError, HttpClientResponse } from "effect/http"
 *
 * const meaningOf = ({ response }: HttpClientError.HttpClientError) =>
 *   response === undefined ? Meaning.noAnswer : Meaning.ofStatus(response.status)
 *
 * // A client of a weather service: its calls stay within 20 a second, and survive what passes.
 * const makeForecasts = Effect.gen(function* () {
 *   const http = yield* HttpClient.HttpClient
 *   const policies = yield* Policies.make({ key: "account-1", hosts: [{ host: "weather.example" }], meaningOf })
 *   return (city: string) =>
 *     policies.execute("forecast", ({ endpoint }) =>
 *       http.get(`https://${endpoint.host}/forecast/${city}`).pipe(
 *         Effect.flatMap(HttpClientResponse.filterStatusOk),
 *         Effect.flatMap((response) => response.text)
 *       )
 *     )
 * })
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = Effect.fnUntraced(function* <E, H extends Pipeline.Host>({
  hosts,
  key,
  meaningOf: meaningOfFailure,
  retryPolicy,
  service = hosts[0].host,
  shared = {}
}: Options<E, H>): Effect.fn.Return<Policies<E, H>, never, Scope.Scope> {
  const inForceIn = yield* InForce.make<E | PolicyError>(`${key} ${service}`, retryPolicy, shared)
  const watchdog = yield* Watchdog.make
  const meaningOf = (error: E | PolicyError) =>
    Meaning.isPolicyError(error) ? Meaning.ofPolicyError(error) : meaningOfFailure(error)
  return {
    execute: (operation, send, { isRepeatable = true, observer = unobserved } = {}) =>
      Effect.contextWith((around: Context.Context<never>) => {
        const policies = inForceIn(around)
        const { attemptTimeout, deadline } = policies
        const call = new Call.Call({ key, operation, deadline, attemptTimeout }, Context.get(around, Clock.Clock))
        return Pipeline.run({ call, policies, watchdog, hosts, isRepeatable, send, meaningOf, observer })
      })
  }
})

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
import * as CircuitBreaker from "./CircuitBreaker.ts"
import * as Pipeline from "./internal/pipeline.ts"
import { LocalQueues } from "./internal/permitQueue.ts"
import { makeWatchdog, millisOf } from "./internal/timers.ts"
import * as Meaning from "./Meaning.ts"
import type { PolicyError } from "./PolicyError.ts"
import * as Quota from "./Quota.ts"
import * as RetryBudget from "./RetryBudget.ts"
import * as RetryPolicy from "./RetryPolicy.ts"
import * as ServerClock from "./ServerClock.ts"
import * as Timeout from "./Timeout.ts"

export type { Attempt, Host, Observer } from "./internal/pipeline.ts"
export { makeProvide, type Program, type Provide, type Provided } from "./internal/providePolicy.ts"

/**
 * What the policies are made of that the clients of a key share in this process, where neither the context of a client
 * nor that of a call has one.
 *
 * The quota is shared by all of them: where they say different limits, that of the latest call counts, and whatever has
 * been sent under another one. Retry budget, breaker and server clock are shared by those that say the same of them.
 *
 * @category models
 * @since 0.1.0
 */
export interface Shared {
  readonly quota?: Quota.Options | undefined
  readonly retryBudget?: RetryBudget.Options | undefined
  readonly circuitBreaker?: Omit<CircuitBreaker.Options, "openDuration"> | undefined
}

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
  readonly shared?: Shared | undefined
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

/** Made when it is first asked for: it tells of itself by then. */
const lazy = <A>(make: Effect.Effect<A>) => {
  let made: A | undefined
  return (context: Context.Context<never>): A => (made ??= Effect.runSyncWith(context)(make))
}

/**
 * What clients share that were given nothing of their own: a quota, a retry budget, a server clock and a breaker for each
 * key, in the whole process, as far as it has loaded this package once. A client is soon made, for one request of a server
 * even; what the service counts is the key.
 */
const makeDefaults = (shared: Shared, now: number) => ({
  queues: new LocalQueues(),
  budget: lazy(RetryBudget.make(shared.retryBudget)),
  serverClock: lazy(ServerClock.make),
  breaker: lazy(CircuitBreaker.make(shared.circuitBreaker)),
  /** When a call last asked for them. */
  usedAt: now
})

interface Defaults extends ReturnType<typeof makeDefaults> {}

/** By the clock: tests on clocks of their own have nothing in common. Of a clock, what was used longest ago comes first. */
const known = /* @__PURE__ */ new WeakMap<Clock.Clock, Map<string, Defaults>>()

/** What nobody asks for is kept for so long, and longer while something counts against its quota. In milliseconds. */
const kept = 60 * 60_000

/** How far out of date `usedAt` may be. In milliseconds. */
const grain = 60_000

/** The defaults of a key, for a call by this clock. */
const defaultsOf = (key: string, clock: Clock.Clock, shared: Shared = {}): Defaults => {
  const now = millisOf(clock)
  const byKey = known.get(clock) ?? new Map<string, Defaults>()
  const found = byKey.get(key)
  if (found !== undefined && now - found.usedAt <= grain) return found
  const defaults = found ?? makeDefaults(shared, now)
  defaults.usedAt = now
  byKey.delete(key)
  known.set(clock, byKey.set(key, defaults))
  for (const [other, { queues, usedAt }] of byKey) {
    if (now - usedAt <= kept) break
    if (queues.isIdle(now)) byKey.delete(other)
  }
  return defaults
}

/** The quota that the clients of a key share. It is looked for at each attempt: a call may outlive what is kept. */
const sharedQuotaOf = (key: string, options: Quota.Options = {}): Quota.Quota["Service"] => {
  const rules = Quota.rulesOf(options)
  return {
    withPermit: (call, attempt, outcomeOf, pauseOf) =>
      defaultsOf(key, call.clock).queues.of(rules, call).withPermit(call, attempt, outcomeOf, pauseOf),
    // Nobody can ask: it is in no context.
    state: Effect.succeed([])
  }
}

/**
 * Reads the policies when a call runs: one around the call wins over one that the client's layer was given, and that
 * over the default, which all clients of the key share.
 */
const makeInForce = <E>(
  key: string,
  retryPolicy: Context.Reference<RetryPolicy.RetryPolicy<E>> | undefined,
  shared: Shared
): Effect.Effect<(around: Context.Context<never>) => Pipeline.InForce<E>> =>
  Effect.map(Effect.context<never>(), (layer) => {
    const sharedQuota = sharedQuotaOf(key, shared.quota)
    // Made of something else, they are others.
    const { circuitBreaker, retryBudget } = shared
    const keyOfRest = `${key}${JSON.stringify({ circuitBreaker, retryBudget })}`
    const defaultsBy = (context: Context.Context<never>) =>
      defaultsOf(keyOfRest, Context.get(context, Clock.Clock), shared)
    const read = (around: Context.Context<never>, defaults: Defaults) => {
      const setting = <A>(reference: Context.Reference<A>): A =>
        Context.getOrUndefined(around, reference) ?? Context.get(layer, reference)
      const service = <I, A>(key: Context.Key<I, A>, byDefault: (around: Context.Context<never>) => A): A =>
        Context.getOrUndefined(around, key) ?? Context.getOrUndefined(layer, key) ?? byDefault(around)
      const inForce: Pipeline.InForce<E> = {
        retry: retryPolicy === undefined ? setting(RetryPolicy.Current) : setting(retryPolicy),
        attemptTimeout: setting(Timeout.Attempt),
        deadline: setting(Timeout.Deadline),
        quota: service(Quota.Quota, () => sharedQuota),
        budget: service(RetryBudget.RetryBudget, defaults.budget),
        serverClock: service(ServerClock.ServerClock, defaults.serverClock),
        breaker: service(CircuitBreaker.CircuitBreaker, defaults.breaker)
      }
      return { around, defaults, inForce }
    }
    // What is out of its range is found now, and not by the first call.
    if (retryBudget !== undefined) defaultsBy(layer).budget(layer)
    if (circuitBreaker !== undefined) defaultsBy(layer).breaker(layer)
    let last: ReturnType<typeof read> | undefined
    return (around) => {
      const defaults = defaultsBy(around)
      if (last?.around !== around || last.defaults !== defaults) last = read(around, defaults)
      return last.inForce
    }
  })

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
  const inForceIn = yield* makeInForce<E | PolicyError>(`${key} ${service}`, retryPolicy, shared)
  const watchdog = yield* makeWatchdog
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

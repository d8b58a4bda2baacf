/** The policies in force for a call. */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as CircuitBreaker from "../CircuitBreaker.ts"
import * as Quota from "../Quota.ts"
import * as RetryBudget from "../RetryBudget.ts"
import * as RetryPolicy from "../RetryPolicy.ts"
import * as ServerClock from "../ServerClock.ts"
import * as Timeout from "../Timeout.ts"
import { Quotas, rulesOf } from "./quota/quotasByKey.ts"
import { millisOf } from "./time.ts"

export interface InForce<E> {
  readonly retry: RetryPolicy.RetryPolicy<E>
  readonly attemptTimeout: Duration.Duration
  readonly deadline: Duration.Duration
  readonly quota: Quota.Quota["Service"]
  readonly budget: RetryBudget.RetryBudget["Service"]
  readonly serverClock: ServerClock.ServerClock["Service"]
  readonly breaker: CircuitBreaker.CircuitBreaker["Service"]
}

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

/** Made when it is first asked for: it tells of itself by then. */
type Lazy<A> = (context: Context.Context<never>) => A

const lazy = <A>(make: Effect.Effect<A>): Lazy<A> => {
  let made: A | undefined
  return (context) => (made ??= Effect.runSyncWith(context)(make))
}

/**
 * What clients share that were given nothing of their own: a quota, a retry budget, a server clock and a breaker for each
 * key, in the whole process, as far as it has loaded this package once. A client is soon made, for one request of a server
 * even; what the service counts is the key.
 */
interface Defaults {
  readonly quotas: Quotas
  readonly budget: Lazy<RetryBudget.RetryBudget["Service"]>
  readonly serverClock: Lazy<ServerClock.ServerClock["Service"]>
  readonly breaker: Lazy<CircuitBreaker.CircuitBreaker["Service"]>
  /** When a call last asked for them. */
  usedAt: number
}

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
  const defaults = found ?? {
    quotas: new Quotas(),
    budget: lazy(RetryBudget.make(shared.retryBudget)),
    serverClock: lazy(ServerClock.make),
    breaker: lazy(CircuitBreaker.make(shared.circuitBreaker)),
    usedAt: now
  }
  defaults.usedAt = now
  byKey.delete(key)
  known.set(clock, byKey.set(key, defaults))
  for (const [other, { quotas, usedAt }] of byKey) {
    if (now - usedAt <= kept) break
    if (quotas.isIdle(now)) byKey.delete(other)
  }
  return defaults
}

/** The quota that the clients of a key share. It is looked for at each attempt: a call may outlive what is kept. */
const sharedQuotaOf = (key: string, options: Quota.Options = {}): Quota.Quota["Service"] => {
  const rules = rulesOf(options)
  return {
    withPermit: (call, attempt, outcomeOf, pauseOf) =>
      defaultsOf(key, call.clock).quotas.withPermit(rules, call, attempt, outcomeOf, pauseOf),
    // Nobody can ask: it is in no context.
    state: Effect.succeed([])
  }
}

/**
 * Reads the policies when a call runs: one around the call wins over one that the client's layer was given, and that
 * over the default, which all clients of the key share.
 */
export const make = <E>(
  key: string,
  retryPolicy: Context.Reference<RetryPolicy.RetryPolicy<E>> | undefined,
  shared: Shared
): Effect.Effect<(around: Context.Context<never>) => InForce<E>> =>
  Effect.map(Effect.context<never>(), (layer) => {
    const sharedQuota = sharedQuotaOf(key, shared.quota)
    // Made of something else, they are others.
    const { circuitBreaker, retryBudget } = shared
    const keyOfRest = `${key}${JSON.stringify({ circuitBreaker, retryBudget })}`
    const defaultsBy = (context: Context.Context<never>) =>
      defaultsOf(keyOfRest, Context.get(context, Clock.Clock), shared)
    const read = (around: Context.Context<never>, defaults: Defaults): InForce<E> => {
      const setting = <A>(reference: Context.Reference<A>): A =>
        Context.getOrUndefined(around, reference) ?? Context.get(layer, reference)
      const service = <I, A>(key: Context.Key<I, A>, byDefault: (around: Context.Context<never>) => A): A =>
        Context.getOrUndefined(around, key) ?? Context.getOrUndefined(layer, key) ?? byDefault(around)
      return {
        retry: retryPolicy === undefined ? setting(RetryPolicy.Current) : setting(retryPolicy),
        attemptTimeout: setting(Timeout.Attempt),
        deadline: setting(Timeout.Deadline),
        quota: service(Quota.Quota, () => sharedQuota),
        budget: service(RetryBudget.RetryBudget, defaults.budget),
        serverClock: service(ServerClock.ServerClock, defaults.serverClock),
        breaker: service(CircuitBreaker.CircuitBreaker, defaults.breaker)
      }
    }
    // What is out of its range is found now, and not by the first call.
    if (retryBudget !== undefined) defaultsBy(layer).budget(layer)
    if (circuitBreaker !== undefined) defaultsBy(layer).breaker(layer)
    let last: { readonly around: Context.Context<never>; readonly defaults: Defaults; inForce: InForce<E> } | undefined
    return (around) => {
      const defaults = defaultsBy(around)
      if (last?.around !== around || last.defaults !== defaults) {
        last = { around, defaults, inForce: read(around, defaults) }
      }
      return last.inForce
    }
  })

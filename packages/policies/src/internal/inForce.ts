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
import * as Defaults from "./defaults.ts"

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
 * Reads the policies when a call runs: one around the call wins over one that the client's layer was given, and that
 * over the default, which all clients of the key share.
 */
export const make = <E>(
  key: string,
  retryPolicy: Context.Reference<RetryPolicy.RetryPolicy<E>> | undefined,
  shared: Defaults.Shared
): Effect.Effect<(around: Context.Context<never>) => InForce<E>> =>
  Effect.map(Effect.context<never>(), (layer) => {
    const sharedQuota = Defaults.quota(key, shared.quota)
    // Made of something else, they are others.
    const { circuitBreaker, retryBudget } = shared
    const keyOfRest = `${key}${JSON.stringify({ circuitBreaker, retryBudget })}`
    const defaultsBy = (context: Context.Context<never>) =>
      Defaults.get(keyOfRest, Context.get(context, Clock.Clock), shared)
    const read = (around: Context.Context<never>, defaults: Defaults.Defaults): InForce<E> => {
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
    let last:
      | { readonly around: Context.Context<never>; readonly defaults: Defaults.Defaults; inForce: InForce<E> }
      | undefined
    return (around) => {
      const defaults = defaultsBy(around)
      if (last?.around !== around || last.defaults !== defaults) {
        last = { around, defaults, inForce: read(around, defaults) }
      }
      return last.inForce
    }
  })

/** The policies of a call. */
import { CircuitBreaker, Quota, RetryBudget, ServerClock, Timeout } from "@effect-zim/policies"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import { ResponseLimit } from "../ResponseLimit.ts"
import * as RetryPolicy from "../RetryPolicy.ts"
import * as Defaults from "./defaults.ts"
import { inRange } from "./inRange.ts"

export interface Policies {
  readonly retry: RetryPolicy.RetryPolicy
  readonly attemptTimeout: Duration.Duration
  readonly deadline: Duration.Duration
  readonly responseLimit: number
  readonly quota: Quota.Quota["Service"]
  readonly budget: RetryBudget.RetryBudget["Service"]
  readonly serverClock: ServerClock.ServerClock["Service"]
  readonly breaker: CircuitBreaker.CircuitBreaker["Service"]
}

/**
 * Reads the policies when a call runs: one around the call wins over one that the client's layer was given, and that
 * over the default, which all clients of the app share.
 */
export const make = (key: string): Effect.Effect<(around: Context.Context<never>) => Policies> =>
  Effect.map(Effect.context<never>(), (layer) => {
    const read = (around: Context.Context<never>, defaults: Defaults.Defaults): Policies => {
      const setting = <A>(reference: Context.Reference<A>): A =>
        Context.getOrUndefined(around, reference) ?? Context.get(layer, reference)
      const service = <I, A>(key: Context.Key<I, A>, byDefault: (around: Context.Context<never>) => A): A =>
        Context.getOrUndefined(around, key) ?? Context.getOrUndefined(layer, key) ?? byDefault(around)
      const responseLimit = setting(ResponseLimit)
      const quota = service(Quota.Quota, defaults.quota)
      const budget = service(RetryBudget.RetryBudget, defaults.budget)
      const serverClock = service(ServerClock.ServerClock, defaults.serverClock)
      const breaker = service(CircuitBreaker.CircuitBreaker, defaults.breaker)
      return {
        retry: setting(RetryPolicy.Current),
        attemptTimeout: setting(Timeout.Attempt),
        deadline: setting(Timeout.Deadline),
        responseLimit: inRange("ResponseLimit", responseLimit, responseLimit >= 0, "a number of bytes, 0 or more"),
        quota,
        budget,
        serverClock,
        breaker
      }
    }
    let last:
      | { readonly around: Context.Context<never>; readonly defaults: Defaults.Defaults; policies: Policies }
      | undefined
    return (around) => {
      const defaults = Defaults.get(key, Context.get(around, Clock.Clock))
      if (last?.around !== around || last.defaults !== defaults) {
        last = { around, defaults, policies: read(around, defaults) }
      }
      return last.policies
    }
  })

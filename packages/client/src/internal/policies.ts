/** The policies of a call. */
import * as Context from "effect/Context"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as Breaker from "../Breaker.ts"
import * as Quota from "../Quota.ts"
import { ResponseLimit } from "../ResponseLimit.ts"
import * as RetryBudget from "../RetryBudget.ts"
import * as RetryPolicy from "../RetryPolicy.ts"
import * as ServerClock from "../ServerClock.ts"
import * as Timeout from "../Timeout.ts"
import * as BuiltIn from "./builtIn.ts"
import { inRange } from "./inRange.ts"
import { memoized } from "./memoized.ts"

export interface Policies {
  readonly retry: RetryPolicy.RetryPolicy
  readonly attemptTimeout: Duration.Duration
  readonly deadline: Duration.Duration
  readonly responseLimit: number
  readonly quota: Quota.Quota["Service"]
  readonly budget: RetryBudget.RetryBudget["Service"]
  readonly serverClock: ServerClock.ServerClock["Service"]
  readonly breaker: Breaker.Breaker["Service"]
  /** Whether all that a call goes through is this package's own. Else it may hang, and change the context. */
  readonly areBuiltIn: boolean
}

/**
 * Reads the policies when a call runs: one around the call wins over one that the client's layer was given, and that
 * over the default. What the client shares between its calls is made once, here.
 */
export const make: Effect.Effect<(around: Context.Context<never>) => Policies, never, Scope.Scope> = Effect.gen(
  function* () {
    const layer = yield* Effect.context<never>()
    const shared = Context.make(Quota.Quota, yield* ownOr(layer, Quota.Quota, Quota.make())).pipe(
      Context.add(RetryBudget.RetryBudget, yield* ownOr(layer, RetryBudget.RetryBudget, RetryBudget.make())),
      Context.add(ServerClock.ServerClock, yield* ownOr(layer, ServerClock.ServerClock, ServerClock.make)),
      Context.add(Breaker.Breaker, yield* ownOr(layer, Breaker.Breaker, Breaker.make()))
    )
    return memoized((around: Context.Context<never>) => {
      const setting = <A>(reference: Context.Reference<A>): A =>
        Context.getOrUndefined(around, reference) ?? Context.get(layer, reference)
      const service = <I extends Shared, A>(key: Context.Key<I, A>): A =>
        Context.getOrUndefined(around, key) ?? Context.get(shared, key)
      const responseLimit = setting(ResponseLimit)
      const quota = service(Quota.Quota)
      const budget = service(RetryBudget.RetryBudget)
      const serverClock = service(ServerClock.ServerClock)
      const breaker = service(Breaker.Breaker)
      return {
        retry: setting(RetryPolicy.Current),
        attemptTimeout: setting(Timeout.Attempt),
        deadline: setting(Timeout.Deadline),
        responseLimit: inRange("ResponseLimit", responseLimit, responseLimit >= 0, "a number of bytes, 0 or more"),
        quota,
        budget,
        serverClock,
        breaker,
        areBuiltIn: BuiltIn.has(quota) && BuiltIn.has(budget) && BuiltIn.has(serverClock) && BuiltIn.has(breaker)
      }
    })
  }
)

type Shared = Quota.Quota | RetryBudget.RetryBudget | ServerClock.ServerClock | Breaker.Breaker

const ownOr = <I, A, R>(
  layer: Context.Context<never>,
  key: Context.Key<I, A>,
  own: Effect.Effect<A, never, R>
): Effect.Effect<A, never, R> => {
  const given = Context.getOrUndefined(layer, key)
  return given === undefined ? own : Effect.succeed(given)
}

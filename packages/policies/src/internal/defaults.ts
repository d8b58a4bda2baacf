/**
 * What clients share that were given nothing of their own: a quota, a retry budget, a server clock and a breaker for each
 * key, in the whole process, as far as it has loaded this package once. A client is soon made, for one request of a server
 * even; what the service counts is the key.
 */
import type * as Clock from "effect/Clock"
import type * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as CircuitBreaker from "../CircuitBreaker.ts"
import type * as Quota from "../Quota.ts"
import * as RetryBudget from "../RetryBudget.ts"
import * as ServerClock from "../ServerClock.ts"
import { Quotas, rulesOf } from "./quota/quotas.ts"
import { millisOf } from "./time.ts"

/**
 * What the policies are made of that the clients of a key share in this process, where neither the context of a client
 * nor that of a call has one.
 *
 * The quota is shared by all of them: where they say different limits, that of the latest call counts, and whatever has
 * been sent under another one. Retry budget, breaker and server clock are shared by those that say the same of them.
 *
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

export interface Defaults {
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
export const get = (key: string, clock: Clock.Clock, shared: Shared = {}): Defaults => {
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
export const quota = (key: string, options: Quota.Options = {}): Quota.Quota["Service"] => {
  const rules = rulesOf(options)
  return {
    withPermit: (call, attempt, outcomeOf, pauseOf) =>
      get(key, call.clock).quotas.withPermit(rules, call, attempt, outcomeOf, pauseOf),
    // Nobody can ask: it is in no context.
    state: Effect.succeed([])
  }
}

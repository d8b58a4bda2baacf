/**
 * What clients share that were given nothing of their own: a quota, a retry budget, a server clock and a breaker for each
 * key, in the whole process, as far as it has loaded this package once. A client is soon made, for one request of a server
 * even; what the service counts is the key.
 */
import type * as Clock from "effect/Clock"
import type * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as CircuitBreaker from "../CircuitBreaker.ts"
import * as Quota from "../Quota.ts"
import * as RetryBudget from "../RetryBudget.ts"
import * as ServerClock from "../ServerClock.ts"
import { millisOf } from "./time.ts"

/** Made when it is first asked for: it tells of itself by then. */
type Lazy<A> = (context: Context.Context<never>) => A

const lazy = <A>(make: Effect.Effect<A>): Lazy<A> => {
  let made: A | undefined
  return (context) => (made ??= Effect.runSyncWith(context)(make))
}

export interface Defaults {
  readonly quota: Lazy<Quota.Quota["Service"]>
  readonly budget: Lazy<RetryBudget.RetryBudget["Service"]>
  readonly serverClock: Lazy<ServerClock.ServerClock["Service"]>
  readonly breaker: Lazy<CircuitBreaker.CircuitBreaker["Service"]>
  /** When a call last asked for them. */
  usedAt: number
}

/** By the clock: tests on clocks of their own have nothing in common. Of a clock, what was used longest ago comes first. */
const known = /* @__PURE__ */ new WeakMap<Clock.Clock, Map<string, Defaults>>()

/** What nobody asks for is kept for so long: by then nothing counts any more that it knows. In milliseconds. */
const kept = 60 * 60_000

/** How far out of date `usedAt` may be. In milliseconds. */
const grain = 60_000

/** The defaults of a key, for a call by this clock. A call keeps what it has got. */
export const get = (key: string, clock: Clock.Clock): Defaults => {
  const now = millisOf(clock)
  const byKey = known.get(clock) ?? new Map<string, Defaults>()
  const found = byKey.get(key)
  if (found !== undefined && now - found.usedAt <= grain) return found
  const defaults = found ?? {
    quota: lazy(Quota.make()),
    budget: lazy(RetryBudget.make()),
    serverClock: lazy(ServerClock.make),
    breaker: lazy(CircuitBreaker.make()),
    usedAt: now
  }
  defaults.usedAt = now
  byKey.delete(key)
  known.set(clock, byKey.set(key, defaults))
  for (const [other, { usedAt }] of byKey) {
    if (now - usedAt <= kept) break
    byKey.delete(other)
  }
  return defaults
}

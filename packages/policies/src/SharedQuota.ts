/**
 * A quota that several processes keep together: the same promise as `Quota.make`, over a store that all of them
 * reach. `RedisQuota` has a store in Redis, `SqlQuota` one in PostgreSQL; the one here is in memory, for tests and simulations.
 *
 * @since 0.1.0
 */
import * as Clock from "effect/Clock"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as FiberSet from "effect/FiberSet"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import { inRange } from "./internal/inRange.ts"
import { keyOf } from "./internal/permitQueue.ts"
import { type Shared, SharedQueue } from "./internal/sharedQuota/sharedQueue.ts"
import * as MemoryStore from "./internal/sharedQuota/memoryStore.ts"
import { type Store, type StoreUnavailable, timeoutOf } from "./internal/sharedQuota/store.ts"
import { millisOf } from "./internal/timers.ts"
import * as Quota from "./Quota.ts"

export { provide } from "./Quota.ts"
export { StoreUnavailable } from "./internal/sharedQuota/store.ts"
export type { Limits } from "./internal/permits.ts"
export type { Ask, Pause, Rejection, Reply, Return, Store } from "./internal/sharedQuota/store.ts"

/**
 * What a shared quota is made of.
 *
 * @category models
 * @since 0.1.0
 */
export interface Options extends Quota.Options {
  /**
   * What happens while the store does not answer. `fail`, the default: calls fail with `QuotaUnavailable`. `share`: this
   * process goes on with this part of the limit (above 0, 1 at most), at least one call per window, and returns to the
   * store when it answers again. That keeps the limit while the store is away for all processes and answers all of them
   * again within `grace + timeout`, and as long as their shares add up to 1 at most. Its price: each process asks once per
   * window whether the store is there, and waits for `window + grace + timeout` before its first call.
   */
  readonly whenUnavailable?: "fail" | { readonly share: number } | undefined
  /** How long the store has to answer until it counts as away: `grace - window` at most. Default: 1 second. */
  readonly timeout?: Duration.Input | undefined
}

/** How many calls a window a part of a quota allows: one at least. */
const partOf = (limit: number, share: number): number =>
  Math.max(
    1,
    Math.floor(limit * inRange("the quota's share", share, share > 0 && share <= 1, "above 0, and 1 at most"))
  )

/**
 * A quota over a store. Within the process callers come first, first served; between processes, whoever asks first.
 *
 * @example
 * ```ts
 * import * as SharedQuota from "@effect-zim/policies/SharedQuota"
 *
 * // A store of one's own: three operations, each of which decides by the store's clock.
 * const quotaOf = (store: SharedQuota.Store) =>
 *   SharedQuota.make(store, { limit: 50, whenUnavailable: { share: 1 / 4 } })
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = Effect.fnUntraced(function* (
  store: Store,
  options: Options = {}
): Effect.fn.Return<Quota.Quota["Service"], never, Scope.Scope> {
  const limits = Quota.limitsOf(options)
  const timeout = timeoutOf(options.timeout)
  const { whenUnavailable = "fail" } = options
  const share = whenUnavailable === "fail" ? undefined : partOf(limits.limit, whenUnavailable.share)
  const watches = yield* FiberSet.make<never>()
  const background = yield* FiberSet.make<void, StoreUnavailable>()
  // At the end the last permits are still given back.
  yield* Effect.addFinalizer(() => Effect.timeoutOption(FiberSet.awaitEmpty(background), timeout))
  const shared: Shared = { store, limits, share, timeout, background }
  const queues = new Map<string, SharedQueue>()

  const queueOf = (key: string, clock: Clock.Clock): Effect.Effect<SharedQueue> => {
    const known = queues.get(key)
    if (known !== undefined) return Effect.succeed(known)
    const queue = new SharedQueue(key, shared, millisOf(clock))
    queues.set(key, queue)
    return share === undefined
      ? Effect.succeed(queue)
      : Effect.uninterruptible(Effect.as(FiberSet.run(watches, queue.watch(clock)), queue))
  }

  return {
    withPermit: (call, attempt, outcomeOf, pauseOf) =>
      Effect.suspend(() => queueOf(keyOf(options, call), call.clock)).pipe(
        Effect.flatMap((queue) => queue.withPermit(call, attempt, outcomeOf, pauseOf))
      ),
    state: Clock.clockWith((clock) =>
      Effect.sync(() => Array.from(queues, ([key, queue]) => queue.state(key, millisOf(clock))))
    )
  }
})

/**
 * A store in memory, on Effect's clock: what is shared by the quotas that are made of it, within this process.
 *
 * @example
 * ```ts
 * import * as SharedQuota from "@effect-zim/policies/SharedQuota"
 * import { Effect } from "effect"
 *
 * // Two processes in a test: together they keep the limit.
 * const quotas = Effect.gen(function* () {
 *   const store = yield* SharedQuota.memory
 *   return [yield* SharedQuota.make(store), yield* SharedQuota.make(store)]
 * })
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const memory: Effect.Effect<Store> = /* @__PURE__ */ Effect.sync(MemoryStore.make)

/**
 * A shared quota for every client built on this layer.
 *
 * @example
 * ```ts
 * import * as SharedQuota from "@effect-zim/policies/SharedQuota"
 * import { Effect, Layer } from "effect"
 *
 * const inMemory = Layer.unwrap(Effect.map(SharedQuota.memory, (store) => SharedQuota.layer(store, { limit: 50 })))
 * ```
 *
 * @category layers
 * @since 0.1.0
 */
export const layer = (store: Store, options?: Options): Layer.Layer<Quota.Quota> =>
  Layer.effect(Quota.Quota, make(store, options))

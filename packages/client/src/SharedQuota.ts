/**
 * A quota that several processes keep together: the same promise as {@link Quota.make}, over a store that all of them
 * reach. `RedisQuota` has a store in Redis; the one here is in memory, for tests and simulations.
 *
 * @since 0.1.0
 */
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import type * as Lane from "./internal/lane.ts"
import * as MemoryStore from "./internal/memoryStore.ts"
import * as Shared from "./internal/shared.ts"
import * as Quota from "./Quota.ts"

/**
 * The numbers of a quota: calls per window, and the window and the grace in milliseconds.
 *
 * @since 0.1.0
 */
export type Limits = Lane.Options

/**
 * A process that asks the store for a permit. All times are in milliseconds.
 *
 * @since 0.1.0
 */
export interface Ask {
  /** What the quota is one for: an AppID, with the operation behind a colon where each has its own. */
  readonly key: string
  readonly limits: Limits
  /** The name of the lease: no other one has it. */
  readonly lease: string
  /** When the permit comes back although the store never hears of it again: the process has crashed. */
  readonly hold: number
  /** How much sooner than a window after an answer the process may send, because of its smallest round trip. */
  readonly allowance: number
  /** Where its requests go. Two hosts are two paths: while more than one is asked for, nobody has an allowance. */
  readonly host?: string | undefined
  /** The least time since the last permit, whoever got it. */
  readonly spacing: number
  /** Whether the store must know the key. If it does not, it has lost it, and waits until what it lost is over. */
  readonly isKnown: boolean
}

/**
 * The last time that the service rejected a call: when by the store's clock, how long ago that is, and the time between
 * calls that was too little. All in milliseconds.
 *
 * @since 0.1.0
 */
export interface Rejection {
  readonly at: number
  readonly ago: number
  readonly spacing: number
}

/**
 * A permit, with the time by the store's clock; or how long there will be none, unless one comes back unused.
 *
 * @since 0.1.0
 */
export type Answer =
  | { readonly _tag: "Granted"; readonly at: number; readonly rejection: Rejection | undefined }
  | { readonly _tag: "Wait"; readonly millis: number; readonly rejection: Rejection | undefined }

/**
 * A process that gives a permit back. All times are in milliseconds.
 *
 * @since 0.1.0
 */
export interface Return {
  readonly key: string
  readonly limits: Limits
  readonly lease: string
  /** How long ago the attempt ended. */
  readonly ago: number
  /** How long after the attempt ended the permit comes back: at once where nothing was sent. */
  readonly delay: number | undefined
  /** How much sooner it may come back, where all who ask say the same of themselves. */
  readonly allowance: number
  /** The service rejected the call: when its permit was given out, and the time between calls that was too little. */
  readonly rejected: { readonly grantedAt: number; readonly spacing: number } | undefined
}

/**
 * A process that gave out permits of its own, so that the store must give out none until those are over: for so many
 * milliseconds.
 *
 * @since 0.1.0
 */
export interface Pause {
  readonly key: string
  readonly limits: Limits
  readonly millis: number
}

/**
 * What the processes keep together. Its clock decides, so theirs do not matter.
 *
 * @since 0.1.0
 */
export interface Store {
  readonly acquire: (ask: Ask) => Effect.Effect<Answer, Quota.Unavailable>
  readonly release: (lease: Return) => Effect.Effect<void, Quota.Unavailable>
  readonly pause: (pause: Pause) => Effect.Effect<void, Quota.Unavailable>
}

/**
 * What a shared quota is made of.
 *
 * @since 0.1.0
 */
export interface Options extends Quota.Options {
  /**
   * What happens while the store does not answer. `fail`, the default: calls fail with `QuotaUnavailable`. `share`: this
   * process goes on with this part of the limit (above 0, 1 at most), at least one call per window, and returns to the store when it answers
   * again. That keeps the limit while the store is away for all processes, and as long as their shares add up to 1 at
   * most. Its price: each process asks once per window whether the store is there, and waits for
   * `window + grace + timeout` before its first call.
   */
  readonly whenUnavailable?: "fail" | { readonly share: number } | undefined
  /** How long the store has to answer until it counts as away: `grace - window` at most. Default: 1 second. */
  readonly timeout?: Duration.Input | undefined
}

/**
 * A quota over a store. Within the process callers come first, first served; between processes, whoever asks first.
 *
 * @example
 * ```ts
 * import * as SharedQuota from "@effect-zim/client/SharedQuota"
 *
 * // A store of one's own: three operations, each of which decides by the store's clock.
 * const quotaOf = (store: SharedQuota.Store) =>
 *   SharedQuota.make(store, { limit: 50, whenUnavailable: { share: 1 / 4 } })
 * ```
 *
 * @since 0.1.0
 */
export const make: (store: Store, options?: Options) => Effect.Effect<Quota.Quota["Service"], never, Scope.Scope> =
  Shared.make

/**
 * A store in memory, on Effect's clock: what is shared by the quotas that are made of it, within this process.
 *
 * @example
 * ```ts
 * import * as SharedQuota from "@effect-zim/client/SharedQuota"
 * import { Effect } from "effect"
 *
 * // Two processes in a test: together they keep the limit.
 * const quotas = Effect.gen(function* () {
 *   const store = yield* SharedQuota.memory
 *   return [yield* SharedQuota.make(store), yield* SharedQuota.make(store)]
 * })
 * ```
 *
 * @since 0.1.0
 */
export const memory: Effect.Effect<Store> = Effect.sync(MemoryStore.make)

/**
 * A shared quota for every client built on this layer.
 *
 * @example
 * ```ts
 * import { ZimClient } from "@effect-zim/client"
 * import * as SharedQuota from "@effect-zim/client/SharedQuota"
 * import { Layer } from "effect"
 *
 * const clientOf = (store: SharedQuota.Store) =>
 *   ZimClient.layerConfig.pipe(Layer.provide(SharedQuota.layer(store, { limit: 50 })))
 * ```
 *
 * @since 0.1.0
 */
export const layer = (store: Store, options?: Options): Layer.Layer<Quota.Quota> =>
  Layer.effect(Quota.Quota, make(store, options))

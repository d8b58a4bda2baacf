/**
 * The client's share of the service's calls: never more than the quota, however the service aligns its windows.
 *
 * @since 0.1.0
 */
import type { AppId } from "@effect-zim/protocol"
import * as Context from "effect/Context"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import { dual } from "effect/Function"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import * as Semaphore from "effect/Semaphore"

/**
 * A call that asks for a permit.
 *
 * @since 0.1.0
 */
export interface Call {
  readonly appId: AppId.AppId
  readonly action: string
}

/**
 * Permission for one request. It is given back once, when the attempt has ended, whatever its end.
 *
 * @since 0.1.0
 */
export interface Permit {
  readonly release: Effect.Effect<void>
}

/**
 * A quota: hands out permits, each for one request.
 *
 * @since 0.1.0
 */
export class Quota extends Context.Service<
  Quota,
  {
    /** Waits for a permit. Interruption leaves the queue and keeps nothing. */
    readonly acquire: (call: Call) => Effect.Effect<Permit>
  }
>()("@effect-zim/client/Quota") {}

/**
 * What a quota is made of.
 *
 * @since 0.1.0
 */
export interface Options {
  /** Calls per window. Default: 20. */
  readonly limit?: number | undefined
  /** The window. Default: 1 second. */
  readonly window?: Duration.Input | undefined
}

/**
 * A quota within this process, one for each AppID. A permit comes back one window after the answer of its request, so
 * that the service cannot count more than `limit` calls in any window: it counted the old call before it answered, and
 * it counts the new one after the permit came back.
 *
 * @since 0.1.0
 */
export const make = Effect.fnUntraced(function* (
  options: Options = {}
): Effect.fn.Return<Quota["Service"], never, Scope.Scope> {
  const { limit = 20, window = "1 second" } = options
  const scope = yield* Effect.scope
  const lanes = new Map<AppId.AppId, Semaphore.Semaphore>()
  const laneOf = (appId: AppId.AppId): Semaphore.Semaphore => {
    const known = lanes.get(appId)
    if (known !== undefined) return known
    const lane = Semaphore.makeUnsafe(limit)
    lanes.set(appId, lane)
    return lane
  }
  return {
    acquire: ({ appId }) =>
      Effect.suspend(() => {
        const lane = laneOf(appId)
        const release = Effect.asVoid(Effect.forkIn(Effect.andThen(Effect.sleep(window), lane.release(1)), scope))
        return Effect.as(lane.take(1), { release })
      })
  }
})

/**
 * A quota for every client built on this layer. A client without one makes its own, with the defaults.
 *
 * @example
 * ```ts
 * import { Quota, ZimClient } from "@effect-zim/client"
 * import { Layer } from "effect"
 *
 * const client = ZimClient.layerConfig.pipe(Layer.provide(Quota.layer({ limit: 50 })))
 * ```
 *
 * @since 0.1.0
 */
export const layer = (options?: Options): Layer.Layer<Quota> => Layer.effect(Quota, make(options))

/**
 * Runs an effect's calls under a quota of their own.
 *
 * @since 0.1.0
 */
export const provide: {
  (quota: Quota["Service"]): <A, E, R>(self: Effect.Effect<A, E, R>) => Effect.Effect<A, E, R>
  <A, E, R>(self: Effect.Effect<A, E, R>, quota: Quota["Service"]): Effect.Effect<A, E, R>
} = dual(2, <A, E, R>(self: Effect.Effect<A, E, R>, quota: Quota["Service"]): Effect.Effect<A, E, R> =>
  Effect.provideService(self, Quota, quota)
)

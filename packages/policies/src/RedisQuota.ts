/**
 * A quota that several processes keep together over Redis: together they never send more than the limit, however the
 * service aligns its windows and however the clocks of the processes differ, unless the latency to its host suddenly
 * drops, or is much higher there than back for one process and not for another. Needs Redis 5 or later, or Valkey.
 *
 * This module is an entry point of its own: who does not import it does not load it.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redis from "effect/persistence/Redis"
import * as Schema from "effect/Schema"
import * as RedisConnection from "./internal/sharedQuota/redisConnection.ts"
import * as Scripts from "./internal/sharedQuota/redisScripts.ts"
import { problemOf } from "./internal/sharedQuota/store.ts"
import * as Quota from "./Quota.ts"
import * as SharedQuota from "./SharedQuota.ts"

export { provide } from "./Quota.ts"
export type { Client } from "./internal/sharedQuota/redisConnection.ts"

/**
 * What a quota over Redis is made of. All processes of one key must be given the same.
 *
 * @category models
 * @since 0.1.0
 */
export interface Options extends SharedQuota.Options {
  /**
   * What the names of the keys begin with. They hold the key, and the operation where each has its own quota: nothing
   * secret. Default: `quota`.
   */
  readonly prefix?: string | undefined
}

/** What each script begins with: its two keys, a lease and the limits. */
const beginning = (prefix: string, { key, limits }: Pick<SharedQuota.Ask, "key" | "limits">, lease: string) => [
  // The braces put both on the same node of a cluster.
  `${prefix}:{${key}}:leases`,
  `${prefix}:{${key}}:state`,
  lease,
  limits.limit,
  limits.window,
  limits.grace
]

const acquireScript = Redis.script(
  (prefix: string, ask: SharedQuota.Ask) => [
    ...beginning(prefix, ask, ask.lease),
    ask.hold,
    Math.floor(ask.allowance),
    ask.spacing,
    ask.isKnown ? 1 : 0,
    ask.host ?? ""
  ],
  { numberOfKeys: 2, lua: Scripts.acquire }
).withReturnType<unknown>()

const releaseScript = Redis.script(
  (prefix: string, back: SharedQuota.Return) => [
    ...beginning(prefix, back, back.lease),
    back.ago,
    back.delay ?? "",
    Math.floor(back.allowance),
    back.rejected?.grantedAt ?? "",
    back.rejected?.spacing ?? ""
  ],
  { numberOfKeys: 2, lua: Scripts.release }
)

const pauseScript = Redis.script(
  (prefix: string, pause: SharedQuota.Pause) => [...beginning(prefix, pause, ""), pause.millis],
  { numberOfKeys: 2, lua: Scripts.pause }
)

/** The wait, the time, and the last rejection: when, and with which spacing. */
const decodeReply = Schema.decodeUnknownEffect(
  Schema.Tuple([Schema.Int, Schema.FiniteFromString, Schema.FiniteFromString, Schema.FiniteFromString])
)

const toAnswer = ([millis, now, rejectedAt, spacing]: readonly [number, number, number, number]): SharedQuota.Reply => {
  const rejection = rejectedAt < 0 ? undefined : { at: rejectedAt, ago: now - rejectedAt, spacing }
  return millis === 0 ? { _tag: "Granted", at: now, rejection } : { _tag: "Wait", millis, rejection }
}

/** What an answer of Redis begins with that is an error. */
const errorCode = /^([A-Z][A-Z0-9]{2,})(?: |$)/

/** Answers that concern everybody who asks, and pass: Redis starts, fails over, is busy, or has no room. */
const passing = new Set([
  "BUSY",
  "CLUSTERDOWN",
  "LOADING",
  "MASTERDOWN",
  "MISCONF",
  "NOREPLICAS",
  "OOM",
  "READONLY",
  "TRYAGAIN"
])

/** What a failed command of Redis says of it. */
const unavailable = (cause: unknown): SharedQuota.StoreUnavailable => {
  const problem = problemOf(cause)
  const code = errorCode.exec(problem)?.[1]
  const _tag = code === undefined ? "NoAnswer" : passing.has(code) ? "Refused" : "Denied"
  return new SharedQuota.StoreUnavailable({ problem, reason: { _tag }, cause })
}

/**
 * The store: leases in Redis, each operation one script, by the clock of the Redis server.
 *
 * @example
 * ```ts
 * import * as RedisQuota from "@effect-zim/policies/RedisQuota"
 * import * as SharedQuota from "@effect-zim/policies/SharedQuota"
 * import { Effect } from "effect"
 *
 * const quota = Effect.gen(function* () {
 *   const store = yield* RedisQuota.store({ prefix: "staging:quota" })
 *   return yield* SharedQuota.make(store)
 * })
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const store = (options?: {
  readonly prefix?: string | undefined
}): Effect.Effect<SharedQuota.Store, never, Redis.Redis> =>
  Effect.map(Redis.Redis, (redis) => {
    const prefix = options?.prefix ?? "quota"
    const acquire = redis.eval(acquireScript)
    const release = redis.eval(releaseScript)
    const pause = redis.eval(pauseScript)
    return {
      acquire: (ask) =>
        acquire(prefix, ask).pipe(Effect.flatMap(decodeReply), Effect.map(toAnswer), Effect.mapError(unavailable)),
      release: (lease) => Effect.mapError(release(prefix, lease), unavailable),
      pause: (spell) => Effect.mapError(pause(prefix, spell), unavailable)
    }
  })

/**
 * A quota over Redis.
 *
 * @example
 * ```ts
 * import { Quota } from "@effect-zim/policies"
 * import * as RedisQuota from "@effect-zim/policies/RedisQuota"
 * import { Effect } from "effect"
 *
 * const underSharedQuota = <A, E, R>(job: Effect.Effect<A, E, R>) =>
 *   Effect.flatMap(RedisQuota.make({ limit: 50 }), (quota) => Quota.provide(job, quota))
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = Effect.fnUntraced(function* (options?: Options) {
  return yield* SharedQuota.make(yield* store(options), options)
})

/**
 * A quota over Redis for every client built on this layer, by a connection that is somebody else's: a layer of the
 * `Redis` service decides itself what its start does without Redis, and how long its end waits. That of
 * `@effect/platform-node` fails at the start, and waits without a bound; {@link layerClient} does neither.
 *
 * @example
 * ```ts
 * import * as RedisQuota from "@effect-zim/policies/RedisQuota"
 * import * as NodeRedis from "@effect/platform-node/NodeRedis"
 * import { Layer } from "effect"
 *
 * // Four processes: each goes on with a quarter of the quota while Redis is away.
 * const quota = RedisQuota.layer({ whenUnavailable: { share: 1 / 4 } }).pipe(
 *   Layer.provide(NodeRedis.layer({ url: "redis://127.0.0.1:6379" }))
 * )
 * ```
 *
 * @category layers
 * @since 0.1.0
 */
export const layer = (options?: Options): Layer.Layer<Quota.Quota, never, Redis.Redis> =>
  Layer.effect(Quota.Quota, make(options))

/**
 * A quota over a Redis connection of its own, which the package `redis` makes. The layer is there at once, whether Redis
 * answers or not: `whenUnavailable` says what happens until it does. Its end waits for Redis for `timeout` at most, and
 * then drops the connection.
 *
 * @example
 * ```ts
 * import * as RedisQuota from "@effect-zim/policies/RedisQuota"
 * import { createClient } from "redis"
 *
 * const quota = RedisQuota.layerClient(() => createClient({ url: "redis://127.0.0.1:6379" }), {
 *   whenUnavailable: { share: 1 / 4 }
 * })
 * ```
 *
 * @category layers
 * @since 0.1.0
 */
export const layerClient = (create: () => RedisConnection.Client, options?: Options): Layer.Layer<Quota.Quota> =>
  Layer.provide(layer(options), Layer.effect(Redis.Redis, RedisConnection.make(create)))

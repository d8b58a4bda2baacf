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
import * as Schedule from "effect/Schedule"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import * as Scripts from "./internal/sharedQuota/redisScripts.ts"
import { problemOf, replyOf } from "./internal/sharedQuota/store.ts"
import * as Quota from "./Quota.ts"
import * as SharedQuota from "./SharedQuota.ts"

export { provide } from "./Quota.ts"

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

/**
 * What the quota needs of a client of the package `redis` (5 or later): what `createClient` gives has it.
 *
 * @category models
 * @since 0.1.0
 */
export interface Client {
  readonly isReady: boolean
  readonly connect: () => Promise<unknown>
  readonly sendCommand: <A>(args: Array<string>) => Promise<A>
  /** Waits for nothing. */
  readonly destroy: () => void
  readonly on: (event: "error" | "ready", listener: (cause?: unknown) => void) => unknown
}

/** The wait, the time, and the last rejection: when, and with which spacing. */
const decodeReply = Schema.decodeUnknownEffect(
  Schema.Tuple([Schema.Int, Schema.FiniteFromString, Schema.FiniteFromString, Schema.FiniteFromString])
)

/** What an answer of Redis begins with that is an error. */
const errorCode = /^([A-Z][A-Z0-9]{2,})(?: |$)/

/** Answers that concern everybody who asks, and pass: Redis starts, fails over, is busy, or has no room. */
const passing = /^(?:BUSY|CLUSTERDOWN|LOADING|MASTERDOWN|MISCONF|NOREPLICAS|OOM|READONLY|TRYAGAIN)$/

/** What a failed command of Redis says of it. */
const unavailable = (cause: unknown): SharedQuota.StoreUnavailable => {
  const problem = problemOf(cause)
  const code = errorCode.exec(problem)?.[1]
  const _tag = code === undefined ? "NoAnswer" : passing.test(code) ? "Refused" : "Denied"
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
export const store = (options?: Pick<Options, "prefix">): Effect.Effect<SharedQuota.Store, never, Redis.Redis> =>
  Effect.map(Redis.Redis, (redis) => {
    const prefix = options?.prefix ?? "quota"
    const acquire = redis.eval(Scripts.acquire)
    const release = redis.eval(Scripts.release)
    const pause = redis.eval(Scripts.pause)
    return {
      acquire: (ask) =>
        acquire(prefix, ask).pipe(
          Effect.flatMap(decodeReply),
          Effect.map((reply) => replyOf(...reply)),
          Effect.mapError(unavailable)
        ),
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
export const make = (options?: Options) => Effect.flatMap(store(options), (store) => SharedQuota.make(store, options))

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

const failed = (cause: unknown) => new Redis.RedisError({ cause })

/** A connection of the package `redis` whose begin and end wait for nobody: Redis may be away, or hang, at either. */
const connect = Effect.fnUntraced(function* (
  create: () => Client
): Effect.fn.Return<Redis.Redis["Service"], never, Scope.Scope> {
  /** Why there is no connection, as far as that is known. */
  let lost: unknown
  // Not `close`, which waits for answers that may never come: the quota has waited for its own. After it, clients of
  // `redis` 5 refuse to be destroyed, and their sockets keep the process alive.
  const client = yield* Effect.acquireRelease(Effect.sync(create), (client) =>
    Effect.ignore(Effect.try(() => client.destroy()))
  )
  const waiting = new Set<() => void>()
  const know = (cause: unknown): void => {
    lost = cause
    for (const tell of waiting) tell()
    waiting.clear()
  }
  client.on("error", know)
  client.on("ready", () => know(undefined))
  const isKnown = Effect.callback<void>((resume) => {
    const tell = () => resume(Effect.void)
    waiting.add(tell)
    return Effect.sync(() => waiting.delete(tell))
  })

  yield* Effect.tryPromise(() => client.connect()).pipe(
    Effect.tapError((error) => Effect.sync(() => know(error.cause))),
    Effect.retry(Schedule.spaced("1 second")),
    (connecting) => Effect.forkScoped(connecting, { startImmediately: true })
  )
  const unused = failed(new Error("the connection of a quota is for its scripts"))
  // While it tries to connect a client would keep commands back: that there is no connection is said at once.
  const send = <A>(command: string, ...args: ReadonlyArray<string>): Effect.Effect<A, Redis.RedisError> =>
    Effect.suspend(() => {
      if (client.isReady) {
        return Effect.tryPromise({ try: () => client.sendCommand<A>([command, ...args]), catch: failed })
      }
      return lost === undefined ? Effect.andThen(isKnown, send<A>(command, ...args)) : Effect.fail(failed(lost))
    })
  return yield* Redis.make({
    send,
    subscribe: () => Effect.fail(unused),
    connect: Effect.fail(unused)
  })
})

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
export const layerClient = (create: () => Client, options?: Options): Layer.Layer<Quota.Quota> =>
  Layer.provide(layer(options), Layer.effect(Redis.Redis, connect(create)))

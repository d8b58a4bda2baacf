/** The scripts in a real Redis: what they answer, and what they leave behind. */
import * as RedisQuota from "@effect-zim/client/RedisQuota"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redis from "effect/persistence/Redis"
import * as RedisServer from "./redisServer.ts"
import { ask, assertWait, giveBack, limits, minute, near, storeLaws } from "./storeLaws.ts"

/**
 * A store that does not know that its server has just been started, as where `INFO` is not allowed; and the commands of
 * Redis.
 */
const storeOf = Effect.fnUntraced(function* (server: RedisServer.RedisServer) {
  const admin = yield* Layer.build(RedisServer.connection(server))
  const { send } = yield* Effect.provide(Redis.Redis, admin)
  yield* send("ACL", "SETUSER", "limited", "on", "nopass", "~*", "+@all", "-info")
  const limited = yield* Layer.build(RedisServer.connection(server, { username: "limited", password: "any" }))
  return { send, store: yield* Effect.provide(RedisQuota.store(), limited) }
})

storeLaws(
  "Redis",
  500,
  Effect.gen(function* () {
    const server = yield* RedisServer.make()
    const { send, store } = yield* storeOf(server)
    const state = "quota:{12345}:state"
    return {
      store,
      forget: send("FLUSHALL"),
      everybodyHasSaid: (allowance: number) =>
        send("HSET", state, "smallest", `${allowance}`, "smallestBefore", `${allowance}`),
      now: Effect.map(send("HGET", state, "now"), Number),
      setNow: (now: number) => send("HSET", state, "now", `${now}`),
      informed: Effect.flatMap(Layer.build(RedisServer.connection(server)), (connection) =>
        Effect.provide(RedisQuota.store({ prefix: "other" }), connection)
      )
    }
  })
)

describe("the scripts", () => {
  it.live("leave two keys that say nothing secret and vanish", () =>
    Effect.gen(function* () {
      const { send, store } = yield* storeOf(yield* RedisServer.make())
      yield* store.acquire(ask("a"))
      yield* store.acquire(ask("a", { key: "12345:QueryConversationList" }))
      const keys = (yield* send<Array<string>>("KEYS", "*")).toSorted()
      assert.deepStrictEqual(keys, [
        "quota:{12345:QueryConversationList}:leases",
        "quota:{12345:QueryConversationList}:state",
        "quota:{12345}:leases",
        "quota:{12345}:state"
      ])
      for (const write of [
        store.acquire(ask("b")),
        store.release(giveBack("a")),
        store.pause({ key: "12345", limits, millis: 1 })
      ]) {
        for (const key of keys) yield* send("PERSIST", key)
        yield* write
        for (const key of keys.slice(2)) {
          const ttl = Number(yield* send("PTTL", key))
          assert.isAbove(ttl, 15 * minute)
          assert.isAtMost(ttl, 20 * minute)
        }
      }
    })
  )

  it.live("remember a pause until it is over, although nobody asks meanwhile", () =>
    Effect.gen(function* () {
      const { send, store } = yield* storeOf(yield* RedisServer.make())
      yield* store.pause({ key: "12345", limits, millis: 60 * minute + 0.5 })
      for (const wait of [60, 60]) {
        for (const key of ["quota:{12345}:leases", "quota:{12345}:state"]) {
          const ttl = Number(yield* send("PTTL", key))
          // There are no leases before somebody asks.
          if (ttl !== -2) near(ttl, wait * minute, key)
        }
        assertWait(yield* store.acquire(ask("a")), wait * minute)
      }
    })
  )

  it.live("run on a cluster", () =>
    Effect.gen(function* () {
      const server = yield* RedisServer.make("--cluster-enabled", "yes")
      const { send, store } = yield* storeOf(server)
      yield* send("CLUSTER", "ADDSLOTSRANGE", "0", "16383")
      const ready: Effect.Effect<void, unknown> = Effect.flatMap(send<string>("CLUSTER", "INFO"), (info) =>
        info.includes("cluster_state:ok") ? Effect.void : Effect.andThen(Effect.sleep("50 millis"), ready)
      )
      yield* ready
      const both = yield* Effect.exit(send("MSET", "a", "1", "b", "2"))
      assert.include(String(both), "CROSSSLOT")
      assert.strictEqual((yield* store.acquire(ask("a")))._tag, "Granted")
      yield* store.release(giveBack("a"))
      yield* store.pause({ key: "12345", limits, millis: 1 })
    })
  )

  it.live("fail with what Redis says", () =>
    Effect.gen(function* () {
      const { send, store } = yield* storeOf(yield* RedisServer.make())
      yield* send("SET", "quota:{12345}:state", "something else")
      for (const use of [
        store.acquire(ask("a")),
        store.release(giveBack("a")),
        store.pause({ key: "12345", limits, millis: 1 })
      ]) {
        const error = yield* Effect.flip<unknown, { readonly _tag: string; readonly cause: unknown }, never>(use)
        assert.strictEqual(error._tag, "StoreUnavailable")
        assert.include(String(error.cause instanceof Redis.RedisError ? error.cause.cause : error.cause), "WRONGTYPE")
      }
    })
  )
})

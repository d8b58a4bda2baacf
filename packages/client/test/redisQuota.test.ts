/** The quota over a real Redis. */
import { Quota } from "@effect-zim/client"
import * as RedisQuota from "@effect-zim/client/RedisQuota"
import * as NodeRedis from "@effect/platform-node/NodeRedis"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redis from "effect/persistence/Redis"
import { quotaLaws } from "./quotaLaws.ts"
import * as RedisServer from "./redisServer.ts"

const leases = "quota:{12345}:leases"
const state = "quota:{12345}:state"

quotaLaws({
  name: "Redis",
  server: RedisServer.make(),
  processOf: Effect.fnUntraced(function* (server: RedisServer.RedisServer, options) {
    const context = yield* Layer.build(
      RedisQuota.layer(options).pipe(Layer.provideMerge(RedisServer.connection(server)))
    )
    const { send } = Context.get(context, Redis.Redis)
    const field = (name: string) => Effect.map(send<string | null>("HGET", state, name), (value) => Number(value ?? -1))
    return {
      quota: Context.get(context, Quota.Quota),
      crash: Effect.sync(() => Context.get(context, NodeRedis.NodeRedis).client.destroy()),
      now: Effect.map(
        send<readonly [string, string]>("TIME"),
        ([seconds, micros]) => Number(seconds) * 1000 + Number(micros) / 1000
      ),
      // The member without a name has no end.
      leases: Effect.map(send<ReadonlyArray<unknown>>("ZRANGEBYSCORE", leases, "-inf", "(inf", "WITHSCORES"), (rows) =>
        rows.flat().flatMap((value, i) => (i % 2 === 0 ? [] : [Number(value)]))
      ),
      lastGrant: field("lastGrant"),
      rejectedAt: field("rejectedAt")
    }
  })
})

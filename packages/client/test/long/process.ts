/**
 * A process of the long tests: `process.ts URL [REDIS]`. Makes one call and says `ready`; from the first line of its input
 * on it makes as many calls as it is allowed to, for a minute, and says how they ended.
 */
import { RetryPolicy, ZimClient } from "@effect-zim/client"
import * as Quota from "@effect-zim/client/Quota"
import * as RedisQuota from "@effect-zim/client/RedisQuota"
import { QueryConversationList } from "@effect-zim/protocol"
import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
import * as NodeRedis from "@effect/platform-node/NodeRedis"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { once } from "node:events"
import * as FakeService from "../fakeService.ts"

const [url = "", redis] = process.argv.slice(2)

const quota =
  redis === undefined
    ? Quota.layer()
    : RedisQuota.layer().pipe(Layer.provide(Layer.orDie(NodeRedis.layer({ url: redis }))))

const client = FakeService.client(url).pipe(Layer.provide(NodeHttpClient.layerUndici), Layer.provide(quota))

const program = Effect.gen(function* () {
  const ended: Record<string, number> = {}
  const read = ZimClient.execute(QueryConversationList.operation, { userId: "user-42" }).pipe(
    RetryPolicy.provide(RetryPolicy.none)
  )
  const counted = Effect.matchEffect(read, {
    onSuccess: () => Effect.succeed("Success"),
    onFailure: (error) => Effect.succeed(error._tag)
  }).pipe(Effect.map((how) => void (ended[how] = (ended[how] ?? 0) + 1)))

  yield* read
  process.stdout.write("ready\n")
  yield* Effect.promise(() => once(process.stdin, "data"))
  yield* Effect.forEach(Array.from({ length: 30 }), () => Effect.forever(counted), { concurrency: "unbounded" }).pipe(
    Effect.timeoutOption("60 seconds")
  )
  process.stdout.write(`${JSON.stringify(ended)}\n`)
  process.stdin.destroy()
})

program.pipe(Effect.provide(client), NodeRuntime.runMain)

/**
 * A process over Redis, wired as the guide says: `redisProcess.ts REDIS fail|share`. Makes a call, says how it ended, and
 * ends itself when it is told to.
 */
import { Conversations, RetryPolicy } from "@effect-zim/client"
import * as RedisQuota from "@effect-zim/client/RedisQuota"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { once } from "node:events"
import { createClient } from "redis"
import * as FakeService from "./fakeService.ts"

const [url = "", policy] = process.argv.slice(2)

const client = FakeService.clientOf(FakeService.answering(FakeService.page([])).layer).pipe(
  Layer.provide(
    RedisQuota.layerClient(
      () => createClient({ url }),
      policy === "share" ? { whenUnavailable: { share: 1 / 2 } } : undefined
    )
  )
)

const program = Effect.gen(function* () {
  const result = yield* Effect.result(RetryPolicy.provide(Conversations.page("user-42"), RetryPolicy.none))
  process.stdout.write(result._tag === "Success" ? "done\n" : `${result.failure.message}\n`)
  yield* Effect.promise(() => once(process.stdin, "data"))
})

program.pipe(
  Effect.provide(client),
  Effect.tap(() => Effect.sync(() => process.stdin.destroy())),
  NodeRuntime.runMain
)

/**
 * `workflow.ts DATABASE SERVICE`: a process that runs a workflow whose first step reads a list, and whose second one
 * waits for a line of input. Says `read` after the first, and the ids of the list after the second.
 */
import { Conversations, ZimClient } from "@effect-zim/client"
import * as NodeCrypto from "@effect/platform-node/NodeCrypto"
import * as PgClient from "@effect/sql-pg/PgClient"
import * as ClusterWorkflowEngine from "effect/cluster/ClusterWorkflowEngine"
import * as SingleRunner from "effect/cluster/SingleRunner"
import * as Effect from "effect/Effect"
import * as FetchHttpClient from "effect/http/FetchHttpClient"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import * as Activity from "effect/workflow/Activity"
import * as Workflow from "effect/workflow/Workflow"
import { once } from "node:events"
import { app, world } from "./api.ts"

const [database = "", baseUrl = ""] = process.argv.slice(2)
const userId = world.users[0]?.userId ?? ""

const ReadList = Workflow.make("ReadList", {
  payload: { userId: Schema.String },
  success: Conversations.Snapshot,
  error: Conversations.ListError,
  idempotencyKey: ({ userId }) => userId
})

const steps = ReadList.toLayer(
  Effect.fnUntraced(function* ({ userId }) {
    const list = yield* Activity.make({
      name: "read",
      success: Conversations.Snapshot,
      error: Conversations.ListError,
      execute: Conversations.snapshot(userId)
    })
    process.stdout.write("read\n")
    yield* Activity.make({
      name: "wait",
      execute: Effect.promise(() => once(process.stdin, "data")).pipe(Effect.asVoid)
    })
    return list
  })
)

const cluster = SingleRunner.layer({
  runnerStorage: "sql",
  shardingConfig: {
    shardsPerGroup: 4,
    shardLockExpiration: "4 seconds",
    shardLockRefreshInterval: "1 second",
    entityMessagePollInterval: "500 millis"
  }
})

const main = steps.pipe(
  Layer.provideMerge(ClusterWorkflowEngine.layer),
  Layer.provideMerge(cluster),
  Layer.provideMerge(ZimClient.layer({ ...app, baseUrl }).pipe(Layer.provide(FetchHttpClient.layer))),
  Layer.provide([PgClient.layer({ url: Redacted.make(database) }), NodeCrypto.layer])
)

const program = ReadList.execute({ userId }).pipe(
  Effect.map(({ conversations }) => conversations.map(({ id }) => id)),
  Effect.tap((ids) => Effect.sync(() => void process.stdout.write(`${JSON.stringify(ids)}\n`))),
  Effect.provide(main)
)

await Effect.runPromise(program)
process.exit(0)

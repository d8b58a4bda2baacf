/** `cache.ts REDIS SERVICE`: a process that takes a snapshot and a page out of a cache over Redis, and prints them as JSON. */
import { Conversations, ZimClient } from "@effect-zim/client"
import * as Derive from "@effect-zim/client/Derive"
import { QueryConversationList } from "@effect-zim/protocol"
import * as NodeCrypto from "@effect/platform-node/NodeCrypto"
import * as NodeRedis from "@effect/platform-node/NodeRedis"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as FetchHttpClient from "effect/http/FetchHttpClient"
import * as Layer from "effect/Layer"
import * as Persistable from "effect/persistence/Persistable"
import * as PersistedCache from "effect/persistence/PersistedCache"
import * as Persistence from "effect/persistence/Persistence"
import * as Schema from "effect/Schema"
import { app, world } from "./api.ts"

const [redis = "", baseUrl = ""] = process.argv.slice(2)
const userId = world.users[0]?.userId ?? ""
const { operation } = QueryConversationList

class SnapshotOf extends Persistable.Class<{ payload: { appId: number; userId: string } }>()("SnapshotOf", {
  primaryKey: ({ appId, userId }) => `${appId}/${userId}`,
  success: Conversations.Snapshot,
  error: Conversations.ListError
}) {}

const PageOf = Derive.request(operation)

const timeToLive = (exit: Exit.Exit<unknown, unknown>) => (Exit.isSuccess(exit) ? "1 minute" : 0)

const print = Schema.encodeEffect(
  Schema.fromJsonString(Schema.toCodecJson(Schema.Tuple([Conversations.Snapshot, QueryConversationList.Page])))
)

const program = Effect.gen(function* () {
  const { appId } = yield* ZimClient.ZimClient
  const snapshots = yield* PersistedCache.make((key: SnapshotOf) => Conversations.snapshot(key.userId), {
    storeId: "snapshots",
    timeToLive
  })
  const pages = yield* PersistedCache.make(
    ({ input }: InstanceType<typeof PageOf>) => ZimClient.execute(operation, input),
    { storeId: "pages", timeToLive }
  )
  const snapshot = yield* snapshots.get(new SnapshotOf({ appId, userId }))
  const page = yield* pages.get(new PageOf({ appId, input: { userId, pageSize: 1 } }))
  process.stdout.write(`${yield* print([snapshot, page])}\n`)
}).pipe(
  Effect.scoped,
  Effect.provide([
    Persistence.layerRedis.pipe(Layer.provide(NodeRedis.layer({ url: redis }))),
    ZimClient.layer({ ...app, baseUrl }).pipe(Layer.provide(FetchHttpClient.layer)),
    NodeCrypto.layer
  ])
)

await Effect.runPromise(program)
process.exit(0)

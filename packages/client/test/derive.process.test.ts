/** What is derived from an operation, between two processes over real sockets, and in a worker. */
import { Conversations } from "@effect-zim/client"
import { ServiceError } from "@effect-zim/protocol"
import * as NodeWorker from "@effect/platform-node/NodeWorker"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as HttpApiClient from "effect/http-api/HttpApiClient"
import * as OpenApi from "effect/http-api/OpenApi"
import * as FetchHttpClient from "effect/http/FetchHttpClient"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as RpcClient from "effect/rpc/RpcClient"
import * as RpcSerialization from "effect/rpc/RpcSerialization"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import { Worker } from "node:worker_threads"
import { Api, Lists, world } from "./programs/api.ts"
import * as ScriptProcess from "./scriptProcess.ts"

const user = world.users.find(({ conversations }) => conversations.length > 1) ?? assert.fail("nobody has a list")

/** A server in a process of its own; its URL. */
const serve = Effect.gen(function* () {
  const { said } = yield* ScriptProcess.start("programs/server.ts")
  const printed = yield* said(/^http\S+\n/m)
  return printed.split("\n").find((line) => line.startsWith("http")) ?? ""
})

/** What every transport has to bring over. */
const holds = Effect.gen(function* () {
  const lists = yield* RpcClient.make(Lists)
  const streamed = yield* Stream.runCollect(lists.conversations({ userId: user.userId, pageSize: 2 }))
  assert.deepStrictEqual(
    streamed.map(({ id }) => id).toSorted(),
    user.conversations.map(({ ConvId }) => ConvId).toSorted()
  )
  const page = yield* lists.page({ userId: user.userId, pageSize: 1 })
  assert.isTrue(Option.isSome(page.next))
  assert.deepStrictEqual(page.conversations[0]?.updatedAt, streamed[0]?.updatedAt)
  const snapshot = yield* lists.snapshot({ userId: user.userId })
  assert.strictEqual(snapshot.verdict, "Complete")
  assert.isTrue(Schema.is(Conversations.Snapshot)(snapshot))

  for (const failing of [
    Stream.runDrain(lists.conversations({ userId: "stranger" })),
    lists.page({ userId: "stranger" }),
    lists.snapshot({ userId: "stranger" })
  ]) {
    const error = yield* Effect.flip(failing)
    assert.instanceOf(error, ServiceError.UserNotRegistered)
    assert.strictEqual(error.userId, "stranger")
  }
  const refused = yield* Effect.flip(lists.page({ userId: "" }))
  assert.strictEqual(refused._tag, "RequestInvalid")
})

// Starting a process takes its time on a busy machine.
describe("derived from an operation", { timeout: 120_000 }, () => {
  it.live("procedures stream a list to another process, and errors arrive as their classes", () =>
    Effect.gen(function* () {
      const url = yield* serve
      const protocol = RpcClient.layerProtocolHttp({ url: `${url}/rpc` }).pipe(
        Layer.provide([FetchHttpClient.layer, RpcSerialization.layerNdjson])
      )
      yield* Effect.scoped(Effect.provide(holds, protocol))
    })
  )

  it.live("an HttpApi serves pages and its OpenAPI document, and errors have a status each", () =>
    Effect.gen(function* () {
      const url = yield* serve
      const api = yield* HttpApiClient.make(Api, { baseUrl: url })
      const page = yield* api.lists.page({ payload: { userId: user.userId } })
      assert.strictEqual(page.conversations.length, user.conversations.length)
      const error = yield* Effect.flip(api.lists.page({ payload: { userId: "stranger" } }))
      assert.instanceOf(error, ServiceError.UserNotRegistered)
      const document = yield* Effect.promise(() => fetch(`${url}/openapi.json`).then((response) => response.json()))
      assert.deepStrictEqual(document, JSON.parse(JSON.stringify(OpenApi.fromApi(Api))))
      const ask = (body: object) =>
        Effect.promise(() =>
          fetch(`${url}/page`, {
            method: "POST",
            body: JSON.stringify(body),
            headers: { "content-type": "application/json" }
          }).then(({ status }) => status)
        )
      assert.deepStrictEqual(
        [yield* ask({ userId: user.userId }), yield* ask({ userId: "stranger" }), yield* ask({ userId: "" })],
        [200, 404, 400]
      )
    }).pipe(Effect.provide(FetchHttpClient.layer))
  )

  it.live("procedures are called in a worker", () => {
    const spawner = NodeWorker.layer(
      () => new Worker(new URL("programs/worker.ts", import.meta.url), { execArgv: [ScriptProcess.condition] })
    )
    const protocol = RpcClient.layerProtocolWorker({ size: 1 }).pipe(Layer.provide(spawner))
    return Effect.scoped(Effect.provide(holds, protocol))
  })
})

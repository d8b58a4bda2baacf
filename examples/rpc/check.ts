/**
 * Server and client, over HTTP: a stream that ends early reads no page too many, and an error arrives as its class.
 */
import * as AdminApi from "@effect-zim/emulator/AdminApi"
import { ServiceError } from "@effect-zim/protocol"
import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import { Config, Console, Effect, Layer, References } from "effect"
import { FetchHttpClient, HttpServer } from "effect/http"
import * as assert from "node:assert/strict"
import { createServer } from "node:http"
import { count, ListsClient, someGroups } from "./src/client.ts"
import { server } from "./src/server.ts"

const program = Effect.gen(function* () {
  const emulator = yield* AdminApi.client(yield* Config.String("EMULATOR_ADMIN_URL"))
  const expected = yield* emulator.getUser({ params: { userId: "user-1" } })
  const pages = Math.ceil(expected.conversations.length / 20)

  const groups = yield* someGroups("user-1", 3)
  const calls = (yield* emulator.getJournal({ query: {} })).length
  yield* Console.log(`the first groups of user-1: ${groups.map(({ id }) => id).join(", ")}`)
  yield* Console.log(`read ${calls} of ${pages} pages`)
  assert.equal(groups.length, 3)
  assert.ok(calls < pages)

  const counts = { "user-1": yield* count("user-1"), nobody: yield* count("nobody") }
  yield* Console.log("conversations:", counts)
  assert.deepEqual(counts, { "user-1": expected.conversations.length, nobody: 0 })

  const lists = yield* ListsClient
  const error = yield* Effect.flip(lists.snapshot({ userId: "nobody" }))
  yield* Console.log(`${error._tag}: ${error.message}`)
  assert.ok(error instanceof ServiceError.UserNotRegistered)
})

const services = Layer.unwrap(HttpServer.addressFormattedWith((url) => Effect.succeed(ListsClient.layer(url)))).pipe(
  Layer.provideMerge(server),
  Layer.provide(NodeHttpServer.layer(createServer, { port: 0, host: "127.0.0.1" })),
  Layer.merge(FetchHttpClient.layer)
)
program.pipe(Effect.provide(services), Effect.provideService(References.MinimumLogLevel, "Warn"), NodeRuntime.runMain)

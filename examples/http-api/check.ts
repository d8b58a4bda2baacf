/**
 * The server on a free port, and what a client of it gets: a list, a 404, and a 429 while the service rejects its calls.
 */
import * as AdminApi from "@effect-zim/emulator/AdminApi"
import { ServiceError } from "@effect-zim/protocol"
import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import { Config, Console, Effect, Layer, References } from "effect"
import { FetchHttpClient, HttpClient, HttpServer } from "effect/http"
import { HttpApiClient } from "effect/http-api"
import * as assert from "node:assert/strict"
import { createServer } from "node:http"
import { Api } from "./src/Api.ts"
import { server } from "./src/server.ts"

const program = Effect.gen(function* () {
  const baseUrl = yield* HttpServer.addressFormattedWith(Effect.succeed)
  const { users } = yield* HttpApiClient.make(Api, { baseUrl })
  const emulator = yield* AdminApi.client(yield* Config.String("EMULATOR_ADMIN_URL"))

  const { conversations, verdict } = yield* users.conversations({ params: { userId: "user-1" } })
  const expected = yield* emulator.getUser({ params: { userId: "user-1" } })
  yield* Console.log(`user-1: ${conversations.length} conversations, ${verdict}`)
  assert.deepEqual(
    new Set(conversations.map(({ id }) => id)),
    new Set(expected.conversations.map(({ ConvId }) => ConvId))
  )

  const unknown = yield* Effect.flip(users.conversations({ params: { userId: "nobody" } }))
  yield* Console.log(`nobody: ${unknown.message}`)
  assert.ok(unknown instanceof ServiceError.UserNotRegistered)

  const statusOf = (userId: string) =>
    Effect.map(HttpClient.get(`${baseUrl}/users/${userId}/conversations`), ({ status }) => status)
  yield* emulator.putFaults({ payload: [{ type: "returnCode", code: 660300005, when: [{ user: ["user-2"] }] }] })
  const statuses = yield* Effect.forEach(["user-1", "nobody", "not%2Fan%2Fid", "user-2"], statusOf)
  yield* Console.log("HTTP statuses:", statuses)
  assert.deepEqual(statuses, [200, 404, 400, 429])

  const openApi = yield* Effect.flatMap(HttpClient.get(`${baseUrl}/openapi.json`), ({ text }) => text)
  assert.ok(openApi.includes("/users/{userId}/conversations"))
})

const services = server.pipe(
  Layer.provideMerge(NodeHttpServer.layer(createServer, { port: 0, host: "127.0.0.1" })),
  Layer.merge(FetchHttpClient.layer)
)
program.pipe(Effect.provide(services), Effect.provideService(References.MinimumLogLevel, "Warn"), NodeRuntime.runMain)

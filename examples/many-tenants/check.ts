/**
 * Two tenants side by side, of whom one may make 20 calls a second and the other 8. Neither gets more, neither is
 * rejected, and the fast one does not wait for the slow one.
 */
import { Journal } from "@effect-zim/emulator"
import * as AdminApi from "@effect-zim/emulator/AdminApi"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as NodeServices from "@effect/platform-node/NodeServices"
import { Config, ConfigProvider, Console, Duration, Effect, FileSystem, Layer } from "effect"
import { FetchHttpClient } from "effect/http"
import * as assert from "node:assert/strict"
import { randomBytes } from "node:crypto"
import { conversationsOf } from "./src/conversationsOf.ts"
import { Tenants } from "./src/Tenants.ts"

const [fast, slow] = [12345, 67890]

const program = Effect.gen(function* () {
  const fs = yield* FileSystem.FileSystem
  const emulator = yield* AdminApi.client(yield* Config.String("EMULATOR_ADMIN_URL"))
  const secrets = [process.env["ZIM_SERVER_SECRET"] ?? "", randomBytes(16).toString("hex")] as const
  const users = Array.from({ length: 20 }, (_, i) => `user-${i}`)
  yield* emulator.putWorld({
    payload: {
      apps: [
        { appId: fast, serverSecret: AdminApi.redacted },
        { appId: slow, serverSecret: secrets[1], quota: { model: "Sliding", limit: 8 } }
      ],
      users: users.map((userId, i) => ({ userId, conversations: [{ ConvId: "friend", UpdateTime: i }] }))
    }
  })

  const file = yield* fs.makeTempFileScoped()
  const rows = [
    { appId: fast, serverSecret: secrets[0], limit: 20 },
    { appId: slow, serverSecret: secrets[1], limit: 8 }
  ]
  yield* fs.writeFileString(file, JSON.stringify(rows))
  const environment = { TENANTS_FILE: file, ZIM_BASE_URL: process.env["ZIM_BASE_URL"] }

  const readAll = (appId: number) =>
    Effect.timed(Effect.forEach(users, (userId) => conversationsOf(appId, userId), { concurrency: "unbounded" }))
  const [ofFast, ofSlow, unknown] = yield* Effect.all(
    [readAll(fast), readAll(slow), Effect.flip(conversationsOf(1, "user-1"))],
    { concurrency: "unbounded" }
  ).pipe(
    Effect.provide(Tenants.layer.pipe(Layer.provide(ConfigProvider.layer(ConfigProvider.fromUnknown(environment)))))
  )

  const entries = yield* emulator.getJournal({ query: {} })
  const peak = (appId: number) =>
    Journal.peak(
      entries.filter((entry) => entry.appId === appId),
      "1 second"
    )
  yield* Console.log(`app ${fast}: ${ofFast[1].length} lists, ${peak(fast)} calls in a second at most`)
  yield* Console.log(`app ${slow}: ${ofSlow[1].length} lists, ${peak(slow)} calls in a second at most`)
  yield* Console.log(`app 1: ${unknown._tag}`)
  assert.deepEqual(ofFast[1], ofSlow[1])
  assert.ok(Duration.isLessThan(ofFast[0], ofSlow[0]))
  assert.ok(peak(fast) <= 20 && peak(slow) <= 8)
  assert.ok(!entries.some(Journal.isRateLimited))
  assert.equal(unknown._tag, "TenantUnknown")
})

program.pipe(Effect.scoped, Effect.provide([NodeServices.layer, FetchHttpClient.layer]), NodeRuntime.runMain)

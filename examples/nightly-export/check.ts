/**
 * Two nights against an emulator, with one message between them: the first one writes everything, the second one what the
 * message has changed.
 */
import * as AdminApi from "@effect-zim/emulator/AdminApi"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import { Config, Console, Effect } from "effect"
import { FetchHttpClient } from "effect/http"
import * as assert from "node:assert/strict"
import { nightlyExport } from "./src/nightlyExport.ts"
import { services } from "./src/services.ts"

const program = Effect.gen(function* () {
  const emulator = yield* AdminApi.client(yield* Config.String("EMULATOR_ADMIN_URL"))
  const { users } = yield* emulator.listUsers({ query: {} })
  // The service returns the latest 1000.
  const conversations = users.reduce((sum, user) => sum + Math.min(1000, user.conversations), 0)

  const first = yield* nightlyExport("users.txt")
  yield* Console.log(`first night: ${first.length} conversations are new or have changed`)
  assert.equal(first.length, conversations)

  yield* emulator.message({ payload: { from: "user-1", to: "user-2" } })
  const second = yield* nightlyExport("users.txt")
  yield* Console.log(`second night: ${second.length}`, second)
  assert.deepEqual(new Set(second.map(({ userId }) => userId)), new Set(["user-1", "user-2"]))
  assert.equal(second.length, 2)
})

program.pipe(Effect.provide([services, FetchHttpClient.layer]), NodeRuntime.runMain)

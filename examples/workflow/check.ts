/**
 * A process is killed between the two steps, with no chance to say goodbye, and another one is started: it sends the
 * digest, without reading the list again.
 */
import * as AdminApi from "@effect-zim/emulator/AdminApi"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as NodeServices from "@effect/platform-node/NodeServices"
import { Config, Console, Effect, Layer, Schedule, Stream } from "effect"
import { FetchHttpClient } from "effect/http"
import { ChildProcess } from "effect/process"
import { SqlClient } from "effect/sql"
import * as assert from "node:assert/strict"
import { Outbox } from "./src/Outbox.ts"
import { database } from "./src/services.ts"

const start = ChildProcess.make("node", ["src/main.ts", "user-1", "2026-01-01"], { stderr: "inherit" })

const program = Effect.gen(function* () {
  const emulator = yield* AdminApi.client(yield* Config.String("EMULATOR_ADMIN_URL"))
  const sql = yield* SqlClient.SqlClient
  const calls = Effect.map(emulator.getStats({ query: {} }), (stats) => stats.calls)

  // While the table is locked, nobody gets through the second step.
  const callsOfFirst = yield* sql.withTransaction(
    Effect.gen(function* () {
      yield* sql`LOCK TABLE outbox IN EXCLUSIVE MODE`
      const first = yield* start
      yield* Effect.repeat(sql`SELECT 1 FROM pg_locks WHERE relation = 'outbox'::regclass AND NOT granted`, {
        until: (waiting) => waiting.length > 0,
        schedule: Schedule.spaced("50 millis")
      })
      yield* first.kill({ killSignal: "SIGKILL" })
      return yield* calls
    })
  )
  yield* Console.log(`killed between the steps, after ${callsOfFirst} call`)
  assert.equal(callsOfFirst, 1)

  const second = yield* start
  const printed = yield* Stream.mkString(Stream.decodeText(second.stdout))
  yield* Console.log(`started again: ${printed.trim()}`)
  const sent = yield* sql`SELECT text FROM outbox WHERE user_id = 'user-1'`
  yield* Console.log(`sent ${sent.length} digest, after ${yield* calls} call`)
  assert.equal(yield* second.exitCode, 0)
  assert.deepEqual(sent, [{ text: printed.trim() }])
  assert.equal(yield* calls, 1)
})

const services = Layer.mergeAll(
  Outbox.layer.pipe(Layer.provideMerge(database)),
  NodeServices.layer,
  FetchHttpClient.layer
)
program.pipe(Effect.scoped, Effect.provide(services), NodeRuntime.runMain)

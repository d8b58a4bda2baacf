/**
 * `npm run test:durable million`: submits 1,000,000 users and lets three workers read for two minutes: how long that takes,
 * how large the database is, and how much memory workers have.
 */
import { Exports } from "@effect-zim/durable"
import { ServiceQuota } from "@effect-zim/emulator"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as Console from "effect/Console"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as SqlClient from "effect/sql/SqlClient"
import * as Stream from "effect/Stream"
import { readFileSync } from "node:fs"
import * as PostgresServer from "../../../client/test/postgresServer.ts"
import * as Cluster from "../cluster.ts"

// As the guide to operating workers has it: Node collects no garbage before that is used up.
process.env["NODE_OPTIONS"] = "--max-semi-space-size=8"

const users = 1_000_000
const world = Cluster.worldOf(40_000, 1, Cluster.idOf)
/** Calls a second: more than the service allows, so that memory has something to grow by. */
const limit = 200

const megabytes = (bytes: number) => `${(bytes / 1024 / 1024).toFixed(0)} MB`

const memoryOf = (pid: number) =>
  Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1] ?? 0) * 1024

const size = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  const [row] = yield* sql<{ bytes: number }>`SELECT pg_database_size(current_database())::float8 AS bytes`
  return row?.bytes ?? 0
})

const main = Effect.gen(function* () {
  const database = yield* PostgresServer.make
  const workers = yield* Cluster.startWorkers(3, database, { limit })
  yield* Effect.gen(function* () {
    const before = yield* size
    const lines = Stream.map(Stream.range(0, users - 1), (i) => world.users[i]?.userId ?? Cluster.idOf(i))
    const [taken, { id }] = yield* Effect.timed(Exports.submit(lines, { name: "million", appId: 12345 }))
    const bytes = (yield* size) - before
    yield* Console.log(
      `submitted in ${Duration.format(taken)}, ${(bytes / users).toFixed(0)} bytes of the database for each user`
    )
    for (let seconds = 0; seconds <= 120; seconds += 15) {
      const { counts } = yield* Exports.get(id)
      const memory = workers.map(({ child }) => megabytes(memoryOf(child.pid ?? 0)))
      yield* Console.log(`${seconds} s: ${counts.users} users; ${memory.join(", ")}`)
      yield* Effect.sleep("15 seconds")
    }
    const { counts } = yield* Exports.cancel(id)
    const full = (yield* size) - before
    yield* Console.log(
      `${((full - bytes) / counts.users).toFixed(0)} bytes more for each user read, with 3 conversations`
    )
  }).pipe(Effect.provide(Cluster.storeOf(database)))
}).pipe(Effect.scoped, Effect.provide(Cluster.emulator({ world, quota: ServiceQuota.unlimited })))

NodeRuntime.runMain(main)

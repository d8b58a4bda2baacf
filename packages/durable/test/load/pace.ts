/** `npm run test:durable pace`: which part of the quota three workers use, for one app and for ten at once. */
import { Exports } from "@effect-zim/durable"
import { Emulator, Fault, Journal, ServiceQuota } from "@effect-zim/emulator"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as PostgresServer from "../../../client/test/postgresServer.ts"
import * as Cluster from "../cluster.ts"

const limit = 20
const apps = 10
const world = Cluster.worldOf(600, apps)

/** The calls of an app between its first and its last, beside what the quota allows in that time, and the most in a second. */
const shareOf = (entries: ReadonlyArray<Journal.Entry>, appId: number) => {
  const calls = entries.filter((entry) => entry.appId === appId)
  const seconds = ((calls.at(-1)?.time ?? 0) - (calls[0]?.time ?? 0)) / 1000
  return { share: calls.length / (seconds * limit), peak: Journal.peak(calls, "1 second") }
}

const main = Effect.gen(function* () {
  const database = yield* PostgresServer.make
  yield* Cluster.startWorkers(3, database, { limit, apps })
  const { journal } = yield* Emulator.Emulator
  yield* Effect.gen(function* () {
    for (const appIds of [Cluster.appIds(1), Cluster.appIds(apps)]) {
      yield* journal.clear
      const ids = yield* Effect.forEach(appIds, (appId) => Cluster.submit(world, `of-${appIds.length}`, appId))
      yield* Effect.forEach(ids, ({ id }) => Exports.wait(id), { concurrency: "unbounded" })
      const entries = yield* journal.entries
      const shares = appIds.map((appId) => shareOf(entries, appId))
      yield* Console.log(
        `${appIds.length} apps: ${shares.map(({ peak, share }) => `${(share * 100).toFixed(1)} % (most in a second: ${peak})`).join(", ")}`
      )
    }
  }).pipe(Effect.provide(Cluster.storeOf(database)))
}).pipe(
  Effect.scoped,
  Effect.provide(
    Cluster.emulator({ world, faults: [Fault.latency("50 millis")], quota: ServiceQuota.sliding({ limit }) })
  )
)

NodeRuntime.runMain(main)

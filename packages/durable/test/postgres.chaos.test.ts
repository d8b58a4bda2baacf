/**
 * Workers that are killed, stopped, frozen and started anew at random moments: the rows are those of an undisturbed run,
 * and the service sees no second above the quota. `ZIM_CHAOS=20` makes as many disturbances, with 2000 users and frozen for
 * 30 seconds; without it there are fewer, and shorter ones.
 */
import { Exports } from "@effect-zim/durable"
import { Emulator, Fault, Journal, ServiceQuota } from "@effect-zim/emulator"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Random from "effect/Random"
import * as Stream from "effect/Stream"
import * as PostgresServer from "../../client/test/postgresServer.ts"
import * as Cluster from "./cluster.ts"

const full = process.env["ZIM_CHAOS"]
const disturbances = Number(full ?? 5)
const users = full === undefined ? 300 : 2000
const frozen = full === undefined ? "4 seconds" : "30 seconds"
const limit = 20

const world = Cluster.worldOf(users)
/** Asked for, and not registered. */
const strangers = Array.from({ length: 20 }, (_, i) => `stranger-${i}`)
const everybody = [...world.users.map(({ userId }) => userId), ...strangers].toSorted(
  (a, b) => a.length - b.length || (a < b ? -1 : 1)
)

const faults = [
  Fault.when(Fault.httpStatus(503), Fault.probability(0.03)),
  Fault.when(Fault.connectionReset, Fault.probability(0.03)),
  Fault.when(Fault.returnCode(1), Fault.probability(0.03)),
  Fault.when(Fault.notJson, Fault.probability(0.02)),
  Fault.latencyBetween("5 millis", "60 millis")
]

type Worker = Effect.Success<ReturnType<typeof Cluster.startWorker>>

const isAlive = ({ child }: Worker) => child.exitCode === null && child.signalCode === null

const end = (worker: Worker, signal: "SIGKILL" | "SIGTERM") =>
  Effect.suspend(() => {
    worker.child.kill(signal)
    return worker.ended
  })

describe("workers", { timeout: full === undefined ? 180_000 : 1_800_000 }, () => {
  it.live("lose and double nothing, whatever becomes of them", () =>
    Effect.gen(function* () {
      const database = yield* PostgresServer.make
      const start = Cluster.startWorker(database, { limit })
      const workers = yield* Cluster.startWorkers(3, database, { limit })

      /** One of them, at random. */
      const disturb = Effect.gen(function* () {
        yield* Effect.sleep(yield* Random.nextIntBetween(500, full === undefined ? 2500 : 6000))
        const at = yield* Random.nextIntBetween(0, workers.length)
        const worker = workers[at]
        if (worker === undefined || !isAlive(worker)) return
        switch (yield* Random.nextIntBetween(0, 4)) {
          case 0:
            yield* end(worker, "SIGKILL")
            break
          case 1:
            yield* end(worker, "SIGTERM")
            break
          case 2:
            worker.child.kill("SIGSTOP")
            yield* Effect.forkChild(
              Effect.andThen(
                Effect.sleep(frozen),
                Effect.sync(() => worker.child.kill("SIGCONT"))
              )
            )
            return
          default: {
            const another = yield* start
            yield* another.said(/^ready$/m)
            yield* end(worker, "SIGTERM")
            workers[at] = another
            return
          }
        }
        workers[at] = yield* start
      })

      yield* Effect.gen(function* () {
        const { id } = yield* Exports.submit(Stream.fromIterable(everybody), { name: "all", appId: 12345 })
        yield* Effect.forkChild(
          Effect.repeat(disturb, { times: disturbances - 1 }).pipe(Random.withSeed(process.env["ZIM_SEED"] ?? "chaos"))
        )
        const { counts, state } = yield* Exports.wait(id)
        assert.strictEqual(state, "Finished")
        assert.deepStrictEqual(yield* Cluster.rowsIn(12345), Cluster.rowsOf(world))
        const failed = yield* Stream.runCollect(Exports.failures(id))
        assert.deepStrictEqual(
          failed.map(({ line, userId }) => `${line} ${userId}`),
          everybody.flatMap((userId, i) => (strangers.includes(userId) ? [`${i + 1} ${userId}`] : []))
        )
        assert.strictEqual(counts.users, users)
        assert.strictEqual(counts.failed, strangers.length)
        assert.strictEqual(counts.lines, everybody.length)
      }).pipe(Effect.provide(Cluster.storeOf(database)))

      const { journal } = yield* Emulator.Emulator
      const calls = yield* journal.entries
      assert.isAtMost(Journal.peak(calls, "1 second"), limit)
      assert.isFalse(calls.some(Journal.isRateLimited))
    }).pipe(Effect.provide(Cluster.emulator({ world, faults, quota: ServiceQuota.sliding({ limit }) })))
  )
})

/** Workers over a real PostgreSQL and real sockets. */
import { Exports } from "@effect-zim/durable"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as PostgresServer from "../../client/test/postgresServer.ts"
import * as Cluster from "./cluster.ts"

const world = Cluster.worldOf(300)

describe("workers", () => {
  it.live("share an export", () =>
    Effect.gen(function* () {
      const database = yield* PostgresServer.make
      yield* Cluster.startWorkers(2, database, { limit: 200 })
      yield* Effect.gen(function* () {
        const { id } = yield* Cluster.submit(world, "all")
        const { counts, state } = yield* Exports.wait(id)
        assert.strictEqual(state, "Finished")
        assert.strictEqual(counts.users, 300)
        assert.deepStrictEqual(yield* Cluster.rowsIn(12345), Cluster.rowsOf(world))
        assert.deepStrictEqual(yield* Cluster.submit(world, "all"), { id, isNew: false })
      }).pipe(Effect.provide(Cluster.storeOf(database)))
    }).pipe(Effect.provide(Cluster.emulator({ world })))
  )
})

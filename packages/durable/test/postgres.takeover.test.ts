/** How soon others go on with what a worker read, and how soon one that joins has its share. */
import { assert, describe, it } from "@effect/vitest"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as SqlClient from "effect/sql/SqlClient"
import * as PostgresServer from "../../client/test/postgresServer.ts"
import * as Cluster from "./cluster.ts"

const world = Cluster.worldOf(3000)

/** How many batches are under way, by the ports of the workers that have taken them. */
const held = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  const rows = yield* sql<{ port: number; batches: number }>`
    SELECT split_part(worker, ':', 2)::int AS port, count(*)::int AS batches FROM zim.export_batches
    WHERE NOT is_finished AND epoch > 0 GROUP BY 1`
  return new Map(rows.map(({ batches, port }) => [port, batches]))
})

/** The time until that is so, in milliseconds. */
const until = <E, R>(is: Effect.Effect<boolean, E, R>) =>
  Effect.gen(function* () {
    const from = yield* Clock.currentTimeMillis
    while (!(yield* is)) yield* Effect.sleep("50 millis")
    return (yield* Clock.currentTimeMillis) - from
  })

describe("workers", () => {
  it.live("replace each other", () =>
    Effect.gen(function* () {
      const database = yield* PostgresServer.make
      const [first, second] = yield* Cluster.startWorkers(2, database)
      assert.isDefined(first)
      assert.isDefined(second)
      yield* Effect.gen(function* () {
        yield* Cluster.submit(world, "all")
        yield* until(Effect.map(held, (held) => held.size === 2))

        const [third] = yield* Cluster.startWorkers(1, database)
        assert.isDefined(third)
        const joining = yield* until(Effect.map(held, (held) => held.has(third.port)))

        second.child.kill("SIGTERM")
        yield* Effect.forkChild(second.ended)
        const stopping = yield* until(Effect.map(held, (held) => !held.has(second.port)))

        third.child.kill("SIGKILL")
        const dying = yield* until(Effect.map(held, (held) => !held.has(third.port)))
        // Who goes in order is not waited for. In seconds: 1 to join, 1 and up to 10, where the machine has time.
        assert.isAbove(joining, 0)
        assert.isBelow(stopping, dying)
      }).pipe(Effect.provide(Cluster.storeOf(database)))
    }).pipe(Effect.provide(Cluster.emulator({ world })))
  )
})

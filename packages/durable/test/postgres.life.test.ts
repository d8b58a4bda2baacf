/** The life of an export over a real PostgreSQL, with one worker: what it writes, how it ends, and how it goes on. */
import { Exports } from "@effect-zim/durable"
import { Emulator, Fault, World } from "@effect-zim/emulator"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as SqlClient from "effect/sql/SqlClient"
import * as Stream from "effect/Stream"
import * as PostgresServer from "../../client/test/postgresServer.ts"
import * as Cluster from "./cluster.ts"

const appId = 12345
const world = Cluster.worldOf(60)

/** Whoever changes has one conversation less, and a new one. */
const changedWorld = (isChanged: (userId: string) => boolean) =>
  World.make({
    apps: [{ appId, serverSecret: Cluster.secret }],
    users: world.users.map((user) =>
      isChanged(user.userId)
        ? {
            ...user,
            conversations: [
              ...user.conversations.slice(1),
              { ConvId: "new", ConvType: 0, UpdateTime: 1_800_000_000_000 }
            ]
          }
        : user
    )
  })

const count = (query: (sql: SqlClient.SqlClient) => Effect.Effect<ReadonlyArray<{ readonly n: number }>, unknown>) =>
  Effect.gen(function* () {
    const [row] = yield* query(yield* SqlClient.SqlClient)
    return row?.n
  })

/** Every row of every table, as text. */
const dump = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  const tables = yield* sql<{ name: string }>`
    SELECT format('%I.%I', table_schema, table_name) AS name FROM information_schema.tables
    WHERE table_type = 'BASE TABLE' AND table_schema NOT IN ('pg_catalog', 'information_schema')`
  const rows = yield* Effect.forEach(tables, ({ name }) =>
    sql.unsafe<{ row: string }>(`SELECT t::text AS row FROM ${name} t`)
  )
  return {
    tables: tables.map(({ name }) => name),
    text: rows
      .flat()
      .map(({ row }) => row)
      .join("\n")
  }
})

const password = "canary-password-71c0"

/** A database with a password in its URL, which it does not ask for. */
const database = Effect.map(PostgresServer.make, (url) => url.replace("zim@", `zim:${password}@`))

// They wait more than they compute.
describe.concurrent("an export in PostgreSQL", () => {
  it.live("rewrites only what has changed since the last one", () =>
    Effect.gen(function* () {
      const url = yield* database
      const [worker] = yield* Cluster.startWorkers(1, url, { limit: 500 })
      const { journal, world: current } = yield* Emulator.Emulator
      yield* Effect.gen(function* () {
        const { id } = yield* Cluster.submit(world, "monday")
        const first = yield* Exports.wait(id)
        assert.deepStrictEqual(yield* Cluster.submit(world, "monday"), { id, isNew: false })
        assert.strictEqual(first.state, "Finished")
        assert.deepStrictEqual(yield* Cluster.rowsIn(appId), Cluster.rowsOf(world))

        const isChanged = (userId: string) => /[36]$/.test(userId)
        const changed = changedWorld(isChanged)
        yield* current.set(changed)
        const second = yield* Exports.wait((yield* Cluster.submit(world, "tuesday")).id)
        assert.strictEqual(second.state, "Finished")
        assert.deepStrictEqual(yield* Cluster.rowsIn(appId), Cluster.rowsOf(changed))

        const users = world.users.filter(({ userId }) => isChanged(userId))
        const gone = users.filter(({ conversations }) => conversations.length > 0)
        const { run } = second
        assert.strictEqual(
          yield* count((sql) => sql`SELECT count(*)::int AS n FROM zim.entries WHERE changed_run = ${run}`),
          users.length
        )
        assert.strictEqual(
          yield* count((sql) => sql`SELECT count(*)::int AS n FROM zim.users WHERE changed_run = ${run}`),
          users.length
        )
        assert.strictEqual(
          yield* count(
            (sql) => sql`SELECT count(*)::int AS n FROM zim.disappeared WHERE run = ${run} AND reason = 'Gone'`
          ),
          gone.length
        )
        // For whoever queries it.
        assert.strictEqual(
          yield* count(
            (sql) => sql`
              SELECT count(*)::int AS n FROM zim.conversations
              WHERE app_id = ${appId} AND conversation_id = 'new' AND type = 'OneToOne'
                AND updated_at = to_timestamp(1800000000)`
          ),
          users.length
        )

        const { tables, text } = yield* dump
        assert.includeMembers(tables, ["zim.exports", "zim.entries", "zim.cluster_messages", "zim.cluster_replies"])
        assert.include(text, "monday")
        for (const canary of [Cluster.secret, password]) {
          assert.notInclude(text, canary)
          assert.notInclude(worker?.output() ?? canary, canary)
        }
        assert.isFalse((yield* journal.entries).some(({ nonceReused }) => nonceReused))
      }).pipe(Effect.provide(Cluster.storeOf(url)))
    }).pipe(Effect.provide(Cluster.emulator({ world })))
  )

  it.live("ends by what concerns everybody, and goes on when that is mended", () =>
    Effect.gen(function* () {
      const url = yield* database
      yield* Cluster.startWorkers(1, url, { limit: 500 })
      const { faults } = yield* Emulator.Emulator
      yield* Effect.gen(function* () {
        const { id } = yield* Cluster.submit(world, "all")
        const failed = yield* Exports.wait(id)
        assert.strictEqual(failed.state, "Failed")
        assert.strictEqual(failed.problem?.error, "AuthenticationFailed")
        assert.isAbove(failed.counts.users, 0)
        assert.isBelow(failed.counts.users, world.users.length)
        assert.deepStrictEqual(yield* Stream.runCollect(Exports.failures(id)), [])
        yield* faults.set([])
        assert.strictEqual((yield* Exports.resume(id)).attempt, 2)
        const finished = yield* Exports.wait(id)
        assert.strictEqual(finished.state, "Finished")
        assert.isUndefined(finished.problem)
        assert.deepStrictEqual(yield* Cluster.rowsIn(appId), Cluster.rowsOf(world))
      }).pipe(Effect.provide(Cluster.storeOf(url)))
    }).pipe(
      Effect.provide(
        Cluster.emulator({
          world,
          faults: [Fault.when(Fault.returnCode(100000005), Fault.not(Fault.first(20)))]
        })
      )
    )
  )

  it.live("pauses, is resumed, and is cancelled", () =>
    Effect.gen(function* () {
      const url = yield* database
      yield* Cluster.startWorkers(1, url, { limit: 500 })
      const { faults, journal } = yield* Emulator.Emulator
      yield* Effect.gen(function* () {
        const { id } = yield* Cluster.submit(world, "all")
        yield* Effect.repeat(Exports.get(id), { until: ({ counts }) => counts.users > 0, schedule: Cluster.soon })
        assert.strictEqual((yield* Exports.pause(id)).state, "Paused")
        // Nobody asks the service any more.
        yield* Effect.repeat(Effect.andThen(journal.clear, Effect.delay(journal.entries, "3 seconds")), {
          until: (calls) => calls.length === 0
        })
        const paused = yield* Exports.get(id)
        assert.isBelow(paused.counts.users, world.users.length)
        assert.strictEqual((yield* Exports.cancel(id)).state, "Cancelled")
        assert.strictEqual((yield* Effect.flip(Exports.pause(id)))._tag, "NotPossible")
        yield* faults.set([])
        yield* Exports.resume(id)
        assert.strictEqual((yield* Exports.wait(id)).state, "Finished")
        assert.deepStrictEqual(yield* Cluster.rowsIn(appId), Cluster.rowsOf(world))
      }).pipe(Effect.provide(Cluster.storeOf(url)))
    }).pipe(Effect.provide(Cluster.emulator({ world, faults: [Fault.latency("1 second")] })))
  )

  it.live("waits out a database that is restarted, and away", () =>
    Effect.gen(function* () {
      const server = yield* PostgresServer.server
      yield* Cluster.startWorkers(2, server.url, { limit: 500 })
      yield* Effect.gen(function* () {
        const { id } = yield* Cluster.submit(world, "all")
        for (const [users, away] of [
          [1, 0],
          [20, Cluster.awayFor]
        ] as const) {
          yield* Effect.repeat(Exports.get(id), {
            until: ({ counts }) => counts.users >= users,
            schedule: Cluster.soon
          })
          yield* server.stop
          yield* Effect.sleep(away)
          yield* server.start
        }
        const finished = yield* Effect.retry(Exports.wait(id), Cluster.soon)
        assert.strictEqual(finished.state, "Finished")
        assert.deepStrictEqual(yield* Cluster.rowsIn(appId), Cluster.rowsOf(world))
      }).pipe(Effect.provide(Cluster.storeOf(server.url)))
    }).pipe(Effect.provide(Cluster.emulator({ world, faults: [Fault.latency("500 millis")] })))
  )
})

/** The functions in a real PostgreSQL: what they answer, what they leave behind, and in whose way they are not. */
import type * as SharedQuota from "@effect-zim/client/SharedQuota"
import * as SqlQuota from "@effect-zim/client/SqlQuota"
import * as PgClient from "@effect/sql-pg/PgClient"
import { assert, describe, it } from "@effect/vitest"
import * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as PostgresServer from "./postgresServer.ts"
import { ask, assertWait, giveBack, limits, minute, storeLaws } from "./storeLaws.ts"

/** A connection of its own: what one process has. */
const connect = (server: PostgresServer.PostgresServer, config?: PgClient.PgPoolConfig) =>
  Layer.build(PgClient.layer({ url: Redacted.make(server.url), ...config }))

const storeOf = Effect.fnUntraced(function* (server: PostgresServer.PostgresServer, config?: PgClient.PgPoolConfig) {
  const client = yield* connect(server, config)
  return { sql: Context.get(client, PgClient.PgClient), store: yield* Effect.provide(SqlQuota.store(), client) }
})

const reset = "SET now = 0, known = false, server = excluded.server, paused_until = 0, last_grant = 0, rejected_at = -1"
const resetToo = "smallest = 0, smallest_before = 0, smallest_from = 0, host = ''"

/** A store of a key that nobody has asked for, on a server that has been there for long; and how to make it that again. */
const oldStoreOf = Effect.fnUntraced(function* (server: PostgresServer.PostgresServer) {
  const { sql, store } = yield* storeOf(server)
  const forget = sql.unsafe(`
    WITH gone AS (DELETE FROM quota.quota_leases)
    INSERT INTO quota.quota_state (key, server, paused_until) VALUES ('12345', pg_postmaster_start_time(), 0)
    ON CONFLICT (key) DO UPDATE ${reset}, ${resetToo}`)
  yield* store.pause({ key: "12345", limits, millis: 0 })
  yield* forget
  return { sql, store, forget }
})

storeLaws(
  "PostgreSQL",
  150,
  Effect.gen(function* () {
    const { forget, sql, store } = yield* oldStoreOf(yield* PostgresServer.server)
    return {
      store,
      forget,
      everybodyHasSaid: (allowance: number) =>
        sql`UPDATE quota.quota_state SET smallest = ${allowance}, smallest_before = ${allowance}`,
      now: Effect.map(sql<{ readonly now: number }>`SELECT now FROM quota.quota_state`, ([row]) => row?.now ?? -1),
      setNow: (now: number) => sql`UPDATE quota.quota_state SET now = ${now}`,
      informed: Effect.succeed({
        ...store,
        acquire: (ask: SharedQuota.Ask) => store.acquire({ ...ask, key: "another" })
      })
    }
  })
)

describe("the functions", () => {
  it.live("wait until what was lost is over: on another server, which may be a replica or a backup", () =>
    Effect.gen(function* () {
      const { sql, store } = yield* oldStoreOf(yield* PostgresServer.server)
      assert.strictEqual((yield* store.acquire(ask("a")))._tag, "Granted")
      yield* sql`UPDATE quota.quota_state SET server = server - interval '1 day'`
      assertWait(yield* store.acquire(ask("b")), 90 * minute)
      // Once, and not for ever.
      yield* sql`UPDATE quota.quota_state SET paused_until = 0`
      assert.strictEqual((yield* store.acquire(ask("b")))._tag, "Granted")
    })
  )

  it.live("keep what they answered although the server crashes", () =>
    Effect.gen(function* () {
      const server = yield* PostgresServer.server
      const { sql, store } = yield* oldStoreOf(server)
      // As where an administrator prefers speed.
      yield* sql`ALTER SYSTEM SET synchronous_commit = off`
      yield* sql`SELECT pg_reload_conf()`
      assert.strictEqual((yield* store.acquire(ask("a")))._tag, "Granted")
      yield* server.stop
      yield* server.start
      const rows = yield* Effect.retry(sql<{ readonly name: string }>`SELECT name FROM quota.quota_leases`, {
        times: 5
      })
      assert.deepStrictEqual(
        rows.map(({ name }) => name),
        ["a"]
      )
      assertWait(yield* store.acquire(ask("b")), 90 * minute)
    })
  )

  it.live("are made once, whoever comes first, and made again where they were dropped", () =>
    Effect.gen(function* () {
      const server = yield* PostgresServer.server
      const stores = yield* Effect.replicateEffect(storeOf(server), 8)
      yield* Effect.forEach(stores, ({ store }, i) => store.acquire(ask(`${i}`)), { concurrency: "unbounded" })
      const [{ sql, store } = yield* storeOf(server)] = stores
      for (const drop of [
        "DROP TABLE quota.quota_state",
        "DROP TABLE quota.quota_leases",
        "DROP SCHEMA quota CASCADE",
        "DROP FUNCTION quota.quota_acquire_v1"
      ]) {
        yield* sql.unsafe(drop)
        assert.strictEqual((yield* store.acquire(ask("z", { isKnown: true })))._tag, "Wait", drop)
      }
    })
  )

  it.live("are no part of the caller's transaction, which would keep everybody waiting", () =>
    Effect.gen(function* () {
      const server = yield* PostgresServer.server
      const { sql, store } = yield* oldStoreOf(server)
      const { store: other } = yield* oldStoreOf(server)
      yield* sql
        .withTransaction(
          Effect.gen(function* () {
            yield* sql`SELECT 1`
            assert.strictEqual((yield* store.acquire(ask("a")))._tag, "Granted")
            assert.strictEqual((yield* other.acquire(ask("b")))._tag, "Granted")
            return yield* Effect.fail("rolled back" as const)
          })
        )
        .pipe(Effect.flip)
      assertWait(yield* other.acquire(ask("c")), limits.window)
    })
  )

  it.live("do where transactions are serializable", () =>
    Effect.gen(function* () {
      const server = yield* PostgresServer.server
      const { sql } = yield* oldStoreOf(server)
      yield* sql`ALTER SYSTEM SET default_transaction_isolation = 'serializable'`
      yield* sql`SELECT pg_reload_conf()`
      const stores = yield* Effect.replicateEffect(storeOf(server), 4)
      const replies = yield* Effect.forEach(
        stores.flatMap(({ store }, i) => Array.from({ length: 5 }, (_, j) => ({ store, lease: `${i}-${j}` }))),
        ({ lease, store }) => store.acquire(ask(lease, { limits: { ...limits, limit: 7 } })),
        { concurrency: "unbounded" }
      )
      assert.strictEqual(replies.filter(({ _tag }) => _tag === "Granted").length, 7)
    })
  )

  it.live("leave the caller in time, and their connection a while later, where nobody answers", () =>
    Effect.gen(function* () {
      const server = yield* PostgresServer.server
      const client = yield* connect(server, { maxConnections: 1 })
      const sql = Context.get(client, PgClient.PgClient)
      const store = yield* Effect.provide(SqlQuota.store({ timeout: 100 }), client)
      yield* store.pause({ key: "12345", limits, millis: 0 })
      const locked = yield* storeOf(server)
      yield* locked.sql.withTransaction(
        Effect.gen(function* () {
          yield* locked.sql`LOCK TABLE quota.quota_state`
          const asked = Effect.timeout(store.acquire(ask("a")), 50)
          const error = yield* Effect.flip(asked)
          assert.isTrue(Cause.isTimeoutError(error))
          const late = yield* Effect.flip(store.acquire(ask("a")))
          assert.include(late.message + String(late.cause), "in time")
          // The only one of the pool: both statements have been cancelled.
          assert.strictEqual((yield* sql<{ readonly one: number }>`SELECT 1 AS one`)[0]?.one, 1)
        })
      )
      // The driver waits five seconds for a server that does not answer to a cancellation, either.
      yield* server.freeze
      const [waited] = yield* Effect.timed(Effect.flip(Effect.timeout(store.acquire(ask("a")), 50)))
      assert.isBelow(Duration.toMillis(waited), 4000)
    })
  )

  it.live("remember a pause until it is over", () =>
    Effect.gen(function* () {
      const { store } = yield* oldStoreOf(yield* PostgresServer.server)
      yield* store.pause({ key: "12345", limits, millis: 60 * minute + 0.5 })
      assertWait(yield* store.acquire(ask("a")), 60 * minute)
      assertWait(yield* store.acquire(ask("a")), 60 * minute)
    })
  )

  it.live("leave rows that say nothing secret, and go when nobody has asked for long", () =>
    Effect.gen(function* () {
      const { sql, store } = yield* oldStoreOf(yield* PostgresServer.server)
      yield* store.acquire(ask("a"))
      const keys = Effect.map(
        sql<{
          readonly key: string
        }>`SELECT key FROM quota.quota_state UNION SELECT key FROM quota.quota_leases ORDER BY 1`,
        (rows) => rows.map(({ key }) => key)
      )
      const use = (key: string) => store.pause({ key, limits, millis: 0 })
      yield* use("12345:QueryConversationList")
      assert.deepStrictEqual(yield* keys, ["12345", "12345:QueryConversationList"])
      yield* sql`UPDATE quota.quota_state SET now = now - ${21 * minute} WHERE key = '12345'`
      yield* sql`UPDATE quota.quota_state SET paused_until = 0`
      yield* use("another")
      assert.deepStrictEqual(yield* keys, ["another"])
    })
  )

  it.live("change rows without growing an index", () =>
    Effect.gen(function* () {
      const { sql, store } = yield* oldStoreOf(yield* PostgresServer.server)
      for (let i = 0; i < 100; i++) {
        yield* store.acquire(ask("a", { limits: { ...limits, limit: 1000 } }))
        yield* store.release(giveBack("a"))
      }
      const [size] = yield* sql<{ readonly state: string }>`
        SELECT (pg_relation_size('quota.quota_state') + pg_relation_size('quota.quota_leases'))::text AS state`
      // 200 changes of one row each, in pages of 8192 bytes.
      assert.isAtMost(Number(size?.state), 4 * 8192)
    })
  )
})

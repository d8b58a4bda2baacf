/** What PostgreSQL says when it refuses reaches whoever called, without a password; and what to do about it. */
import { ClientError, RetryPolicy } from "@effect-zim/client"
import * as SqlQuota from "@effect-zim/client/SqlQuota"
import * as PgClient from "@effect/sql-pg/PgClient"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import * as Reactivity from "effect/reactivity/Reactivity"
import * as SqlClient from "effect/sql/SqlClient"
import * as SqlError from "effect/sql/SqlError"
import * as Statement from "effect/sql/Statement"
import { writeFileSync } from "node:fs"
import * as FakeService from "./fakeService.ts"
import { read } from "./policy/support.ts"
import * as PostgresServer from "./postgresServer.ts"

const toJson = Schema.encodeSync(Schema.fromJsonString(Schema.toCodecJson(ClientError.AnyError)))
const password = "hidden-2718281828"

/** The error of a call, with nothing sent. */
const errorWith = (database: Layer.Layer<SqlClient.SqlClient, SqlError.SqlError>, options?: SqlQuota.Options) =>
  Effect.gen(function* () {
    const service = FakeService.answering(FakeService.page([]))
    const quota = SqlQuota.layer({ timeout: "20 seconds", ...options }).pipe(Layer.provide(database))
    const client = FakeService.clientOf(service.layer).pipe(Layer.provide(quota))
    const error = yield* read.pipe(Effect.flip, RetryPolicy.provide(RetryPolicy.none), Effect.provide(client))
    assert.strictEqual(service.sent.length, 0)
    assert.instanceOf(error, ClientError.QuotaUnavailable)
    assert.include(error.message, error.problem)
    assert.notInclude(toJson(error) + String(error) + String(error.cause), password)
    return error
  })

const urlOf = (url: string, user: string) => url.replace("zim@", `${user}:${password}@`)

const ways: ReadonlyArray<
  readonly [what: string, problem: RegExp, reason: string, change: ReadonlyArray<string>, user?: string, name?: string]
> = [
  ["takes no writes", /read-only transaction/, "Refused", ["ALTER ROLE guest SET default_transaction_read_only = on"]],
  ["has no connection left", /too many connections/, "Refused", ["ALTER ROLE guest CONNECTION LIMIT 0"]],
  ["does not let this process make what it needs", /permission denied for database/, "Denied", []],
  ["does not let this process use it", /permission denied for/, "Denied", ["CREATE SCHEMA quota"]],
  ["does not know the password", /password authentication failed/, "Denied", ["ALTER ROLE guest PASSWORD 'other'"]],
  ["does not know the user", /password authentication failed/, "Denied", [], "nobody"],
  ["does not know the database", /does not exist/, "Denied", [], "guest", "nowhere"],
  [
    "keeps something else there",
    /column .* does not exist|has no field|of relation/,
    "Denied",
    [
      "CREATE SCHEMA quota AUTHORIZATION guest",
      "CREATE TABLE quota.quota_state (key text)",
      "GRANT ALL ON quota.quota_state TO guest"
    ]
  ]
]

/** A role `guest` whose password is asked for, and these changes, and nothing of before. */
const prepare = (server: PostgresServer.PostgresServer, change: ReadonlyArray<string>) =>
  Effect.gen(function* () {
    const sql = yield* PgClient.PgClient
    yield* sql`DROP SCHEMA IF EXISTS quota CASCADE`
    yield* sql`DROP ROLE IF EXISTS guest`
    yield* sql.unsafe(`CREATE ROLE guest LOGIN PASSWORD '${password}'`)
    yield* Effect.forEach(change, (statement) => sql.unsafe(statement))
    writeFileSync(
      `${server.folder}/pg_hba.conf`,
      "host all zim 127.0.0.1/32 trust\nhost all all 127.0.0.1/32 scram-sha-256\n"
    )
    yield* sql`SELECT pg_reload_conf()`
    // The next connection is asked by the new rules.
    const rules = Effect.map(sql`SELECT 1 FROM pg_hba_file_rules`, ({ length }) => length)
    yield* Effect.repeat(rules, { until: (count) => count === 2 })
  }).pipe(Effect.provide(PgClient.layer({ url: Redacted.make(server.url) })))

describe("a PostgreSQL that refuses", () => {
  it.live("says why, and no password", () =>
    Effect.gen(function* () {
      const server = yield* PostgresServer.server
      for (const [what, problem, reason, change, user = "guest", name = "postgres"] of ways) {
        yield* prepare(server, change)
        const url = urlOf(server.url, user).replace("/postgres", `/${name}`)
        const error = yield* errorWith(PgClient.layer({ url: Redacted.make(url) }))
        assert.match(error.problem, problem, what)
        assert.strictEqual(error.reason._tag, reason, what)
      }
      yield* server.stop
      const error = yield* errorWith(PgClient.layer({ url: Redacted.make(urlOf(server.url, "guest")) }))
      assert.match(error.problem, /ECONNREFUSED/)
      assert.strictEqual(error.reason._tag, "NoAnswer")
    })
  )
})

describe("a quota over SQL", () => {
  it.effect("is denied by a database that is not PostgreSQL", () =>
    Effect.gen(function* () {
      const unused = new SqlError.SqlError({ reason: new SqlError.UnknownError({ cause: new Error("unused") }) })
      const sqlite = SqlClient.make({
        acquirer: Effect.fail(unused),
        compiler: Statement.makeCompilerSqlite(),
        driver: "sqlite",
        spanAttributes: []
      })
      const database = Layer.effect(SqlClient.SqlClient, sqlite).pipe(Layer.provide(Reactivity.layer))
      const error = yield* FakeService.inTime(errorWith(database, { whenUnavailable: { share: 1 } }))
      assert.match(error.problem, /needs a client of PostgreSQL/)
      assert.strictEqual(error.reason._tag, "Denied")
    })
  )

  it.effect("says which schema it cannot have", () =>
    Effect.gen(function* () {
      const exit = yield* Effect.exit(errorWith(PgClient.layer({}), { schema: 'a"; DROP SCHEMA public' }))
      assert.match(String(exit), /RangeError: the quota's schema is letters/)
    })
  )
})

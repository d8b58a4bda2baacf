/** The quota over a real PostgreSQL. */
import * as SqlQuota from "@effect-zim/client/SqlQuota"
import * as PgClient from "@effect/sql-pg/PgClient"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as Scope from "effect/Scope"
import * as PostgresServer from "./postgresServer.ts"
import { quotaLaws } from "./quotaLaws.ts"

quotaLaws({
  name: "PostgreSQL",
  server: PostgresServer.server,
  processOf: Effect.fnUntraced(function* (server: PostgresServer.PostgresServer, options) {
    const scope = yield* Scope.Scope
    const connection = yield* Scope.fork(scope)
    const client = yield* Layer.buildWithScope(PgClient.layer({ url: Redacted.make(server.url) }), connection)
    const sql = Context.get(client, PgClient.PgClient)
    const quota = yield* Effect.provide(SqlQuota.make(options), client)
    const read = (what: string, from = "") =>
      Effect.map(sql.unsafe<{ readonly value: number }>(`SELECT ${what} AS value ${from}`), (rows) =>
        rows.map(({ value }) => value)
      )
    const field = (name: string) =>
      Effect.map(read(name, "FROM quota.quota_state WHERE key = '12345'"), ([value = -1]) => value)
    return {
      quota,
      crash: Scope.close(connection, Exit.void),
      now: Effect.map(read("(extract(epoch FROM clock_timestamp()) * 1000)::float8"), ([now = -1]) => now),
      leases: read("back", "FROM quota.quota_leases WHERE key = '12345' ORDER BY 1"),
      lastGrant: field("last_grant"),
      rejectedAt: field("rejected_at")
    }
  })
})

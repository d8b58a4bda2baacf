/** A database of the test's own, in a PostgreSQL that the tests of a file share. */
import * as PgClient from "@effect/sql-pg/PgClient"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as SqlClient from "effect/sql/SqlClient"
import * as PostgresServer from "../../client/test/postgresServer.ts"

export class Server extends Context.Service<Server, { readonly url: string }>()("test/Postgres") {
  static readonly layer = Layer.effect(
    this,
    Effect.map(PostgresServer.make, (url) => this.of({ url }))
  )
}

export const clientOf = (url: string, options?: Omit<PgClient.PgPoolConfig, "url">) =>
  PgClient.layer({ url: Redacted.make(url), ...options })

let databases = 0

/** The URL of a new one. */
export const fresh = Effect.gen(function* () {
  const { url } = yield* Server
  const name = `test_${databases++}`
  yield* Effect.provide(
    Effect.flatMap(SqlClient.SqlClient, (sql) => sql`CREATE DATABASE ${sql(name)}`),
    clientOf(url)
  )
  return url.replace(/[^/]+$/, name)
})

/** A client of a new one. */
export const freshClient = Layer.unwrap(Effect.map(fresh, (url) => clientOf(url)))

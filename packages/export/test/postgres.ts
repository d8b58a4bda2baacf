/** Databases of the test's own, in a PostgreSQL that the tests of a file share. */
import * as SqlSink from "@effect-zim/export/SqlSink"
import * as PgClient from "@effect/sql-pg/PgClient"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as SqlClient from "effect/sql/SqlClient"
import * as Stream from "effect/Stream"
import * as PostgresServer from "../../client/test/postgresServer.ts"
import type { Database } from "./databaseLaws.ts"
import { app } from "./support.ts"

export class Server extends Context.Service<Server, { readonly url: string }>()("test/Postgres") {
  static readonly layer = Layer.effect(
    this,
    Effect.map(PostgresServer.make, (url) => this.of({ url }))
  )
}

export const clientOf = (url: string, options?: Omit<PgClient.PgPoolConfig, "url">) =>
  PgClient.layer({ url: Redacted.make(url), ...options })

const shout = (name: string) => name.toUpperCase()

/** What makes a client for which every column has another name. */
export const shouting = { transformQueryNames: shout, transformResultNames: shout }

let databases = 0

/** The URL of a new database. */
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

/** The URL of the database that a file's tests share. */
export class Url extends Context.Service<Url, { readonly url: string }>()("test/Url") {
  static readonly layer = Layer.effect(
    this,
    Effect.map(fresh, (url) => this.of({ url }))
  )
}

/** A server and a client of it, whose statements find the tables of an export. */
export const client = Layer.unwrap(
  Effect.map(Url, ({ url }) => clientOf(url, { startupParameters: { search_path: "zim" } }))
).pipe(Layer.provideMerge(Url.layer), Layer.provideMerge(Server.layer))

const numbersOf = (row: Record<string, unknown>) =>
  Object.fromEntries(
    Object.entries(row).map(([name, value]) => [name, typeof value === "bigint" ? Number(value) : value])
  )

/** What a statement gives, with numbers for whole numbers. */
export const query = (text: string) =>
  Effect.map(
    Effect.flatMap(SqlClient.SqlClient, (sql) => sql.unsafe<Record<string, unknown>>(text)),
    (rows) => rows.map(numbersOf)
  )

/** An output with nothing in it. */
export const empty = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  yield* query("DROP SCHEMA IF EXISTS zim CASCADE")
  const database: Database = {
    sink: yield* SqlSink.make(),
    conversations: Stream.provideService(SqlSink.conversations(app.appId), SqlClient.SqlClient, sql),
    failures: Stream.provideService(SqlSink.failures(app.appId), SqlClient.SqlClient, sql),
    query: (text) => Effect.orDie(Effect.provideService(query(text), SqlClient.SqlClient, sql))
  }
  return database
})

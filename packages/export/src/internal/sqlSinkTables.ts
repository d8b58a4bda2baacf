/** The tables of an export in PostgreSQL, and how tables in schema `zim` are made. */
import * as Effect from "effect/Effect"
import * as Migrator from "effect/sql/Migrator"
import * as SqlClient from "effect/sql/SqlClient"
import { isSqlError, type SqlError } from "effect/sql/SqlError"

/** Tables that belong together: each migration leads to the next version, and `table` remembers which one is there. */
export interface Tables {
  readonly table: string
  readonly migrations: Readonly<Record<string, Effect.Effect<unknown, SqlError, SqlClient.SqlClient>>>
}

/** In its range: the service's dates begin earlier than the database's. */
const updatedAt = "to_timestamp(greatest(updated_at / 1000::double precision, -210866803200))"

/**
 * Ids are compared byte by byte: quicker than by a language, and alike in every database. An entry does not refer to its
 * runs by a foreign key, which would be looked up for each of them.
 */
const statements: ReadonlyArray<string> = [
  `CREATE TABLE zim.runs (
     id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
     app_id bigint NOT NULL,
     name text NOT NULL,
     state text NOT NULL DEFAULT 'running' CHECK (state IN ('running', 'finished', 'abandoned')),
     started_at timestamptz NOT NULL,
     finished_at timestamptz,
     lines bigint NOT NULL DEFAULT 0,
     users bigint NOT NULL DEFAULT 0,
     conversations bigint NOT NULL DEFAULT 0,
     failed bigint NOT NULL DEFAULT 0,
     invalid bigint NOT NULL DEFAULT 0,
     duplicates bigint NOT NULL DEFAULT 0,
     changed_while_reading bigint NOT NULL DEFAULT 0,
     at_cap bigint NOT NULL DEFAULT 0,
     checkpoint text,
     epoch integer NOT NULL DEFAULT 0,
     holder text
   )`,
  "CREATE INDEX runs_by_name ON zim.runs (app_id, name, id)",
  `CREATE TABLE zim.users (
     app_id bigint NOT NULL,
     user_id text COLLATE "C" NOT NULL,
     conversations integer NOT NULL,
     verdict text NOT NULL,
     changed_run bigint NOT NULL REFERENCES zim.runs,
     last_run bigint NOT NULL REFERENCES zim.runs,
     PRIMARY KEY (app_id, user_id)
   )`,
  "CREATE INDEX users_by_last_run ON zim.users (app_id, last_run)",
  `CREATE TABLE zim.entries (
     app_id bigint NOT NULL,
     user_id text COLLATE "C" NOT NULL,
     type_code bigint NOT NULL,
     conversation_id text COLLATE "C" NOT NULL,
     type text NOT NULL,
     updated_at bigint NOT NULL,
     first_run bigint NOT NULL,
     changed_run bigint NOT NULL,
     PRIMARY KEY (app_id, user_id, type_code, conversation_id)
   )`,
  `CREATE INDEX entries_by_time ON zim.entries (app_id, (${updatedAt}))`,
  "CREATE INDEX entries_by_id ON zim.entries (app_id, conversation_id)",
  `CREATE VIEW zim.conversations AS
     SELECT app_id, user_id, conversation_id, type, ${updatedAt} AS updated_at, type_code, first_run, changed_run
     FROM zim.entries`,
  `CREATE TABLE zim.disappeared (
     app_id bigint NOT NULL,
     run bigint NOT NULL REFERENCES zim.runs,
     user_id text COLLATE "C" NOT NULL,
     type_code bigint NOT NULL,
     conversation_id text COLLATE "C" NOT NULL,
     type text NOT NULL,
     updated_at bigint NOT NULL,
     reason text NOT NULL CHECK (reason IN ('Gone', 'OutOfReach')),
     PRIMARY KEY (run, user_id, type_code, conversation_id)
   )`,
  "CREATE INDEX disappeared_by_user ON zim.disappeared (app_id, user_id)",
  `CREATE TABLE zim.failures (
     app_id bigint NOT NULL,
     run bigint NOT NULL REFERENCES zim.runs,
     line bigint NOT NULL,
     user_id text COLLATE "C" NOT NULL,
     error text NOT NULL,
     code bigint,
     request_id text,
     message text NOT NULL,
     PRIMARY KEY (run, line)
   )`,
  "CREATE INDEX failures_by_user ON zim.failures (app_id, user_id)"
]

const rows: Tables = {
  table: "zim.migrations",
  migrations: {
    "1_tables": Effect.flatMap(SqlClient.SqlClient, (sql) =>
      Effect.forEach(statements, (statement) => sql.unsafe(statement), { discard: true })
    )
  }
}

/** The version of the tables that are there; 0 where there are none. */
const version = Effect.fnUntraced(function* (sql: SqlClient.SqlClient, table: string) {
  const [there] = yield* sql<{ there: boolean }>`SELECT to_regclass(${table}) IS NOT NULL AS there`
  if (there?.there !== true) return 0
  const [row] = yield* sql`SELECT max(migration_id) AS version FROM ${sql(table)}`
  return Number(row?.["version"])
})

/**
 * Runs statements in a transaction. The client's own dies where the connection is lost, as it cannot be rolled back: this one
 * fails.
 *
 * @internal
 */
export const transaction = <A, E, R>(self: Effect.Effect<A, E, R>) =>
  SqlClient.SqlClient.pipe(
    Effect.flatMap((sql) => sql.withTransaction(self)),
    Effect.catchDefect((defect) => (isSqlError(defect) ? Effect.fail(defect) : Effect.die(defect)))
  )

/** Makes the schema and its tables, or brings them up to date; one process at a time. */
const update = Effect.fnUntraced(function* (sql: SqlClient.SqlClient, { migrations, table }: Tables) {
  yield* sql`SELECT pg_advisory_xact_lock(hashtextextended(${table}, 0))`
  // Who may not make a schema may use one that is there. To read a table of the catalog, and not to ask a function, has the
  // connection forget what it knew before the lock: the migrator would not see what another process has made meanwhile.
  const there = yield* sql`SELECT 1 FROM pg_catalog.pg_namespace WHERE nspname = 'zim'`
  if (there.length === 0) yield* sql`CREATE SCHEMA zim`
  yield* Effect.provideService(
    Migrator.make({})({ loader: Migrator.fromRecord(migrations), table }),
    SqlClient.SqlClient,
    sql
  )
})

/**
 * Makes other tables in schema `zim`, or brings them up to date. Those of a newer version are refused.
 *
 * @internal
 */
export const migrateTo = Effect.fnUntraced(function* (
  tables: Tables
): Effect.fn.Return<void, Migrator.MigrationError | SqlError, SqlClient.SqlClient> {
  const sql = (yield* SqlClient.SqlClient).withoutTransforms()
  const latest = Object.keys(tables.migrations).length
  const found = yield* version(sql, tables.table)
  if (found < latest) return yield* transaction(update(sql, tables))
  if (found === latest) return
  return yield* new Migrator.MigrationError({
    kind: "BadState",
    message: `the tables are of version ${found}, this program makes version ${latest}`
  })
})

/**
 * Makes the tables of an export in schema `zim`, or brings them up to date. Where they are, it only looks; any number of
 * processes may do it at once.
 *
 * @internal
 */
export const migrate = migrateTo(rows)

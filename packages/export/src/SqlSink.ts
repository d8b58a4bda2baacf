/**
 * Exports to PostgreSQL, and later again into the same tables: only what has changed is written. Any number of apps may
 * share a database. It is written over the `SqlClient` of the context: `PgClient` of `@effect/sql-pg`, for example.
 *
 * Everything is in schema `zim`, and every key has an `app_id`:
 *
 * - `conversations`, a view: `app_id`, `user_id`, `conversation_id`, `type`, `updated_at` (`timestamptz`), `type_code`,
 *   `first_run`, `changed_run`. It is for reading; its rows are in `entries`, whose `updated_at` is in milliseconds.
 * - `users`: `app_id`, `user_id`, `conversations` (how many), `verdict`, `changed_run`, `last_run` (the last that read the
 *   list).
 * - `disappeared`: conversations that a run found no longer: `app_id`, `run`, the columns of an entry, and `reason`: `Gone`,
 *   or `OutOfReach` where newer ones have pushed it out of the 1000 that the service returns.
 * - `failures`: `app_id`, `run`, `line`, `user_id`, `error`, `code`, `request_id`, `message`.
 * - `runs`: `id`, `app_id`, `name`, `state` (`running`, `finished`, `abandoned`), `started_at`, `finished_at`, counts,
 *   checkpoint, and who writes it.
 * - `migrations`: the versions of the tables, by Effect's `Migrator`.
 *
 * What no text of a database can hold, half a character and U+0000, stands in an id as in `SqliteSink`: as JSON writes it.
 * {@link conversations} and {@link failures} give the ids themselves.
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type * as Migrator from "effect/sql/Migrator"
import * as SqlClient from "effect/sql/SqlClient"
import * as SqlError from "effect/sql/SqlError"
import * as Stream from "effect/Stream"
import * as ExportSink from "./ExportSink.ts"
import { meaningOfSql } from "./internal/failureReasons.ts"
import * as LockHolder from "./internal/lockHolder.ts"
import { invalid, unusable } from "./internal/refusals.ts"
import * as Tables from "./internal/tableRows.ts"
import * as SqlRows from "./SqlRows.ts"

/**
 * @category models
 * @since 0.1.0
 */
export interface Options {
  /** Tells the exports of an app apart: they share its lists, and each has its own runs and its own lock. Default: `export`. */
  readonly name?: string | undefined
}

const nameOf = (options?: Options): string => options?.name ?? "export"
const locationOf = (options?: Options): string => `"${nameOf(options)}" in PostgreSQL`

const failed = (path: string, operation: "read" | "write", cause: SqlError.SqlError): ExportSink.SinkFailed =>
  new ExportSink.SinkFailed({ path, operation, ...meaningOfSql(cause), cause })

/** The client whose statements and rows have the names that stand here. */
const postgres = Effect.fnUntraced(function* (path: string) {
  const sql = yield* SqlClient.SqlClient
  const isPostgres = sql.onDialectOrElse({ pg: () => true, orElse: () => false })
  if (!isPostgres) return yield* unusable(path, "its client is not of PostgreSQL")
  return sql.withoutTransforms()
})

const lastRun = (sql: SqlClient.SqlClient, appId: number, options?: Options) =>
  Effect.map(
    sql<Tables.Columns>`SELECT id, state, checkpoint, holder FROM zim.runs
      WHERE app_id = ${appId} AND name = ${nameOf(options)} ORDER BY id DESC LIMIT 1`,
    ([row]) => row && { ...Tables.runOf(row), holder: LockHolder.parse(row["holder"]) }
  )

/** Why the tables could not be made. */
const unmade =
  (path: string) =>
  (error: Migrator.MigrationError | SqlError.SqlError): ExportSink.OpenError => {
    if (error._tag === "SqlError") return failed(path, "write", error)
    if (error.kind === "BadState") return invalid(path, "OtherVersion", error.message)
    // A statement that the database refuses.
    const { cause } = error
    if (!SqlError.isSqlError(cause)) return unusable(path, error.message)
    const refused = failed(path, "write", cause)
    if (refused.reason._tag !== "Unknown") return refused
    return unusable(path, `its tables cannot be made: ${refused.problem}`)
  }

/** Begins a run, or goes on with an unfinished one; whoever wrote it before can write no more. */
const begin = Effect.fnUntraced(function* (
  sql: SqlClient.SqlClient,
  { initial, mode }: Parameters<ExportSink.ExportSink["open"]>[0],
  options?: Options
) {
  const path = locationOf(options)
  const last = yield* lastRun(sql, initial.appId, options)
  const unfinished = yield* Tables.unfinishedOf(last, mode, path)
  if (unfinished === undefined && last?.state === "running") {
    yield* sql`UPDATE zim.runs SET state = 'abandoned' WHERE id = ${last.id}`
  }
  const { checkpoint = initial } = unfinished ?? {}
  const { appId, startedAt } = initial
  const run = unfinished?.id ?? (yield* SqlRows.beginRun({ appId, name: nameOf(options), startedAt }))
  const [row] = yield* sql<Tables.Columns>`UPDATE zim.runs SET
      epoch = epoch + 1, holder = ${JSON.stringify(yield* LockHolder.holder)}, checkpoint = ${JSON.stringify(checkpoint)}
    WHERE id = ${run} RETURNING epoch`
  return { run, checkpoint, epoch: Number(row?.["epoch"]) }
})

/** A run, and which of its writers one is. */
interface Writer {
  readonly run: number
  readonly epoch: number
}

const takenOver = (path: string) => unusable(path, "another export has taken it over")

/** Why a save failed: where the connection is lost, the run may be another's since. It is not asked for long. */
const whyUnsaved = Effect.fnUntraced(function* (
  sql: SqlClient.SqlClient,
  { epoch, run }: Writer,
  path: string,
  error: SqlError.SqlError
): Effect.fn.Return<ExportSink.SaveError> {
  const unsaved = failed(path, "write", error)
  if (unsaved.reason._tag !== "Unreachable") return unsaved
  const others =
    yield* sql`SELECT 1 FROM zim.runs WHERE id = ${run} AND (epoch <> ${epoch} OR state <> 'running')`.pipe(
      Effect.timeout("5 seconds"),
      Effect.orElseSucceed(() => [])
    )
  return others.length > 0 ? takenOver(path) : unsaved
})

/** How soon the database notices that the machine has gone, or cannot be reached: its own default is two hours. */
const keepAlive = `set_config('tcp_keepalives_idle', '60', false), set_config('tcp_keepalives_interval', '10', false),
  set_config('tcp_keepalives_count', '3', false)`

/**
 * A connection of one's own that holds the lock of an export: taken from the client's pool until the scope ends. It is never
 * replaced: with the connection its lock is gone.
 */
const reserve = Effect.fnUntraced(function* (sql: SqlClient.SqlClient) {
  const connection = yield* sql.reserve
  const run = (statement: string) => connection.executeUnprepared(statement, [], undefined)
  /** Runs statements there, whatever transaction the caller is in. */
  const there = Effect.provideService(sql.transactionService, [connection, 0])

  return {
    /** Whether nobody else has the lock of that name, which is then held until the scope ends. */
    lock: Effect.fnUntraced(function* (name: string) {
      const lock = sql`hashtextextended(${name}, 0)`
      return yield* Effect.acquireRelease(
        there(sql<{ locked: boolean }>`SELECT pg_try_advisory_lock(${lock}) AS locked, ${sql.literal(keepAlive)}`).pipe(
          Effect.map(([row]) => row?.locked === true)
        ),
        (isLocked) => (isLocked ? Effect.ignore(there(sql`SELECT pg_advisory_unlock(${lock})`)) : Effect.void)
      )
    }),
    /** Runs statements in a transaction. Unlike the client's, it fails where the connection is lost, and does not die. */
    transaction: <A, E, R>(self: Effect.Effect<A, E, R>): Effect.Effect<A, E | SqlError.SqlError, R> =>
      run("BEGIN ISOLATION LEVEL READ COMMITTED").pipe(
        Effect.andThen(there(self)),
        Effect.tap(run("COMMIT")),
        Effect.onError(() => Effect.ignore(run("ROLLBACK")))
      )
  }
})

/**
 * A sink that writes to the database of the `SqlClient`, which must be PostgreSQL: else it fails with `OutputUnusable`. The
 * tables are made where there are none. Each save is a transaction, so that data and checkpoint are always of the same
 * moment.
 *
 * With `new` and `resume`, an export whose last run is finished gets another run: incremental, it rewrites what has changed
 * and records what has disappeared. An unfinished run is gone on with by `resume`, and left unfinished by `restart`, which
 * keeps all data. Users who are no longer among the input keep their rows, with an older `last_run`.
 *
 * One export of an app and a name writes at a time, from whatever machine: the others fail with `OutputInUse`. It is the one
 * whose connection has the lock, so that it is free as soon as that process ends; where its whole machine is lost, the
 * database notices after some 90 seconds. One that lost its connection, and has another one in its place by then, ends with
 * `OutputUnusable`, and changes nothing.
 *
 * The sink keeps one connection of the client's pool for itself, and does not wait for a database that is away: the export
 * ends with `SinkFailed`, and goes on with `resume`, for example by `Stream.retry`.
 *
 * @example
 * ```ts
 * import { Export, UserList } from "@effect-zim/export"
 * import * as SqlSink from "@effect-zim/export/SqlSink"
 * import { Effect, Stream } from "effect"
 *
 * // Needs a `SqlClient`: that of `PgClient.layer`, for example.
 * const nightly = Effect.gen(function* () {
 *   const sink = yield* SqlSink.make({ name: "nightly" })
 *   yield* Stream.runDrain(Export.run(UserList.file("users.txt"), { sink, mode: "resume" }))
 * })
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = Effect.fnUntraced(function* (
  options?: Options
): Effect.fn.Return<ExportSink.ExportSink, ExportSink.OutputUnusable, SqlClient.SqlClient> {
  const path = locationOf(options)
  const sql = yield* postgres(path)

  const open: ExportSink.ExportSink["open"] = Effect.fnUntraced(
    function* (opening) {
      const { appId } = opening.initial
      yield* SqlRows.migrate.pipe(
        // Not in a transaction of the caller's, which may be rolled back.
        Effect.updateContext((context: Context.Context<SqlClient.SqlClient>) =>
          Context.omit(sql.transactionService)(context)
        ),
        Effect.mapError(unmade(path))
      )
      const { lock, transaction } = yield* reserve(sql)
      if (!(yield* lock(`zim ${appId} ${nameOf(options)}`))) {
        const last = yield* transaction(lastRun(sql, appId, options))
        return yield* LockHolder.inUse(path, last?.holder ?? Option.none())
      }
      const { checkpoint, epoch, run } = yield* transaction(begin(sql, opening, options))

      const save: ExportSink.Session["save"] = (outcomes, checkpoint) =>
        Effect.gen(function* () {
          const columns = Tables.runColumnsOf(checkpoint, DateTime.formatIso(yield* DateTime.now))
          const noted = yield* sql`UPDATE zim.runs SET ${sql.update(columns)}
            WHERE id = ${run} AND epoch = ${epoch} AND state = 'running' RETURNING id`
          if (noted.length === 0) return yield* takenOver(path)
          yield* SqlRows.write(run, appId, outcomes)
        }).pipe(
          transaction,
          Effect.provideService(SqlClient.SqlClient, sql),
          Effect.catchTag("SqlError", (error) =>
            Effect.flatMap(whyUnsaved(sql, { run, epoch }, path, error), Effect.fail)
          )
        )

      const session: ExportSink.Session = { checkpoint, save, finish: (checkpoint) => save([], checkpoint) }
      return session
    },
    Effect.provideService(SqlClient.SqlClient, sql),
    Effect.mapError((error) => (error._tag === "SqlError" ? failed(path, "write", error) : error))
  )
  return { location: path, open }
})

/**
 * What reading an export can fail with.
 *
 * @category errors
 * @since 0.1.0
 */
export type ReadError = ExportSink.OutputUnusable | ExportSink.SinkFailed

const reading = <A>(
  path: string,
  rows: (sql: SqlClient.SqlClient) => Stream.Stream<A, SqlError.SqlError, SqlClient.SqlClient>
): Stream.Stream<A, ReadError, SqlClient.SqlClient> =>
  Stream.unwrap(Effect.map(postgres(path), rows)).pipe(
    Stream.mapError((error) => (error._tag === "SqlError" ? failed(path, "read", error) : error))
  )

/**
 * The failures of the last run, ascending by line.
 *
 * @example
 * ```ts
 * import * as SqlSink from "@effect-zim/export/SqlSink"
 * import { Stream } from "effect"
 *
 * const failed = SqlSink.failures(12345, { name: "nightly" }).pipe(Stream.map(({ line }) => line))
 * ```
 *
 * @category running
 * @since 0.1.0
 */
export const failures = (
  appId: number,
  options?: Options
): Stream.Stream<ExportSink.Failed, ReadError, SqlClient.SqlClient> =>
  reading(locationOf(options), (sql) =>
    Stream.unwrap(
      Effect.map(lastRun(sql, appId, options), (run) => (run === undefined ? Stream.empty : SqlRows.failures(run.id)))
    )
  )

/**
 * A conversation as it stands in the database.
 *
 * @category models
 * @since 0.1.0
 */
export type Row = Tables.Row

/**
 * All conversations of an app as of one moment, a user's together and ascending by time.
 *
 * @example
 * ```ts
 * import * as SqlSink from "@effect-zim/export/SqlSink"
 * import { Stream } from "effect"
 *
 * const users = SqlSink.conversations(12345).pipe(
 *   Stream.map(({ userId }) => userId),
 *   Stream.changes
 * )
 * ```
 *
 * @category running
 * @since 0.1.0
 */
export const conversations = (appId: number): Stream.Stream<Row, ReadError, SqlClient.SqlClient> =>
  reading("PostgreSQL", () => SqlRows.conversations(appId))

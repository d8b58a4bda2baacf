/**
 * The tables of an export in PostgreSQL, without an export: for a package of ours that reads lists in another way.
 *
 * @since 0.1.0
 */
import * as Arr from "effect/Array"
import * as Effect from "effect/Effect"
import * as SqlClient from "effect/sql/SqlClient"
import type { SqlError } from "effect/sql/SqlError"
import type { Statement } from "effect/sql/Statement"
import * as Stream from "effect/Stream"
import type * as Checkpoint from "./Checkpoint.ts"
import type * as ExportSink from "./ExportSink.ts"
import * as Tables from "./internal/tableRows.ts"

export { escape, unescape } from "./internal/escapedText.ts"
export { migrate, migrateTo, transaction } from "./internal/sqlSinkTables.ts"

/** The client whose statements and rows have the names that stand here. */
const client = Effect.map(SqlClient.SqlClient, (sql) => sql.withoutTransforms())

/**
 * Begins a run, and gives its number. `startedAt` is in ISO 8601.
 *
 * @internal
 */
export const beginRun = Effect.fnUntraced(function* (run: {
  readonly appId: number
  readonly name: string
  readonly startedAt: string
}) {
  const sql = yield* client
  const [row] = yield* sql`INSERT INTO zim.runs (app_id, name, started_at)
    VALUES (${run.appId}, ${run.name}, ${run.startedAt}) RETURNING id`
  return Number(row?.["id"])
})

/**
 * Notes what a run has come to.
 *
 * @internal
 */
export const saveRun = Effect.fnUntraced(function* (run: number, counts: Checkpoint.Counts) {
  const sql = yield* client
  yield* sql`UPDATE zim.runs SET ${sql.update(Tables.countsOf(counts))} WHERE id = ${run}`
})

/** How many lists are compared at a time: each may have 1000 entries. */
const listsAtOnce = 64

/** Writes lists of different users. Rows of others who write the same users' lists are seen, and wait for the commit. */
const writeLists = Effect.fnUntraced(function* (
  run: number,
  appId: number,
  lists: Arr.NonEmptyReadonlyArray<ExportSink.Exported>
) {
  const sql = yield* client
  const users = lists.map(({ conversations, userId, verdict }) => ({
    user_id: userId,
    conversations: conversations.length,
    verdict
  }))
  // Its rows are locked from here on; in one order, so that no two can wait for each other.
  yield* sql`INSERT INTO zim.users (app_id, user_id, conversations, verdict, changed_run, last_run)
    SELECT ${appId}::bigint, user_id, conversations, verdict, ${run}::bigint, ${run}::bigint
    FROM json_to_recordset(${JSON.stringify(users)}) AS list (user_id text, conversations integer, verdict text)
    ORDER BY user_id COLLATE "C"
    ON CONFLICT (app_id, user_id) DO UPDATE SET
      conversations = excluded.conversations, verdict = excluded.verdict, last_run = excluded.last_run`
  const ids = JSON.stringify(lists.map(({ userId }) => userId))
  const rows = yield* sql<Tables.Columns>`SELECT user_id, type_code, conversation_id, type, updated_at FROM zim.entries
    WHERE app_id = ${appId} AND user_id = ANY (ARRAY (SELECT json_array_elements_text(${ids})))`
  const rowsOf = Map.groupBy(rows, (row) => row["user_id"])
  const changes = lists.map((list) => ({
    user_id: list.userId,
    ...Tables.changesOf(list, rowsOf.get(list.userId) ?? [])
  }))
  const changed = changes.flatMap(({ changed, user_id }) => changed.map((entry) => ({ user_id, ...entry })))
  if (changed.length > 0) {
    yield* sql`INSERT INTO zim.entries
        (app_id, user_id, type_code, conversation_id, type, updated_at, first_run, changed_run)
      SELECT ${appId}::bigint, user_id, type_code, conversation_id, type, updated_at, ${run}::bigint, ${run}::bigint
      FROM json_to_recordset(${JSON.stringify(changed)})
        AS entry (user_id text, type_code bigint, conversation_id text, type text, updated_at bigint)
      ON CONFLICT (app_id, user_id, type_code, conversation_id) DO UPDATE SET
        updated_at = excluded.updated_at, changed_run = excluded.changed_run`
  }
  const gone = changes.flatMap(({ disappeared, user_id }) =>
    disappeared.map(({ conversation_id, reason, type_code }) => ({ user_id, type_code, conversation_id, reason }))
  )
  if (gone.length > 0) {
    yield* sql`WITH gone AS (
        DELETE FROM zim.entries AS entry
        USING json_to_recordset(${JSON.stringify(gone)})
          AS gone (user_id text, type_code bigint, conversation_id text, reason text)
        WHERE entry.app_id = ${appId} AND entry.user_id = gone.user_id AND entry.type_code = gone.type_code
          AND entry.conversation_id = gone.conversation_id
        RETURNING entry.*, gone.reason
      )
      INSERT INTO zim.disappeared (app_id, run, user_id, type_code, conversation_id, type, updated_at, reason)
      SELECT app_id, ${run}::bigint, user_id, type_code, conversation_id, type, updated_at, reason FROM gone
      ON CONFLICT (run, user_id, type_code, conversation_id) DO UPDATE SET
        updated_at = excluded.updated_at, reason = excluded.reason`
  }
  const others = changes.filter(({ changed, disappeared }) => changed.length + disappeared.length > 0)
  yield* sql`UPDATE zim.users SET changed_run = ${run} WHERE app_id = ${appId} AND user_id = ANY (
    ARRAY (SELECT json_array_elements_text(${JSON.stringify(others.map(({ user_id }) => user_id))})))`
})

/**
 * Writes what has become of lines, in the caller's transaction: the lists, what has changed in them since, what has
 * disappeared from them, and the failures. Once more, it changes nothing. A user's list is the one that was written last;
 * several transactions that write the same users' lists wait for each other.
 *
 * @internal
 */
export const write = Effect.fnUntraced(function* (
  run: number,
  appId: number,
  outcomes: ReadonlyArray<ExportSink.Outcome>
) {
  const sql = yield* client
  const lists = new Map<string, ExportSink.Exported>()
  const failures: Array<ReturnType<typeof Tables.failureOf>> = []
  for (const outcome of outcomes) {
    if (outcome._tag === "Exported") lists.set(outcome.userId, outcome)
    else failures.push(Tables.failureOf(outcome))
  }
  const sorted = [...lists.values()].toSorted((a, b) => (a.userId < b.userId ? -1 : 1))
  yield* Effect.forEach(Arr.chunksOf(sorted, listsAtOnce), (lists) => writeLists(run, appId, lists), { discard: true })
  if (failures.length === 0) return
  yield* sql`INSERT INTO zim.failures (app_id, run, line, user_id, error, code, request_id, message)
    SELECT ${appId}::bigint, ${run}::bigint, line, user_id, error, code, request_id, message
    FROM json_to_recordset(${JSON.stringify(failures)})
      AS failure (line bigint, user_id text, error text, code bigint, request_id text, message text)
    ON CONFLICT (run, line) DO UPDATE SET user_id = excluded.user_id, error = excluded.error, code = excluded.code,
      request_id = excluded.request_id, message = excluded.message`
})

const rowsOf = (query: (sql: SqlClient.SqlClient) => Statement<Tables.Columns>) =>
  Stream.unwrap(Effect.map(client, (sql) => query(sql).stream))

/**
 * All conversations of an app, as of one moment: a user's together and ascending by time.
 *
 * @internal
 */
export const conversations = (appId: number): Stream.Stream<Tables.Row, SqlError, SqlClient.SqlClient> =>
  Stream.map(
    rowsOf(
      (sql) => sql`SELECT user_id, type_code, conversation_id, type, updated_at FROM zim.entries
        WHERE app_id = ${appId} ORDER BY user_id, updated_at, type_code, conversation_id`
    ),
    Tables.rowOf
  )

/**
 * The failures of a run, ascending by line.
 *
 * @internal
 */
export const failures = (run: number): Stream.Stream<ExportSink.Failed, SqlError, SqlClient.SqlClient> =>
  Stream.map(
    rowsOf((sql) => sql`SELECT * FROM zim.failures WHERE run = ${run} ORDER BY line`),
    Tables.failedOf
  )

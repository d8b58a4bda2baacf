/**
 * A store of exports in PostgreSQL, in the schema `zim`, beside the rows that they write. Any number of processes may use it
 * at a time.
 *
 * Tables of its own; those of the rows are `SqlSink`'s:
 *
 * - `exports`: one row for each, with state, settings, attempt and problem.
 * - `export_lines`: what was submitted, a thousand lines a row.
 * - `export_batches`: one row for each batch: who has taken it, and its checkpoint.
 * - `export_pace`: calls and users of each ten seconds.
 *
 * @since 0.1.0
 */
import { Checkpoint, type ExportSink, UserList } from "@effect-zim/export"
import * as SqlRows from "@effect-zim/export/SqlRows"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as SqlClient from "effect/sql/SqlClient"
import * as SqlError from "effect/sql/SqlError"
import type * as Statement from "effect/sql/Statement"
import * as Stream from "effect/Stream"
import { DurableExport, isEnded, type State } from "./DurableExport.ts"
import { ExportStore, type Lease, type Saved, StoreFailed, type Submission, type Why } from "./ExportStore.ts"
import { tables } from "./internal/sqlStoreTables.ts"
import * as SubmittedLines from "./internal/submittedLines.ts"

/** Lines in a row of what was submitted. */
const chunkLength = 1000

/** How long calls are kept together by which the pace is told, in seconds. */
const bucket = 10

const failed = (cause: unknown): StoreFailed =>
  new StoreFailed({ problem: SqlError.isSqlError(cause) ? cause.message : "what it holds cannot be read", cause })

const orFailed = Effect.mapError(failed)

const decodeExports = Schema.decodeUnknownEffect(Schema.Array(Schema.Struct({ export: DurableExport })))

const decodeBatches = Schema.decodeUnknownEffect(
  Schema.NonEmptyArray(
    Schema.Struct({
      epoch: Schema.Int,
      from_line: Schema.Int,
      to_line: Schema.Int,
      upload: Schema.Int,
      checkpoint: Schema.NullOr(Checkpoint.Checkpoint),
      witness: Schema.NullOr(Schema.String)
    })
  )
)

/** An export as it stands: sums over its batches, and what was saved of late. */
const viewOf = (sql: SqlClient.SqlClient, where: Statement.Fragment) => {
  const sums = sql.literal(
    Object.keys(Checkpoint.noCounts)
      .map((name) => `'${name}', coalesce(sum((checkpoint->'counts'->>'${name}')::int), 0)`)
      .join(", ")
  )
  return sql`
    SELECT jsonb_strip_nulls(jsonb_build_object(
      'id', id, 'name', name, 'appId', app_id, 'state', state, 'attempt', attempt, 'run', e.run, 'settings', settings,
      'submittedAt', submitted_at, 'endedAt', ended_at, 'lines', e.lines, 'problem', problem,
      'counts', counts || jsonb_build_object(
        'lines', (counts->'lines')::int + duplicates, 'duplicates', (counts->'duplicates')::int + duplicates
      ),
      'batches', batches, 'callsPerSecond', pace, 'workers', workers
    )) AS export
    FROM zim.exports e
    CROSS JOIN LATERAL (
      SELECT
        jsonb_build_object(${sums}) AS counts,
        jsonb_build_object('total', count(*), 'finished', count(*) FILTER (WHERE is_finished)) AS batches
      FROM zim.export_batches b WHERE b.run = e.run
    ) AS done
    CROSS JOIN LATERAL (
      -- One that has just begun has no minute to be told by.
      SELECT coalesce(sum(calls) / greatest(1, extract(epoch FROM now() - min(began_at))), 0)::float8 AS pace
      FROM zim.export_pace p
      WHERE p.run = e.run AND began_at > now() - interval '1 minute'
    ) AS pace
    CROSS JOIN LATERAL (
      SELECT coalesce(jsonb_agg(jsonb_build_object('name', worker, 'batches', batches) ORDER BY worker), '[]') AS workers
      FROM (
        SELECT worker, count(*) AS batches FROM zim.export_batches b
        WHERE b.run = e.run AND NOT is_finished AND saved_at > now() - interval '1 minute'
        GROUP BY worker
      ) AS working
    ) AS working
    ${where}
    ORDER BY e.run DESC`
}

const jsonOf = (problem: DurableExport["problem"]): string | null =>
  problem === undefined ? null : JSON.stringify(problem)

/** What is submitted has come in before: the transaction is taken back. */
class Known extends Schema.TaggedError<Known>("@effect-zim/durable/Known")("Known", { id: Schema.String }) {}

/** Puts lines by, a thousand at a time; nobody sees them yet. What nobody has finished is kept for a day. */
const upload = Effect.fnUntraced(function* <E, R>(sql: SqlClient.SqlClient, lines: Stream.Stream<string, E, R>) {
  yield* orFailed(sql`
    DELETE FROM zim.export_lines l
    WHERE uploaded_at < now() - interval '1 day'
      AND NOT EXISTS (SELECT 1 FROM zim.exports e WHERE e.upload = l.upload)`)
  const [begun] = yield* orFailed(sql<{ id: number }>`SELECT nextval('zim.uploads')::float8 AS id`)
  const id = begun?.id ?? 0
  let chunk = 0
  let length = 0
  yield* lines.pipe(
    Stream.grouped(chunkLength),
    Stream.runForEach((texts) => {
      const invalid = texts.flatMap((text, i) => (Option.isSome(UserList.check(text)) ? [i + 1] : []))
      length += texts.length
      return orFailed(sql`
        INSERT INTO zim.export_lines (upload, chunk, texts, invalid)
        VALUES (${id}, ${chunk++}, ${texts.map(SqlRows.escape)}, ${invalid})`)
    })
  )
  return { id, length }
})

/** Makes an export of an upload, and records the users who come twice. */
const accept = Effect.fnUntraced(function* (
  sql: SqlClient.SqlClient,
  { appId, name, settings }: Submission,
  { id: upload, length }: { readonly id: number; readonly length: number }
) {
  const [named] = yield* sql<{ id: string }>`
    SELECT ${name}::text || '-' || left(encode(sha256(convert_to(
      jsonb_build_array(
        ${appId}::bigint, ${name}::text,
        coalesce(string_agg(encode(sha256(convert_to(array_to_json(texts)::text, 'UTF8')), 'hex'), '' ORDER BY chunk), '')
      )::text, 'UTF8')), 'hex'), 10) AS id
    FROM zim.export_lines WHERE upload = ${upload}`
  const id = named?.id ?? ""
  const run = yield* SqlRows.beginRun({ appId, name: id, startedAt: DateTime.formatIso(yield* DateTime.now) })
  const inserted = yield* sql`
    INSERT INTO zim.exports (id, upload, run, name, app_id, settings, lines, duplicates)
    VALUES (${id}, ${upload}, ${run}, ${name}, ${appId}, ${JSON.stringify(settings)}::text::jsonb, ${length}, 0)
    ON CONFLICT (id) DO NOTHING RETURNING id`
  if (inserted.length === 0) return yield* new Known({ id })
  const { error, message } = SubmittedLines.duplicate(0, "")
  yield* sql`
    WITH lines AS (
      SELECT chunk, ord, text, row_number() OVER (PARTITION BY text ORDER BY chunk, ord) AS nth
      FROM zim.export_lines, unnest(texts) WITH ORDINALITY AS u (text, ord)
      WHERE upload = ${upload} AND NOT ord = ANY (invalid)
    ), duplicates AS (
      SELECT chunk, ord, text FROM lines WHERE nth > 1
    ), marked AS (
      UPDATE zim.export_lines l SET duplicates = d.ords
      FROM (SELECT chunk, array_agg(ord::int) AS ords FROM duplicates GROUP BY chunk) AS d
      WHERE l.upload = ${upload} AND l.chunk = d.chunk
    ), recorded AS (
      INSERT INTO zim.failures (app_id, run, line, user_id, error, message)
      SELECT ${appId}, ${run}, chunk * ${chunkLength} + ord, left(text, 64), ${error}, ${message} FROM duplicates
    )
    UPDATE zim.exports SET duplicates = (SELECT count(*) FROM duplicates) WHERE id = ${id}`
  const ranges = SubmittedLines.divide(length)
  yield* sql`
    INSERT INTO zim.export_batches (run, batch, from_line, to_line)
    SELECT ${run}, ord - 1, from_line, to_line
    FROM unnest(${ranges.map(({ from }) => from)}::int[], ${ranges.map(({ to }) => to)}::int[])
      WITH ORDINALITY AS r (from_line, to_line, ord)`
  return { id, isNew: true }
})

/** Saves what became of lines, where the batch is still of this lease. */
const saveBatch = Effect.fnUntraced(function* (
  sql: SqlClient.SqlClient,
  { batch, epoch, id }: Lease,
  outcomes: ReadonlyArray<ExportSink.Outcome>,
  checkpoint: Checkpoint.Checkpoint
): Effect.fn.Return<Saved, SqlError.SqlError | Schema.SchemaError, SqlClient.SqlClient> {
  const [before] = yield* sql<{ run: number; app_id: number; calls: number; users: number }>`
    WITH before AS (
      SELECT b.run, app_id, batch, checkpoint FROM zim.export_batches b JOIN zim.exports e ON b.run = e.run
      WHERE id = ${id} AND batch = ${batch} AND epoch = ${epoch}
      FOR UPDATE OF b
    )
    UPDATE zim.export_batches b SET
      checkpoint = ${JSON.stringify(checkpoint)}::text::jsonb, is_finished = ${checkpoint.isFinished}, saved_at = now()
    FROM before WHERE b.run = before.run AND b.batch = before.batch
    RETURNING b.run::float8 AS run, app_id::float8 AS app_id,
      coalesce((before.checkpoint->'counts'->>'calls')::int, 0) AS calls,
      coalesce((before.checkpoint->'counts'->>'users')::int, 0) AS users`
  if (before === undefined) return "Superseded"
  const { app_id, calls, run, users } = before
  yield* SqlRows.write(run, app_id, outcomes)
  yield* sql`UPDATE zim.exports SET problem = NULL WHERE run = ${run} AND problem IS NOT NULL AND state = 'Running'`
  // Last: what all batches write is locked until the end.
  yield* sql`
    INSERT INTO zim.export_pace AS pace (run, began_at, calls, users)
    VALUES (
      ${run},
      to_timestamp(floor(extract(epoch FROM now()) / ${bucket}) * ${bucket}),
      ${checkpoint.counts.calls - calls}, ${checkpoint.counts.users - users}
    )
    ON CONFLICT (run, began_at) DO UPDATE SET
      calls = pace.calls + excluded.calls, users = pace.users + excluded.users`
  return "Saved"
})

/** The exports that a condition is true of, the latest first. */
const exportsWhere = (sql: SqlClient.SqlClient, where: Statement.Fragment) =>
  viewOf(sql, where).pipe(
    Effect.flatMap(decodeExports),
    Effect.map((rows) => rows.map((row) => row.export))
  )

/** Notes in the run what the export has come to. */
const settle = Effect.fnUntraced(function* (sql: SqlClient.SqlClient, id: string, state: State) {
  const [now] = yield* exportsWhere(sql, sql`WHERE id = ${id}`)
  if (now === undefined) return
  yield* SqlRows.saveRun(now.run, now.counts)
  const runState = state === "Finished" ? "finished" : isEnded({ state }) ? "abandoned" : "running"
  yield* sql`
    UPDATE zim.runs SET state = ${runState}, finished_at = ${now.endedAt === undefined ? null : DateTime.formatIso(now.endedAt)}
    WHERE id = ${now.run}`
})

/** Changes the state of an export, where it is in one of these, and of this attempt. */
const change = Effect.fnUntraced(function* (
  sql: SqlClient.SqlClient,
  id: string,
  from: ReadonlyArray<State>,
  to: State,
  { attempt, problem }: Why
) {
  const changed = yield* sql`
    UPDATE zim.exports SET
      state = ${to},
      attempt = attempt + CASE WHEN ${to} = 'Running' AND state <> 'Paused' THEN 1 ELSE 0 END,
      ended_at = CASE WHEN ${isEnded({ state: to })} THEN now() END,
      problem = ${jsonOf(problem)}::text::jsonb
    WHERE id = ${id} AND state = ANY (${from}) AND attempt = coalesce(${attempt ?? null}::int, attempt) RETURNING id`
  if (changed.length === 0) return false
  yield* settle(sql, id, to)
  return true
})

/** The lines of a batch that are nobody's a second time. */
const linesOf = (sql: SqlClient.SqlClient, upload: number, from: number, to: number) =>
  sql<{ line: number; text: string }>`
    SELECT (chunk * ${chunkLength} + ord)::int AS line, text
    FROM zim.export_lines, unnest(texts) WITH ORDINALITY AS u (text, ord)
    WHERE upload = ${upload}
      AND chunk BETWEEN ${Math.floor((from - 1) / chunkLength)} AND ${Math.floor((to - 1) / chunkLength)}
      AND chunk * ${chunkLength} + ord BETWEEN ${from} AND ${to}
      AND NOT ord = ANY (duplicates)
    ORDER BY chunk, ord`

/** Gives a batch to a worker: the lease of whoever had it before is void. */
const take = Effect.fnUntraced(function* (sql: SqlClient.SqlClient, id: string, batch: number, worker: string) {
  const [{ checkpoint, epoch, from_line, to_line, upload, witness }] = yield* sql`
    UPDATE zim.export_batches b SET epoch = epoch + 1, worker = ${worker}, saved_at = now()
    FROM zim.exports e WHERE e.id = ${id} AND b.run = e.run AND b.batch = ${batch}
    RETURNING epoch, from_line, to_line, upload::float8 AS upload, checkpoint,
      (SELECT checkpoint->>'witness' FROM zim.export_batches w
       WHERE w.run = b.run AND checkpoint->>'witness' IS NOT NULL LIMIT 1) AS witness`.pipe(
    Effect.flatMap(decodeBatches)
  )
  const lines = yield* linesOf(sql, upload, from_line, to_line)
  return {
    lease: { id, batch, epoch },
    lines: lines.map(({ line, text }) => ({ line, text: SqlRows.unescape(text) })),
    checkpoint: checkpoint ?? undefined,
    witness: witness ?? undefined
  }
})

const makeStore = (sql: SqlClient.SqlClient): ExportStore["Service"] => {
  const inTransaction = <A, E, R>(self: Effect.Effect<A, E, R>) =>
    Effect.provideService(SqlRows.transaction(self), SqlClient.SqlClient, sql)

  return {
    submit: Effect.fnUntraced(function* (submission, lines) {
      const uploaded = yield* upload(sql, lines)
      return yield* inTransaction(accept(sql, submission, uploaded)).pipe(
        Effect.catchTag("Known", ({ id }) =>
          Effect.as(sql`DELETE FROM zim.export_lines WHERE upload = ${uploaded.id}`, { id, isNew: false })
        ),
        orFailed
      )
    }),
    find: (id) =>
      exportsWhere(sql, sql`WHERE id = ${id}`).pipe(
        Effect.map(([found]) => Option.fromNullishOr(found)),
        orFailed
      ),
    isRunning: (id, attempt) =>
      sql`SELECT 1 FROM zim.exports WHERE id = ${id} AND attempt = ${attempt} AND state = 'Running'`.pipe(
        Effect.map((rows) => rows.length > 0),
        orFailed
      ),
    list: orFailed(exportsWhere(sql, sql.literal(""))),
    failures: (id) =>
      Stream.fromIterableEffect(sql<{ run: number }>`SELECT run::float8 AS run FROM zim.exports WHERE id = ${id}`).pipe(
        Stream.flatMap(({ run }) => SqlRows.failures(run)),
        Stream.mapError(failed),
        Stream.provideService(SqlClient.SqlClient, sql)
      ),
    change: (id, from, to, why = {}) => change(sql, id, from, to, why).pipe(inTransaction, orFailed),
    report: (id, problem) =>
      sql`
        UPDATE zim.exports SET problem = ${jsonOf(problem)}::text::jsonb
        WHERE id = ${id} AND state IN ('Running', 'Paused')`.pipe(Effect.asVoid, orFailed),
    unstarted: orFailed(sql<{ id: string; attempt: number }>`
      SELECT id, attempt FROM zim.exports WHERE state IN ('Running', 'Paused') AND started_attempt < attempt`),
    started: (id, attempt) =>
      sql`UPDATE zim.exports SET started_attempt = ${attempt} WHERE id = ${id} AND started_attempt < ${attempt}`.pipe(
        Effect.asVoid,
        orFailed
      ),
    remaining: (id, attempt, atMost) =>
      sql<{ batches: ReadonlyArray<number> }>`
        SELECT array(
          SELECT batch FROM zim.export_batches b WHERE b.run = e.run AND NOT is_finished ORDER BY batch LIMIT ${atMost}
        ) AS batches
        FROM zim.exports e WHERE id = ${id} AND attempt = ${attempt} AND state IN ('Running', 'Paused')`.pipe(
        Effect.map(([found]) => Option.map(Option.fromUndefinedOr(found), ({ batches }) => batches)),
        orFailed
      ),
    take: (id, batch, worker) => orFailed(take(sql, id, batch, worker)),
    save: (lease, outcomes, checkpoint) => inTransaction(saveBatch(sql, lease, outcomes, checkpoint)).pipe(orFailed)
  }
}

/**
 * A store in the database of the context, which must be PostgreSQL 12 or later. Makes its tables, or brings them up to date.
 *
 * @example
 * ```ts
 * import { Exports, SqlStore } from "@effect-zim/durable"
 * import * as PgClient from "@effect/sql-pg/PgClient"
 * import { Config, Effect, Layer } from "effect"
 *
 * const store = SqlStore.layer.pipe(Layer.provide(PgClient.layerConfig({ url: Config.Redacted("ZIM_DATABASE_URL") })))
 * const all = Effect.provide(Exports.list, store)
 * ```
 *
 * @category layers
 * @since 0.1.0
 */
export const layer: Layer.Layer<ExportStore, StoreFailed, SqlClient.SqlClient> = Layer.effect(
  ExportStore,
  Effect.gen(function* () {
    const sql = (yield* SqlClient.SqlClient).withoutTransforms()
    yield* Effect.mapError(Effect.andThen(SqlRows.migrate, SqlRows.migrateTo(tables)), failed)
    return makeStore(sql)
  })
)

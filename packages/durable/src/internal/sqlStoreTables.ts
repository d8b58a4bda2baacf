/** The tables of a store in PostgreSQL, beside those of the rows that exports write. */
import * as Effect from "effect/Effect"
import * as SqlClient from "effect/sql/SqlClient"

const first = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  yield* sql`CREATE SEQUENCE zim.uploads`
  // The lines as they were submitted, a thousand a row.
  yield* sql`
    CREATE TABLE zim.export_lines (
      upload bigint NOT NULL,
      chunk int NOT NULL,
      texts text[] NOT NULL,
      invalid int[] NOT NULL,
      duplicates int[] NOT NULL DEFAULT '{}',
      uploaded_at timestamptz NOT NULL DEFAULT now(),
      PRIMARY KEY (upload, chunk)
    )`
  yield* sql`
    CREATE TABLE zim.exports (
      id text PRIMARY KEY,
      upload bigint NOT NULL UNIQUE,
      run bigint NOT NULL UNIQUE,
      name text NOT NULL,
      app_id bigint NOT NULL,
      settings jsonb NOT NULL,
      state text NOT NULL DEFAULT 'Running'
        CHECK (state IN ('Running', 'Paused', 'Finished', 'Failed', 'Cancelled')),
      attempt int NOT NULL DEFAULT 1,
      started_attempt int NOT NULL DEFAULT 0,
      submitted_at timestamptz NOT NULL DEFAULT now(),
      ended_at timestamptz,
      lines int NOT NULL,
      duplicates int NOT NULL,
      problem jsonb
    )`
  yield* sql`
    CREATE TABLE zim.export_batches (
      run bigint NOT NULL,
      batch int NOT NULL,
      from_line int NOT NULL,
      to_line int NOT NULL,
      epoch int NOT NULL DEFAULT 0,
      worker text,
      saved_at timestamptz,
      is_finished boolean NOT NULL DEFAULT false,
      checkpoint jsonb,
      PRIMARY KEY (run, batch)
    ) WITH (fillfactor = 50)`
  yield* sql`
    CREATE TABLE zim.export_pace (
      run bigint NOT NULL,
      began_at timestamptz NOT NULL,
      calls int NOT NULL,
      users int NOT NULL,
      PRIMARY KEY (run, began_at)
    )`
})

export const tables = { table: "zim.export_migrations", migrations: { "1_exports": first } }

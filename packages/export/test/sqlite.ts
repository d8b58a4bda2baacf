/** SQLite databases of the tests. */
import * as SqliteSink from "@effect-zim/export/SqliteSink"
import * as Effect from "effect/Effect"
import { DatabaseSync } from "node:sqlite"
import type { Database } from "./databaseLaws.ts"

export const query = (path: string, sql: string): ReadonlyArray<Record<string, unknown>> => {
  const database = new DatabaseSync(path, { readOnly: true })
  try {
    return database
      .prepare(sql)
      .all()
      .map((row) => ({ ...row }))
  } finally {
    database.close()
  }
}

export const databaseAt = (path: string): Database => ({
  sink: SqliteSink.make({ path }),
  conversations: SqliteSink.conversations(path),
  failures: SqliteSink.failures(path),
  query: (sql) => Effect.sync(() => query(path, sql))
})

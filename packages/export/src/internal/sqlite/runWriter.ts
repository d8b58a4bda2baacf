/** What a run changes in the tables of an export. Node only. */
import type { DatabaseSync } from "node:sqlite"
import type { Checkpoint } from "../../Checkpoint.ts"
import type * as ExportSink from "../../ExportSink.ts"
import { changesOf, failureOf, runColumnsOf } from "../tableRows.ts"
import { transaction } from "./database.ts"

const insert = (table: string, columns: ReadonlyArray<string>): string =>
  `INSERT INTO ${table} (${columns.join(", ")}) VALUES (:${columns.join(", :")})`

/** Begins a run in place of one that is not finished. */
export const begin = (database: DatabaseSync, checkpoint: Checkpoint): number =>
  transaction(database, () => {
    database.exec("UPDATE runs SET state = 'abandoned' WHERE state = 'running'")
    const { appId, run, startedAt } = checkpoint
    const row = { name: run, app_id: appId, started_at: startedAt, ...runColumnsOf(checkpoint, startedAt) }
    return Number(database.prepare(insert("runs", Object.keys(row))).run(row).lastInsertRowid)
  })

const prepare = (database: DatabaseSync) => ({
  known: database.prepare("SELECT type_code, conversation_id, type, updated_at FROM conversations WHERE user_id = ?"),
  put: database.prepare(
    // By place: a row by names takes twice as long, and there are more of these than of all others.
    `INSERT INTO conversations (user_id, type_code, conversation_id, type, updated_at, first_run, changed_run)
     VALUES (?, ?, ?, ?, ?, ?, ?)
     ON CONFLICT DO UPDATE SET updated_at = excluded.updated_at, changed_run = excluded.changed_run`
  ),
  remove: database.prepare("DELETE FROM conversations WHERE user_id = ? AND type_code = ? AND conversation_id = ?"),
  disappear: database.prepare(
    insert("disappeared", ["run", "user_id", "type_code", "conversation_id", "type", "updated_at", "reason"])
  ),
  user: database.prepare(
    `INSERT INTO users (user_id, conversations, verdict, changed_run, last_run) VALUES (?, ?, ?, ?, ?)
     ON CONFLICT DO UPDATE SET
       conversations = excluded.conversations, verdict = excluded.verdict, last_run = excluded.last_run,
       changed_run = CASE WHEN ? THEN excluded.changed_run ELSE changed_run END`
  ),
  fail: database.prepare(insert("failures", ["run", "line", "user_id", "error", "code", "request_id", "message"])),
  run: database.prepare(
    `UPDATE runs SET lines = :lines, users = :users, conversations = :conversations, failed = :failed,
       invalid = :invalid, duplicates = :duplicates, changed_while_reading = :changed_while_reading, at_cap = :at_cap,
       checkpoint = :checkpoint, state = :state, finished_at = :finished_at WHERE id = :run`
  )
})

/** Writes one run: its statements are prepared once. */
export const make = (database: DatabaseSync, run: number) => {
  const statements = prepare(database)

  const putUser = (exported: ExportSink.Exported): void => {
    const { conversations, userId, verdict } = exported
    const { changed, disappeared } = changesOf(exported, statements.known.iterate(userId))
    for (const { conversation_id, type, type_code, updated_at } of changed) {
      statements.put.run(userId, type_code, conversation_id, type, updated_at, run, run)
    }
    for (const entry of disappeared) {
      statements.disappear.run({ run, user_id: userId, ...entry })
      statements.remove.run(userId, entry.type_code, entry.conversation_id)
    }
    const hasChanged = changed.length + disappeared.length > 0
    statements.user.run(userId, conversations.length, verdict, run, run, hasChanged ? 1 : 0)
  }

  return {
    put: (outcome: ExportSink.Outcome): void => {
      if (outcome._tag === "Exported") return putUser(outcome)
      statements.fail.run({ run, ...failureOf(outcome) })
    },
    save: (checkpoint: Checkpoint, now: string): void => {
      statements.run.run({ run, ...runColumnsOf(checkpoint, now) })
    }
  }
}

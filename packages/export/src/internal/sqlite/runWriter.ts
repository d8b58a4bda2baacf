/** What a run changes in the tables of an export. Node only. */
import type { DatabaseSync } from "node:sqlite"
import type { Checkpoint } from "../../Checkpoint.ts"
import type * as ExportSink from "../../ExportSink.ts"
import { escape } from "../escapedText.ts"

/** A row that is there already, with the key of its conversation. */
interface Known {
  readonly updatedAt: number
  readonly type: string
  readonly typeCode: number
  readonly id: string
}

const keyOf = (typeCode: number, id: string): string => `${typeCode}:${id}`

const prepare = (database: DatabaseSync) => ({
  known: database.prepare("SELECT type_code, conversation_id, type, updated_at FROM conversations WHERE user_id = ?"),
  put: database.prepare(
    `INSERT INTO conversations (user_id, type_code, conversation_id, type, updated_at, first_run, changed_run)
     VALUES (?, ?, ?, ?, ?, ?, ?)
     ON CONFLICT DO UPDATE SET updated_at = excluded.updated_at, changed_run = excluded.changed_run`
  ),
  remove: database.prepare("DELETE FROM conversations WHERE user_id = ? AND type_code = ? AND conversation_id = ?"),
  disappear: database.prepare(
    `INSERT INTO disappeared (run, user_id, type_code, conversation_id, type, updated_at, reason)
     VALUES (?, ?, ?, ?, ?, ?, ?)`
  ),
  user: database.prepare(
    `INSERT INTO users (user_id, conversations, verdict, changed_run, last_run) VALUES (?, ?, ?, ?, ?)
     ON CONFLICT DO UPDATE SET
       conversations = excluded.conversations, verdict = excluded.verdict, last_run = excluded.last_run,
       changed_run = CASE WHEN ? THEN excluded.changed_run ELSE changed_run END`
  ),
  fail: database.prepare(
    "INSERT INTO failures (run, line, user_id, error, code, request_id, message) VALUES (?, ?, ?, ?, ?, ?, ?)"
  ),
  run: database.prepare(
    `UPDATE runs SET lines = ?, users = ?, conversations = ?, failed = ?, invalid = ?, duplicates = ?,
       changed_while_reading = ?, at_cap = ?, checkpoint = ? WHERE id = ?`
  ),
  finish: database.prepare("UPDATE runs SET state = 'finished', finished_at = ? WHERE id = ?")
})

/** Writes one run: its statements are prepared once. */
export const make = (database: DatabaseSync, run: number) => {
  const statements = prepare(database)

  const knownOf = (userId: string): Map<string, Known> => {
    const rows = new Map<string, Known>()
    for (const row of statements.known.iterate(userId)) {
      const typeCode = Number(row["type_code"])
      const id = String(row["conversation_id"])
      rows.set(keyOf(typeCode, id), { typeCode, id, type: String(row["type"]), updatedAt: Number(row["updated_at"]) })
    }
    return rows
  }

  /** What is no longer in the list. A list that changed while it was read may just have missed it. */
  const takeAway = ({ conversations, userId, verdict }: ExportSink.Exported, left: Iterable<Known>): number => {
    if (verdict === "ChangedWhileReading") return 0
    // A full list loses its oldest entries to newer ones: they are still there, but out of the service's reach.
    const reach = verdict === "AtCap" ? (conversations[0]?.updatedAtMillis ?? -Infinity) : -Infinity
    let count = 0
    for (const { id, type, typeCode, updatedAt } of left) {
      const reason = updatedAt <= reach ? "OutOfReach" : "Gone"
      statements.disappear.run(run, userId, typeCode, id, type, updatedAt, reason)
      statements.remove.run(userId, typeCode, id)
      count++
    }
    return count
  }

  const putUser = (exported: ExportSink.Exported): void => {
    const { conversations, userId, verdict } = exported
    const known = knownOf(userId)
    let changes = 0
    for (const conversation of conversations) {
      const { type, typeCode, updatedAtMillis } = conversation
      const id = escape(conversation.id)
      const key = keyOf(typeCode, id)
      const before = known.get(key)
      known.delete(key)
      if (before?.updatedAt === updatedAtMillis) continue
      statements.put.run(userId, typeCode, id, type, updatedAtMillis, run, run)
      changes++
    }
    changes += takeAway(exported, known.values())
    statements.user.run(userId, conversations.length, verdict, run, run, changes > 0 ? 1 : 0)
  }

  return {
    put: (outcome: ExportSink.Outcome): void => {
      if (outcome._tag === "Exported") return putUser(outcome)
      const { code, error, line, message, requestId, userId } = outcome
      const request = requestId === undefined ? null : escape(requestId)
      statements.fail.run(run, line, escape(userId), error, code ?? null, request, escape(message))
    },
    save: (checkpoint: Checkpoint): void => {
      const { atCap, changedWhileReading, conversations, duplicates, failed, invalid, lines, users } = checkpoint.counts
      const counts = [lines, users, conversations, failed, invalid, duplicates, changedWhileReading, atCap]
      statements.run.run(...counts, JSON.stringify(checkpoint), run)
    },
    finish: (time: string): void => {
      statements.finish.run(time, run)
    }
  }
}

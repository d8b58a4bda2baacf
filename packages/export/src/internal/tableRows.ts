/** What the tables of an export hold, whichever database they are in, and what a list that was read changes in them. */
import * as Effect from "effect/Effect"
import * as Struct from "effect/Struct"
import * as Checkpoint from "../Checkpoint.ts"
import * as ExportSink from "../ExportSink.ts"
import { escape, unescape } from "./escapedText.ts"

/** A row, as a driver gives it: a whole number may be a number, a bigint or text. */
export type Columns = Readonly<Record<string, string | number | bigint | Uint8Array | null>>

/** A conversation as it stands in the database. */
export interface Row {
  readonly userId: string
  readonly conversationId: string
  readonly type: string
  readonly typeCode: number
  /** Milliseconds since the epoch. */
  readonly updatedAt: number
}

export const rowOf = (row: Columns): Row => ({
  userId: unescape(String(row["user_id"])),
  conversationId: unescape(String(row["conversation_id"])),
  type: String(row["type"]),
  typeCode: Number(row["type_code"]),
  updatedAt: Number(row["updated_at"])
})

export const failedOf = (row: Columns): ExportSink.Failed => ({
  _tag: "Failed",
  line: Number(row["line"]),
  userId: unescape(String(row["user_id"])),
  error: String(row["error"]),
  code: row["code"] === null ? undefined : Number(row["code"]),
  requestId: row["request_id"] === null ? undefined : unescape(String(row["request_id"])),
  message: unescape(String(row["message"]))
})

/** The columns of a failure. */
export const failureOf = ({ code, error, line, message, requestId, userId }: ExportSink.Failed) => ({
  line,
  user_id: escape(userId),
  error,
  code: code ?? null,
  request_id: requestId === undefined ? null : escape(requestId),
  message: escape(message)
})

/** A run, as far as the next one must know it. */
export const runOf = (row: Columns) => ({
  id: Number(row["id"]),
  state: String(row["state"]),
  checkpoint: String(row["checkpoint"])
})

type Run = ReturnType<typeof runOf>

/** The last run, where it is to be gone on with; nothing where another one begins. */
export const unfinishedOf = Effect.fnUntraced(function* (last: Run | undefined, mode: ExportSink.Mode, path: string) {
  if (last?.state !== "running" || mode === "restart") return undefined
  if (mode === "new") return yield* new ExportSink.OutputExists({ path, isUnfinished: true })
  return { id: last.id, checkpoint: yield* Checkpoint.parse(Checkpoint.Checkpoint, last.checkpoint, path) }
})

/** The columns of a run's counts. */
export const countsOf = (counts: Checkpoint.Counts) =>
  Struct.renameKeys(Struct.omit(counts, ["calls"]), { changedWhileReading: "changed_while_reading", atCap: "at_cap" })

/** The columns of what a run has come to by now. */
export const runColumnsOf = (checkpoint: Checkpoint.Checkpoint, now: string) => ({
  ...countsOf(checkpoint.counts),
  checkpoint: JSON.stringify(checkpoint),
  state: checkpoint.isFinished ? "finished" : "running",
  finished_at: checkpoint.isFinished ? now : null
})

/** The columns of a conversation, by which a change is told. */
const entryOf = (row: Columns) => ({
  type_code: Number(row["type_code"]),
  conversation_id: String(row["conversation_id"]),
  type: String(row["type"]),
  updated_at: Number(row["updated_at"])
})

type Entry = ReturnType<typeof entryOf>

const keyOf = (entry: Entry): string => `${entry.type_code}:${entry.conversation_id}`

/** What a user's list changes in the rows that are there: those to be written, and those that have disappeared. */
export const changesOf = ({ conversations, verdict }: ExportSink.Exported, rows: Iterable<Columns>) => {
  const known = new Map(Array.from(rows, entryOf).map((entry) => [keyOf(entry), entry]))
  const changed: Array<Entry> = []
  for (const { id, type, typeCode, updatedAtMillis } of conversations) {
    const entry = { type_code: typeCode, conversation_id: escape(id), type, updated_at: updatedAtMillis }
    const key = keyOf(entry)
    if (known.get(key)?.updated_at !== updatedAtMillis) changed.push(entry)
    known.delete(key)
  }
  // A list that changed while it was read may just have missed what is no longer in it.
  const left = verdict === "ChangedWhileReading" ? [] : known.values()
  // A full list loses its oldest entries to newer ones: they are still there, but out of the service's reach.
  const reach = verdict === "AtCap" ? (conversations[0]?.updatedAtMillis ?? -Infinity) : -Infinity
  const disappeared = Array.from(left, (entry) => ({
    ...entry,
    reason: entry.updated_at <= reach ? "OutOfReach" : "Gone"
  }))
  return { changed, disappeared }
}

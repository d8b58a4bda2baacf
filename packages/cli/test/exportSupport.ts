/** Exports by `zim` as a process of its own, and what they must leave. */
import { assert } from "@effect/vitest"
import type { World } from "@effect-zim/emulator"
import { Effect, Schema, Stream } from "effect"
import { Csv } from "effect/encoding"
import { existsSync, readFileSync } from "node:fs"
import { DatabaseSync } from "node:sqlite"

export type Format = "ndjson" | "csv" | "sqlite"

const Record = Schema.Struct({
  userId: Schema.String,
  conversationId: Schema.String,
  type: Schema.String,
  typeCode: Schema.Number,
  updatedAt: Schema.String
})

const Failure = Schema.Struct({
  line: Schema.Int,
  userId: Schema.String,
  error: Schema.String,
  code: Schema.optional(Schema.Int),
  requestId: Schema.optional(Schema.String),
  message: Schema.String
})

export type Record = typeof Record.Type
export type Failure = typeof Failure.Type

export interface Exported {
  readonly records: ReadonlyArray<Record>
  readonly failures: ReadonlyArray<Failure>
}

const jsonLines = <A>(schema: Schema.Codec<A, unknown>, path: string): ReadonlyArray<A> => {
  const text = readFileSync(path, "utf8")
  assert.isTrue(text === "" || text.endsWith("\n"), `${path} ends in the middle of a line`)
  const decode = Schema.decodeUnknownSync(Schema.fromJsonString(schema))
  return text
    .split("\n")
    .slice(0, -1)
    .map((line) => decode(line))
}

const readDatabase = (path: string): Exported => {
  const database = new DatabaseSync(path, { readOnly: true })
  try {
    assert.deepStrictEqual({ ...database.prepare("PRAGMA integrity_check").get() }, { integrity_check: "ok" })
    const records = database.prepare("SELECT * FROM conversations ORDER BY user_id, updated_at").all()
    const failures = database.prepare("SELECT * FROM failures WHERE run = (SELECT max(id) FROM runs)").all()
    return {
      records: records.map((row) => ({
        userId: String(row["user_id"]),
        conversationId: String(row["conversation_id"]),
        type: String(row["type"]),
        typeCode: Number(row["type_code"]),
        updatedAt: new Date(Number(row["updated_at"])).toISOString()
      })),
      failures: failures.map((row) => ({
        line: Number(row["line"]),
        userId: String(row["user_id"]),
        error: String(row["error"]),
        message: String(row["message"]),
        code: Number(row["code"]),
        requestId: String(row["request_id"])
      }))
    }
  } finally {
    database.close()
  }
}

/** The conversations in an output. */
export const readRecords = Effect.fnUntraced(function* (
  path: string,
  format: Format
): Effect.fn.Return<ReadonlyArray<Record>> {
  if (format === "sqlite") return readDatabase(path).records
  if (format === "ndjson") return jsonLines(Record, path)
  const rows = yield* Stream.make(readFileSync(path, "utf8")).pipe(
    Stream.pipeThroughChannel(Csv.decodeString({ headers: true })),
    Stream.runCollect,
    Effect.orDie
  )
  const decode = Schema.decodeUnknownSync(Record)
  return rows.map((row) => decode({ ...row, typeCode: Number(row["typeCode"]) }))
})

/** What an export has left. */
export const read = Effect.fnUntraced(function* (path: string, format: Format): Effect.fn.Return<Exported> {
  if (format === "sqlite") return readDatabase(path)
  assert.isFalse(existsSync(`${path}.part`), "the unfinished output is still there")
  return { records: yield* readRecords(path, format), failures: jsonLines(Failure, `${path}.failures.ndjson`) }
})

/** What each user's list must be, straight from the world. */
const listOf = (world: World.World, userId: string): ReadonlyArray<Record> =>
  (world.users.find((user) => user.userId === userId)?.conversations ?? [])
    .toSorted((a, b) => a.UpdateTime - b.UpdateTime)
    .slice(-1000)
    .map((wire) => ({
      userId,
      conversationId: wire.ConvId,
      type: wire.ConvType === 2 ? "Group" : (wire.ConvType ?? 0) === 0 ? "OneToOne" : "Unknown",
      typeCode: wire.ConvType ?? 0,
      updatedAt: new Date(wire.UpdateTime).toISOString()
    }))

/** In an order that equal times do not leave open. */
const canonical = (records: ReadonlyArray<Record>): ReadonlyArray<string> =>
  records
    .map((record) => JSON.stringify([record.updatedAt, record.typeCode, record.conversationId, record.type]))
    .toSorted()

/** Each user's list once, together, in order and complete, and nothing else. */
export const assertLists = (records: ReadonlyArray<Record>, world: World.World, lines: ReadonlyArray<string>): void => {
  const lists = new Map<string, Array<Record>>()
  let last: string | undefined
  for (const record of records) {
    const list = lists.get(record.userId)
    if (list === undefined) lists.set(record.userId, [record])
    else {
      assert.strictEqual(record.userId, last, `the list of ${record.userId} is in two places`)
      assert.isTrue(record.updatedAt >= (list.at(-1)?.updatedAt ?? ""), record.userId)
      list.push(record)
    }
    last = record.userId
  }
  for (const userId of new Set(lines)) {
    assert.deepStrictEqual(canonical(lists.get(userId) ?? []), canonical(listOf(world, userId)), userId)
    lists.delete(userId)
  }
  assert.deepStrictEqual([...lists.keys()], [], "users that nobody asked for")
}

/** The same, and every line without a list recorded once. */
export const assertComplete = (exported: Exported, world: World.World, lines: ReadonlyArray<string>): void => {
  assertLists(exported.records, world, lines)
  const registered = new Set<string>(world.users.map(({ userId }) => userId))
  const strangers = lines.flatMap((userId, i) => (registered.has(userId) ? [] : [{ line: i + 1, userId }]))
  assert.deepStrictEqual(
    exported.failures.map(({ line, userId }) => ({ line, userId })).toSorted((a, b) => a.line - b.line),
    strangers
  )
  for (const { code, error, requestId } of exported.failures) {
    assert.deepStrictEqual([error, code], ["UserNotRegistered", 660500002])
    assert.match(requestId ?? "", /^\d+$/)
  }
  assert.strictEqual(new Set(exported.failures.map(({ requestId }) => requestId)).size, strangers.length)
}

import { RetryPolicy } from "@effect-zim/client"
import { Emulator, World } from "@effect-zim/emulator"
import { Export, type ExportSink } from "@effect-zim/export"
import * as SqliteSink from "@effect-zim/export/SqliteSink"
import { assert, describe, it, vi } from "@effect/vitest"
import * as Arbitrary from "effect/Arbitrary"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs"
import { basename, dirname } from "node:path"
import { DatabaseSync } from "node:sqlite"
import { app, fresh, impatient, layer, recordsOf, worldOf } from "./support.ts"

const exportTo = (path: string, users: ReadonlyArray<string>, mode: ExportSink.Mode = "new") =>
  Export.run(Stream.fromIterable(users), { sink: SqliteSink.make({ path }), mode, concurrency: 3 }).pipe(
    Stream.provideService(RetryPolicy.Current, impatient)
  )

const query = (path: string, sql: string): ReadonlyArray<Record<string, unknown>> => {
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

const rowsOf = (world: World.World, users: ReadonlyArray<string>) =>
  users
    .toSorted()
    .flatMap((userId) => recordsOf(world, userId))
    .map(({ updatedAt, ...record }) => ({ ...record, updatedAt: Date.parse(updatedAt) }))

const byKey = (
  rows: ReadonlyArray<{ readonly userId: string; readonly typeCode: number; readonly conversationId: string }>
) =>
  rows.toSorted((a, b) => {
    const [left, right] = [a, b].map((row) => JSON.stringify([row.userId, row.typeCode, row.conversationId]))
    return (left ?? "") < (right ?? "") ? -1 : 1
  })

const assertRows = Effect.fnUntraced(function* (path: string, world: World.World, users: ReadonlyArray<string>) {
  const found = yield* Stream.runCollect(SqliteSink.conversations(path))
  assert.deepStrictEqual(byKey(found), byKey(rowsOf(world, users)))
  for (let i = 1; i < found.length; i++) {
    const [before, row] = [found[i - 1], found[i]]
    if (before?.userId === row?.userId) assert.isAtLeast(row?.updatedAt ?? 0, before?.updatedAt ?? 0)
  }
})

const world = worldOf([3, 0, 501, 1, 1003, 12, 7])
const small = worldOf([3, 0, 5, 1, 9, 12, 7])
const users = world.users.map(({ userId }) => userId)

describe("SqliteSink", () => {
  it.effect("writes conversations, users, failures and the run", () =>
    Effect.gen(function* () {
      const path = yield* fresh
      yield* Stream.runDrain(exportTo(path, ["user-4", "", "stranger", ...users]))
      yield* assertRows(path, world, users)
      assert.deepStrictEqual(
        query(
          path,
          "SELECT user_id, conversations, verdict FROM users WHERE user_id IN ('user-1', 'user-4') ORDER BY 1"
        ),
        [
          { user_id: "user-1", conversations: 0, verdict: "Complete" },
          { user_id: "user-4", conversations: 1000, verdict: "AtCap" }
        ]
      )
      assert.deepStrictEqual(query(path, "SELECT line, user_id, error, code FROM failures ORDER BY line"), [
        { line: 2, user_id: "", error: "BlankLine", code: null },
        { line: 3, user_id: "stranger", error: "UserNotRegistered", code: 660500002 },
        { line: 8, user_id: "user-4", error: "DuplicateUser", code: null }
      ])
      assert.match(String(query(path, "SELECT request_id FROM failures WHERE line = 3")[0]?.["request_id"]), /^\d+$/)
      assert.deepStrictEqual(query(path, "SELECT app_id, state, lines, users, failed FROM runs"), [
        { app_id: app.appId, state: "finished", lines: 10, users: 7, failed: 1 }
      ])
      assert.deepStrictEqual(query(path, "PRAGMA integrity_check"), [{ integrity_check: "ok" }])
    }).pipe(Effect.scoped, Effect.provide(layer({ world })))
  )

  it.effect.prop(
    "goes on after being stopped at any event, any number of times",
    {
      stops: Arbitrary.array(Arbitrary.schema(Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 12 }))), {
        maxLength: 6
      })
    },
    ({ stops }) =>
      Effect.gen(function* () {
        const path = yield* fresh
        for (const events of stops) {
          yield* Stream.runDrain(Stream.take(exportTo(path, [...users, "stranger", "user-0"], "resume"), events))
        }
        yield* Stream.runDrain(exportTo(path, [...users, "stranger", "user-0"], "resume"))
        yield* assertRows(path, small, users)
        assert.lengthOf(query(path, "SELECT * FROM failures WHERE run = (SELECT max(id) FROM runs)"), 2)
      }).pipe(Effect.scoped, Effect.provide(layer({ world: small }))),
    { arbitrary: { seed: 8, runs: 25 } }
  )

  const Lists = Arbitrary.array(
    Arbitrary.array(
      Arbitrary.schema(
        Schema.Struct({
          id: Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 8 })),
          type: Schema.Literals([0, 2]),
          time: Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 3 }))
        })
      ),
      { maxLength: 8 }
    ),
    { minLength: 4, maxLength: 4 }
  )
  const toWorld = (
    lists: ReadonlyArray<ReadonlyArray<{ readonly id: number; readonly type: 0 | 2; readonly time: number }>>
  ) =>
    World.make({
      apps: [app],
      users: lists.map((list, i) => ({
        userId: `user-${i}`,
        conversations: [
          ...new Map(
            list.map(({ id, time, type }) => [`${type}:${id}`, { ConvId: `c${id}`, ConvType: type, UpdateTime: time }])
          ).values()
        ]
      }))
    })

  it.effect.prop(
    "a later run rewrites what changed, records what disappeared, and leaves the rest alone",
    { before: Lists, after: Lists },
    ({ after, before }) =>
      Effect.gen(function* () {
        const [worldBefore, worldAfter] = [toWorld(before), toWorld(after)]
        const all = worldBefore.users.map(({ userId }) => userId)
        const path = yield* fresh
        yield* Effect.gen(function* () {
          yield* Stream.runDrain(exportTo(path, all))
          const emulator = yield* Emulator.Emulator
          yield* emulator.world.set(worldAfter)
          yield* Stream.runDrain(exportTo(path, all))
        }).pipe(Effect.provide(layer({ world: worldBefore })))
        yield* assertRows(path, worldAfter, all)

        const keyOf = (row: { readonly userId: string; readonly typeCode: number; readonly conversationId: string }) =>
          `${row.userId} ${row.typeCode}:${row.conversationId}`
        const old = new Map(rowsOf(worldBefore, all).map((row) => [keyOf(row), row.updatedAt]))
        const now = new Map(rowsOf(worldAfter, all).map((row) => [keyOf(row), row.updatedAt]))
        const key = "user_id || ' ' || type_code || ':' || conversation_id AS key"
        assert.deepStrictEqual(
          query(path, `SELECT ${key}, reason, run FROM disappeared ORDER BY key`),
          [...old.keys()]
            .filter((key) => !now.has(key))
            .toSorted()
            .map((key) => ({ key, reason: "Gone", run: 2 }))
        )
        assert.deepStrictEqual(
          query(path, `SELECT ${key}, changed_run, first_run FROM conversations ORDER BY key`),
          [...now]
            .toSorted(([a], [b]) => (a < b ? -1 : 1))
            .map(([key, time]) => ({
              key,
              changed_run: old.get(key) === time ? 1 : 2,
              first_run: old.has(key) ? 1 : 2
            }))
        )
      }).pipe(Effect.scoped),
    { arbitrary: { seed: 9, runs: 40 } }
  )

  it.effect("a full list loses its oldest entries out of reach", () =>
    Effect.gen(function* () {
      const path = yield* fresh
      yield* Stream.runDrain(exportTo(path, ["user-4"]))
      const emulator = yield* Emulator.Emulator
      yield* emulator.world.update(
        World.putConversation("user-4", { ConvId: "new", ConvType: 2, UpdateTime: 1_800_000_000_000 })
      )
      yield* emulator.world.update(World.removeConversation({ ConvId: "c-999", ConvType: 3 }))
      yield* Stream.runDrain(exportTo(path, ["user-4"]))
      assert.deepStrictEqual(query(path, "SELECT conversation_id, reason FROM disappeared"), [
        { conversation_id: "c-999", reason: "Gone" }
      ])
      yield* emulator.world.update(
        World.putConversation("user-4", { ConvId: "newer", ConvType: 2, UpdateTime: 1_800_000_000_001 })
      )
      yield* Stream.runDrain(exportTo(path, ["user-4"]))
      assert.deepStrictEqual(query(path, "SELECT run, conversation_id, reason FROM disappeared WHERE run = 3"), [
        { run: 3, conversation_id: "c-3", reason: "OutOfReach" }
      ])
    }).pipe(Effect.scoped, Effect.provide(layer({ world })))
  )

  it.effect("refuses what is something else, and leaves it as it is", () =>
    Effect.gen(function* () {
      const path = yield* fresh
      const other = new DatabaseSync(path)
      other.exec("CREATE TABLE precious (a); INSERT INTO precious VALUES (1)")
      other.close()
      const refused = (mode: ExportSink.Mode) => Effect.flip(Stream.runDrain(exportTo(path, users, mode)))
      for (const mode of ["new", "resume", "restart"] as const) {
        const bytes = readFileSync(path)
        const error = yield* refused(mode)
        assert.strictEqual(error.message, `cannot export to ${path}: it is a SQLite database of something else`)
        assert.deepStrictEqual(readFileSync(path), bytes)
      }
      writeFileSync(path, "just a text of more than a hundred bytes".repeat(10))
      const error = yield* refused("restart")
      assert.strictEqual(error.message, `cannot export to ${path}: it is no SQLite database`)
      assert.strictEqual(readFileSync(path, "utf8"), "just a text of more than a hundred bytes".repeat(10))
    }).pipe(Effect.scoped, Effect.provide(layer({ world })))
  )

  it.effect("is finished although there is no room left to tidy up", () =>
    Effect.gen(function* () {
      const path = yield* fresh
      // As on a full disk: the log still had room for the last commit, the database has none for what is in the log.
      const exec = DatabaseSync.prototype.exec
      const full = vi.spyOn(DatabaseSync.prototype, "exec").mockImplementation(function (this: DatabaseSync, sql) {
        if (sql.includes("wal_checkpoint")) throw Object.assign(new Error("full"), { errcode: 13 })
        exec.call(this, sql)
      })
      yield* Effect.addFinalizer(() => Effect.sync(() => full.mockRestore()))
      const events = yield* Stream.runCollect(exportTo(path, users))
      assert.strictEqual(full.mock.calls.filter(([sql]) => sql.includes("wal_checkpoint")).length, 1)
      assert.strictEqual(events.at(-1)?._tag, "Finished")
      yield* assertRows(path, world, users)
    }).pipe(Effect.scoped, Effect.provide(layer({ world })))
  )

  it.effect("refuses a database that is cut off after its first bytes", () =>
    Effect.gen(function* () {
      const path = yield* fresh
      writeFileSync(path, "SQLite format 3\0")
      for (const error of [
        yield* Effect.flip(Stream.runDrain(exportTo(path, users))),
        yield* Effect.flip(Stream.runDrain(SqliteSink.conversations(path)))
      ]) {
        assert.strictEqual(error.message, `cannot export to ${path}: it is no SQLite database`)
      }
    }).pipe(Effect.scoped, Effect.provide(layer({ world })))
  )

  it.effect("says what cannot be read, also where it begins well", () =>
    Effect.gen(function* () {
      const path = yield* fresh
      const read = Effect.flip(Stream.runDrain(SqliteSink.conversations(path)))
      assert.strictEqual((yield* read).message, `cannot read ${path}: no such file or folder`)
      yield* Stream.runDrain(exportTo(path, users))
      const bytes = readFileSync(path)
      assert.isAbove(bytes.length, 20 * 4096)
      writeFileSync(path, bytes.fill(0xff, 8 * 4096))
      const error = yield* read
      assert.deepInclude({ ...error, _tag: error._tag }, { _tag: "SinkFailed", operation: "read" })
      assert.strictEqual(error.message, `cannot read ${path}: the database is damaged`)
    }).pipe(Effect.scoped, Effect.provide(layer({ world })))
  )

  it.effect("reading leaves nothing beside it, and needs nothing there", () =>
    Effect.gen(function* () {
      const path = yield* fresh
      yield* Stream.runDrain(exportTo(path, ["user-1"]))
      yield* assertRows(path, world, ["user-1"])
      assert.deepStrictEqual(readdirSync(dirname(path)), [basename(path)])
      // As in a folder that is read-only: the files of WAL mode cannot be made.
      mkdirSync(`${path}-shm`)
      yield* assertRows(path, world, ["user-1"])
    }).pipe(Effect.provide(layer({ world })), Effect.scoped)
  )

  it.effect("an unfinished run: new refuses, restart abandons it, another version and another app are refused", () =>
    Effect.gen(function* () {
      const path = yield* fresh
      yield* Stream.runDrain(Stream.take(exportTo(path, users), 3))
      const exists = yield* Effect.flip(Stream.runDrain(exportTo(path, users)))
      assert.deepInclude(exists, { _tag: "OutputExists", isUnfinished: true })
      yield* Stream.runDrain(exportTo(path, users, "restart"))
      yield* assertRows(path, world, users)
      assert.deepStrictEqual(query(path, "SELECT id, state FROM runs"), [
        { id: 1, state: "abandoned" },
        { id: 2, state: "finished" }
      ])
      const otherApp = yield* Effect.flip(
        Stream.runDrain(exportTo(path, users)).pipe(Effect.provide(layer({ world, appId: 999 })))
      )
      assert.deepInclude(otherApp, { _tag: "CheckpointInvalid", reason: { _tag: "OtherApp" } })
      const database = new DatabaseSync(path)
      database.exec("PRAGMA user_version = 7")
      database.close()
      const otherVersion = yield* Effect.flip(Stream.runDrain(exportTo(path, users)))
      assert.deepInclude(otherVersion, { _tag: "CheckpointInvalid", reason: { _tag: "OtherVersion" } })
    }).pipe(Effect.scoped, Effect.provide(layer({ world })))
  )

  it.effect("two exports at once: the second ends at once, and the first is complete", () =>
    Effect.gen(function* () {
      for (const mode of ["new", "resume", "restart"] as const) {
        const path = yield* fresh
        const messages: Array<string> = []
        yield* exportTo(path, users).pipe(
          Stream.tap(() =>
            Effect.flatMap(Effect.flip(Stream.runDrain(exportTo(path, users, mode))), (error) =>
              Effect.sync(() => messages.push(error.message))
            )
          ),
          Stream.runDrain
        )
        assert.isAbove(messages.length, 5)
        for (const message of messages) {
          assert.isTrue(message.startsWith(`another export writes to ${path}: process ${process.pid} on `), message)
        }
        yield* assertRows(path, world, users)
      }
    }).pipe(Effect.scoped, Effect.provide(layer({ world })))
  )
})

import type { ExportSink } from "@effect-zim/export"
import * as SqliteSink from "@effect-zim/export/SqliteSink"
import { assert, describe, it, vi } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs"
import { basename, dirname } from "node:path"
import { DatabaseSync } from "node:sqlite"
import { assertRows, exportTo, laws, users, world } from "./databaseLaws.ts"
import { databaseAt, query } from "./sqlite.ts"
import { fresh, layer } from "./support.ts"

describe("SqliteSink", () => {
  laws(it, Effect.map(fresh, databaseAt))

  it.effect("refuses what is something else, and leaves it as it is", () =>
    Effect.gen(function* () {
      const path = yield* fresh
      const other = new DatabaseSync(path)
      other.exec("CREATE TABLE precious (a); INSERT INTO precious VALUES (1)")
      other.close()
      const refused = (mode: ExportSink.Mode) => Effect.flip(Stream.runDrain(exportTo(databaseAt(path), users, mode)))
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
      const events = yield* Stream.runCollect(exportTo(databaseAt(path), users))
      assert.strictEqual(full.mock.calls.filter(([sql]) => sql.includes("wal_checkpoint")).length, 1)
      assert.strictEqual(events.at(-1)?._tag, "Finished")
      yield* assertRows(databaseAt(path), world, users)
    }).pipe(Effect.scoped, Effect.provide(layer({ world })))
  )

  it.effect("refuses a database that is cut off after its first bytes", () =>
    Effect.gen(function* () {
      const path = yield* fresh
      writeFileSync(path, "SQLite format 3\0")
      for (const error of [
        yield* Effect.flip(Stream.runDrain(exportTo(databaseAt(path), users))),
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
      yield* Stream.runDrain(exportTo(databaseAt(path), users))
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
      yield* Stream.runDrain(exportTo(databaseAt(path), ["user-1"]))
      yield* assertRows(databaseAt(path), world, ["user-1"])
      assert.deepStrictEqual(readdirSync(dirname(path)), [basename(path)])
      // As in a folder that is read-only: the files of WAL mode cannot be made.
      mkdirSync(`${path}-shm`)
      yield* assertRows(databaseAt(path), world, ["user-1"])
    }).pipe(Effect.provide(layer({ world })), Effect.scoped)
  )

  it.effect("is sound; of another version or another app it is refused", () =>
    Effect.gen(function* () {
      const path = yield* fresh
      yield* Stream.runDrain(exportTo(databaseAt(path), users))
      assert.deepStrictEqual(query(path, "PRAGMA integrity_check"), [{ integrity_check: "ok" }])
      const otherApp = yield* Effect.flip(
        Stream.runDrain(exportTo(databaseAt(path), users)).pipe(Effect.provide(layer({ world, appId: 999 })))
      )
      assert.deepInclude(otherApp, { _tag: "CheckpointInvalid", reason: { _tag: "OtherApp" } })
      const database = new DatabaseSync(path)
      database.exec("PRAGMA user_version = 7")
      database.close()
      const otherVersion = yield* Effect.flip(Stream.runDrain(exportTo(databaseAt(path), users)))
      assert.deepInclude(otherVersion, { _tag: "CheckpointInvalid", reason: { _tag: "OtherVersion" } })
    }).pipe(Effect.scoped, Effect.provide(layer({ world })))
  )
})

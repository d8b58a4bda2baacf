import { RetryPolicy } from "@effect-zim/client"
import { Emulator, World } from "@effect-zim/emulator"
import { Checkpoint, Export, ExportSink } from "@effect-zim/export"
import * as SqlSink from "@effect-zim/export/SqlSink"
import { assert, describe, layer } from "@effect/vitest"
import * as Arbitrary from "effect/Arbitrary"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Reactivity from "effect/reactivity/Reactivity"
import * as Redacted from "effect/Redacted"
import * as Schedule from "effect/Schedule"
import * as Schema from "effect/Schema"
import * as Scope from "effect/Scope"
import * as SqlClient from "effect/sql/SqlClient"
import * as Statement from "effect/sql/Statement"
import * as Stream from "effect/Stream"
import * as PgClient from "@effect/sql-pg/PgClient"
import { freePort } from "../../client/test/freePort.ts"
import * as ScriptProcess from "../../client/test/scriptProcess.ts"
import { assertRows, exportTo, laws, Lists, toWorld, users, world } from "./databaseLaws.ts"
import * as Postgres from "./postgres.ts"
import { databaseAt } from "./sqlite.ts"
import { app, fresh, impatient, layer as service, worldOf } from "./support.ts"

const initialOf = (appId = app.appId, run = "test") =>
  Checkpoint.initial({ run, startedAt: "2026-01-01T00:00:00.000Z", appId })

/** Ends the connections that hold a lock of an export, as the database does where nobody answers any longer. */
const endHolders = Postgres.query(
  `SELECT pg_terminate_backend(pid, 5000) FROM pg_locks WHERE locktype = 'advisory' AND granted`
)

/** Every table, with what each run of the two sinks draws for itself left out. */
const contentOf = ({ query }: ReturnType<typeof databaseAt>, entries: string) =>
  Effect.forEach(
    [
      "SELECT id, app_id, state, lines, users, conversations, failed, invalid, duplicates, at_cap FROM runs",
      "SELECT user_id, conversations, verdict, changed_run, last_run FROM users",
      `SELECT user_id, type_code, conversation_id, type, updated_at, first_run, changed_run FROM ${entries}`,
      "SELECT run, user_id, type_code, conversation_id, type, updated_at, reason FROM disappeared",
      "SELECT run, line, user_id, error, code FROM failures"
    ],
    (select) => query(`${select} ORDER BY 1, 2, 3, 4`)
  )

describe("SqlSink", () => {
  layer(Postgres.client, { excludeTestServices: true })((it) => {
    laws(it, Postgres.empty)

    const Night = Schema.Struct({
      users: Schema.Array(
        Schema.Literals(["user-0", "user-1", "user-2", "user-3", "user-4", "user-9", "", "user/1", "user-1"])
      ).check(Schema.isMinLength(1), Schema.isMaxLength(7)),
      mode: Schema.Literals(["resume", "restart"]),
      events: Schema.Literals([1, 2, 4, 1000])
    })

    it.effect.prop(
      "holds what SqliteSink does, whatever the service answers night after night",
      {
        nights: Arbitrary.array(Arbitrary.schema(Night), { minLength: 1, maxLength: 4 }),
        lists: Arbitrary.array(Lists, { minLength: 4, maxLength: 4 })
      },
      ({ lists, nights }) =>
        Effect.gen(function* () {
          const { world: worlds } = yield* Emulator.Emulator
          const postgres = yield* Postgres.empty
          const sqlite = databaseAt(yield* fresh)
          for (const [i, { events, mode, users }] of nights.entries()) {
            yield* worlds.set(toWorld(lists[i] ?? []))
            for (const database of [postgres, sqlite]) {
              yield* exportTo(database, users, mode).pipe(Stream.take(events), Stream.runDrain, Effect.exit)
            }
          }
          assert.deepStrictEqual(yield* contentOf(postgres, "entries"), yield* contentOf(sqlite, "conversations"))
          assert.deepStrictEqual(
            yield* Stream.runCollect(postgres.conversations),
            yield* Stream.runCollect(sqlite.conversations)
          )
        }).pipe(Effect.provide(service({ world }))),
      { arbitrary: { seed: 14, runs: 40 } }
    )

    it.effect("whichever statement the connection is lost in, the next run leaves what an undisturbed one would", () =>
      Effect.gen(function* () {
        const emulator = yield* Emulator.Emulator
        const before = worldOf([3, 0, 5, 1, 9, 2, 7])
        const after = worldOf([2, 1, 5, 0, 8, 3, 7])
        const lines = [...before.users.map(({ userId }) => userId), "stranger", ""]
        let crashes = 0
        for (let at = 1; ; at++) {
          const database = yield* Postgres.empty
          yield* emulator.world.set(before)
          yield* Stream.runDrain(exportTo(database, lines))
          yield* emulator.world.set(after)
          // The database ends the connection in the middle of a statement; then never again.
          yield* Postgres.query("CREATE SEQUENCE zim.statements")
          yield* Postgres.query(`CREATE FUNCTION zim.crash() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
            IF nextval('zim.statements') = ${at} THEN PERFORM pg_terminate_backend(pg_backend_pid()); END IF;
            RETURN NULL;
          END $$`)
          for (const table of ["runs", "users", "entries", "disappeared", "failures"]) {
            yield* Postgres.query(`CREATE TRIGGER crash AFTER INSERT OR UPDATE OR DELETE ON zim.${table}
              FOR EACH STATEMENT EXECUTE FUNCTION zim.crash()`)
          }
          const exit = yield* Effect.exit(Stream.runDrain(exportTo(database, lines, "resume")))
          if (Exit.isFailure(exit)) {
            crashes++
            assert.include(String(exit), `cannot write "export" in PostgreSQL: the database`)
            yield* Stream.runDrain(exportTo(database, lines, "resume"))
          }
          yield* assertRows(
            database,
            after,
            after.users.map(({ userId }) => userId)
          )
          const failures = yield* Stream.runCollect(SqlSink.failures(app.appId))
          assert.deepStrictEqual(
            failures.map(({ error, line }) => [line, error]),
            [
              [8, "UserNotRegistered"],
              [9, "BlankLine"]
            ]
          )
          assert.deepStrictEqual(
            yield* database.query(
              "SELECT state, lines, users, conversations, failed, invalid FROM runs ORDER BY id DESC LIMIT 1"
            ),
            [{ state: "finished", lines: 9, users: 7, conversations: 26, failed: 1, invalid: 1 }]
          )
          assert.lengthOf(yield* database.query("SELECT 1 FROM disappeared"), 3)
          if (Exit.isSuccess(exit)) break
        }
        assert.isAbove(crashes, 10)
      }).pipe(Effect.provide(service({ world })))
    )

    it.effect("a second process is told who writes; a frozen one can write no more once another took over", () =>
      Effect.gen(function* () {
        const database = yield* Postgres.empty
        const { url } = yield* Postgres.Url
        const child = yield* ScriptProcess.start(new URL("heldProcess.ts", import.meta.url).href, url)
        yield* child.said(/^open$/m)
        child.child.stdin.write("save\n")
        yield* child.said(/^saved$/m)
        const again = Stream.runDrain(exportTo(database, users, "resume"))
        child.child.kill("SIGSTOP")
        const inUse = yield* Effect.flip(again)
        assert.match(
          inUse.message,
          new RegExp(`^another export writes to "export" in PostgreSQL: process ${child.child.pid} on`)
        )
        yield* endHolders
        yield* again
        child.child.kill("SIGCONT")
        child.child.stdin.write("save\n")
        yield* child.said(
          /^OutputUnusable: cannot export to "export" in PostgreSQL: another export has taken it over$/m
        )
        yield* assertRows(database, world, users)
      }).pipe(Effect.provide(service({ world })))
    )

    it.effect("is free as soon as the process that wrote has died", () =>
      Effect.gen(function* () {
        const database = yield* Postgres.empty
        const { url } = yield* Postgres.Url
        const child = yield* ScriptProcess.start(new URL("heldProcess.ts", import.meta.url).href, url)
        yield* child.said(/^open$/m)
        child.child.kill("SIGKILL")
        yield* Stream.runDrain(exportTo(database, users, "resume")).pipe(
          // Until the database has noticed.
          Effect.retry({ while: ({ _tag }) => _tag === "OutputInUse", schedule: Schedule.spaced("20 millis") })
        )
        yield* assertRows(database, world, users)
      }).pipe(Effect.provide(service({ world })))
    )

    it.effect("is fenced: a run that has another writer, or has been abandoned, is left alone", () =>
      Effect.gen(function* () {
        for (const takeOver of ["epoch = epoch + 1", "state = 'abandoned'"]) {
          const { query, sink } = yield* Postgres.empty
          const { save } = yield* sink.open({ mode: "new", initial: initialOf() })
          yield* save([], initialOf())
          yield* query(`UPDATE runs SET ${takeOver}`)
          const before = yield* query("SELECT * FROM runs")
          const error = yield* Effect.flip(save([], initialOf()))
          assert.strictEqual(error.message, `cannot export to "export" in PostgreSQL: another export has taken it over`)
          assert.deepStrictEqual(yield* query("SELECT * FROM runs"), before)
          yield* endHolders
        }
      })
    )

    it.effect("goes on by itself with Stream.retry when the connection is lost", () =>
      Effect.gen(function* () {
        const database = yield* Postgres.empty
        let lost = 0
        const events = yield* exportTo(database, users, "resume").pipe(
          Stream.tap(({ _tag }) => (_tag === "Saved" && lost++ < 5 ? endHolders : Effect.void)),
          Stream.retry(Schedule.recurs(10)),
          Stream.runCollect
        )
        assert.isAbove(lost, 0)
        assert.strictEqual(events.at(-1)?._tag, "Finished")
        assert.isTrue(events.some((event) => event._tag === "Started" && event.isResumed))
        yield* assertRows(database, world, users)
      }).pipe(Effect.provide(service({ world })))
    )

    it.effect("apps and names share a database, at the same time", () =>
      Effect.gen(function* () {
        const database = yield* Postgres.empty
        const nightly = yield* SqlSink.make({ name: "nightly" })
        const hourly = yield* SqlSink.make({ name: "hourly" })
        const other = World.make({ ...worldOf([4, 4]), apps: [{ ...app, appId: 2 }] })
        const toOther = Stream.runDrain(
          Export.run(Stream.make("user-0", "user-1", "stranger"), { sink: nightly }).pipe(
            Stream.provideService(RetryPolicy.Current, impatient)
          )
        ).pipe(Effect.provide(service({ world: other, appId: 2 })))
        yield* Effect.all(
          [
            toOther,
            ...[nightly, hourly, database.sink].map((sink) =>
              Effect.provide(Stream.runDrain(exportTo({ ...database, sink }, users)), service({ world }))
            )
          ],
          { concurrency: "unbounded" }
        )
        yield* assertRows(database, world, users)
        const rows = yield* Stream.runCollect(SqlSink.conversations(2))
        assert.lengthOf(rows, 8)
        assert.lengthOf(yield* Stream.runCollect(SqlSink.failures(2, { name: "nightly" })), 1)
        assert.lengthOf(yield* Stream.runCollect(SqlSink.failures(2)), 0)
        assert.lengthOf(yield* Stream.runCollect(SqlSink.failures(app.appId, { name: "nightly" })), 0)
        assert.deepStrictEqual(yield* database.query("SELECT app_id, name, state FROM runs ORDER BY app_id, name"), [
          { app_id: 2, name: "nightly", state: "finished" },
          { app_id: app.appId, name: "export", state: "finished" },
          { app_id: app.appId, name: "hourly", state: "finished" },
          { app_id: app.appId, name: "nightly", state: "finished" }
        ])
      })
    )

    it.effect("runs in a transaction of its own, whatever the caller's", () =>
      Effect.gen(function* () {
        const database = yield* Postgres.empty
        const sql = yield* SqlClient.SqlClient
        const ended = yield* Effect.flip(
          sql.withTransaction(Effect.andThen(Stream.runDrain(exportTo(database, users)), Effect.fail("rolled back")))
        )
        assert.strictEqual(ended, "rolled back")
        yield* assertRows(database, world, users)
      }).pipe(Effect.provide(service({ world })))
    )

    it.effect("says what is wrong with a database, and never its password", () =>
      Effect.gen(function* () {
        yield* Postgres.empty
        const { url } = yield* Postgres.Url
        yield* Postgres.query("CREATE ROLE guest LOGIN PASSWORD 'canary'")
        const at = (change: (url: URL) => void) => {
          const changed = new URL(url)
          changed.password = "canary-password"
          change(changed)
          return PgClient.layer({ url: Redacted.make(changed.href) })
        }
        const port = yield* freePort
        const cases = [
          [at((url) => (url.port = `${port}`)), "Unreachable", "the database cannot be reached"],
          [at((url) => (url.pathname = "/nowhere")), "NoDatabase", "there is no such database"],
          [at((url) => (url.username = "nobody")), "PermissionDenied", "permission denied by the database"],
          [at((url) => (url.username = "guest")), "PermissionDenied", "permission denied by the database"],
          [
            Postgres.clientOf(url, { startupParameters: { default_transaction_read_only: "on" } }),
            "PermissionDenied",
            "the database is read-only"
          ]
        ] as const
        for (const [client, reason, problem] of cases) {
          const error = yield* Effect.gen(function* () {
            const sink = yield* SqlSink.make()
            return yield* Effect.flip(sink.open({ mode: "new", initial: initialOf() }))
          }).pipe(Effect.scoped, Effect.provide(client))
          assert.strictEqual(error.message, `cannot write "export" in PostgreSQL: ${problem}`)
          if (error._tag !== "SinkFailed") return assert.fail(error._tag)
          assert.strictEqual(error.reason._tag, reason)
          const told = JSON.stringify(yield* Schema.encodeEffect(ExportSink.SinkFailed)(error))
          assert.notInclude(`${told} ${String(error)}`, "canary")
        }
        const read = yield* Effect.flip(Stream.runDrain(SqlSink.conversations(app.appId)))
        assert.strictEqual(read.message, "cannot read PostgreSQL: there is no export in the database")
        yield* Postgres.query("CREATE SCHEMA zim")
        yield* Postgres.query("CREATE TABLE zim.runs (precious int)")
        const sink = yield* SqlSink.make()
        const other = yield* Effect.flip(sink.open({ mode: "restart", initial: initialOf() }))
        assert.strictEqual(
          other.message,
          `cannot export to "export" in PostgreSQL: its tables cannot be made: relation "runs" already exists`
        )
      })
    )

    it.effect("refuses a client of another database", () =>
      Effect.gen(function* () {
        const acquirer = Effect.die("not asked for")
        const client = SqlClient.make({
          acquirer,
          compiler: Statement.makeCompilerSqlite(),
          driver: "sqlite",
          spanAttributes: []
        })
        const error = yield* Effect.flip(SqlSink.make()).pipe(
          Effect.provide(Layer.effect(SqlClient.SqlClient, client).pipe(Layer.provide(Reactivity.layer)))
        )
        assert.strictEqual(error.message, `cannot export to "export" in PostgreSQL: its client is not of PostgreSQL`)
      })
    )

    it.effect("needs one connection, which may have names of its own, and gives it back", () =>
      Effect.gen(function* () {
        const database = yield* Postgres.empty
        const { url } = yield* Postgres.Url
        yield* Effect.gen(function* () {
          const sink = yield* SqlSink.make()
          for (let night = 1; night <= 3; night++) yield* Stream.runDrain(exportTo({ ...database, sink }, users))
          const scope = yield* Scope.make()
          yield* Scope.provide(sink.open({ mode: "new", initial: initialOf() }), scope)
          const waiting = yield* Effect.forkChild(Stream.runDrain(SqlSink.conversations(app.appId)))
          yield* Scope.close(scope, Exit.void)
          yield* Fiber.join(waiting)
        }).pipe(Effect.provide(Postgres.clientOf(url, { maxConnections: 1, ...Postgres.shouting })))
        yield* assertRows(database, world, users)
      }).pipe(Effect.provide(service({ world })))
    )
  })
})

/** What holds of every sink whose output is a database. */
import { RetryPolicy } from "@effect-zim/client"
import { Emulator, World } from "@effect-zim/emulator"
import { Export, type ExportSink } from "@effect-zim/export"
import type * as SqliteSink from "@effect-zim/export/SqliteSink"
import { assert, type Vitest } from "@effect/vitest"
import * as Arbitrary from "effect/Arbitrary"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import { app, impatient, layer, recordsOf, worldOf } from "./support.ts"
import { Texts, worldOf as worldOfIds } from "./texts.ts"

/** An output, and its readers. */
export interface Database {
  readonly sink: ExportSink.ExportSink
  readonly conversations: Stream.Stream<SqliteSink.Row, SqliteSink.ReadError>
  readonly failures: Stream.Stream<ExportSink.Failed, SqliteSink.ReadError>
  /** Rows of its tables, with numbers for whole numbers. */
  readonly query: (sql: string) => Effect.Effect<ReadonlyArray<Record<string, unknown>>>
}

export const exportTo = ({ sink }: Database, users: ReadonlyArray<string>, mode: ExportSink.Mode = "new") =>
  Export.run(Stream.fromIterable(users), { sink, mode, concurrency: 3 }).pipe(
    Stream.provideService(RetryPolicy.Current, impatient)
  )

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

export const assertRows = Effect.fnUntraced(function* (
  database: Database,
  world: World.World,
  users: ReadonlyArray<string>
) {
  const found = yield* Stream.runCollect(database.conversations)
  assert.deepStrictEqual(byKey(found), byKey(rowsOf(world, users)))
  for (let i = 1; i < found.length; i++) {
    const [before, row] = [found[i - 1], found[i]]
    if (before?.userId === row?.userId) assert.isAtLeast(row?.updatedAt ?? 0, before?.updatedAt ?? 0)
  }
})

export const world = worldOf([3, 0, 501, 1, 1003, 12, 7])
const small = worldOf([3, 0, 5, 1, 9, 12, 7])
export const users = world.users.map(({ userId }) => userId)

/** Lists of four users, of few ids, so that they meet. */
export const Lists = Arbitrary.array(
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
export const toWorld = (
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

export const laws = <R, E>(it: Vitest.MethodsNonLive<R>, open: Effect.Effect<Database, E, R | Scope.Scope>): void => {
  it.effect("writes conversations, users, failures and the run", () =>
    Effect.gen(function* () {
      const database = yield* open
      yield* Stream.runDrain(exportTo(database, ["user-4", "", "stranger", ...users]))
      yield* assertRows(database, world, users)
      assert.deepStrictEqual(
        yield* database.query(
          "SELECT user_id, conversations, verdict FROM users WHERE user_id IN ('user-1', 'user-4') ORDER BY 1"
        ),
        [
          { user_id: "user-1", conversations: 0, verdict: "Complete" },
          { user_id: "user-4", conversations: 1000, verdict: "AtCap" }
        ]
      )
      assert.deepStrictEqual(yield* database.query("SELECT line, user_id, error, code FROM failures ORDER BY line"), [
        { line: 2, user_id: "", error: "BlankLine", code: null },
        { line: 3, user_id: "stranger", error: "UserNotRegistered", code: 660500002 },
        { line: 8, user_id: "user-4", error: "DuplicateUser", code: null }
      ])
      assert.match(
        String((yield* database.query("SELECT request_id FROM failures WHERE line = 3"))[0]?.["request_id"]),
        /^\d+$/
      )
      assert.deepStrictEqual(yield* database.query("SELECT app_id, state, lines, users, failed FROM runs"), [
        { app_id: app.appId, state: "finished", lines: 10, users: 7, failed: 1 }
      ])
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
        const database = yield* open
        for (const events of stops) {
          yield* Stream.runDrain(Stream.take(exportTo(database, [...users, "stranger", "user-0"], "resume"), events))
        }
        yield* Stream.runDrain(exportTo(database, [...users, "stranger", "user-0"], "resume"))
        yield* assertRows(database, small, users)
        assert.lengthOf(yield* database.query("SELECT * FROM failures WHERE run = (SELECT max(id) FROM runs)"), 2)
      }).pipe(Effect.scoped, Effect.provide(layer({ world: small }))),
    { arbitrary: { seed: 8, runs: 25 } }
  )

  it.effect.prop(
    "a later run rewrites what changed, records what disappeared, and leaves the rest alone",
    { before: Lists, after: Lists },
    ({ after, before }) =>
      Effect.gen(function* () {
        const [worldBefore, worldAfter] = [toWorld(before), toWorld(after)]
        const all = worldBefore.users.map(({ userId }) => userId)
        const database = yield* open
        yield* Effect.gen(function* () {
          yield* Stream.runDrain(exportTo(database, all))
          const emulator = yield* Emulator.Emulator
          yield* emulator.world.set(worldAfter)
          yield* Stream.runDrain(exportTo(database, all))
        }).pipe(Effect.provide(layer({ world: worldBefore })))
        yield* assertRows(database, worldAfter, all)

        const keyOf = (row: { readonly userId: string; readonly typeCode: number; readonly conversationId: string }) =>
          `${row.userId} ${row.typeCode}:${row.conversationId}`
        const old = new Map(rowsOf(worldBefore, all).map((row) => [keyOf(row), row.updatedAt]))
        const now = new Map(rowsOf(worldAfter, all).map((row) => [keyOf(row), row.updatedAt]))
        const key = "user_id || ' ' || type_code || ':' || conversation_id AS key"
        assert.deepStrictEqual(
          yield* database.query(`SELECT ${key}, reason, run FROM disappeared ORDER BY key`),
          [...old.keys()]
            .filter((key) => !now.has(key))
            .toSorted()
            .map((key) => ({ key, reason: "Gone", run: 2 }))
        )
        assert.deepStrictEqual(
          yield* database.query(`SELECT ${key}, changed_run, first_run FROM conversations ORDER BY key`),
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
      const database = yield* open
      yield* Stream.runDrain(exportTo(database, ["user-4"]))
      const emulator = yield* Emulator.Emulator
      yield* emulator.world.update(
        World.putConversation("user-4", { ConvId: "new", ConvType: 2, UpdateTime: 1_800_000_000_000 })
      )
      yield* emulator.world.update(World.removeConversation({ ConvId: "c-999", ConvType: 3 }))
      yield* Stream.runDrain(exportTo(database, ["user-4"]))
      assert.deepStrictEqual(yield* database.query("SELECT conversation_id, reason FROM disappeared"), [
        { conversation_id: "c-999", reason: "Gone" }
      ])
      yield* emulator.world.update(
        World.putConversation("user-4", { ConvId: "newer", ConvType: 2, UpdateTime: 1_800_000_000_001 })
      )
      yield* Stream.runDrain(exportTo(database, ["user-4"]))
      assert.deepStrictEqual(
        yield* database.query("SELECT run, conversation_id, reason FROM disappeared WHERE run = 3"),
        [{ run: 3, conversation_id: "c-3", reason: "OutOfReach" }]
      )
    }).pipe(Effect.scoped, Effect.provide(layer({ world })))
  )

  it.effect("an unfinished run: new refuses, restart abandons it", () =>
    Effect.gen(function* () {
      const database = yield* open
      yield* Stream.runDrain(Stream.take(exportTo(database, users), 3))
      const exists = yield* Effect.flip(Stream.runDrain(exportTo(database, users)))
      assert.deepInclude(exists, { _tag: "OutputExists", isUnfinished: true })
      yield* Stream.runDrain(exportTo(database, users, "restart"))
      yield* assertRows(database, world, users)
      assert.deepStrictEqual(yield* database.query("SELECT id, state FROM runs"), [
        { id: 1, state: "abandoned" },
        { id: 2, state: "finished" }
      ])
    }).pipe(Effect.scoped, Effect.provide(layer({ world })))
  )

  it.effect("two exports at once: the second ends at once, and the first is complete", () =>
    Effect.gen(function* () {
      for (const mode of ["new", "resume", "restart"] as const) {
        const database = yield* open
        const messages: Array<string> = []
        yield* exportTo(database, users).pipe(
          Stream.tap(() =>
            Effect.flatMap(Effect.flip(Stream.runDrain(exportTo(database, users, mode))), (error) =>
              Effect.sync(() => messages.push(error.message))
            )
          ),
          Stream.runDrain
        )
        assert.isAbove(messages.length, 5)
        for (const message of messages) {
          assert.isTrue(
            message.startsWith(`another export writes to ${database.sink.location}: process ${process.pid} on `),
            message
          )
        }
        yield* assertRows(database, world, users)
      }
    }).pipe(Effect.scoped, Effect.provide(layer({ world })))
  )

  it.effect.prop(
    "ids that differ are rows of their own, found again by the next run; so are lines that are no user id",
    { texts: Texts },
    ({ texts }) => {
      const ids = [...new Set([...texts, "\ud800", "\\ud800", "a\0b", "a"])]
      const lines = texts.map((text) => `/${text}`)
      return Effect.gen(function* () {
        const database = yield* open
        for (let night = 1; night <= 2; night++) {
          yield* Stream.runDrain(exportTo(database, ["u", ...lines, `/${"x".repeat(62)}\u{1f600}`]))
          const found = yield* Stream.runCollect(database.conversations)
          assert.deepStrictEqual(
            found.map(({ conversationId }) => conversationId),
            ids
          )
          const failures = yield* Stream.runCollect(database.failures)
          assert.deepStrictEqual(
            failures.map(({ userId }) => userId),
            [...lines, `/${"x".repeat(62)}\ud83d`]
          )
          for (const { message } of failures) assert.include(message, "user id")
        }
        assert.deepStrictEqual(yield* database.query("SELECT DISTINCT changed_run FROM conversations"), [
          { changed_run: 1 }
        ])
        assert.deepStrictEqual(yield* database.query("SELECT 1 FROM disappeared"), [])
      }).pipe(Effect.scoped, Effect.provide(layer({ world: worldOfIds(ids) })))
    },
    { arbitrary: { seed: 12, runs: 25 } }
  )
}

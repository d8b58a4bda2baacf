/** The tables in PostgreSQL, as another package of ours writes them: over several connections at once. */
import { Conversation } from "@effect-zim/protocol"
import type { ExportSink } from "@effect-zim/export"
import * as SqlRows from "@effect-zim/export/SqlRows"
import { assert, describe, layer } from "@effect/vitest"
import * as Arbitrary from "effect/Arbitrary"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as SqlClient from "effect/sql/SqlClient"
import * as Stream from "effect/Stream"
import { clientOf, fresh, freshClient, Server, shouting } from "./postgres.ts"

type Entry = readonly [id: string, time: number, type?: number]

const listOf = (
  userId: string,
  entries: ReadonlyArray<Entry>,
  verdict: ExportSink.Exported["verdict"] = "Complete"
): ExportSink.Exported => ({
  _tag: "Exported",
  line: 1,
  userId,
  verdict,
  conversations: entries.map(
    ([ConvId, UpdateTime, ConvType = 0]) => new Conversation.Conversation({ ConvId, UpdateTime, ConvType })
  )
})

const failureOf = (line: number, message = "no such user"): ExportSink.Failed => ({
  _tag: "Failed",
  line,
  userId: `user-${line}`,
  error: "UserNotRegistered",
  code: 660500002,
  requestId: undefined,
  message
})

const begin = (appId: number) => SqlRows.beginRun({ appId, name: "nightly", startedAt: "2026-01-01T00:00:00.000Z" })

const write = (run: number, appId: number, outcomes: ReadonlyArray<ExportSink.Outcome>) =>
  SqlRows.transaction(SqlRows.write(run, appId, outcomes))

const idsOf = (appId: number) =>
  Effect.map(Stream.runCollect(SqlRows.conversations(appId)), (rows) =>
    rows.map(({ conversationId, updatedAt, userId }) => `${userId} ${conversationId} ${updatedAt}`)
  )

const query = (text: string) => Effect.flatMap(SqlClient.SqlClient, (sql) => sql.unsafe<Record<string, unknown>>(text))

/** Everything that is in the tables but for the runs themselves. */
const content = Effect.forEach(["users", "entries", "disappeared", "failures"], (table) =>
  query(`SELECT * FROM zim.${table} ORDER BY 1, 2, 3, 4`)
)

describe("SqlRows", () => {
  layer(Server.layer, { excludeTestServices: true })((it) => {
    it.effect("makes the tables once, however many do at once, and again without a right to", () =>
      Effect.gen(function* () {
        const url = yield* fresh
        // Others after them: by then a connection has an idea of what is there, which is not true any more.
        const others = {
          table: "zim.other_migrations",
          migrations: { "1_other": query("CREATE TABLE zim.other (n int)") }
        }
        const once = Effect.provide(Effect.andThen(SqlRows.migrate, SqlRows.migrateTo(others)), clientOf(url, shouting))
        yield* Effect.all(
          Array.from({ length: 12 }, () => once),
          { concurrency: "unbounded" }
        )
        yield* Effect.provide(
          Effect.gen(function* () {
            assert.deepStrictEqual(yield* query("SELECT migration_id, name FROM zim.migrations"), [
              { migration_id: 1, name: "tables" }
            ])
            yield* query("CREATE ROLE reader LOGIN")
            yield* query("GRANT USAGE ON SCHEMA zim TO reader")
            yield* query("GRANT SELECT ON ALL TABLES IN SCHEMA zim TO reader")
          }),
          clientOf(url)
        )
        yield* Effect.provide(SqlRows.migrate, clientOf(url.replace("//zim@", "//reader@")))
      })
    )

    it.effect("does not take other tables for its own, nor those of a later version", () =>
      Effect.gen(function* () {
        yield* query("CREATE SCHEMA zim")
        yield* query("CREATE TABLE zim.conversations (precious int)")
        const other = yield* Effect.flip(SqlRows.migrate)
        assert.deepInclude(other, { _tag: "MigrationError", kind: "Failed" })
        assert.deepStrictEqual(yield* query("SELECT tablename FROM pg_tables WHERE schemaname = 'zim'"), [
          { tablename: "conversations" }
        ])
        yield* query("DROP TABLE zim.conversations")
        yield* SqlRows.migrate
        yield* query("INSERT INTO zim.migrations (migration_id, name) VALUES (7, 'later')")
        const later = yield* Effect.flip(SqlRows.migrate)
        assert.strictEqual(later.message, "the tables are of version 7, this program makes version 1")
      }).pipe(Effect.provide(freshClient))
    )

    it.effect("writes what changed, and what disappeared with its reason; each app has its own", () =>
      Effect.gen(function* () {
        yield* SqlRows.migrate
        const first = yield* begin(1)
        yield* write(first, 1, [
          listOf("ada", [
            ["a", 1],
            ["b", 2],
            ["c", 3]
          ]),
          listOf("bob", [["a", 1]]),
          listOf("cyd", []),
          failureOf(4)
        ])
        const other = yield* begin(2)
        yield* write(other, 2, [listOf("ada", [["z", 9]])])
        const second = yield* begin(1)
        yield* write(second, 1, [
          // Full: what is older than its oldest entry is out of reach.
          listOf(
            "ada",
            [
              ["b", 2],
              ["d", 4]
            ],
            "AtCap"
          ),
          listOf("bob", [["a", 5]]),
          listOf("cyd", [])
        ])
        assert.deepStrictEqual(yield* idsOf(1), ["ada b 2", "ada d 4", "bob a 5"])
        assert.deepStrictEqual(yield* idsOf(2), ["ada z 9"])
        assert.deepStrictEqual(yield* query("SELECT run, conversation_id, reason FROM zim.disappeared ORDER BY 2"), [
          { run: BigInt(second), conversation_id: "a", reason: "OutOfReach" },
          { run: BigInt(second), conversation_id: "c", reason: "Gone" }
        ])
        assert.deepStrictEqual(
          yield* query(
            "SELECT user_id, conversation_id, first_run, changed_run FROM zim.conversations WHERE app_id = 1 ORDER BY 1, 2"
          ),
          [
            { user_id: "ada", conversation_id: "b", first_run: BigInt(first), changed_run: BigInt(first) },
            { user_id: "ada", conversation_id: "d", first_run: BigInt(second), changed_run: BigInt(second) },
            { user_id: "bob", conversation_id: "a", first_run: BigInt(first), changed_run: BigInt(second) }
          ]
        )
        assert.deepStrictEqual(
          yield* query("SELECT user_id, changed_run, last_run FROM zim.users WHERE app_id = 1 ORDER BY 1"),
          [
            { user_id: "ada", changed_run: BigInt(second), last_run: BigInt(second) },
            { user_id: "bob", changed_run: BigInt(second), last_run: BigInt(second) },
            { user_id: "cyd", changed_run: BigInt(first), last_run: BigInt(second) }
          ]
        )
        assert.deepStrictEqual(yield* Stream.runCollect(SqlRows.failures(first)), [failureOf(4)])
        assert.deepStrictEqual(yield* Stream.runCollect(SqlRows.failures(second)), [])
      }).pipe(Effect.provide(freshClient))
    )

    it.effect("holds what a service may answer: half characters, U+0000, numbers and dates at their ends", () =>
      Effect.gen(function* () {
        yield* SqlRows.migrate
        const ids = ["\ud800", "\0", "\\u0000", "\\ud800", "群", "say \"hi\", 'there'", "", "{a,b}", "%s $1 ?"]
        const time = 8.64e15
        const entries: ReadonlyArray<Entry> = [
          ["earliest", -time, 2 ** 53 - 1],
          ...ids.map((id, i): Entry => [id, i, i]),
          ["latest", time, -(2 ** 53 - 1)]
        ]
        const failure = { ...failureOf(2 ** 53 - 1, "half \udc00 of it\0"), userId: "\0" }
        const run = yield* begin(2 ** 53 - 1)
        yield* write(run, 2 ** 53 - 1, [listOf("ada", entries), failure])
        const rows = yield* Stream.runCollect(SqlRows.conversations(2 ** 53 - 1))
        assert.deepStrictEqual(
          rows.map(({ conversationId, typeCode, updatedAt }): Entry => [conversationId, updatedAt, typeCode]),
          entries
        )
        assert.deepStrictEqual(yield* Stream.runCollect(SqlRows.failures(run)), [failure])
        assert.deepStrictEqual(
          yield* query(
            `SELECT extract(epoch FROM updated_at)::text AS at FROM zim.conversations
             WHERE updated_at > to_timestamp(0.003) ORDER BY updated_at`
          ),
          [...ids.slice(4).map((_, i) => ({ at: `0.00${i + 4}000` })), { at: "8640000000000.000000" }]
        )
      }).pipe(Effect.provide(freshClient))
    )

    it.effect("many full lists in one transaction, and once more without a change", () =>
      Effect.gen(function* () {
        yield* SqlRows.migrate
        const run = yield* begin(1)
        const lists = Array.from({ length: 70 }, (_, i) =>
          listOf(
            `user-${i}`,
            Array.from({ length: 1000 }, (_, j): Entry => [`c-${j}`, j])
          )
        )
        yield* write(run, 1, lists)
        const digest = "SELECT count(*)::int AS entries, max(xmin::text::bigint) AS last FROM zim.entries"
        const before = yield* query(digest)
        assert.strictEqual(before[0]?.["entries"], 70_000)
        yield* write(yield* begin(1), 1, lists)
        assert.deepStrictEqual(yield* query(digest), before)
      }).pipe(Effect.provide(freshClient))
    )

    const Lists = Arbitrary.array(
      Arbitrary.schema(
        Schema.Struct({
          user: Schema.Literals(["ada", "bob", "cyd"]),
          ids: Schema.Array(Schema.Literals(["a", "b", "c", "d"])).check(Schema.isMaxLength(4)),
          time: Schema.Literals([1, 2])
        })
      ),
      { minLength: 1, maxLength: 3 }
    )
    const outcomesOf = (lists: ReadonlyArray<{ user: string; ids: ReadonlyArray<string>; time: number }>) => [
      ...lists.map(({ ids, time, user }) =>
        listOf(
          user,
          [...new Set(ids)].toSorted().map((id): Entry => [id, time])
        )
      ),
      failureOf(lists.length)
    ]

    it.effect.prop(
      "writing once more changes nothing, and several at once leave what some order of them would",
      { batches: Arbitrary.array(Lists, { minLength: 2, maxLength: 4 }) },
      ({ batches }) =>
        Effect.gen(function* () {
          yield* SqlRows.migrate
          const outcomes = batches.map((lists) => outcomesOf(lists))
          const first = outcomes[0] ?? []
          const run = yield* begin(1)
          yield* write(run, 1, first)
          const before = yield* content
          yield* write(run, 1, first)
          assert.deepStrictEqual(yield* content, before)

          yield* Effect.forEach(outcomes, (outcomes) => Effect.flatMap(begin(1), (run) => write(run, 1, outcomes)), {
            concurrency: "unbounded"
          })
          const rows = yield* Stream.runCollect(SqlRows.conversations(1))
          for (const userId of ["ada", "bob", "cyd"]) {
            const found = rows.filter((row) => row.userId === userId).map((row) => [row.conversationId, row.updatedAt])
            const candidates = outcomes.map((outcomes) =>
              outcomes.findLast((outcome) => outcome._tag === "Exported" && outcome.userId === userId)
            )
            const [user] = yield* query(`SELECT conversations, last_run FROM zim.users WHERE user_id = '${userId}'`)
            if (candidates.every((candidate) => candidate === undefined)) {
              assert.deepStrictEqual([found, user], [[], undefined])
              continue
            }
            assert.strictEqual(user?.["conversations"], found.length)
            assert.deepInclude(
              candidates.flatMap((list) =>
                list?._tag === "Exported" ? [list.conversations.map((one) => [one.id, one.updatedAtMillis])] : []
              ),
              found
            )
          }
        }).pipe(Effect.provide(freshClient)),
      { arbitrary: { seed: 11, runs: 20 } }
    )
  })
})

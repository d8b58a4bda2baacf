/** Ids that differ stay different, in every format. `npm test -- nodes` runs this on the oldest Node too. */
import { RetryPolicy } from "@effect-zim/client"
import { World } from "@effect-zim/emulator"
import { CsvSink, Export, NdjsonSink, type ExportSink } from "@effect-zim/export"
import * as SqliteSink from "@effect-zim/export/SqliteSink"
import { assert, describe, it } from "@effect/vitest"
import * as Arbitrary from "effect/Arbitrary"
import * as Effect from "effect/Effect"
import * as Csv from "effect/encoding/Csv"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import { DatabaseSync } from "node:sqlite"
import { Disk } from "./disk.ts"
import { app, fresh, impatient, layer } from "./support.ts"

/** What texts are made of here: what files and databases cannot hold, what stands for it, and neighbours of both. */
const pieces = [
  ..."\\u0c5d8af\0=',\n\r\t\"a",
  "\ud800",
  "\udc00",
  "\ufffd",
  "\u{1f600}",
  "é",
  "e\u0301",
  "\u2028",
  "\\ud800",
  "\\u0000",
  "\\u005c",
  "\\n"
]
const Texts = Arbitrary.array(
  Arbitrary.map(Arbitrary.array(Arbitrary.schema(Schema.Literals(pieces)), { maxLength: 8 }), (parts): string =>
    parts.join("")
  ),
  { minLength: 1, maxLength: 12 }
)

const worldOf = (ids: ReadonlyArray<string>) =>
  World.make({
    apps: [app],
    users: [{ userId: "u", conversations: ids.map((ConvId, UpdateTime) => ({ ConvId, ConvType: 2, UpdateTime })) }]
  })

const run = (sink: ExportSink.ExportSink, users: ReadonlyArray<string> = ["u"]) =>
  Stream.runDrain(Export.run(Stream.fromIterable(users), { sink })).pipe(
    Effect.provideService(RetryPolicy.Current, impatient)
  )

const columns = (path: string, sql: string): ReadonlyArray<unknown> => {
  const database = new DatabaseSync(path)
  try {
    return database
      .prepare(sql)
      .all()
      .flatMap((row) => Object.values(row))
  } finally {
    database.close()
  }
}

const examples = { arbitrary: { seed: 12, runs: 25 } }

describe("ids of any text", () => {
  it.effect.prop(
    "are rows of their own in a database, found again by the next run and by who reads it",
    { texts: Texts },
    ({ texts }) => {
      const ids = [...new Set([...texts, "\ud800", "\\ud800", "a\0b", "a"])]
      return Effect.gen(function* () {
        const path = yield* fresh
        for (let night = 1; night <= 2; night++) {
          yield* run(SqliteSink.make({ path }))
          const found = yield* Stream.runCollect(SqliteSink.conversations(path))
          assert.deepStrictEqual(
            found.map(({ conversationId }) => conversationId),
            ids
          )
        }
        assert.deepStrictEqual(columns(path, "SELECT DISTINCT changed_run FROM conversations"), [1])
        assert.deepStrictEqual(columns(path, "SELECT count(*) FROM disappeared"), [0])
        // An old Node cuts a text there.
        assert.deepStrictEqual(
          columns(path, "SELECT count(*) FROM conversations WHERE instr(CAST(conversation_id AS BLOB), x'00') > 0"),
          [0]
        )
      }).pipe(Effect.scoped, Effect.provide(layer({ world: worldOf(ids) })))
    },
    examples
  )

  it.effect.prop(
    "are themselves in NDJSON, and cells of their own in CSV",
    { texts: Texts },
    ({ texts }) => {
      const ids = [...new Set(texts)]
      return Effect.gen(function* () {
        const disk = new Disk()
        yield* run(yield* Effect.provide(NdjsonSink.make({ path: "/out.ndjson" }), disk.layer))
        yield* run(yield* Effect.provide(CsvSink.make({ path: "/out.csv" }), disk.layer))
        const lines = (disk.text("/out.ndjson") ?? "").split("\n").slice(0, -1)
        assert.deepStrictEqual(
          lines.map((line): string => JSON.parse(line).conversationId),
          ids
        )
        const text = disk.text("/out.csv") ?? ""
        assert.notInclude(text, "\0")
        const rows = yield* Stream.make(text).pipe(
          Stream.pipeThroughChannel(Csv.decodeString({ headers: true })),
          Stream.runCollect
        )
        assert.lengthOf(rows, ids.length)
        assert.strictEqual(new Set(rows.map((row) => row["conversationId"])).size, ids.length)
      }).pipe(Effect.provide(layer({ world: worldOf(ids) })))
    },
    examples
  )

  it.effect("are left as they are but for what no file holds", () => {
    const ids = ["a\nb\r", 'q"x,', "=1+1", " lead ", "", "\u2028", "e\u0301", "C:\\users", "\\u00e9", "群😀"]
    const odd = ["\ud800", "\udc00\ud800", "a\0", "\\ud800", "\\u0000", "\\u005c", "\\\\ud800"]
    return Effect.gen(function* () {
      const disk = new Disk()
      yield* run(yield* Effect.provide(CsvSink.make({ path: "/out.csv" }), disk.layer))
      const rows = yield* Stream.make(disk.text("/out.csv") ?? "").pipe(
        Stream.pipeThroughChannel(Csv.decodeString({ headers: true })),
        Stream.runCollect
      )
      assert.deepStrictEqual(
        rows.map((row) => row["conversationId"]),
        [
          ...ids,
          "\\ud800",
          "\\udc00\\ud800",
          "a\\u0000",
          "\\u005cud800",
          "\\u005cu0000",
          "\\u005cu005c",
          "\\\\u005cud800"
        ]
      )
    }).pipe(Effect.provide(layer({ world: worldOf([...ids, ...odd]) })))
  })

  it.effect.prop(
    "are cells of their own in a spreadsheet, and none is a formula",
    { texts: Texts },
    ({ texts }) =>
      Effect.sync(() => {
        const ids = [...new Set(texts.flatMap((text) => [text, `=${text}`, `'=${text}`, `'${text}`, `-${text}`]))]
        const cells = ids.map((id) => CsvSink.cell(id, { spreadsheet: true }))
        assert.strictEqual(new Set(cells).size, ids.length)
        for (const cell of cells) assert.notMatch(cell, /^[=+\-@\t\r\n\uFF1D\uFF0B\uFF0D\uFF20]/)
      }),
    examples
  )

  it.effect("for a spreadsheet, a file has a mark, and is not gone on with as another one", () =>
    Effect.gen(function* () {
      const disk = new Disk()
      const make = (spreadsheet: boolean) => Effect.provide(CsvSink.make({ path: "/out.csv", spreadsheet }), disk.layer)
      yield* run(yield* make(true))
      assert.deepStrictEqual(
        (disk.text("/out.csv") ?? "").split("\n").map((row) => row.split(",")[1] ?? row),
        ["conversationId", "'=1+1", "'@SUM(1)", "'+1", "''", "a=b", ""]
      )
      assert.isTrue(disk.text("/out.csv")?.startsWith("\uFEFFuserId,"))
      const error = yield* Effect.flip(run(yield* make(false)))
      assert.deepInclude(error, { _tag: "CheckpointInvalid", reason: { _tag: "OtherFormat" } })
    }).pipe(Effect.provide(layer({ world: worldOf(["=1+1", "@SUM(1)", "+1", "'", "a=b"]) })))
  )

  it.effect.prop(
    "are kept of lines that are no user id, as far as they are kept",
    { texts: Texts },
    ({ texts }) =>
      Effect.gen(function* () {
        const path = yield* fresh
        const lines = texts.map((text) => `/${text}`)
        yield* run(SqliteSink.make({ path }), ["u", ...lines, `/${"x".repeat(62)}\u{1f600}`])
        const failures = yield* Stream.runCollect(SqliteSink.failures(path))
        assert.deepStrictEqual(
          failures.map(({ userId }) => userId),
          [...lines, `/${"x".repeat(62)}\ud83d`]
        )
        for (const { message } of failures) assert.include(message, "user id")
      }).pipe(Effect.scoped, Effect.provide(layer({ world: worldOf(["a"]) }))),
    examples
  )
})

/** Ids that differ stay different, in every format. `npm test -- nodes` runs this on the oldest Node too. */
import { RetryPolicy } from "@effect-zim/client"
import { CsvSink, Export, NdjsonSink, type ExportSink } from "@effect-zim/export"
import * as SqliteSink from "@effect-zim/export/SqliteSink"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Csv from "effect/encoding/Csv"
import * as Stream from "effect/Stream"
import { Disk } from "./disk.ts"
import { query } from "./sqlite.ts"
import { fresh, impatient, layer } from "./support.ts"
import { Texts, worldOf } from "./texts.ts"

const run = (sink: ExportSink.ExportSink) =>
  Stream.runDrain(Export.run(Stream.make("u"), { sink })).pipe(Effect.provideService(RetryPolicy.Current, impatient))

const examples = { arbitrary: { seed: 12, runs: 25 } }

describe("ids of any text", () => {
  it.effect("hold no U+0000 in a SQLite database: an old Node cuts a text there", () =>
    Effect.gen(function* () {
      const path = yield* fresh
      yield* run(SqliteSink.make({ path }))
      assert.deepStrictEqual(
        query(path, "SELECT count(*) AS cut FROM conversations WHERE instr(CAST(conversation_id AS BLOB), x'00') > 0"),
        [{ cut: 0 }]
      )
    }).pipe(Effect.provide(layer({ world: worldOf(["a\0b", "a", "\0"]) })))
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
})

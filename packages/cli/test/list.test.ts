import { assert, layer } from "@effect/vitest"
import { Emulator } from "@effect-zim/emulator"
import * as EmulatorServer from "@effect-zim/emulator/EmulatorServer"
import { Effect, Stream } from "effect"
import { CliOutput } from "effect/cli"
import { Csv } from "effect/encoding"
import { once } from "node:events"
import { text } from "node:stream/consumers"
import { before, invoke, invokeAt, matchGolden, service, settings, start, world } from "./support.ts"

const list = (userId: string, ...args: ReadonlyArray<string>) => ["conversations", "list", userId, ...args]

const url = Effect.map(EmulatorServer.EmulatorServer, (server) => server.url)

const typeOf = (code: number | null | undefined) => (code === 2 ? "Group" : (code ?? 0) === 0 ? "OneToOne" : "Unknown")

/** The records of a user, straight from the world. */
const records = (userId: string) =>
  (world.users.find((user) => user.userId === userId)?.conversations ?? []).map((wire) => ({
    userId,
    conversationId: wire.ConvId,
    type: typeOf(wire.ConvType),
    typeCode: wire.ConvType ?? 0,
    updatedAt: new Date(wire.UpdateTime).toISOString()
  }))

const parseLines = (text: string): ReadonlyArray<unknown> => {
  assert.isTrue(text === "" || text.endsWith("\n"))
  return text
    .split("\n")
    .slice(0, -1)
    .map((line) => JSON.parse(line))
}

layer(service, { excludeTestServices: true })("zim conversations list", (it) => {
  it.effect("in a pipe: one JSON object per line, with these keys in this order", () =>
    Effect.gen(function* () {
      const outcome = yield* invokeAt(yield* url, list("ada"))
      assert.strictEqual(outcome.code, 0, outcome.stderr)
      assert.strictEqual(outcome.stderr, "")
      assert.deepStrictEqual(parseLines(outcome.stdout), records("ada"))
      assert.strictEqual(
        outcome.stdout.split("\n")[0],
        '{"userId":"ada","conversationId":"grace","type":"OneToOne","typeCode":0,"updatedAt":"2024-02-18T11:06:35.000Z"}'
      )
      assert.deepStrictEqual([...new Set(records("ada").map(({ type }) => type))], ["OneToOne", "Group", "Unknown"])
    })
  )

  it.effect("--format json: one array over several pages", () =>
    Effect.gen(function* () {
      const outcome = yield* invokeAt(yield* url, list("two-pages", "--format", "json"))
      assert.deepStrictEqual(JSON.parse(outcome.stdout), records("two-pages"))
      assert.isTrue(outcome.stdout.endsWith("]\n"))
    })
  )

  it.effect("--format csv reads back as it was, quotes and commas included", () =>
    Effect.gen(function* () {
      const outcome = yield* invokeAt(yield* url, list("ada", "--format", "csv"))
      const [header] = outcome.stdout.split("\r\n")
      assert.strictEqual(header, "userId,conversationId,type,typeCode,updatedAt")
      const rows = yield* Stream.make(outcome.stdout).pipe(
        Stream.pipeThroughChannel(Csv.decodeString({ headers: true })),
        Stream.runCollect
      )
      assert.deepStrictEqual(
        rows,
        records("ada").map((record) => ({ ...record, typeCode: String(record.typeCode) }))
      )
    })
  )

  it.effect("an empty list is empty, not an error", () =>
    Effect.gen(function* () {
      const print = (...args: ReadonlyArray<string>) =>
        Effect.flatMap(url, (url) => Effect.map(invokeAt(url, list("nobody-writes-me", ...args)), (out) => out.stdout))
      assert.strictEqual(yield* print(), "")
      assert.strictEqual(yield* print("--format", "json"), "[]\n")
      assert.strictEqual(yield* print("--format", "csv"), "userId,conversationId,type,typeCode,updatedAt\r\n")
      const shown = yield* invokeAt(yield* url, list("nobody-writes-me"), 80)
      assert.include(shown.stdout, "No conversations of nobody-writes-me")
    })
  )

  it.effect("a list that cannot be read prints no header", () =>
    Effect.gen(function* () {
      for (const format of ["csv", "table", "json", "ndjson"]) {
        const outcome = yield* invokeAt(yield* url, list("stranger", "--format", format), 80)
        assert.strictEqual(outcome.stdout, "", format)
        assert.strictEqual(outcome.code, 4)
      }
    })
  )

  it.effect("the table on a terminal of 80 columns", () =>
    Effect.gen(function* () {
      const outcome = yield* invokeAt(yield* url, list("ada"), 80)
      for (const line of outcome.stdout.split("\n")) assert.isAtMost(CliOutput.displayWidth(line), 80, line)
      yield* matchGolden(outcome.stdout, "list-terminal")
      const quiet = yield* invokeAt(yield* url, list("ada", "--quiet"), 80)
      assert.strictEqual(quiet.stdout, outcome.stdout.replace(/\n[^\n]*6 conversations of ada.*\n$/, ""))
    })
  )

  it.effect("NO_COLOR and a pipe: no escape codes, ids uncut and never raw control characters", () =>
    Effect.gen(function* () {
      const plain = yield* invoke(list("ada"), { env: { ...settings(yield* url), NO_COLOR: "1" }, columns: 80 })
      const piped = yield* invokeAt(yield* url, list("ada", "--format", "table"))
      for (const { stdout } of [plain, piped]) assert.notMatch(stdout.replaceAll("\n", ""), /\p{Cc}/u)
      assert.include(piped.stdout, `long-${"字".repeat(60)}`)
      assert.include(piped.stdout, "bell\\u{7}\\u{1b}[31mred")
      assert.notInclude(piped.stdout, "conversations of")
    })
  )

  it.effect("--type and --limit", () =>
    Effect.gen(function* () {
      const groups = yield* invokeAt(yield* url, list("ada", "--type", "group", "--limit", "2"))
      assert.deepStrictEqual(
        parseLines(groups.stdout),
        records("ada")
          .filter(({ type }) => type === "Group")
          .slice(0, 2)
      )
      const people = yield* invokeAt(yield* url, list("ada", "--type", "one-to-one"))
      assert.deepStrictEqual(
        parseLines(people.stdout),
        records("ada").filter(({ type }) => type === "OneToOne")
      )
    })
  )

  it.effect("--limit fetches no page that it does not need, --page-size goes to the service", () =>
    Effect.gen(function* () {
      const emulator = yield* Emulator.Emulator
      const limits = (...args: ReadonlyArray<string>) =>
        Effect.gen(function* () {
          yield* emulator.journal.clear
          const outcome = yield* invokeAt(yield* url, list("two-pages", ...args))
          const entries = yield* emulator.journal.entries
          return [parseLines(outcome.stdout).length, entries.map(({ limit }) => limit)]
        })
      assert.deepStrictEqual(yield* limits(), [750, [500, 500]])
      assert.deepStrictEqual(yield* limits("--limit", "500"), [500, [500]])
      assert.deepStrictEqual(yield* limits("--limit", "501"), [501, [500, 500]])
      assert.deepStrictEqual(yield* limits("--page-size", "100", "--limit", "250"), [250, [100, 100, 100]])
    })
  )

  it.effect("--log-level debug tells of the pages, on standard error", () =>
    Effect.gen(function* () {
      const outcome = yield* invokeAt(yield* url, list("two-pages", "--log-level", "debug"))
      assert.strictEqual(parseLines(outcome.stdout).length, 750)
      assert.match(outcome.stderr, /a page of 500 conversations, more to come\n.*a page of 250 conversations, the last/)
    })
  )

  it.effect("a reader that closes the pipe ends it quietly", () =>
    Effect.gen(function* () {
      const env = settings(yield* url)
      yield* Effect.promise(async () => {
        const child = start(list("two-pages", "--page-size", "50"), env)
        let stderr = ""
        child.stderr.on("data", (data) => (stderr += String(data)))
        await before(child, once(child.stdout, "data"))
        child.stdout.destroy()
        await once(child, "close")
        assert.strictEqual(stderr, "")
        assert.strictEqual(child.exitCode, 0)
      })
    })
  )

  it.effect("standard error that nobody reads any more does not end it", () =>
    Effect.gen(function* () {
      const env = settings(yield* url)
      yield* Effect.promise(async () => {
        const child = start(list("two-pages", "--page-size", "50", "--log-level", "debug"), env)
        child.stderr.destroy()
        const [stdout] = await Promise.all([text(child.stdout), once(child, "close")])
        assert.strictEqual(parseLines(stdout).length, 750)
        assert.strictEqual(child.exitCode, 0)
      })
    })
  )

  it.effect("on a terminal, no format lets an id command it; JSON still says the same", () =>
    Effect.gen(function* () {
      const { url } = yield* EmulatorServer.EmulatorServer
      const list = (format: string, columns?: number) =>
        invokeAt(url, ["conversations", "list", "ada", "--format", format], columns)
      for (const format of ["csv", "json", "ndjson"]) {
        const shown = yield* list(format, 80)
        assert.notMatch(shown.stdout.replaceAll(/\r?\n/g, ""), /[\p{Cc}\p{Cf}]/u, format)
        assert.include(
          (yield* list(format)).stdout,
          format === "csv" ? "bell\u0007\u001B[31mred" : "bell\\u0007\\u001b[31mred"
        )
      }
      const parsed = (text: string): unknown => JSON.parse(text)
      assert.deepStrictEqual(parsed((yield* list("json", 80)).stdout), parsed((yield* list("json")).stdout))
    })
  )
})

import { assert, layer } from "@effect/vitest"
import { Emulator, ServiceQuota, World } from "@effect-zim/emulator"
import * as EmulatorServer from "@effect-zim/emulator/EmulatorServer"
import { Effect, Layer } from "effect"
import { CliOutput } from "effect/cli"
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { app, invokeAt, matchGolden } from "./support.ts"

const day = 86_400_000
const world = World.make({
  apps: [app],
  users: [
    { userId: "nobody-writes-me" },
    {
      userId: "user-with-a-full-list",
      conversations: Array.from({ length: 1200 }, (_, i) => ({
        ConvId: `g-${i}`,
        ConvType: 2,
        UpdateTime: 1_767_000_000_000 - i * i * 1000
      }))
    },
    ...[0.5, 1, 3, 20, 200, 2000, 9000].map((days) => ({
      userId: `over-${days}-days`,
      conversations: Array.from({ length: 50 }, (_, i) => ({
        ConvId: `c-${i}`,
        ConvType: i % 7 === 0 ? 3 : 2 * (i % 2),
        UpdateTime: 1_767_225_599_999 - Math.floor((i * days * day) / 50)
      }))
    }))
  ]
})

const service = EmulatorServer.layer().pipe(
  Layer.provide(Emulator.layer({ world, quota: ServiceQuota.unlimited })),
  Layer.orDie
)

const url = Effect.map(EmulatorServer.EmulatorServer, (server) => server.url)

const stats = (...args: ReadonlyArray<string>) => ["conversations", "stats", ...args]

const assertFits = (text: string, width: number) => {
  for (const line of text.split("\n")) assert.isAtMost(CliOutput.displayWidth(line), width, line)
}

/** An export of the world, and its path. */
const exported = Effect.fnUntraced(function* (format: string) {
  const folder = yield* Effect.acquireRelease(
    Effect.sync(() => mkdtempSync(join(tmpdir(), "zim-stats-"))),
    (folder) => Effect.sync(() => rmSync(folder, { recursive: true }))
  )
  const users = join(folder, "users.txt")
  writeFileSync(users, world.users.map(({ userId }) => userId).join("\n"))
  const out = join(folder, "out")
  const args = ["conversations", "export", "--users", users, "--out", out, "--format", format]
  const { code, stderr } = yield* invokeAt(yield* url, [...args, "--calls-per-second", "1000"])
  assert.strictEqual(code, 0, stderr)
  return out
})

layer(service, { excludeTestServices: true })("zim conversations stats", (it) => {
  it.effect("of an export: the same from each format, and what the world says", () =>
    Effect.gen(function* () {
      const texts: Array<unknown> = []
      for (const format of ["ndjson", "csv", "sqlite"]) {
        const outcome = yield* invokeAt(yield* url, stats("--from", yield* exported(format)))
        assert.strictEqual(outcome.code, 0, outcome.stderr)
        texts.push(JSON.parse(outcome.stdout))
      }
      const all = world.users.flatMap(({ conversations, userId }) =>
        conversations
          .toSorted((a, b) => a.UpdateTime - b.UpdateTime)
          .slice(-1000)
          .map((wire) => ({ userId, ...wire }))
      )
      const count = (type: number) => all.filter(({ ConvType }) => (ConvType ?? 0) === type).length
      const days = new Map<string, number>()
      for (const { UpdateTime } of all) {
        const key = new Date(UpdateTime).toISOString().slice(0, 10)
        days.set(key, (days.get(key) ?? 0) + 1)
      }
      for (const text of texts) {
        assert.deepInclude(text, {
          conversations: all.length,
          users: new Set(all.map(({ userId }) => userId)).size,
          byType: { OneToOne: count(0), Group: count(2), Unknown: count(3) },
          byDay: Object.fromEntries([...days].toSorted(([a], [b]) => (a < b ? -1 : 1)))
        })
      }
      assert.sameDeepMembers(Object.keys(Object(texts[0])), [
        "conversations",
        "users",
        "byType",
        "byDay",
        "largest",
        "recent"
      ])
      const largest = Object(texts[0]).largest
      const lengths = new Map(
        world.users.map(({ conversations, userId }) => [userId, Math.min(1000, conversations.length)])
      )
      assert.lengthOf(largest, 5)
      for (const user of largest) assert.strictEqual(user.conversations, lengths.get(user.userId))
      assert.strictEqual(largest[0].conversations, Math.max(...lengths.values()))
      assert.strictEqual(
        Date.parse(Object(texts[0]).recent[0].updatedAt),
        Math.max(...all.map(({ UpdateTime }) => UpdateTime))
      )
    }).pipe(Effect.scoped)
  )

  it.effect("the chart of an export on a terminal of 80 columns", () =>
    Effect.gen(function* () {
      const outcome = yield* invokeAt(yield* url, stats("--from", yield* exported("ndjson")), 80)
      assertFits(outcome.stdout, 80)
      yield* matchGolden(outcome.stdout, "stats-export")
    }).pipe(Effect.scoped)
  )

  for (const days of [0.5, 1, 3, 20, 200, 2000, 9000]) {
    it.effect(`a user whose conversations are of ${days} days: periods of a fitting length`, () =>
      Effect.gen(function* () {
        const outcome = yield* invokeAt(yield* url, stats(`over-${days}-days`), 80)
        assertFits(outcome.stdout, 80)
        yield* matchGolden(outcome.stdout, `stats-${days}-days`)
      })
    )
  }

  it.effect("fits a narrow terminal, and is plain in a pipe", () =>
    Effect.gen(function* () {
      const narrow = yield* invokeAt(yield* url, stats("over-20-days"), 50)
      assertFits(narrow.stdout, 50)
      const piped = yield* invokeAt(yield* url, stats("over-20-days", "--format", "table"))
      assert.notInclude(piped.stdout, "\u001B")
    })
  )

  it.effect("on a terminal, no id commands it in JSON, which still says the same", () =>
    Effect.gen(function* () {
      const out = yield* exported("ndjson")
      const record = { userId: "a", conversationId: "\u009B2J", type: "Group", typeCode: 2 }
      writeFileSync(out, `${JSON.stringify({ ...record, updatedAt: "2024-02-18T11:06:35.000Z" })}\n`)
      const args = stats("--from", out, "--format", "json")
      const shown = yield* invokeAt(yield* url, args, 80)
      const piped = yield* invokeAt(yield* url, args)
      assert.notMatch(shown.stdout.trimEnd(), /\p{Cc}/u)
      assert.include(piped.stdout, "\u009B2J")
      assert.deepStrictEqual<unknown>(JSON.parse(shown.stdout), JSON.parse(piped.stdout))
    }).pipe(Effect.scoped)
  )

  it.effect("says what is wrong in two lines", () =>
    Effect.gen(function* () {
      const refused = Effect.fnUntraced(function* (args: ReadonlyArray<string>, code: number, error: RegExp) {
        const outcome = yield* invokeAt(yield* url, stats(...args))
        assert.strictEqual(outcome.stdout, "")
        assert.match(outcome.stderr, /^error: .*\nhelp: .*\n$/)
        assert.match(outcome.stderr, error)
        assert.strictEqual(outcome.code, code)
      })
      yield* refused([], 2, /neither a USER nor --from/)
      yield* refused(["ada", "--from", "x"], 2, /exclude each other/)
      yield* refused(["stranger"], 4, /660500002/)
      yield* refused(["--from", "/nowhere/out"], 1, /cannot read \/nowhere\/out: there is no such file$/m)
      yield* refused(["--from", tmpdir()], 1, /: it is a folder$/m)
      const out = yield* exported("ndjson")
      writeFileSync(out, '{"userId":"a"}\n')
      yield* refused(["--from", out], 1, /line 1 is no conversation of an export/)
      writeFileSync(out, "userId,conversationId\na,b\n")
      yield* refused(["--from", out], 1, /line 2 is no conversation of an export/)
      writeFileSync(out, '{"userId":"a","conversationId":"b","type":"Group","typeCode":2,"updatedAt":"noon"}\n')
      yield* refused(["--from", out], 1, /line 1 is no conversation of an export/)
    }).pipe(Effect.scoped)
  )
})

/** What an export does to files, and what others do to its files, on a real disk. */
import { CsvSink, Export, NdjsonSink, ExportSink } from "@effect-zim/export"
import * as SqliteSink from "@effect-zim/export/SqliteSink"
import { assert, describe, layer } from "@effect/vitest"
import * as NodeServices from "@effect/platform-node/NodeServices"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Stream from "effect/Stream"
import {
  existsSync,
  linkSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync
} from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { DatabaseSync } from "node:sqlite"
import { layer as service, recordsOf, worldOf } from "./support.ts"

const world = worldOf([3, 0, 40, 1, 60, 12, 7, 5, 6, 1])
const users = world.users.map(({ userId }): string => userId)
const lines = ["", ...users, "stranger"]

const fresh = Effect.acquireRelease(
  Effect.sync(() => realpathSync(mkdtempSync(join(tmpdir(), "zim-files-")))),
  (folder) => Effect.sync(() => rmSync(folder, { recursive: true }))
)

const sinks = {
  ndjson: NdjsonSink.make,
  csv: CsvSink.make,
  sqlite: (options: SqliteSink.Options) => Effect.succeed(SqliteSink.make(options))
}
type Kind = keyof typeof sinks

const exportTo = (kind: Kind, options: NdjsonSink.Options, mode: ExportSink.Mode = "new") =>
  Stream.unwrap(
    Effect.map(sinks[kind](options), (sink) => Export.run(Stream.fromIterable(lines), { sink, mode, concurrency: 1 }))
  )

const fails = (...args: Parameters<typeof exportTo>) => Effect.flip(Stream.runDrain(exportTo(...args)))

/** Everything in a folder: names, links, and bytes. */
const contentOf = (folder: string) =>
  readdirSync(folder, { recursive: true, encoding: "utf8" })
    .toSorted()
    .map((name) => {
      const path = join(folder, name)
      return lstatSync(path).isDirectory()
        ? [name]
        : [name, lstatSync(path).isSymbolicLink(), readFileSync(path, "hex")]
    })

const companions = {
  ndjson: [
    ".part",
    ".checkpoint",
    ".checkpoint.tmp",
    ".lock",
    ".lock.json",
    ".failures.ndjson",
    ".failures.ndjson.part"
  ],
  csv: [".part"],
  sqlite: ["-wal", "-shm", "-journal", ".new", ".new-wal", ".lock", ".lock.json"]
} satisfies Record<Kind, ReadonlyArray<string>>

const conversationsIn = (path: string): number => {
  const database = new DatabaseSync(path, { readOnly: true })
  try {
    return Number(database.prepare("SELECT count(*) AS n FROM conversations").get()?.["n"])
  } finally {
    database.close()
  }
}

const total = users.reduce((sum, userId) => sum + recordsOf(world, userId).length, 0)

layer(Layer.merge(service({ world }), NodeServices.layer), { excludeTestServices: true })((it) => {
  describe("what an export writes is only its own", () => {
    for (const kind of ["ndjson", "csv", "sqlite"] as const) {
      for (const way of ["path", "symbolic link", "hard link"] as const) {
        it.effect(`${kind}: an input that is a file of its own by ${way} is refused, and nothing is touched`, () =>
          Effect.gen(function* () {
            for (const ending of ["", ...companions[kind]]) {
              for (const mode of ["new", "resume", "restart"] as const) {
                const folder = yield* fresh
                const path = join(folder, "out")
                writeFileSync(path + ending, users.join("\n"))
                const input = way === "path" ? path + ending : join(folder, "users.txt")
                if (way === "symbolic link") symlinkSync(path + ending, input)
                if (way === "hard link") linkSync(path + ending, input)
                const before = contentOf(folder)
                const error = yield* fails(kind, { path, inputs: [input] }, mode)
                assert.strictEqual(error._tag, "SameFile", ending)
                assert.match(error.message, /^the input and (?:the|its) .* are the same file: \//)
                assert.deepStrictEqual(contentOf(folder), before)
              }
            }
          }).pipe(Effect.scoped)
        )
      }

      it.effect(
        `${kind}: a link in the place of a file of its own is refused, and where it leads nothing is touched`,
        () =>
          Effect.gen(function* () {
            for (const ending of companions[kind].filter((ending) => !/tmp|new|json|failures\.ndjson$/.test(ending))) {
              for (const make of [symlinkSync, linkSync]) {
                const folder = yield* fresh
                const path = join(folder, "out")
                writeFileSync(join(folder, "precious"), "precious")
                make(join(folder, "precious"), path + ending)
                const before = contentOf(folder)
                const error = yield* fails(kind, { path }, "restart")
                assert.strictEqual(error._tag, "OutputUnusable", ending)
                assert.match(error.message, /it is a symbolic link|it has another name/)
                assert.deepStrictEqual(contentOf(folder), before)
              }
            }
          }).pipe(Effect.scoped)
      )

      it.effect(`${kind}: what has the name of a file that it makes anew keeps its other name and its bytes`, () =>
        Effect.gen(function* () {
          for (const ending of companions[kind].filter((ending) => /tmp|new|lock\.json/.test(ending))) {
            for (const make of [symlinkSync, linkSync]) {
              const folder = yield* fresh
              const path = join(folder, "out")
              writeFileSync(join(folder, "precious"), "precious")
              make(join(folder, "precious"), path + ending)
              yield* Stream.runDrain(exportTo(kind, { path }))
              assert.strictEqual(readFileSync(join(folder, "precious"), "utf8"), "precious", ending)
            }
          }
        }).pipe(Effect.scoped)
      )

      it.effect(
        `${kind}: on a symbolic link it writes the file that this leads to, and meets its lock by any way`,
        () =>
          Effect.gen(function* () {
            const folder = yield* fresh
            mkdirSync(join(folder, "data"))
            symlinkSync(join(folder, "data"), join(folder, "also"))
            // It leads to a file that is not there yet.
            symlinkSync("data/lists", join(folder, "out"))
            const names = ["out", "data/lists", "also/lists", "also/../data/lists"].map((name) => join(folder, name))
            const messages = new Set<string>()
            yield* exportTo(kind, { path: join(folder, "out") }).pipe(
              Stream.tap(() =>
                Effect.forEach(names, (path) =>
                  Effect.map(fails(kind, { path }, "restart"), (error) => messages.add(error.message))
                )
              ),
              Stream.runDrain
            )
            const [message] = messages
            assert.strictEqual(messages.size, 1)
            assert.isTrue(
              message?.startsWith(`another export writes to ${folder}/data/lists: process ${process.pid} on `)
            )
            assert.isTrue(lstatSync(join(folder, "out")).isSymbolicLink())
            assert.isTrue(lstatSync(join(folder, "data/lists")).isFile())
            assert.deepStrictEqual(readdirSync(folder).toSorted(), ["also", "data", "out"])
            assert.isFalse(readdirSync(join(folder, "data")).some((name) => name.includes("lock")))
          }).pipe(Effect.scoped)
      )

      it.effect(`${kind}: what nobody can be is not said to hold the lock`, () =>
        Effect.gen(function* () {
          const path = join(yield* fresh, "out")
          const holder = JSON.stringify({ pid: -1, host: "elsewhere", since: "then" })
          yield* exportTo(kind, { path }).pipe(
            Stream.tap(() =>
              Effect.gen(function* () {
                writeFileSync(`${path}.lock.json`, holder)
                const { message } = yield* fails(kind, { path })
                assert.strictEqual(message, `another export writes to ${path}, or keeps it locked`)
              })
            ),
            Stream.runDrain
          )
        }).pipe(Effect.scoped)
      )

      it.effect(`${kind}: one failures file is written by one export`, () =>
        Effect.gen(function* () {
          const folder = yield* fresh
          const failures = join(folder, "failures")
          const other = { path: join(folder, "other"), failures }
          const more = { path: join(folder, "more"), failures: join(folder, "out.failures.ndjson") }
          yield* exportTo(kind, { path: join(folder, "out"), failures }).pipe(
            Stream.tap(() =>
              Effect.gen(function* () {
                assert.strictEqual((yield* fails(kind, other))._tag, "OutputInUse")
                // Not its failures file, but that of its name.
                assert.strictEqual((yield* fails(kind, more))._tag, "OutputInUse")
              })
            ),
            Stream.runDrain
          )
          assert.match(readFileSync(failures, "utf8"), /"line":12,"userId":"stranger","error":"UserNotRegistered"/)
          assert.deepStrictEqual(
            readdirSync(folder).toSorted(),
            kind === "sqlite" ? ["failures", "out"] : ["failures", "out", "out.checkpoint"]
          )
        }).pipe(Effect.scoped)
      )
    }

    it.effect("a database with two names is refused: its log goes by the name", () =>
      Effect.gen(function* () {
        const path = join(yield* fresh, "out.db")
        yield* Stream.runDrain(exportTo("sqlite", { path }))
        linkSync(path, `${path}.backup`)
        const error = yield* fails("sqlite", { path }, "resume")
        assert.strictEqual(
          error.message,
          `cannot export to ${path}: it has another name, a hard link: that file would change too`
        )
      }).pipe(Effect.scoped)
    )

    it.effect("the log of a database that is gone is not taken for that of a new one", () =>
      Effect.gen(function* () {
        const path = join(yield* fresh, "out.db")
        writeFileSync(`${path}-wal`, "x".repeat(5000))
        for (const mode of ["new", "resume"] as const) {
          const error = yield* fails("sqlite", { path }, mode)
          assert.strictEqual(
            error.message,
            `cannot export to ${path}-wal: it is a part of a database that is not there`
          )
          assert.deepStrictEqual(readdirSync(join(path, "..")), ["out.db-wal"])
        }
        yield* Stream.runDrain(exportTo("sqlite", { path }, "restart"))
        assert.strictEqual(conversationsIn(path), total)
      }).pipe(Effect.scoped)
    )

    it.effect("a lock that cannot be made, or is no lock, is said as that", () =>
      Effect.gen(function* () {
        const folder = yield* fresh
        const nowhere = join(folder, "no", "out")
        for (const kind of ["ndjson", "sqlite"] as const) {
          const error = yield* fails(kind, { path: nowhere })
          assert.strictEqual(
            error.message,
            `cannot write ${nowhere}.lock: it cannot be opened: the folder may be read-only`
          )
        }
        const path = join(folder, "out")
        writeFileSync(`${path}.lock`, "precious")
        const error = yield* fails("ndjson", { path }, "restart")
        assert.strictEqual(error.message, `cannot export to ${path}.lock: it is not empty, as the lock of an export is`)
        assert.deepStrictEqual(contentOf(folder), [["out.lock", false, Buffer.from("precious").toString("hex")]])
      }).pipe(Effect.scoped)
    )
  })

  const meddling = {
    "cuts it": (path: string) => truncateSync(path, 0),
    "cuts its end": (path: string) => truncateSync(path, Math.max(0, statSync(path).size - 1)),
    "fills it with zeros": (path: string) => {
      const { size } = statSync(path)
      truncateSync(path, 0)
      truncateSync(path, size)
    },
    "puts another file there": (path: string) => {
      writeFileSync(`${path}.other`, "x".repeat(statSync(path).size))
      renameSync(`${path}.other`, path)
    },
    "puts a copy there": (path: string) => {
      writeFileSync(`${path}.other`, readFileSync(path))
      renameSync(`${path}.other`, path)
    },
    "removes it": (path: string) => rmSync(path),
    "moves it away": (path: string) => renameSync(path, `${path}.elsewhere`),
    "moves it and leaves a link": (path: string) => {
      renameSync(path, `${path}.elsewhere`)
      symlinkSync(`${path}.elsewhere`, path)
    }
  }

  describe("what somebody does to its files while it runs", () => {
    for (const [kind, endings] of [
      ["ndjson", [".part", ".failures.ndjson.part", ".checkpoint", ".lock"]],
      ["csv", [".part"]],
      ["sqlite", ["", "-wal", "-shm", ".lock"]]
    ] as const) {
      for (const [i, [what, meddle]] of Object.entries(meddling).entries()) {
        it.effect(`${kind}: who ${what} ends it with an error, whenever it is`, () =>
          Effect.gen(function* () {
            for (const [j, ending] of endings.entries()) {
              // The lock is empty, what SQLite has of its index is in memory, and the next checkpoint replaces this one.
              const isContent = what.startsWith("cuts") || what.startsWith("fills")
              if (isContent && (ending === ".lock" || ending === "-shm")) continue
              if (what.startsWith("fills") && ending === ".checkpoint") continue
              const at = [2, 5, 8, 12][(i + j) % 4] ?? 2
              const path = join(yield* fresh, "out")
              let isDone = false
              const error = yield* exportTo(kind, { path }).pipe(
                Stream.tap((event) =>
                  Effect.sync(() => {
                    if (isDone || event._tag !== "Saved" || event.counts.lines < at) return
                    isDone = true
                    meddle(path + ending)
                  })
                ),
                Stream.runDrain,
                Effect.flip
              )
              assert.include(["OutputUnusable", "SinkFailed"], error._tag, `${ending} at ${at}: ${error.message}`)
              if (kind !== "sqlite") assert.isFalse(existsSync(path))
            }
          }).pipe(Effect.scoped)
        )
      }
    }

    it.effect("is seen for the output at its very end, too", () =>
      Effect.gen(function* () {
        const path = join(yield* fresh, "out")
        const sink = yield* NdjsonSink.make({ path })
        const truncating: ExportSink.ExportSink = {
          ...sink,
          open: (options) =>
            Effect.map(sink.open(options), (session) => ({
              ...session,
              finish: (checkpoint) => {
                truncateSync(`${path}.part`, 3)
                return session.finish(checkpoint)
              }
            }))
        }
        const error = yield* Effect.flip(Stream.runDrain(Export.run(Stream.fromIterable(lines), { sink: truncating })))
        assert.match(error.message, /: it has 3 bytes, where the export had written \d+$/)
        assert.isFalse(existsSync(path))
      }).pipe(Effect.scoped)
    )
  })

  it("what Deno was not allowed to says which flag would allow it", () => {
    const message = 'Requires read access to "/lists/out", run again with the --allow-read flag'
    // Through its SQLite, it comes with a code too.
    for (const code of [{}, { code: "ERR_SQLITE_ERROR" }]) {
      const cause = Object.assign(new Error(message), { name: "NotCapable" }, code)
      const error = ExportSink.failed("/lists/out", "read", cause)
      assert.strictEqual(error.message, `cannot read /lists/out: ${message}`)
      assert.strictEqual(error.reason._tag, "PermissionDenied")
    }
  })
})

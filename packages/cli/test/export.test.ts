import { RetryPolicy } from "@effect-zim/client"
import { assert, layer } from "@effect/vitest"
import { ErrorReport } from "@effect-zim/cli"
import { Emulator, Fault } from "@effect-zim/emulator"
import * as EmulatorServer from "@effect-zim/emulator/EmulatorServer"
import { ExportSink } from "@effect-zim/export"
import { Effect } from "effect"
import { CliOutput } from "effect/cli"
import { execFileSync } from "node:child_process"
import { once } from "node:events"
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { DatabaseSync } from "node:sqlite"
import { text } from "node:stream/consumers"
import { gzipSync } from "node:zlib"
import { assertComplete, type Format, read } from "./exportSupport.ts"
import { before, invoke, invokeAt, matchGolden, service, settings, start, world } from "./support.ts"

const url = Effect.map(EmulatorServer.EmulatorServer, (server) => server.url)

const fresh = Effect.acquireRelease(
  Effect.sync(() => mkdtempSync(join(tmpdir(), "zim-export-"))),
  (folder) => Effect.sync(() => rmSync(folder, { recursive: true }))
)

/** Users that can be read. */
const readable = ["ada", "nobody-writes-me", "two-pages"]

/** A folder with a users file. */
const prepared = Effect.fnUntraced(function* (users: string) {
  const folder = yield* fresh
  writeFileSync(join(folder, "users.txt"), users)
  return { folder, users: join(folder, "users.txt"), out: join(folder, "out") }
})

const exportTo = ({ out, users }: { readonly users: string; readonly out: string }, ...more: ReadonlyArray<string>) =>
  ["conversations", "export", "--users", users, "--out", out, "--calls-per-second", "1000"].concat(more)

/** An error is two lines, and says how to go on. */
const assertRefused = (
  outcome: { readonly code: number | null; readonly stderr: string; readonly stdout: string },
  code: number,
  error: string | RegExp,
  help: string
) => {
  assert.strictEqual(outcome.stdout, "")
  const lines = outcome.stderr.split("\n")
  assert.lengthOf(lines, 3, outcome.stderr)
  if (typeof error === "string") assert.strictEqual(lines[0], `error: ${error}`)
  else assert.match(lines[0] ?? "", error)
  assert.include(lines[1], help)
  assert.isTrue(lines[1]?.startsWith("help: "))
  assert.strictEqual(outcome.code, code)
}

layer(service, { excludeTestServices: true })("zim conversations export", (it) => {
  for (const format of ["ndjson", "csv", "sqlite"] as const satisfies ReadonlyArray<Format>) {
    it.effect(`${format}: everybody's lists, those who are not registered in the failures`, () =>
      Effect.gen(function* () {
        const lines = [...readable, "stranger", "grace"]
        const files = yield* prepared(`\uFEFF${lines.join("\r\n")}\r\n`)
        const outcome = yield* invokeAt(yield* url, exportTo(files, "--format", format))
        assert.strictEqual(outcome.code, 0, outcome.stderr)
        assert.strictEqual(outcome.stdout, "")
        assertComplete(yield* read(files.out, format), world, lines)
      }).pipe(Effect.scoped)
    )
  }

  it.effect("the name of the file says the format; --failures says where the failures go", () =>
    Effect.gen(function* () {
      const files = yield* prepared("ada\nstranger\n")
      const failures = join(files.folder, "failed.ndjson")
      for (const [name, beginning] of [
        ["a.csv", "userId,"],
        ["a.db", "SQLite format 3"],
        ["a.txt", '{"userId":"ada"']
      ] as const) {
        const out = join(files.folder, name)
        const outcome = yield* invokeAt(yield* url, exportTo({ ...files, out }, "--failures", failures))
        assert.strictEqual(outcome.code, 0, outcome.stderr)
        assert.isTrue(readFileSync(out, "latin1").startsWith(beginning), name)
        assert.include(
          readFileSync(failures, "utf8"),
          '"userId":"stranger","error":"UserNotRegistered","code":660500002'
        )
        assert.isFalse(existsSync(`${out}.failures.ndjson`))
        rmSync(failures)
      }
    }).pipe(Effect.scoped)
  )

  it.effect("bad lines are recorded with their numbers, and the run goes on", () =>
    Effect.gen(function* () {
      const files = yield* prepared(`\uFEFFada\n\n${"x".repeat(33)}\nbad/id\r\nada\n\uFEFFmark\nnobody-writes-me`)
      const outcome = yield* invokeAt(yield* url, exportTo(files))
      assert.strictEqual(outcome.code, 0, outcome.stderr)
      const failures = readFileSync(`${files.out}.failures.ndjson`, "utf8").split("\n").slice(0, -1)
      assert.deepStrictEqual(
        failures
          .map((line) => JSON.parse(line))
          .map(({ error, line, message }) => `${line} ${error}: ${message.split(";")[0]}`),
        [
          "2 BlankLine: the line is blank",
          "3 UserIdInvalid: a user id has at most 32 characters, this one has 33",
          '4 UserIdInvalid: a user id cannot contain "/" (U+002F), found at position 4',
          "5 DuplicateUser: this user has come before",
          "6 UserIdInvalid: a user id cannot contain U+FEFF, found at position 1"
        ]
      )
      assert.include(outcome.stderr, "done: 2 users, 6 conversations\n")
      assert.include(outcome.stderr, `4 lines are no user id, 1 duplicate: see ${files.out}.failures.ndjson`)
    }).pipe(Effect.scoped)
  )

  it.effect("users from standard input", () =>
    Effect.gen(function* () {
      const { folder } = yield* prepared("")
      const out = join(folder, "out")
      const outcome = yield* invoke(exportTo({ users: "-", out }), {
        env: settings(yield* url),
        stdin: readable.join("\n")
      })
      assert.strictEqual(outcome.code, 0, outcome.stderr)
      assertComplete(yield* read(out, "ndjson"), world, readable)
    }).pipe(Effect.scoped)
  )

  it.effect("users from standard input that is a file of the export's own are refused, and stay", () =>
    Effect.gen(function* () {
      const { out } = yield* prepared("")
      const at = settings(yield* url)
      for (const ending of ["", ".part", ".failures.ndjson"]) {
        writeFileSync(out + ending, readable.join("\n"))
        const child = start(exportTo({ users: "-", out }, "--restart"), at, { stdin: out + ending })
        const [stdout, stderr] = yield* Effect.promise(() =>
          Promise.all([text(child.stdout), text(child.stderr), once(child, "close")])
        )
        const error = /^error: the input and the .* are the same file: /
        assertRefused({ code: child.exitCode, stdout, stderr }, 2, error, "its own")
        assert.strictEqual(readFileSync(out + ending, "utf8"), readable.join("\n"))
        rmSync(out + ending)
      }
    }).pipe(Effect.scoped)
  )

  it.effect("a summary in a pipe, and nothing with --quiet", () =>
    Effect.gen(function* () {
      const files = yield* prepared([...readable, "stranger", "ada", ""].join("\n"))
      const loud = yield* invokeAt(yield* url, exportTo(files))
      yield* matchGolden(
        loud.stderr
          .replaceAll(files.folder, "FOLDER")
          .replace(/in (?:less than a second|\d+s(?: \([\d.]+\/s\))?)/, "in 0s"),
        "export-summary"
      )
      const quiet = yield* invokeAt(yield* url, exportTo({ ...files, out: `${files.out}2` }, "--quiet"))
      assert.deepStrictEqual(quiet, { code: 0, stdout: "", stderr: "" })
    }).pipe(Effect.scoped)
  )

  it.effect("of a finished export, resume says so; other users are refused", () =>
    Effect.gen(function* () {
      const at = yield* url
      const files = yield* prepared("ada\n")
      yield* invokeAt(at, exportTo(files))
      const again = yield* invokeAt(at, exportTo(files, "--resume"))
      assert.strictEqual(again.stderr.split("\n")[0], "it was finished before: --restart begins anew")
      assert.notInclude(again.stderr, "calls")
      writeFileSync(files.users, "two-pages\n")
      assertRefused(yield* invokeAt(at, exportTo(files, "--resume")), 1, /its users are others/, "with --restart.")
      writeFileSync(files.users, "ada\ntwo-pages\n")
      assertRefused(yield* invokeAt(at, exportTo(files, "--resume")), 1, /now there are more/, "to another --out")
    }).pipe(Effect.scoped)
  )

  it.effect("no users are no failure, and no surprise", () =>
    Effect.gen(function* () {
      const files = yield* prepared("")
      const { code, stderr } = yield* invokeAt(yield* url, exportTo(files))
      assert.strictEqual(stderr, "done: 0 users, 0 conversations\nthere were no users: the input is empty\n")
      assert.strictEqual(code, 0)
    }).pipe(Effect.scoped)
  )

  it.effect("--spreadsheet is for CSV, and stats reads what it makes", () =>
    Effect.gen(function* () {
      const at = yield* url
      const files = yield* prepared("ada\n")
      assertRefused(
        yield* invokeAt(at, exportTo(files, "--spreadsheet")),
        2,
        "--spreadsheet is for csv, this is ndjson",
        "--format csv"
      )
      const out = join(files.folder, "a.csv")
      assert.strictEqual((yield* invokeAt(at, exportTo({ ...files, out }, "--spreadsheet"))).code, 0)
      assert.isTrue(readFileSync(out, "utf8").startsWith("\uFEFFuserId,"))
      const stats = yield* invokeAt(at, ["conversations", "stats", "--from", out, "--format", "json"])
      assert.strictEqual(JSON.parse(stats.stdout).users, 1)
      const list = yield* invokeAt(at, ["conversations", "list", "ada", "--format", "csv", "--spreadsheet"])
      assert.isTrue(list.stdout.startsWith("\uFEFFuserId,conversationId,"), list.stdout)
    }).pipe(Effect.scoped)
  )

  it.effect("a users file that is no text in UTF-8 is refused by name, and nothing is begun, also with --quiet", () =>
    Effect.gen(function* () {
      const at = yield* url
      const text = `\uFEFF${readable.join("\r\n")}\r\n`
      const lines = "user\n".repeat(20_000)
      for (const [bytes, problem] of [
        [Buffer.from(text, "utf16le"), "it is in UTF-16 (little-endian), not in UTF-8"],
        [Buffer.from(text, "utf16le").swap16(), "it is in UTF-16 (big-endian), not in UTF-8"],
        [gzipSync(readable.join("\n")), "it is compressed with gzip"],
        [Buffer.from(`${lines}m\xfcller\n`, "latin1"), "line 20001 is not in UTF-8"]
      ] as const) {
        for (const quiet of [[], ["--quiet"]]) {
          const files = yield* prepared("")
          writeFileSync(files.users, bytes)
          assertRefused(
            yield* invokeAt(at, exportTo(files, ...quiet)),
            1,
            `cannot read the users file ${files.users}: ${problem}`,
            "in UTF-8"
          )
          assert.deepStrictEqual(readdirSync(files.folder), ["users.txt"])
        }
      }
      const { folder } = yield* prepared("")
      const piped = yield* invoke(exportTo({ users: "-", out: join(folder, "out") }, "--quiet"), {
        env: settings(at),
        stdin: "ada\nb\0b\n"
      })
      assertRefused(
        piped,
        1,
        "cannot read the users file standard input: line 2 has a NUL character: it is no text",
        "--resume"
      )
    }).pipe(Effect.scoped)
  )

  for (const format of ["ndjson", "sqlite"] as const) {
    it.effect(`${format}: where nobody can be read it is no success, and no output, also with --quiet`, () =>
      Effect.gen(function* () {
        const at = yield* url
        const files = yield* prepared("stranger\n\nbad/id\nstranger\n")
        const failures = join(files.folder, "failed.ndjson")
        const args = ["--format", format, "--failures", failures, "--quiet"]
        for (const mode of [[], ["--resume"]]) {
          assertRefused(
            yield* invokeAt(at, exportTo(files, ...args, ...mode)),
            4,
            "nobody could be read: of 4 lines 2 are no user id, and 1 user could not be read",
            `See ${format === "sqlite" ? `the table "failures" of ${files.out}` : `${failures}.part`}. Correct the users`
          )
          assert.isFalse(existsSync(failures))
        }
        if (format === "ndjson") {
          assert.isFalse(existsSync(files.out))
          assert.lengthOf(readFileSync(`${failures}.part`, "utf8").trimEnd().split("\n"), 4)
        }
        writeFileSync(files.users, readable.join("\n"))
        const outcome = yield* invokeAt(at, exportTo(files, ...args, "--restart"))
        assert.deepStrictEqual(outcome, { code: 0, stdout: "", stderr: "" })
      }).pipe(Effect.scoped)
    )
  }

  it.effect("on a terminal: one line that is rewritten, never wider than it", () =>
    Effect.gen(function* () {
      const emulator = yield* Emulator.Emulator
      const faults = yield* emulator.faults.get
      yield* emulator.faults.set([Fault.latency("400 millis"), ...faults])
      const files = yield* prepared(readable.join("\n"))
      const outcome = yield* invokeAt(yield* url, exportTo(files), 60).pipe(
        Effect.ensuring(emulator.faults.set(faults))
      )
      const [progress = "", summary = ""] = outcome.stderr.split(/(?=done: )/)
      const shown = progress.split("\r\u001B[2K").filter((part) => part !== "")
      assert.isAbove(shown.length, 2)
      for (const line of shown) assert.isBelow(CliOutput.displayWidth(line), 60)
      assert.strictEqual(shown[0], "0/3 users, 0.0/1000 calls/s, 0 rejected, 0 retried")
      assert.match(summary.replaceAll("\r\u001B[2K", ""), /^done: 3 users, 756 conversations\n4 calls in /)
      assert.notInclude(summary, "calls/s")
    }).pipe(Effect.scoped)
  )

  it.effect("says while it runs that no call succeeds", () =>
    Effect.gen(function* () {
      const emulator = yield* Emulator.Emulator
      const faults = yield* emulator.faults.get
      // The first call of each user fails; the second one takes longer than a line stands.
      yield* emulator.faults.set([Fault.connectionReset.pipe(Fault.times(3)), Fault.latency("600 millis"), ...faults])
      const files = yield* prepared(readable.join("\n"))
      const retry = { ...RetryPolicy.none, transport: RetryPolicy.backoff({ base: "1 milli", cap: "1 milli" }) }
      const outcome = yield* invoke(exportTo(files), { env: settings(yield* url), columns: 80, retry }).pipe(
        Effect.ensuring(emulator.faults.set(faults))
      )
      assert.include(outcome.stderr, "0/3 users, every call has failed: see zim doctor, ")
      assert.strictEqual(outcome.code, 0)
      assertComplete(yield* read(files.out, "ndjson"), world, readable)
    }).pipe(Effect.scoped)
  )

  it.effect("what cannot begin is refused in two lines, and harms nothing", () =>
    Effect.gen(function* () {
      const at = yield* url
      const files = yield* prepared(readable.join("\n"))
      const { folder, out, users } = files
      const refuse = Effect.fnUntraced(function* (
        args: ReadonlyArray<string>,
        code: number,
        error: string | RegExp,
        help: string
      ) {
        const names = readdirSync(folder).toSorted()
        const bytes = names.map((name) => [
          name,
          name.endsWith("-folder") ? "" : readFileSync(join(folder, name), "latin1")
        ])
        assertRefused(yield* invokeAt(at, args), code, error, help)
        assert.deepStrictEqual(
          readdirSync(folder)
            .toSorted()
            .map((name) => [name, name.endsWith("-folder") ? "" : readFileSync(join(folder, name), "latin1")]),
          bytes
        )
      })
      const nowhere = join(folder, "nowhere")
      yield* refuse(
        exportTo({ users: nowhere, out }),
        1,
        `cannot read the users file ${nowhere}: no such file or folder`,
        "--users - reads standard input"
      )
      yield* refuse(exportTo({ users: folder, out }), 1, `cannot read the users file ${folder}: it is a folder`, "path")
      const pipe = join(yield* fresh, "pipe")
      execFileSync("mkfifo", [pipe])
      const isPipe = `cannot read the users file ${pipe}: it is a pipe, which can be read only once`
      yield* refuse(exportTo({ users: pipe, out }), 1, isPipe, "--users - reads standard input")
      const missing = join(folder, "no", "out")
      yield* refuse(
        exportTo({ users, out: missing }),
        1,
        `there is no folder ${join(folder, "no")}`,
        "choose another place"
      )
      yield* refuse(exportTo(files, "--failures", missing), 1, `there is no folder ${join(folder, "no")}`, "another")
      yield* refuse(
        exportTo({ users, out: missing }, "--format", "sqlite"),
        1,
        `there is no folder ${join(folder, "no")}`,
        "another"
      )
      mkdirSync(join(folder, "a-folder"))
      yield* refuse(
        exportTo({ users, out: join(folder, "a-folder") }, "--restart"),
        1,
        `cannot export to ${join(folder, "a-folder")}: it is not a regular file`,
        "left as it is"
      )
      writeFileSync(out, "precious")
      yield* refuse(exportTo(files), 1, `${out} exists already`, "--restart")
      yield* refuse(exportTo(files, "--resume"), 1, `${out} exists already`, "--restart")
      yield* refuse(
        exportTo(files, "--format", "sqlite", "--restart"),
        1,
        `cannot export to ${out}: it is no SQLite database`,
        "left as it is"
      )
      rmSync(out)
      const other = new DatabaseSync(out)
      other.exec("CREATE TABLE precious (a)")
      other.close()
      for (const mode of ["--resume", "--restart"]) {
        yield* refuse(
          exportTo(files, "--format", "sqlite", mode),
          1,
          `cannot export to ${out}: it is a SQLite database of something else`,
          "left as it is"
        )
      }
      yield* refuse(
        exportTo(files, "--resume", "--restart"),
        2,
        "--resume and --restart exclude each other",
        "--resume"
      )
      yield* refuse(
        exportTo({ users, out: users }, "--restart"),
        2,
        `the input and the output are the same file: ${users}`,
        "its own"
      )
      yield* refuse(
        exportTo(files, "--failures", out),
        2,
        `the output and the failures are the same file: ${out}`,
        "its own"
      )
      yield* refuse(exportTo(files, "--concurrency", "0"), 2, /--concurrency/, "--help")
      yield* refuse(
        exportTo({ users, out: "" }),
        2,
        /Missing value for flag --out: Expected the path of a file$/,
        "--help"
      )
      yield* refuse(["conversations", "export", "--out", out], 2, /users/, "--help")
    }).pipe(Effect.scoped)
  )

  it("what cannot be read needs no room", () => {
    const error = new ExportSink.SinkFailed({
      path: "out",
      operation: "read",
      problem: "the device failed",
      cause: undefined
    })
    const { advice, problem } = ErrorReport.report(error)
    assert.strictEqual(problem, "cannot read out: the device failed")
    assert.strictEqual(advice, "Check the file and its permissions, or begin anew with --restart.")
  })

  it.effect("settings that are missing and a secret that is wrong have their exit codes", () =>
    Effect.gen(function* () {
      const files = yield* prepared(readable.join("\n"))
      assertRefused(yield* invoke(exportTo(files)), 3, /ZIM_APP_ID: not set/, "zim emulator start")
      const env = { ...settings(yield* url), ZIM_SERVER_SECRET: "not-the-secret-at-all" }
      const wrong = yield* invoke(exportTo(files), { env })
      assertRefused(wrong, 5, /100000005/, `Then go on with: zim conversations export --users ${files.users}`)
      const permitted = yield* invokeAt(yield* url, exportTo(files, "--resume"))
      assert.strictEqual(permitted.code, 0, permitted.stderr)
      assertComplete(yield* read(files.out, "ndjson"), world, readable)
    }).pipe(Effect.scoped)
  )

  it.effect("a checkpoint of other users, of another app, version or format is refused, and says what to do", () =>
    Effect.gen(function* () {
      const at = yield* url
      const files = yield* prepared([...readable, "not-permitted"].join("\n"))
      const checkpoint = `${files.out}.checkpoint`
      const stopped = yield* invokeAt(at, exportTo(files, "--concurrency", "1"))
      assertRefused(stopped, 5, /100000017/, "--resume")
      const saved = readFileSync(checkpoint, "utf8")
      assertRefused(
        yield* invokeAt(at, exportTo(files)),
        1,
        `there is an unfinished export to ${files.out}`,
        "Go on with it with --resume, or begin anew with --restart."
      )
      const refuse = Effect.fnUntraced(function* (
        error: string | RegExp,
        help: string,
        ...more: ReadonlyArray<string>
      ) {
        const part = readFileSync(`${files.out}.part`)
        assertRefused(yield* invokeAt(at, exportTo(files, "--resume", ...more)), 1, error, help)
        assert.deepStrictEqual(readFileSync(`${files.out}.part`), part)
      })
      yield* refuse(
        `cannot go on from ${checkpoint}: it belongs to an export as ndjson, not csv`,
        "Choose that --format",
        "--format",
        "csv"
      )
      writeFileSync(files.users, "somebody-else\n")
      yield* refuse(/its users are others/, "or begin anew with --restart.")
      writeFileSync(checkpoint, saved.replace('"version":2', '"version":7'))
      yield* refuse(
        `cannot go on from ${checkpoint}: it is of version 7, this program makes version 2`,
        "Use the version"
      )
      writeFileSync(checkpoint, saved.replace('"appId":12345', '"appId":1'))
      yield* refuse(/it is of app 1, these settings are of app 12345/, "ZIM_APP_ID")
      writeFileSync(checkpoint, "{")
      yield* refuse(`cannot go on from ${checkpoint}: it is damaged, or no checkpoint`, "--restart")
    }).pipe(Effect.scoped)
  )

  // SQLite does not always tell a disk without room from one that fails.
  for (const [format, file, problem, help] of [
    ["ndjson", "out.part", "the file would be larger than the system allows", "--resume"],
    ["sqlite", "out", "the device failed, or has no more room", "Make room"]
  ] as const) {
    it.effect(`a disk that is full, ${format}: two lines, and with room again it goes on`, () =>
      Effect.gen(function* () {
        const files = yield* prepared(readable.join("\n"))
        const env = settings(yield* url)
        // The largest file that the shell allows is 16 KB.
        const child = start(exportTo(files, "--format", format, "--concurrency", "1"), env, { maximumFile: 16 })
        const [stderr] = yield* Effect.promise(() => Promise.all([text(child.stderr), once(child, "close")]))
        const { exitCode: code } = child
        assertRefused({ code, stderr, stdout: "" }, 1, `cannot write ${join(files.folder, file)}: ${problem}`, help)
        const resumed = yield* invokeAt(yield* url, exportTo(files, "--format", format, "--resume"))
        assert.strictEqual(resumed.code, 0, resumed.stderr)
        assertComplete(yield* read(files.out, format), world, readable)
      }).pipe(Effect.scoped)
    )
  }

  for (const [signal, again] of [["SIGINT"], ["SIGTERM"], ["SIGINT", "SIGTERM"]] as const) {
    const what = again === undefined ? "finishes what is under way" : `and ${again}: waits for nothing any more`
    it.effect(`${signal}: ${what}, saves it, and the command that it prints goes on`, () =>
      Effect.gen(function* () {
        const emulator = yield* Emulator.Emulator
        const faults = yield* emulator.faults.get
        yield* emulator.faults.set([Fault.latency("150 millis"), ...faults])
        yield* emulator.journal.clear
        const lines = [...readable, ...Array.from({ length: 40 }, (_, i) => `stranger-${i}`)]
        const files = yield* prepared(lines.join("\n"))
        const child = start(exportTo(files, "--concurrency", "2"), settings(yield* url))
        const stderr = text(child.stderr)
        const seen = Effect.gen(function* () {
          while (
            (yield* emulator.journal.entries).filter(({ userId }) => userId?.startsWith("stranger-") === true).length <
            4
          ) {
            yield* Effect.sleep("20 millis")
          }
        })
        yield* Effect.promise(() => before(child, Effect.runPromise(seen)))
        if (again !== undefined) yield* emulator.faults.set([Fault.latency("1 minute"), ...faults])
        child.kill(signal)
        if (again !== undefined) {
          yield* Effect.promise(() => before(child, once(child.stderr, "data")))
          child.kill(again)
        }
        yield* Effect.promise(() => once(child, "close"))
        yield* emulator.faults.set(faults)
        const printed = yield* Effect.promise(() => stderr)
        assert.strictEqual(child.exitCode, 130, printed)
        assert.match(
          printed,
          /^stopping: finishing the users that are under way, for 5 seconds at most; once more to stop now$/m
        )
        assert.strictEqual(/^stopping now$/m.test(printed), again !== undefined, printed)
        assert.match(printed, /^stopped: \d+ of 43 users are done and saved$/m)
        const command = /^help: Go on with: zim (?<args>.*)$/m.exec(printed)?.groups?.["args"] ?? assert.fail(printed)
        assert.include(command, "--calls-per-second 1000 --resume")
        const resumed = yield* invokeAt(yield* url, command.split(" "))
        assert.strictEqual(resumed.code, 0, resumed.stderr)
        assert.match(resumed.stderr, /going on after \d+ users/)
        assertComplete(yield* read(files.out, "ndjson"), world, lines)
      }).pipe(Effect.scoped)
    )
  }
})

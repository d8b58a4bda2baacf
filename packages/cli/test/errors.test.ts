import { assert, describe, it, layer } from "@effect/vitest"
import { ExitCode, ErrorReport } from "@effect-zim/cli"
import * as EmulatorServer from "@effect-zim/emulator/EmulatorServer"
import { ExportSink } from "@effect-zim/export"
import { Effect } from "effect"
import { mkdtemp, readFile, writeFile } from "node:fs/promises"
import { createServer } from "node:http"
import { hostname, tmpdir } from "node:os"
import { join } from "node:path"
import { DatabaseSync } from "node:sqlite"
import { app, invoke, invokeAt, type Outcome, portOf, service, settings, zim } from "./support.ts"

/** Two lines on standard error, nothing else anywhere. */
const assertTwoLines = (outcome: Outcome, exit: ExitCode.Name, problem: string, advice: string): void => {
  assert.strictEqual(outcome.code, ExitCode.table[exit].code, outcome.stderr)
  assert.strictEqual(outcome.stdout, "")
  assert.match(outcome.stderr, /^error: [^\n]+\nhelp: [^\n]+\n$/)
  const [first = "", second = ""] = outcome.stderr.split("\n")
  assert.include(first, problem)
  assert.include(second, advice)
  assert.notMatch(outcome.stderr, / at .*[.:]\d+|node:internal/, "a stack trace")
  assert.notInclude(outcome.stderr, app.serverSecret)
}

interface Row {
  readonly name: string
  readonly args: ReadonlyArray<string>
  readonly env?: Record<string, string>
  readonly exit: ExitCode.Name
  readonly problem: string
  readonly advice: string
}

const complete = settings("http://127.0.0.1:1")
const list = ["conversations", "list", "ada"]
const without = (...names: ReadonlyArray<string>) =>
  Object.fromEntries(Object.entries(complete).filter(([name]) => !names.includes(name)))

const setting = (name: string, value: string, problem: string): Row => ({
  name: `${name}=${value}`,
  args: list,
  env: { ...complete, [name]: value },
  exit: "Settings",
  problem: `${name}: ${problem}`,
  advice: `Correct ${name}`
})

const missing = (name: string): Row => ({
  name: `no ${name}`,
  args: list,
  env: without(name),
  exit: "Settings",
  problem: `${name}: not set`,
  advice: `Set ${name} in the environment`
})

const usage = (args: ReadonlyArray<string>, problem: string, advice: string): Row => ({
  name: `zim ${args.join(" ")}`,
  args,
  env: complete,
  exit: "Usage",
  problem,
  advice
})

const user = (name: string, userId: string, problem: string): Row => ({
  name,
  args: ["conversations", "list", userId],
  env: complete,
  exit: "Request",
  problem,
  advice: "nothing was sent"
})

const folder = await mkdtemp(join(tmpdir(), "zim-"))
const file = async (name: string, text: string): Promise<string> => {
  await writeFile(join(folder, name), text)
  return join(folder, name)
}
const exporting = ["conversations", "export", "--users", "u"]
const emulator = ["emulator", "start", "--port", "0"]
const worldFile = (name: string, path: string, problem: string): Row => ({
  name: `world file: ${name}`,
  args: ["emulator", "start", "--port", "0", "--world", path],
  exit: "Failure",
  problem,
  advice: name === "missing" || name === "a folder" ? "Check the path" : "Correct the file"
})

const rows: ReadonlyArray<Row> = [
  missing("ZIM_APP_ID"),
  missing("ZIM_SERVER_SECRET"),
  setting("ZIM_APP_ID", "twelve", "an AppId is a whole number from 0 to 4294967295"),
  setting("ZIM_APP_ID", "4294967296", "an AppId is a whole number from 0 to 4294967295"),
  setting("ZIM_SERVER_SECRET", ` ${app.serverSecret}`, "ServerSecret begins or ends with whitespace"),
  setting("ZIM_REGION", "mars", 'Expected "sha" | "hkg"'),
  setting("ZIM_BASE_URL", "http://example.com", "plain http is for loopback hosts only"),
  setting("ZIM_BASE_URL", "nonsense", "a base URL looks like"),
  user("illegal character", "bäd", 'a user id cannot contain "ä" (U+00E4), found at position 2'),
  user("too long", "x".repeat(33), "at most 32 characters, this one has 33"),
  user("empty", "", "at least one character"),
  {
    name: "unreachable host",
    args: list,
    env: complete,
    exit: "Service",
    problem: "ECONNREFUSED",
    advice: "ZIM_BASE_URL"
  },
  usage(["conversatons"], 'Unknown subcommand "conversatons"', "Did you mean conversations? Run: zim --help"),
  usage(["conversations", "list"], "Missing required argument: USER", "zim conversations list --help"),
  usage([...list, "bob"], 'Unexpected positional argument: "bob"', "zim conversations list --help"),
  usage(["conversations", "list", "-user-"], "Unrecognized flag: -u", "Put -- before"),
  usage([...list, "--formt", "csv"], "Unrecognized flag: --formt", "Did you mean --format?"),
  usage([...list, "--format", "xml"], 'Invalid value for flag --format: "xml"', "zim conversations list --help"),
  usage([...list, "--page-size", "501"], "a page size is a whole number from 1 to 500, not 501", "--help"),
  usage([...list, "--limit", "0"], 'Invalid value for flag --limit: "0"', "--help"),
  usage(["emulator", "start", "--port", "65536"], 'Invalid value for flag --port: "65536"', "--help"),
  usage(["emulator", "start", "--world", "w.json", "--app-id", "1"], "--world and --app-id exclude", "leave one"),
  usage(["emulator", "start", "--server-secret", ` ${app.serverSecret}`], "--server-secret", "without spaces"),
  usage([...emulator, "--quota-model", "soft"], 'Invalid value for flag --quota-model: "soft"', "--help"),
  usage([...emulator, "--window", "0 millis"], 'Invalid value for flag --window: "0 millis"', "--help"),
  usage(["doctor", "--timeout", "5"], '"5": Expected a duration, such as "5 seconds"', "--help"),
  usage([...emulator, "--limit", "-1"], "--limit", "--help"),
  usage([...exporting, "--out", "-"], 'Invalid value for flag --out: "-": Expected the path of a file', "--help"),
  usage(
    [...exporting, "--out", "folder/"],
    'Invalid value for flag --out: "folder/": Expected the path of a file',
    "--help"
  ),
  usage([...exporting, "--out", "o", "--failures", "-"], 'Invalid value for flag --failures: "-"', "--help"),
  usage(["conversations", "stats", "--from", ""], "Missing value for flag --from", "--help"),
  usage([...emulator, "--world", ""], "Missing value for flag --world", "--help"),
  usage([...emulator, "--clock-offset", "soon"], 'Invalid value for flag --clock-offset: "soon"', "--help"),
  usage([...emulator, "--quota-model", "unlimited", "--limit", "5"], "has no --limit", "another model"),
  usage([...emulator, "--faults", '[{"type":"hangs"}]'], "Expected a fault whose type is one of", "look like"),
  usage([...emulator, "--faults", '{"type":"hang","wen":[]}'], 'at [0]["wen"]', "look like"),
  usage([...emulator, "--faults", "[{]"], "it is not valid JSON", "look like"),
  {
    name: "faults file: missing",
    args: [...emulator, "--faults", join(folder, "nowhere.json")],
    exit: "Failure",
    problem: "there is no such file",
    advice: "Check the path"
  },
  {
    name: "unknown return code",
    args: ["codes", "5"],
    exit: "Failure",
    problem: "5 is not a documented return code",
    advice: "zim codes"
  },
  {
    name: "words that no code has to do with",
    args: ["codes", "six", "codes"],
    exit: "Failure",
    problem: 'no code has to do with "six codes"',
    advice: "zim codes"
  },
  {
    name: "the code of success",
    args: ["codes", "0"],
    exit: "Failure",
    problem: "0 is no failure",
    advice: "zim codes"
  },
  worldFile("missing", join(folder, "nowhere.json"), "there is no such file"),
  worldFile("a folder", folder, "is a folder without a world"),
  worldFile("not JSON", await file("text.json", `{"secret":"${app.serverSecret}" oops`), "not valid JSON"),
  worldFile("no apps", await file("empty.json", "{}"), 'Missing key at ["apps"]'),
  worldFile(
    "a secret of spaces",
    await file("spaces.json", JSON.stringify({ apps: [{ ...app, serverSecret: ` ${app.serverSecret}` }], users: [] })),
    "whitespace"
  )
]

const asProcesses = new Set([
  "no ZIM_APP_ID",
  "ZIM_REGION=mars",
  "illegal character",
  "unreachable host",
  "zim conversations list ada --formt csv",
  "unknown return code",
  "world file: not JSON"
])

describe("bad input: two lines and an exit code", () => {
  // A process takes a second, so only one of each kind is one.
  const processes = rows.filter(({ name }) => asProcesses.has(name))
  const others = rows.filter(({ name }) => !asProcesses.has(name))

  it.concurrent.each(processes)("$name, as a process", async (row) => {
    const outcome = await zim(row.args, row.env)
    assert.strictEqual(outcome.code, ExitCode.table[row.exit].code)
    assertTwoLines(outcome, row.exit, row.problem, row.advice)
  })

  for (const row of others) {
    it.live(row.name, () =>
      Effect.gen(function* () {
        const outcome = yield* invoke(row.args, { env: row.env ?? {} })
        assertTwoLines(outcome, row.exit, row.problem, row.advice)
      })
    )
  }

  it.concurrent("a port in use", async () => {
    const server = createServer().listen(0, "127.0.0.1")
    await new Promise((resolve) => server.once("listening", resolve))
    const port = portOf(server)
    const outcome = await zim(["emulator", "start", "--port", String(port)])
    server.close()
    assert.strictEqual(outcome.code, 1)
    assertTwoLines(outcome, "Failure", `port ${port} is in use`, "--port 0")
  })
})

layer(service, { excludeTestServices: true })("what the service refuses", (it) => {
  const refusals: ReadonlyArray<
    readonly [userId: string, exit: ExitCode.Name, problem: string, advice: string, named: boolean]
  > = [
    ["stranger", "Request", "660500002 User not registered", "Register the user", true],
    ["not-permitted", "Authentication", "100000017 Service not enabled", "Enable the ZIM", true],
    ["rate-limited", "RateLimit", "660300005 Calls exceed", "--calls-per-second", true],
    ["throttled", "RateLimit", "7 Requests per second", "--calls-per-second", true],
    ["unknown-code", "Service", "424242 Unknown return code: never heard of", "not documented", true],
    ["html", "Service", "HTTP status 502", "proxies", false],
    ["cut-off", "Service", "no answer: other side closed", "Check the network", false],
    ["late", "Authentication", "100000004 Signature expired", "clock", true],
    ["circle", "Service", "leads back to a cursor", "Read the list again", false]
  ]
  for (const [userId, exit, problem, advice, named] of refusals) {
    it.effect(`${userId}: exit code ${ExitCode.table[exit].code}`, () =>
      Effect.gen(function* () {
        const { url } = yield* EmulatorServer.EmulatorServer
        const outcome = yield* invokeAt(url, ["conversations", "list", userId, "--format", "csv"])
        // The pages before the circle closes have been printed by then.
        assertTwoLines({ ...outcome, stdout: userId === "circle" ? "" : outcome.stdout }, exit, problem, advice)
        if (named) assert.match(outcome.stderr, /request id \d+/)
      })
    )
  }

  it.effect("the wrong secret, as a process", () =>
    Effect.gen(function* () {
      const { url } = yield* EmulatorServer.EmulatorServer
      const env = { ...settings(url), ZIM_SERVER_SECRET: "another-canary" }
      const outcome = yield* Effect.promise(() => zim(list, env))
      assertTwoLines(outcome, "Authentication", "100000005 Signature wrong", "Check ZIM_SERVER_SECRET")
      assert.match(outcome.stderr, /request id \d+/)
      assert.notInclude(outcome.stderr, "another-canary")
    })
  )

  it.effect("an unregistered user, as a process", () =>
    Effect.gen(function* () {
      const { url } = yield* EmulatorServer.EmulatorServer
      const outcome = yield* Effect.promise(() => zim(["conversations", "list", "stranger"], settings(url)))
      assertTwoLines(outcome, "Request", '"stranger": 660500002', "Register the user")
    })
  )

  it.effect("on a terminal they are broken between words", () =>
    Effect.gen(function* () {
      const { url } = yield* EmulatorServer.EmulatorServer
      const args = ["conversations", "list", "stranger"]
      const stable = (text: string) => text.replaceAll(/\s+/g, " ").replaceAll(/\d+ms|request id \d+/g, "1")
      const whole = yield* invokeAt(url, args)
      for (const width of [40, 60, 80]) {
        const { stderr } = yield* invokeAt(url, args, width)
        for (const line of stderr.split("\n")) assert.isAtMost(line.length, width, line)
        assert.strictEqual(stable(stderr), stable(whole.stderr))
      }
    })
  )
})

describe("who holds an output is to be killed only where that number is its own", () => {
  const advice = (host: string) =>
    ErrorReport.report(
      new ExportSink.OutputInUse({ path: "out", holder: { pid: 4711, host, since: "2026-11-28T02:15:00.412Z" } })
    ).advice

  it("on this machine with a command, on another one without", () => {
    assert.include(advice(hostname()), "stop it with: kill 4711;")
    assert.notInclude(advice("batch-1"), "kill")
    assert.include(advice("batch-1"), "stop it on batch-1;")
  })

  it.each([0, -1, -4711])("%d is no process: it would stand for many", (pid) => {
    assert.throws(() => new ExportSink.OutputInUse({ path: "out", holder: { pid, host: "batch-1", since: "" } }))
  })
})

describe("a failure of a file says what to do about that one", () => {
  const failed = (cause: object) => ErrorReport.report(ExportSink.failed("out", "write", cause)).advice

  it.each([
    [{ errcode: 5 }, "the other program"],
    [{ errcode: 8 }, "permissions"],
    [{ errcode: 10 }, "Make room, look whether the device is sound"],
    // With what SQLite adds to its primary codes.
    [{ errcode: 10 | (3 << 8) }, "Make room, look whether"],
    [{ errcode: 11 }, "sound copy"],
    [{ errcode: 13 }, "Make room"],
    [{ errcode: 14 }, "permissions"],
    [{ errcode: 26 }, "left as it is"],
    [{ code: "ENOSPC" }, "Make room"],
    [{ code: "EACCES" }, "permissions"],
    [{ code: "EROFS" }, "file system"],
    [{ reason: { cause: { code: "EDQUOT" } } }, "Make room"],
    [{ code: "EIO" }, "Look at the device"]
  ])("%j: %s", (cause, advice) => {
    assert.include(failed(cause), advice)
    if (!advice.includes("Make room")) assert.notInclude(failed(cause), "Make room")
  })

  it("a damaged database, as a command", async () => {
    const folder = await mkdtemp(join(tmpdir(), "zim-damaged-"))
    const out = join(folder, "out.db")
    const users = join(folder, "users.txt")
    await writeFile(users, "ada\n")
    const database = new DatabaseSync(out)
    database.exec("CREATE TABLE a (b); INSERT INTO a VALUES (1)")
    database.close()
    const bytes = await readFile(out)
    await writeFile(out, bytes.fill(0xff, 100))
    const { code, stderr } = await zim(
      ["conversations", "export", "--users", users, "--out", out, "--resume"],
      settings("http://127.0.0.1:1")
    )
    assert.strictEqual(code, 1)
    assert.match(stderr, /damaged/)
    assert.notInclude(stderr, "Make room")
  })
})

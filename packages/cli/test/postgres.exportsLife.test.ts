/** Exports that are kept in a database, by processes: workers, and whoever submits, looks and interferes. */
import { assert, describe, it } from "@effect/vitest"
import * as NodeWorker from "@effect-zim/durable/NodeWorker"
import { Emulator, Fault, Journal, type World } from "@effect-zim/emulator"
import * as EmulatorServer from "@effect-zim/emulator/EmulatorServer"
import { Effect, FileSystem, Layer, Redacted } from "effect"
import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import * as SqlClient from "effect/sql/SqlClient"
import { once } from "node:events"
import { chmodSync, writeFileSync } from "node:fs"
import { freePort } from "../../client/test/freePort.ts"
import * as PostgresServer from "../../client/test/postgresServer.ts"
import * as Cluster from "../../durable/test/cluster.ts"
import { before, type Outcome, settings, start, zim } from "./support.ts"

const password = "canary-pass-7f2e"

/** Nothing that any command prints has a secret in it. */
const checked = (outcome: Outcome): Outcome => {
  for (const secret of [password, Cluster.secret]) assert.notInclude(outcome.stdout + outcome.stderr, secret)
  return outcome
}

type Environment = Record<string, string>

const run = (env: Environment, ...args: ReadonlyArray<string>) =>
  Effect.map(
    Effect.promise(() => zim(args, env)),
    checked
  )

/** What it prints, where it must succeed. */
const done = Effect.fnUntraced(function* (env: Environment, ...args: ReadonlyArray<string>) {
  const { code, stderr, stdout } = yield* run(env, ...args)
  assert.strictEqual(code, 0, stderr)
  return stdout
})

/** An export as JSON: all of it, or what is looked for. */
const shown = (env: Environment, id: string) =>
  Effect.map(done(env, "exports", "show", id), (text): Record<string, unknown> => JSON.parse(text))

/** A process that goes on: what it has printed so far, and its end. */
const begin = (env: Environment, ...args: ReadonlyArray<string>) =>
  Effect.acquireRelease(
    Effect.sync(() => {
      const child = start(args, env)
      const printed = { stdout: "", stderr: "" }
      child.stdout.on("data", (part: Buffer) => (printed.stdout += part.toString()))
      child.stderr.on("data", (part: Buffer) => (printed.stderr += part.toString()))
      const closed = once(child, "close").then(() => checked({ code: child.exitCode, ...printed }))
      closed.catch(() => undefined)
      return { child, printed, ended: Effect.promise(() => closed) }
    }),
    ({ child }) => Effect.sync(() => void child.kill("SIGKILL"))
  )

type Running = Effect.Success<ReturnType<typeof begin>>

const until = Effect.fnUntraced(function* <R>(isSo: Effect.Effect<boolean, never, R>) {
  while (!(yield* isSo)) yield* Effect.sleep("20 millis")
})

/** Waits until it has printed this; fails if it ends before. */
const says = ({ child, printed }: Running, stream: "stdout" | "stderr", what: RegExp) =>
  Effect.promise(() => {
    const said = Effect.runPromise(until(Effect.sync(() => what.test(printed[stream]))))
    return before(child, said).catch((cause: unknown) => {
      throw new Error(`it did not say ${what}: ${printed.stdout}${printed.stderr}`, { cause })
    })
  })

const startWorker = Effect.fnUntraced(function* (env: Environment, ...args: ReadonlyArray<string>) {
  const port = yield* freePort
  const worker = yield* begin(env, "worker", "start", "--port", `${port}`, ...args)
  yield* says(worker, "stdout", /\n/)
  return { ...worker, port }
})

/** How it ends by SIGTERM, and after how many milliseconds. */
const terminate = Effect.fnUntraced(function* ({ child, ended }: Running) {
  const at = performance.now()
  child.kill("SIGTERM")
  return { ...(yield* ended), took: performance.now() - at }
})

/** The farewell and much for a busy machine: less than anything that is waited for there. */
const soon = 5000

const calls = Effect.flatMap(Emulator.Emulator, ({ journal }) => Effect.map(journal.entries, ({ length }) => length))

const callsAre = (count: number) => until(Effect.map(calls, (now) => now >= count))

/** A folder with a file of the users. */
const usersOf = Effect.fnUntraced(function* (world: World.World) {
  const folder = yield* (yield* FileSystem.FileSystem).makeTempDirectoryScoped()
  writeFileSync(`${folder}/users.txt`, world.users.map(({ userId }) => `${userId}\n`).join(""))
  return folder
})

/** Its URL with a password, which nobody asks for. */
const withPassword = (url: string): string => url.replace("zim@", `zim:${password}@`)

const rowsIn = (url: string, appId: number) =>
  Cluster.rowsIn(appId).pipe(Effect.provide(NodeWorker.layerDatabase(Redacted.make(url))))

const world = Cluster.worldOf(100)

const environmentOf = Effect.map(EmulatorServer.EmulatorServer, ({ url }) => settings(url))

const provided = (options: Parameters<typeof Cluster.emulator>[0]) =>
  Effect.provide(Layer.merge(Cluster.emulator(options), NodeFileSystem.layer))

// They wait more than they compute.
describe.concurrent("zim worker and zim exports", () => {
  it.live("are submitted, read, interrupted and finished", () => {
    let isStuck = true
    let seen = 0
    // From a point on nothing is answered, until the first worker is gone.
    const stuck = Fault.latency("1 hour").pipe(Fault.when(Fault.where(() => ++seen > 30 && isStuck)))
    return Effect.gen(function* () {
      const server = yield* PostgresServer.server
      const folder = yield* usersOf(world)
      writeFileSync(`${folder}/users.txt`, `${"x".repeat(200)}\nstranger\n`, { flag: "a" })
      const env = {
        ...(yield* environmentOf),
        ZIM_DATABASE_URL: withPassword(server.url),
        ZIM_QUOTA_LIMIT: "1000"
      }
      const submit = ["exports", "submit", "--users", `${folder}/users.txt`, "--name", "all"]
      const first = yield* run(env, ...submit)
      assert.strictEqual(first.code, 0, first.stderr)
      assert.match(first.stdout, /^all-[\da-f]{10}\n$/)
      assert.include(first.stderr, "submitted with 102 users")
      const id = first.stdout.trim()
      const again = yield* run(env, ...submit)
      assert.deepStrictEqual([again.code, again.stdout], [0, first.stdout])
      assert.include(again.stderr, "it was submitted before, and is running")

      const worker = yield* startWorker(env)
      const ready = JSON.stringify({ host: "127.0.0.1", port: worker.port, appIds: [12345] })
      const watcher = yield* begin(env, "exports", "show", id, "--watch")
      yield* says(watcher, "stdout", /\n/)
      yield* until(Effect.sync(() => seen > 30))
      const { code, stderr, stdout, took } = yield* terminate(worker)
      assert.deepStrictEqual([code, stdout], [0, `${ready}\n`], stderr)
      assert.isBelow(took, soon)
      assert.strictEqual((yield* shown(env, id))["state"], "Running")

      // The database is away for a while; who watches does not mind.
      yield* server.stop
      yield* says(watcher, "stderr", /the database does not work: .*; it is asked again/)
      yield* server.start
      isStuck = false
      yield* startWorker(env)
      const watched = yield* watcher.ended
      assert.strictEqual(watched.code, 0, watched.stderr)
      const last: unknown = JSON.parse(watched.stdout.trim().split("\n").at(-1) ?? "")
      assert.deepInclude(last, { id, state: "Finished", lines: 102, percent: 100 })
      assert.deepStrictEqual(yield* rowsIn(server.url, 12345), Cluster.rowsOf(world))

      const listed: unknown = JSON.parse(yield* done(env, "exports", "list"))
      assert.deepInclude(listed, { id, state: "Finished", done: 102, users: 100, failed: 1, invalid: 1 })
      assert.deepInclude(yield* shown(env, id), { state: "Finished", percent: 100 })
      const failures = yield* done(env, "exports", "failures", id)
      assert.match(
        failures,
        /^\{"line":101,.*"error":"UserIdInvalid".*\n\{"line":102,.*"error":"UserNotRegistered".*\n$/
      )
    }).pipe(provided({ world, faults: [stuck] }))
  })

  it.live("are paused, resumed and cancelled, and fail", () =>
    Effect.gen(function* () {
      const server = yield* PostgresServer.server
      const folder = yield* usersOf(world)
      const { url } = yield* EmulatorServer.EmulatorServer
      const { faults } = yield* Emulator.Emulator
      const env = {
        ZIM_DATABASE_URL: withPassword(server.url),
        ZIM_APPS_A_APP_ID: "12345",
        ZIM_APPS_A_SERVER_SECRET: Cluster.secret,
        ZIM_APPS_A_BASE_URL: url,
        ZIM_APPS_A_QUOTA_LIMIT: "1000",
        ZIM_APPS_B_APP_ID: "12346",
        ZIM_APPS_B_SERVER_SECRET: password,
        ZIM_APPS_B_BASE_URL: url
      }
      const submit = (appId: number, ...args: ReadonlyArray<string>) =>
        Effect.map(
          done(env, "exports", "submit", "--users", `${folder}/users.txt`, "--app-id", `${appId}`, ...args),
          (text) => text.trim()
        )
      yield* startWorker(env)
      // It would take more than a minute.
      const slow = ["--batches", "1", "--concurrency", "1"]
      const id = yield* submit(12345, "--name", "slow", ...slow)
      yield* callsAre(3)
      assert.strictEqual(yield* done(env, "exports", "pause", id), "")
      assert.strictEqual((yield* shown(env, id))["state"], "Paused")
      assert.strictEqual(yield* done(env, "exports", "resume", id), "")
      const atPause = yield* calls
      yield* callsAre(atPause + 2)
      const watcher = yield* begin(env, "exports", "show", id, "--watch")
      yield* says(watcher, "stdout", /\n/)
      assert.strictEqual(yield* done(env, "exports", "cancel", id), "")
      const watched = yield* watcher.ended
      assert.strictEqual(watched.code, 9, watched.stderr)
      assert.match(watched.stderr, /was cancelled[^]*zim exports resume slow-/)
      const refused = yield* run(env, "exports", "pause", id)
      assert.strictEqual(refused.code, 4)
      assert.include(refused.stderr, `cannot pause ${id}: it is cancelled`)

      yield* faults.set([])
      assert.strictEqual(yield* done(env, "exports", "resume", id), "")
      yield* done(env, "exports", "show", id, "--watch")
      assert.deepStrictEqual(yield* rowsIn(server.url, 12345), Cluster.rowsOf(world))

      const hopeless = yield* submit(12346, "--name", "hopeless")
      const failed = yield* run(env, "exports", "show", hopeless, "--watch")
      assert.strictEqual(failed.code, 8, failed.stderr)
      assert.match(
        failed.stderr,
        /hopeless-\w+ has failed: 100000005 Signature wrong[^]*ZIM_SERVER_SECRET[^]*zim exports resume hopeless-/
      )
    }).pipe(provided({ world: Cluster.worldOf(100, 2), faults: [Fault.latency("700 millis")] }))
  )

  it.live("of several apps keep the quota of each", () => {
    const small = Cluster.worldOf(30, 2)
    return Effect.gen(function* () {
      const server = yield* PostgresServer.server
      const folder = yield* usersOf(small)
      const { url } = yield* EmulatorServer.EmulatorServer
      const { journal } = yield* Emulator.Emulator
      const limits = new Map([
        [12345, 10],
        [12346, 20]
      ])
      const apps = Array.from(limits, ([appId, limit]) => ({
        APP_ID: `${appId}`,
        SERVER_SECRET: Cluster.secret,
        BASE_URL: url,
        QUOTA_LIMIT: `${limit}`
      }))
      const prefixed = (prefix: string, app: Environment | undefined) =>
        Object.fromEntries(Object.entries(app ?? {}).map(([key, value]) => [`${prefix}_${key}`, value]))
      const file = `${folder}/apps.json`
      writeFileSync(file, JSON.stringify({ a: prefixed("ZIM", apps[0]), b: prefixed("ZIM", apps[1]) }))
      chmodSync(file, 0o600)
      const env = { ZIM_DATABASE_URL: withPassword(server.url) }
      const ids = yield* Effect.forEach([...limits.keys()], (appId) =>
        done(env, "exports", "submit", "--users", `${folder}/users.txt`, "--app-id", `${appId}`)
      )
      const workers = [
        startWorker(env, "--apps", file),
        startWorker({ ...env, ...prefixed("ZIM_APPS_A", apps[0]), ...prefixed("ZIM_APPS_B", apps[1]) })
      ]
      yield* Effect.all(workers, { concurrency: 2 })
      yield* Effect.forEach(ids, (id) => done(env, "exports", "show", id.trim(), "--watch"), { concurrency: 2 })
      const entries = yield* journal.entries
      for (const [appId, limit] of limits) {
        assert.deepStrictEqual(yield* rowsIn(server.url, appId), Cluster.rowsOf(small))
        const own = entries.filter((entry) => entry.appId === appId)
        assert.isAtLeast(own.length, 30)
        assert.isAtMost(Journal.peak(own, "1 second"), limit)
      }
    }).pipe(provided({ world: small }))
  })

  it.live("end in time although the database does not answer, and another goes on", () => {
    let seen = 0
    const counted = Fault.latency("300 millis").pipe(Fault.when(Fault.where(() => ++seen > 0)))
    return Effect.gen(function* () {
      const server = yield* PostgresServer.server
      const folder = yield* usersOf(world)
      const env = { ...(yield* environmentOf), ZIM_DATABASE_URL: withPassword(server.url), ZIM_QUOTA_LIMIT: "1000" }
      const id = (yield* done(env, "exports", "submit", "--users", `${folder}/users.txt`)).trim()
      const worker = yield* startWorker(env)
      yield* until(Effect.sync(() => seen > 10))
      yield* server.freeze
      const { code, stderr, took } = yield* terminate(worker)
      assert.strictEqual(code, 0, stderr)
      assert.isBelow(took, soon)
      yield* server.thaw
      yield* startWorker(env)
      yield* done(env, "exports", "show", id, "--watch")
      assert.deepStrictEqual(yield* rowsIn(server.url, 12345), Cluster.rowsOf(world))
    }).pipe(provided({ world, faults: [counted] }))
  })

  it.live("say what to do about a database that does not work, and not its password", () =>
    Effect.gen(function* () {
      const server = yield* PostgresServer.server
      const folder = yield* usersOf(world)
      const env = { ...(yield* environmentOf), ZIM_DATABASE_URL: withPassword(server.url) }
      // Its own password is another one.
      yield* Effect.gen(function* () {
        const sql = yield* SqlClient.SqlClient
        yield* sql`ALTER USER zim PASSWORD 'another'`
      }).pipe(Effect.provide(NodeWorker.layerDatabase(Redacted.make(server.url))))
      yield* server.stop
      writeFileSync(`${server.folder}/pg_hba.conf`, "host all all 127.0.0.1/32 scram-sha-256\n")
      yield* server.start
      const nowhere = server.url.replace(/:\d+\//, `:${yield* freePort}/`)
      const absent = withPassword(nowhere)
      const submit = ["exports", "submit", "--users", `${folder}/users.txt`]
      const unauthorized = /password authentication failed[^]*Check the user and the password in ZIM_DATABASE_URL/
      const refused = /ECONNREFUSED[^]*Check ZIM_DATABASE_URL, and that PostgreSQL/
      const malformed = /it is not the URL of a PostgreSQL database[^]*Write postgres:/
      for (const [url, args, code, said] of [
        [env.ZIM_DATABASE_URL, submit, 1, unauthorized],
        [env.ZIM_DATABASE_URL, ["worker", "start", "--port", `${yield* freePort}`], 1, unauthorized],
        [absent, ["exports", "show", "x", "--watch"], 1, refused],
        [absent, ["worker", "start"], 1, refused],
        [`postgres://zim:${password}#@127.0.0.1/zim`, ["exports", "list"], 3, malformed]
      ] as const) {
        const outcome = yield* run({ ...env, ZIM_DATABASE_URL: url }, ...args)
        assert.deepStrictEqual([outcome.code, outcome.stdout], [code, ""], args.join(" "))
        assert.match(outcome.stderr, said)
      }
    }).pipe(provided({ world }))
  )
})

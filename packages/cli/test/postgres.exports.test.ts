/** `zim worker` and `zim exports`, as people run them, over a real PostgreSQL. */
import { assert, describe, it } from "@effect/vitest"
import { Emulator, Fault, Journal, ServiceQuota } from "@effect-zim/emulator"
import { Effect } from "effect"
import type { ChildProcess } from "node:child_process"
import { once } from "node:events"
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { freePort } from "../../client/test/freePort.ts"
import * as PostgresServer from "../../client/test/postgresServer.ts"
import * as Cluster from "../../durable/test/cluster.ts"
import * as EmulatorServer from "@effect-zim/emulator/EmulatorServer"
import { start, zim } from "./support.ts"

const password = "canary-password-71c0"
const world = Cluster.worldOf(80, 2)
const [one, two] = [12345, 12346]

const makeFolder = Effect.acquireRelease(
  Effect.sync(() => mkdtempSync(join(tmpdir(), "zim-exports-"))),
  (folder) => Effect.sync(() => rmSync(folder, { recursive: true, force: true }))
)

/** A database whose URL has a password, which it does not ask for; users and two apps in files; and what has been printed. */
const setUp = Effect.gen(function* () {
  const server = yield* PostgresServer.server
  const { url: baseUrl } = yield* EmulatorServer.EmulatorServer
  const folder = yield* makeFolder
  const users = join(folder, "users.txt")
  writeFileSync(users, [...world.users.map(({ userId }) => userId), "stranger", ""].join("\n"))
  const apps = join(folder, "apps.json")
  const settingsOf = (appId: number) => ({
    ZIM_APP_ID: appId,
    ZIM_SERVER_SECRET: Cluster.secret,
    ZIM_BASE_URL: baseUrl
  })
  writeFileSync(apps, JSON.stringify({ one: settingsOf(one), two: settingsOf(two) }), { mode: 0o600 })
  const env = {
    ZIM_DATABASE_URL: server.url.replace("zim@", `zim:${password}@`),
    ZIM_APP_ID: `${one}`,
    ZIM_APPS_FILE: apps
  }
  const printed: Array<string> = []
  const run = (args: ReadonlyArray<string>, more: Record<string, string> = {}) =>
    Effect.promise(async () => {
      const outcome = await zim(args, { ...env, ...more })
      printed.push(outcome.stdout, outcome.stderr)
      return outcome
    })
  /** A worker that is ready, and all that it has printed. */
  const worker = Effect.gen(function* () {
    const port = yield* freePort
    const child = yield* Effect.acquireRelease(
      Effect.sync(() => start(["worker", "start", "--port", `${port}`], env)),
      (child) => Effect.sync(() => void child.kill("SIGKILL"))
    )
    let stdout = ""
    child.stderr.on("data", (data: Buffer) => printed.push(data.toString()))
    child.stdout.on("data", (data: Buffer) => (stdout += data.toString()))
    while (!stdout.includes("\n") && child.exitCode === null) yield* Effect.sleep("20 millis")
    assert.deepStrictEqual(JSON.parse(stdout), { host: "127.0.0.1", port, appIds: [one, two] })
    return child
  })
  return { server, users, run, worker, printed }
})

/** Ends a worker, and gives its exit code and how long that took, in milliseconds. */
const stop = (child: ChildProcess) =>
  Effect.promise(async () => {
    const ended = once(child, "exit")
    const began = performance.now()
    child.kill("SIGTERM")
    await ended
    return { code: child.exitCode, took: performance.now() - began }
  })

const emulator = Cluster.emulator({
  world,
  faults: [Fault.latency("30 millis")],
  quota: ServiceQuota.sliding({ limit: 20 })
})

describe("zim exports", () => {
  it.live("submits, reads, shows, stops and goes on, for two apps, each with its quota", () =>
    Effect.gen(function* () {
      const { printed, run, users, worker } = yield* setUp
      const submitted = yield* run(["exports", "submit", "--users", users, "--name", "nightly"])
      assert.strictEqual(submitted.code, 0, submitted.stderr)
      const id = submitted.stdout.trim()
      assert.match(id, /^nightly-[0-9a-f]{10}$/)
      const again = yield* run(["exports", "submit", "--users", users, "--name", "nightly"])
      assert.strictEqual(again.stdout, submitted.stdout)
      assert.match(again.stderr, /--name/)
      const other = yield* run(["exports", "submit", "--users", users, "--name", "nightly"], { ZIM_APP_ID: `${two}` })
      assert.notStrictEqual(other.stdout, submitted.stdout)

      const first = yield* worker
      const { journal } = yield* Emulator.Emulator
      while ((yield* journal.entries).length < 20) yield* Effect.sleep("50 millis")
      const { code, took } = yield* stop(first)
      assert.strictEqual(code, 0)
      assert.isBelow(took, 2000)
      yield* worker
      for (const one of [id, other.stdout.trim()]) {
        const watched = yield* run(["exports", "show", one, "--watch"])
        assert.strictEqual(watched.code, 0, watched.stderr)
        assert.strictEqual(JSON.parse(watched.stdout.trim().split("\n").at(-1) ?? "").state, "Finished")
      }
      const shown = JSON.parse((yield* run(["exports", "show", id])).stdout)
      assert.strictEqual(shown.counts.users, world.users.length)
      const failures = yield* run(["exports", "failures", id, "--format", "ndjson"])
      assert.deepStrictEqual(
        failures.stdout
          .trim()
          .split("\n")
          .map((line) => JSON.parse(line).error),
        ["UserNotRegistered"]
      )
      const listed = yield* run(["exports", "list", "--format", "json"])
      assert.lengthOf(JSON.parse(listed.stdout), 2)

      const calls = yield* journal.entries
      for (const appId of [one, two]) {
        assert.isAtMost(
          Journal.peak(
            calls.filter((call) => call.appId === appId),
            "1 second"
          ),
          20
        )
      }
      for (const canary of [password, Cluster.secret]) assert.notInclude(printed.join("\n"), canary)
    }).pipe(Effect.provide(emulator))
  )

  it.live("says how an export ended, and what is wrong, without the password", () =>
    Effect.gen(function* () {
      const { printed, run, server, users, worker } = yield* setUp
      const nobody = yield* run(["exports", "list", "--database", `postgres://zim:${password}@127.0.0.1:1/zim`])
      assert.notStrictEqual(nobody.code, 0)
      assert.match(nobody.stderr, /database/)
      const { faults } = yield* Emulator.Emulator
      yield* faults.set([Fault.returnCode(100000005)])
      const id = (yield* run(["exports", "submit", "--users", users])).stdout.trim()
      const child = yield* worker
      const failed = yield* run(["exports", "show", id, "--watch"])
      assert.strictEqual(failed.code, 8, failed.stderr)
      yield* faults.set([Fault.latency("1 second")])
      assert.strictEqual((yield* run(["exports", "resume", id])).code, 0)
      assert.strictEqual((yield* run(["exports", "pause", id])).code, 0)
      assert.strictEqual((yield* run(["exports", "cancel", id])).code, 0)
      const cancelled = yield* run(["exports", "show", id, "--watch"])
      assert.strictEqual(cancelled.code, 9, cancelled.stderr)
      const unknown = yield* run(["exports", "show", "nothing"])
      assert.notStrictEqual(unknown.code, 0)

      // Whom it cannot tell that it goes, it leaves all the same.
      yield* server.stop
      const { code, took } = yield* stop(child)
      assert.strictEqual(code, 0)
      assert.isBelow(took, 3000)
      for (const canary of [password, Cluster.secret]) assert.notInclude(printed.join("\n"), canary)
    }).pipe(Effect.provide(emulator))
  )
})

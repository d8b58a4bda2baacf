import { assert, describe, it } from "@effect/vitest"
import { ServiceQuota, World, WorldFolder } from "@effect-zim/emulator"
import * as AdminApi from "@effect-zim/emulator/AdminApi"
import * as NodeServices from "@effect/platform-node/NodeServices"
import { Effect, Layer } from "effect"
import { FetchHttpClient } from "effect/http"
import { once } from "node:events"
import { mkdtemp, writeFile } from "node:fs/promises"
import { createServer } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { createInterface } from "node:readline"
import { app, before, invoke, invokeAt, portOf, settings, start, world } from "./support.ts"

interface Running {
  readonly ready: { readonly url: string; readonly [key: string]: unknown }
  /** Sends a signal, and gives the exit code and everything that was printed. */
  readonly stop: (
    signal: "SIGINT" | "SIGTERM" | "SIGHUP"
  ) => Promise<{ readonly code: number | null; readonly output: string }>
}

/** Starts `zim emulator start` on a free port and waits for its line. */
const startEmulator = async (...args: ReadonlyArray<string>): Promise<Running> => {
  const child = start(["emulator", "start", "--port", "0", ...args])
  let output = ""
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (data) => (output += String(data)))
  const [line] = await once(createInterface(child.stdout), "line")
  return {
    ready: JSON.parse(line),
    stop: async (signal) => {
      child.kill(signal)
      await once(child, "close")
      return { code: child.exitCode, output }
    }
  }
}

const defaultSettings = (url: string) => ({
  ZIM_APP_ID: "12345",
  ZIM_SERVER_SECRET: "emulator-only-not-a-real-secret",
  ZIM_BASE_URL: url
})

describe("zim emulator start", () => {
  it.live("serves a generated world with settings known in advance, and SIGTERM ends it with 0", () =>
    Effect.gen(function* () {
      const { ready, stop } = yield* Effect.promise(() => startEmulator())
      const { users, url, ...rest } = ready
      assert.match(url, /^http:\/\/127\.0\.0\.1:\d+$/)
      assert.strictEqual(users, 40)
      assert.deepStrictEqual(Object.keys(rest), ["adminUrl", "appId", "serverSecret", "conversations"])

      const listed = yield* invokeAt(url, ["conversations", "list", "user-1"])
      assert.strictEqual(listed.code, 5, "another secret is refused")
      const outcome = yield* invoke(["conversations", "list", "user-1"], { env: defaultSettings(url) })
      assert.strictEqual(outcome.code, 0, outcome.stderr)
      const expected = World.generate({ seed: "zim", users: 40 }).users[0]?.conversations.length
      assert.strictEqual(outcome.stdout.split("\n").length - 1, expected)

      const stopped = yield* Effect.promise(() => stop("SIGTERM"))
      assert.deepStrictEqual(stopped, { code: 0, output: `${JSON.stringify(ready)}\n` })
    })
  )

  it.live("serves a world file, whose secrets it never prints, and SIGINT ends it with 0", () =>
    Effect.gen(function* () {
      const path = yield* Effect.promise(async () => {
        const path = join(await mkdtemp(join(tmpdir(), "zim-")), "world.json")
        const users = world.users.map(({ conversations, userId }) => ({ userId, conversations }))
        await writeFile(path, JSON.stringify({ apps: [app], users }))
        return path
      })
      const { ready, stop } = yield* Effect.promise(() => startEmulator("--world", path, "--log-level", "all"))
      assert.strictEqual(ready["appId"], app.appId)
      const outcome = yield* invokeAt(ready.url, ["conversations", "list", "ada"])
      assert.strictEqual(outcome.stdout.split("\n").length - 1, 6, outcome.stderr)

      const stopped = yield* Effect.promise(() => stop("SIGINT"))
      assert.strictEqual(stopped.code, 0)
      assert.notInclude(stopped.output, app.serverSecret)
    })
  )

  it.live("takes app, secret, users and seed from its flags, and keeps that secret to itself", () =>
    Effect.gen(function* () {
      const flags = ["--app-id", String(app.appId), "--server-secret", app.serverSecret, "--users", "3", "--seed", "7"]
      const { ready, stop } = yield* Effect.promise(() => startEmulator(...flags))
      const generated = World.generate({ seed: "7", users: 3 })
      assert.strictEqual(ready["users"], 3)
      assert.strictEqual(
        ready["conversations"],
        generated.users.reduce((sum, user) => sum + user.conversations.length, 0)
      )
      const outcome = yield* invokeAt(ready.url, ["conversations", "list", "user-3"])
      assert.strictEqual(outcome.code, 0, outcome.stderr)
      const { code, output } = yield* Effect.promise(() => stop("SIGHUP"))
      assert.strictEqual(code, 0)
      assert.notInclude(output, app.serverSecret)
    })
  )
})

const adminOf = ({ ready }: Running) => AdminApi.client(String(ready["adminUrl"]))

describe("zim emulator start, steered", () => {
  it.live("says where its admin API is, which knows the emulator", () =>
    Effect.gen(function* () {
      const running = yield* Effect.promise(() => startEmulator("--users", "3"))
      const { url } = running.ready
      assert.match(String(running.ready["adminUrl"]), /^http:\/\/127\.0\.0\.1:\d+$/)
      const admin = yield* adminOf(running)
      assert.deepInclude(yield* admin.status(), { url, users: 3, calls: 0 })
      yield* invoke(["conversations", "list", "user-1"], { env: defaultSettings(url) })
      assert.propertyVal(yield* admin.getStats({ query: {} }), "succeeded", 1)
      yield* Effect.promise(() => running.stop("SIGTERM"))
    }).pipe(Effect.provide(FetchHttpClient.layer))
  )

  it.live("takes quota, faults and clock from its flags", () =>
    Effect.gen(function* () {
      const limits = ["--quota-model", "leaky-queue", "--limit", "5", "--window", "2 seconds", "--admin-port", "0"]
      const faults = `{"type":"returnCode","code":660300005,"when":[{"nth":1}]}`
      const running = yield* Effect.promise(() =>
        startEmulator(...limits, "--faults", faults, "--clock-offset=-5 minutes")
      )
      const admin = yield* adminOf(running)
      const { quota } = yield* admin.getQuota()
      assert.deepStrictEqual(quota, ServiceQuota.leaky({ limit: 5, window: "2 seconds", queue: 5 }))
      const { real, shown } = yield* admin.getClock()
      assert.approximately(shown - real, -300_000, 1)
      const env = defaultSettings(running.ready.url)
      const listed = yield* invoke(["conversations", "list", "user-1"], { env })
      assert.strictEqual(listed.code, 6, listed.stderr)
      yield* Effect.promise(() => running.stop("SIGTERM"))
    }).pipe(Effect.provide(FetchHttpClient.layer))
  )

  it.live("takes faults from a file, and the world from a folder", () =>
    Effect.gen(function* () {
      const folder = yield* Effect.promise(() => mkdtemp(join(tmpdir(), "zim-")))
      yield* WorldFolder.save(world, join(folder, "world"))
      const faults = join(folder, "faults.json")
      yield* Effect.promise(() => writeFile(faults, `[{"type":"hang"},{"type":"emptyBody","when":[{"user":["x"]}]}]`))
      const running = yield* Effect.promise(() => startEmulator("--world", join(folder, "world"), "--faults", faults))
      assert.strictEqual(running.ready["users"], world.users.length)
      const set = yield* (yield* adminOf(running)).getFaults()
      assert.deepStrictEqual(
        set.map(({ description }) => description),
        ["hang", "emptyBody when user x"]
      )
      const { output } = yield* Effect.promise(() => running.stop("SIGTERM"))
      assert.notInclude(output, app.serverSecret)
    }).pipe(Effect.provide(Layer.merge(NodeServices.layer, FetchHttpClient.layer)))
  )
})

describe("interruption", () => {
  it.live("of a command that should end by itself gives 130, without a word", () =>
    Effect.promise(async () => {
      // A service that never answers.
      const server = createServer().listen(0, "127.0.0.1")
      await once(server, "listening")
      const child = start(["conversations", "list", "ada"], settings(`http://127.0.0.1:${portOf(server)}`))
      let output = ""
      for (const stream of [child.stdout, child.stderr]) stream.on("data", (data) => (output += String(data)))
      await before(child, once(server, "connection"))
      child.kill("SIGINT")
      await once(child, "close")
      server.close()
      assert.strictEqual(child.exitCode, 130)
      assert.strictEqual(output, "")
    })
  )
})

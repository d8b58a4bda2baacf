/** A process over Redis, as the guide wires it: its start and its end wait for nobody. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { spawn } from "node:child_process"
import { once } from "node:events"
import { fileURLToPath } from "node:url"
import * as RedisServer from "./redisServer.ts"

const script = fileURLToPath(new URL("redisProcess.ts", import.meta.url))

/** A process, what it has printed, and how it ends. */
const start = (url: string, policy: "fail" | "share") =>
  Effect.acquireRelease(
    Effect.sync(() => {
      const child = spawn(process.execPath, ["--conditions=@effect-zim/source", script, url, policy])
      let output = ""
      child.stdout.on("data", (data: Buffer) => (output += data.toString()))
      child.stderr.on("data", (data: Buffer) => (output += data.toString()))
      const ended = once(child, "exit").then((): unknown => child.exitCode)
      return { child, ended: Effect.promise(() => ended), output: () => output }
    }),
    ({ child }) => Effect.sync(() => void child.kill("SIGKILL"))
  )

const said = (output: () => string, what: RegExp) =>
  Effect.gen(function* () {
    while (!what.test(output())) yield* Effect.sleep("10 millis")
  })

// Starting a process takes its time on a busy machine; one that hangs hangs for ever.
describe("a process with a quota over Redis", { timeout: 120_000 }, () => {
  it.live("ends when it is done, though Redis hangs", () =>
    Effect.gen(function* () {
      const server = yield* RedisServer.make()
      const { child, ended, output } = yield* start(server.url, "fail")
      yield* said(output, /done/)
      yield* server.freeze
      child.stdin?.write("end\n")
      assert.strictEqual(yield* ended, 0, output())
    })
  )

  it.live("ends by SIGTERM, though Redis hangs", () =>
    Effect.gen(function* () {
      const server = yield* RedisServer.make()
      const { child, ended, output } = yield* start(server.url, "share")
      yield* said(output, /done/)
      yield* server.freeze
      child.kill("SIGTERM")
      assert.notStrictEqual(yield* ended, 0, output())
    })
  )

  for (const [policy, expected] of [
    ["fail", /not sent: the store of the shared quota does not answer: .*ECONNREFUSED/],
    ["share", /done/]
  ] as const) {
    it.live(`starts without Redis, with "${policy}"`, () =>
      Effect.gen(function* () {
        const server = yield* RedisServer.make()
        yield* server.stop
        const { child, ended, output } = yield* start(server.url, policy)
        yield* said(output, expected)
        child.stdin?.write("end\n")
        assert.strictEqual(yield* ended, 0, output())
      })
    )
  }

  it.live("starts and ends beside a Redis that hangs", () =>
    Effect.gen(function* () {
      const server = yield* RedisServer.make()
      yield* server.freeze
      const { child, ended, output } = yield* start(server.url, "fail")
      yield* said(output, /not sent: the store of the shared quota does not answer: .*in time/)
      child.stdin?.write("end\n")
      assert.strictEqual(yield* ended, 0, output())
    })
  )
})

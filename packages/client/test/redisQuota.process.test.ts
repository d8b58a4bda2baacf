/** A process over Redis, as the guide wires it: its start and its end wait for nobody. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as RedisServer from "./redisServer.ts"
import * as ScriptProcess from "./scriptProcess.ts"

const start = (url: string, policy: "fail" | "share") => ScriptProcess.start("redisProcess.ts", url, policy)

// Starting a process takes its time on a busy machine; one that hangs hangs for ever.
describe("a process with a quota over Redis", { timeout: 120_000 }, () => {
  it.live("ends when it is done, though Redis hangs", () =>
    Effect.gen(function* () {
      const server = yield* RedisServer.make()
      const { child, ended, output, said } = yield* start(server.url, "fail")
      yield* said(/done/)
      yield* server.freeze
      child.stdin?.write("end\n")
      assert.strictEqual(yield* ended, 0, output())
    })
  )

  it.live("ends by SIGTERM, though Redis hangs", () =>
    Effect.gen(function* () {
      const server = yield* RedisServer.make()
      const { child, ended, output, said } = yield* start(server.url, "share")
      yield* said(/done/)
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
        const { child, ended, output, said } = yield* start(server.url, policy)
        yield* said(expected)
        child.stdin?.write("end\n")
        assert.strictEqual(yield* ended, 0, output())
      })
    )
  }

  it.live("starts and ends beside a Redis that hangs", () =>
    Effect.gen(function* () {
      const server = yield* RedisServer.make()
      yield* server.freeze
      const { child, ended, output, said } = yield* start(server.url, "fail")
      yield* said(/not sent: the store of the shared quota does not answer: .*in time/)
      child.stdin?.write("end\n")
      assert.strictEqual(yield* ended, 0, output())
    })
  )
})

/** What one process has read, another one takes out of Redis: the same snapshot, and no call. */
import { Emulator } from "@effect-zim/emulator"
import * as EmulatorServer from "@effect-zim/emulator/EmulatorServer"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { execFile } from "node:child_process"
import { fileURLToPath } from "node:url"
import { promisify } from "node:util"
import { world } from "./programs/api.ts"
import * as RedisServer from "./redisServer.ts"

const script = fileURLToPath(new URL("programs/cache.ts", import.meta.url))

const emulator = EmulatorServer.layer().pipe(Layer.provideMerge(Emulator.layer({ world })))

describe("a cache over Redis", { timeout: 120_000 }, () => {
  it.live("gives what was read to another process", () =>
    Effect.gen(function* () {
      const redis = yield* RedisServer.make()
      const { url } = yield* EmulatorServer.EmulatorServer
      const { journal } = yield* Emulator.Emulator
      const read = Effect.promise(() =>
        promisify(execFile)(process.execPath, ["--conditions=@effect-zim/source", script, redis.url, url])
      )
      const first = yield* read
      const calls = (yield* journal.entries).length
      // The pages of the snapshot, and the page.
      assert.isAtLeast(calls, 2)
      assert.include(first.stdout, world.users[0]?.conversations[0]?.ConvId ?? "nobody")
      assert.strictEqual((yield* read).stdout, first.stdout)
      assert.strictEqual((yield* journal.entries).length, calls)
    }).pipe(Effect.provide(emulator))
  )
})

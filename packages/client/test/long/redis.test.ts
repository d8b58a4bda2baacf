import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as RedisServer from "../redisServer.ts"
import { run } from "./processes.ts"

describe("four processes over Redis, for a minute, over HTTP", () => {
  it.live("use most of 1200 calls, and one is rejected at most", () =>
    Effect.gen(function* () {
      const server = yield* RedisServer.make()
      const { RateLimited: rejected = 0, Success: answered = 0, ...others } = yield* run(4, server.url)
      assert.deepStrictEqual(others, {})
      assert.isAtMost(rejected, 1)
      // How near it comes is for virtual time to say (packages/simulation), and no machine is too busy for half of it.
      assert.isAtLeast(answered, 600)
    })
  )
})

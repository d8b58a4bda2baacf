import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { run } from "./processes.ts"

describe("one process, for a minute, over HTTP", () => {
  it.live("uses most of 1200 calls, and none is rejected", () =>
    Effect.gen(function* () {
      const { Success: answered = 0, ...others } = yield* run(1)
      assert.deepStrictEqual(others, {})
      // How near it comes is for virtual time to say (packages/simulation), and no machine is too busy for half of it.
      assert.isAtLeast(answered, 600)
    })
  )
})

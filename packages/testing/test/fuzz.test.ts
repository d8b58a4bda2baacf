/** A few thousand of what `npm run fuzz` does by the hundred thousand. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Decoder from "../fuzz/decoder.ts"
import * as Server from "../fuzz/server.ts"
import * as Soak from "../fuzz/soak.ts"

describe("fuzz", () => {
  it.live("whatever the answer, the client gives the page that it says, or a typed error", () =>
    Effect.gen(function* () {
      const { pages, refused } = yield* Decoder.run({ seed: 1, count: 3000 })
      assert.isAbove(pages, 750)
      assert.isAbove(refused, 1000)
    })
  )

  it.live("whatever the request, the emulator's server gives a well-formed answer, and its memory stays flat", () =>
    Effect.gen(function* () {
      const { codes, sizes } = yield* Server.run({ seed: 1, count: 2500 })
      for (const code of [0, 2, 660000002, 660500002, 660800053, 100000000, 100000005, 100000012]) {
        assert.isAbove(codes.get(code) ?? 0, 0, `no answer had code ${code}`)
      }
      assert.isBelow(Server.growth(sizes), Server.allowedGrowth)
    })
  )
})

describe("soak", () => {
  it.live("an hour of virtual time: whole lists, within the quota, in flat memory", () =>
    Effect.gen(function* () {
      const { calls, failed, lists, millis, sizes } = yield* Soak.run({
        seed: 1,
        hours: 1,
        users: 60,
        roundsPerHour: 60
      })
      assert.isAtLeast(millis, 3_600_000)
      assert.isAbove(calls, 600)
      assert.isAbove(lists, 500)
      assert.isBelow(failed, lists / 100)
      assert.isBelow(Server.growth(sizes), Server.allowedGrowth)
    })
  )
})

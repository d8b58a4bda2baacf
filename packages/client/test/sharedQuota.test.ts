/** The shared quota over the store in memory, on the test's clock. */
import * as SharedQuota from "@effect-zim/client/SharedQuota"
import type { Quota } from "@effect-zim/client"
import { AppId } from "@effect-zim/protocol"
import { assert, describe, it } from "@effect/vitest"
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Random from "effect/Random"
import * as Schema from "effect/Schema"
import * as FakeService from "./fakeService.ts"
import { peak } from "./quotaOracle.ts"

const call: Quota.Call = { appId: Schema.decodeSync(AppId.AppId)(12345), action: "QueryConversationList" }
const answered = (): Quota.Outcome => "Answered"
const between = (minimum: number, maximum: number) => Schema.Int.check(Schema.isBetween({ minimum, maximum }))

/** A service behind a path with jitter. `arrivals` is when it counted the calls. */
const service = (least: number, jitter: number) => {
  const arrivals: Array<number> = []
  const way = Effect.flatMap(Random.next, (random) => Effect.sleep(Duration.millis(least / 2 + random * jitter)))
  const request = Effect.andThen(
    way,
    Effect.andThen(
      Effect.map(Clock.currentTimeMillis, (now) => void arrivals.push(now)),
      way
    )
  )
  return { arrivals, request }
}

describe("several processes over one store", () => {
  it.effect.prop(
    "never let more than the limit arrive in any window, and use nearly all of it",
    {
      processes: between(1, 5),
      callers: between(5, 12),
      roundTrip: between(0, 300),
      jitter: between(0, 80),
      seed: between(0, 1e6)
    },
    ({ callers, jitter, processes, roundTrip, seed }) =>
      Effect.gen(function* () {
        const { arrivals, request } = service(roundTrip, jitter)
        const store = yield* SharedQuota.memory
        const quotas = yield* Effect.replicateEffect(SharedQuota.make(store), processes)
        yield* Effect.forEach(
          quotas.flatMap((quota) => Array.from({ length: callers }, () => quota)),
          (quota) => Effect.forever(quota.withPermit(call, () => request, answered)),
          { concurrency: "unbounded" }
        ).pipe(Effect.timeoutOption("60 seconds"), Random.withSeed(seed), FakeService.inTime({ step: 1000 }))
        assert.isAtMost(peak(arrivals, 1000), 20)
        const inFlight = (processes * callers * 60_000) / (1000 + roundTrip + jitter)
        assert.isAtLeast(arrivals.length, Math.min(((0.85 * 60_000) / (1000 + roundTrip + jitter)) * 20, inFlight))
      }),
    { arbitrary: { seed: 51, runs: 20 } }
  )
})

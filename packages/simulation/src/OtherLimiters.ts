/** Other ways to keep to a limit. A rejected call asks again for its turn, a lost one after the same timeout as ours. */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as RateLimiter from "effect/persistence/RateLimiter"
import * as Random from "effect/Random"
import type { Call, Contestant, Process } from "./Contestant.ts"
import * as AwsAdaptive from "./internal/awsAdaptive.ts"
import { limit, window } from "./ServiceModels.ts"
import type { Answer, Wire } from "./NetworkPath.ts"

/** The client's default. */
const attemptTimeout = Duration.seconds(10)

const attempt = (wire: Wire): Effect.Effect<Answer | "Lost"> =>
  Effect.timeoutOrElse(wire.send, { duration: attemptTimeout, orElse: () => Effect.succeed("Lost" as const) })

const once = (wire: Wire): Call => Effect.map(attempt(wire), (answer) => answer === "Accepted")

const makeLimiter = Effect.map(
  Layer.build(Layer.fresh(RateLimiter.layer.pipe(Layer.provide(RateLimiter.layerStoreMemory)))),
  (context) => Context.get(context, RateLimiter.RateLimiter)
)

const limited =
  (algorithm: "fixed-window" | "token-bucket", limiter: RateLimiter.RateLimiter): Process =>
  (wire) =>
    Effect.succeed(
      Effect.andThen(
        Effect.orDie(RateLimiter.sleep(limiter, { algorithm, limit, window: Duration.millis(window), key: "app" })),
        once(wire)
      )
    )

/** Effect's `RateLimiter`, all processes on one store: in memory, as its Redis store counts. */
export const effectLimiter = (name: string, algorithm: "fixed-window" | "token-bucket"): Contestant => ({
  name,
  start: Effect.map(makeLimiter, (limiter) => limited(algorithm, limiter))
})

/** Each process sends a call every so often. */
export const pacing = (name: string, share: number): Contestant => ({
  name,
  start: Effect.succeed((wire) =>
    Effect.sync(() => {
      const spacing = (window / limit) * share
      let nextAt = 0
      return Effect.flatMap(Clock.currentTimeMillis, (now) => {
        const at = Math.max(now, nextAt)
        nextAt = at + spacing
        return Effect.andThen(Effect.sleep(Duration.millis(at - now)), once(wire))
      })
    })
  )
})

/** No quota: whoever is rejected waits for a random time below a bound that doubles from 100 ms up to 20 s. */
export const backoff: Contestant = {
  name: "back-off, full jitter",
  start: Effect.succeed((wire) => {
    const call = (bound: number): Call =>
      Effect.flatMap(once(wire), (isAnswered) =>
        isAnswered
          ? Effect.succeed(true)
          : Effect.flatMap(Random.next, (part) =>
              Effect.delay(
                Effect.suspend(() => call(Math.min(bound * 2, 20_000))),
                Duration.millis(part * bound)
              )
            )
      )
    return Effect.succeed(call(100))
  })
}

/** The AWS SDK for JavaScript v3 in its adaptive retry mode, with its defaults. */
export const awsAdaptive: Contestant = {
  name: "AWS adaptive",
  start: Effect.succeed((wire) => AwsAdaptive.make(attempt(wire)))
}

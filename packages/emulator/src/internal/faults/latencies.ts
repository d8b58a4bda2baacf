import * as Duration from "effect/Duration"
import type * as EffectRandom from "effect/Random"
import * as Random from "../seededRandom.ts"
import type { Action } from "./faultSchema.ts"

/** No tail is longer than this: a day. */
const longest = 86_400_000

const bounded = (millis: number): number => Math.min(longest, Math.max(0, millis))

/** Draws how long the request or the answer is held up by this, in milliseconds. */
export const draw = (of: Action, on: "request" | "answer", random: EffectRandom.Random): number => {
  if (!("on" in of ? of.on === on : on === "answer")) return 0
  switch (of.type) {
    case "latency":
      return Duration.toMillis(of.duration)
    case "latencyBetween": {
      const range = Duration.toMillis(of.maximum) - Duration.toMillis(of.minimum)
      return Duration.toMillis(of.minimum) + (range === 0 ? 0 : random.nextDoubleUnsafe() * range)
    }
    case "latencyNormal":
      return bounded(Duration.toMillis(of.mean) + Duration.toMillis(of.deviation) * Random.normal(random))
    case "latencyLogNormal":
      return bounded(Duration.toMillis(of.median) * Math.exp(of.sigma * Random.normal(random)))
    case "latencyExponential":
      return bounded(-Duration.toMillis(of.mean) * Math.log(Random.positive(random)))
    case "latencyPareto":
      return bounded(Duration.toMillis(of.minimum) / Random.positive(random) ** (1 / of.shape))
    default:
      return 0
  }
}

/** Seeded chance for the models, each with a generator of its own so that contestants meet the same network. */
import * as Effect from "effect/Effect"
import * as Random from "effect/Random"

/** A number from 0 up to 1. */
export type Chance = () => number

export const seeded = (seed: string): Chance =>
  Effect.runSync(
    Random.withSeed(
      Random.Random.useSync((random) => () => random.nextDoubleUnsafe()),
      seed
    )
  )

export const exponential = (random: Chance, mean: number): number => -mean * Math.log(1 - random())

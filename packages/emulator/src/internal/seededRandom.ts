import * as Effect from "effect/Effect"
import * as Random from "effect/Random"

/** Effect's seeded generator, for synchronous code. */
export const seeded = (seed: string | number): Random.Random =>
  Effect.runSync(
    Random.withSeed(
      Random.Random.useSync((random) => random),
      seed
    )
  )

/** A whole number from `minimum` to `maximum`, both included. */
export const between = (random: Random.Random, minimum: number, maximum: number): number =>
  minimum + Math.floor(random.nextDoubleUnsafe() * (maximum - minimum + 1))

/** Above 0, up to 1: its logarithm is finite. */
export const positive = (random: Random.Random): number => 1 - random.nextDoubleUnsafe()

/** Of the standard normal distribution (Box-Muller). */
export const normal = (random: Random.Random): number =>
  Math.sqrt(-2 * Math.log(positive(random))) * Math.cos(2 * Math.PI * random.nextDoubleUnsafe())

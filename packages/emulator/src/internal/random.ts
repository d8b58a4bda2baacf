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

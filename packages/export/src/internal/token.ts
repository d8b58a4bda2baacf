/** A name that is drawn. */
import * as Effect from "effect/Effect"
import * as Random from "effect/Random"

export const token: Effect.Effect<string> = Effect.map(Random.nextIntBetween(0, 2 ** 48), (number) =>
  number.toString(36).padStart(10, "0")
)

/** Waits out a store that does not answer: nothing is lost meanwhile, and no job ends because of it. */
import * as Effect from "effect/Effect"
import * as Schedule from "effect/Schedule"
import type { StoreFailed } from "../ExportStore.ts"

/** From a fifth of a second to ten seconds. */
const backOff = Schedule.min([Schedule.exponential("200 millis"), Schedule.spaced("10 seconds")])

export const whileAway = <A, R>(self: Effect.Effect<A, StoreFailed, R>): Effect.Effect<A, never, R> =>
  self.pipe(
    Effect.tapError(({ message }) => Effect.logWarning(`${message}; it is asked again`)),
    Effect.retry(backOff),
    Effect.orDie
  )

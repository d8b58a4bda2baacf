/** One process's connection to the simulated service. */
import type * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import type * as Scope from "effect/Scope"
import type { Chance } from "./internal/random.ts"
import type { NetworkPath } from "./NetworkPath.ts"
import type { Meter } from "./ServiceModels.ts"

export type Answer = "Accepted" | "Rejected"

/** A call as the service saw it: when it arrived, in milliseconds, and what became of it. */
export interface Arrival {
  readonly at: number
  readonly answer: Answer
}

export interface Wire {
  /**
   * Sends a request and waits for the answer, for ever where one of them is lost. Who stops waiting does not stop the
   * request: it arrives and is counted.
   */
  readonly send: Effect.Effect<Answer>
}

/** What the service takes to answer a call that it deals with, in milliseconds. */
const processing = 1

const millisOf = (clock: Clock.Clock): number => Number(clock.monotonicTimeNanosUnsafe()) / 1e6

export const make = (options: {
  readonly path: NetworkPath
  readonly random: Chance
  readonly meter: Meter
  readonly arrivals: Array<Arrival>
  readonly scope: Scope.Scope
}): Wire => ({
  send: Effect.suspend(() => {
    const { back, out } = options.path.transit(options.random)
    if (out === Infinity) return Effect.never
    const served = Effect.clockWith((clock) =>
      Effect.suspend(() => {
        const at = millisOf(clock)
        const wait = options.meter.admit(at)
        const answer: Answer = wait === undefined ? "Rejected" : "Accepted"
        options.arrivals.push({ at, answer })
        return back === Infinity
          ? Effect.never
          : Effect.as(Effect.sleep(Duration.millis((wait ?? 0) + processing + back)), answer)
      })
    )
    return Effect.flatMap(
      Effect.forkIn(Effect.delay(served, Duration.millis(out)), options.scope, { startImmediately: true }),
      Fiber.join
    )
  })
})

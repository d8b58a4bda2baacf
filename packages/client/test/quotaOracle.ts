/** What the tests of quotas are made of: a call, a service that counts arrivals, and what it may have counted at most. */
import type { Quota } from "@effect-zim/client"
import { Call } from "@effect-zim/policies"
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Random from "effect/Random"
import * as Schema from "effect/Schema"

export const call: Call.Options = { key: "12345", operation: "QueryConversationList" }

/** Begins a call, and makes its attempt with a permit. */
export const withPermit = <A, E, R>(
  quota: Quota.Quota["Service"],
  options: Call.Options,
  attempt: (waited: Duration.Duration, goingTo?: Quota.GoingTo) => Effect.Effect<A, E, R>,
  outcomeOf: (exit: Exit.Exit<A, E>) => Quota.Outcome,
  pauseOf?: (exit: Exit.Exit<A, E>) => Duration.Duration | undefined
) => Effect.flatMap(Call.make(options), (call) => quota.withPermit(call, attempt, outcomeOf, pauseOf))

/** Without an answer, the request may arrive later. */
export const outcomeOf = (exit: Exit.Exit<unknown, unknown>): Quota.Outcome =>
  Exit.isSuccess(exit) ? "Answered" : "Abandoned"

export const between = (minimum: number, maximum: number) => Schema.Int.check(Schema.isBetween({ minimum, maximum }))

/** The most of these times, ascending, in any window of this length. */
export const peak = (times: ReadonlyArray<number>, window: number): number => {
  let first = 0
  let most = 0
  for (const [last, time] of times.entries()) {
    while (time - (times[first] ?? time) >= window) first++
    most = Math.max(most, last - first + 1)
  }
  return most
}

/**
 * A service behind a path with this least round trip, half of it each way, and up to this much jitter on each way, in
 * milliseconds. It counts when requests arrive: also one that is given up on the way.
 */
export const service = (least: number, jitter: number) => {
  const arrivals: Array<number> = []
  const way = Effect.flatMap(Random.next, (random) => Effect.sleep(Duration.millis(least / 2 + random * jitter)))
  const arrive = Effect.andThen(
    way,
    Effect.map(Clock.currentTimeMillis, (now) => void arrivals.push(now))
  )
  // What is sent is not called back by an interruption.
  const there = Effect.flatMap(Effect.forkDetach(arrive, { startImmediately: true }), Fiber.join)
  return { arrivals, request: Effect.andThen(there, way) }
}

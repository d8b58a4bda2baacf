/** Makes a failed call again, as its policy says, while the budget and the deadline allow it. */
import type { RetryBudget } from "@effect-zim/policies"
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Pull from "effect/Pull"
import * as Schedule from "effect/Schedule"
import { traits } from "../ClientError.ts"
import type * as RetryPolicy from "../RetryPolicy.ts"
import type { Kind } from "../RetryPolicy.ts"
import { millisOf } from "./time.ts"

type Step = Effect.Success<ReturnType<typeof Schedule.toStep<unknown, RetryPolicy.Failure, never, never>>>

/** The delay before the next attempt; none where the schedule has ended. */
const nextDelay = (step: Step, now: number, error: RetryPolicy.Failure): Effect.Effect<Duration.Duration | undefined> =>
  Pull.matchEffect(step(now, error), {
    onSuccess: ([, delay]) => Effect.succeed(delay),
    onDone: () => Effect.succeed(undefined),
    onFailure: Effect.failCause
  })

/** Hears of what happens between the attempts. */
export interface Observer<E> {
  readonly retrying: (error: E, delay: Duration.Duration) => Effect.Effect<void>
  readonly gaveUp: (error: E, why: string) => Effect.Effect<void>
}

export interface Options<E, Late> {
  readonly policy: RetryPolicy.RetryPolicy
  readonly budget: RetryBudget.RetryBudget["Service"]
  /** The kind of a failure, or nothing where the same call would fail again. */
  readonly kindOf: (error: E) => Kind | undefined
  /** Sees every failure, and says whether the same call, signed anew, can go out at once. */
  readonly onFailure: (error: E) => Effect.Effect<boolean>
  readonly timeLeft: () => Duration.Duration
  /** Ends what takes longer than that. */
  readonly inTime: <Result>(self: Effect.Effect<Result>) => Effect.Effect<Result, Late>
  /** The error of a wait that does not fit into the time left. */
  readonly tooLate: (needed: Duration.Duration) => Late
  readonly observe: Observer<E | Late>
}

/**
 * Repeats an attempt while the policy's schedule for its kind of failure goes on. Each kind keeps its own count, so a
 * rejection does not use up the retries of a lost connection.
 */
export const retry = <A, E extends RetryPolicy.Failure, Late>(
  attempt: Effect.Effect<A, E>,
  { budget, inTime, kindOf, observe, onFailure, policy, timeLeft, tooLate }: Options<E, Late>
): Effect.Effect<A, E | Late> => {
  const steps = new Map<Kind, Step>()
  let spent = 0

  // Schedules measure how long they have gone on by the time they are told: setting the clock must not end them, nor
  // keep them from their end.
  let origin: number | undefined
  const now = Clock.clockWith((clock) =>
    Effect.sync(() => {
      const monotonic = millisOf(clock)
      origin ??= clock.currentTimeMillisUnsafe() - monotonic
      return origin + monotonic
    })
  )

  const stepOf = (kind: Kind): Effect.Effect<Step> => {
    const known = steps.get(kind)
    return known === undefined
      ? Effect.tap(Schedule.toStep(policy[kind]), (step) => Effect.sync(() => steps.set(kind, step)))
      : Effect.succeed(known)
  }

  // The quota holds rejected calls back, and some are not sent at all: neither adds to an outage.
  const costOf = (kind: Kind, error: E): number =>
    !policy.usesBudget || kind === "rateLimit" || traits(error).count === "NotSent"
      ? 0
      : kind === "transport"
        ? budget.costs.timeoutRetry
        : budget.costs.retry

  const giveUp = <Error extends E | Late>(error: Error, why: string): Effect.Effect<never, Error> =>
    Effect.andThen(observe.gaveUp(error, why), Effect.fail(error))

  /** Ends when it is time for the next attempt, or fails where there is none. */
  const beforeNext = function* (error: E): Effect.fn.Return<void, E | Late> {
    if (yield* onFailure(error)) return yield* observe.retrying(error, Duration.zero)
    const kind = kindOf(error)
    if (kind === undefined) return yield* giveUp(error, "the same call would fail again")
    const delay = yield* inTime(nextDelay(yield* stepOf(kind), yield* now, error))
    if (delay === undefined) return yield* giveUp(error, "the policy allows no more retries")
    if (Duration.isGreaterThanOrEqualTo(delay, timeLeft())) {
      return yield* giveUp(tooLate(delay), "the deadline comes before the next retry")
    }
    const cost = costOf(kind, error)
    if (!(yield* budget.spend(cost))) return yield* giveUp(error, "the retry budget is empty")
    spent = cost
    yield* observe.retrying(error, delay)
    yield* Effect.sleep(delay)
  }

  const loop: Effect.Effect<A, E | Late> = Effect.matchEffect(attempt, {
    // The last step of all, so that nothing is left of the attempts before, however many there are.
    onFailure: (error) =>
      Effect.flatMap(
        Effect.gen(() => beforeNext(error)),
        () => loop
      ),
    onSuccess: (value) => Effect.as(budget.refill(spent === 0 ? budget.costs.success : spent), value)
  })
  return loop
}

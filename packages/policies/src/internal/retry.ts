/** Makes a failed call again, as its policy says, while the budget and the deadline allow it. */
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Pull from "effect/Pull"
import * as Schedule from "effect/Schedule"
import type { Call } from "../Call.ts"
import type { Meaning } from "../Meaning.ts"
import type { DeadlineExceeded } from "../PolicyError.ts"
import type * as RetryBudget from "../RetryBudget.ts"
import type { Kind, RetryPolicy } from "../RetryPolicy.ts"
import { millisOf } from "./time.ts"

type Step<E> = Effect.Success<ReturnType<typeof Schedule.toStep<unknown, E, never, never>>>

/** The delay before the next attempt; none where the schedule has ended. */
const nextDelay = <E>(step: Step<E>, now: number, error: E): Effect.Effect<Duration.Duration | undefined> =>
  Pull.matchEffect(step(now, error), {
    onSuccess: ([, delay]) => Effect.succeed(delay),
    onDone: () => Effect.succeed(undefined),
    onFailure: Effect.failCause
  })

export interface Options<E> {
  readonly call: Call
  readonly policy: RetryPolicy<E>
  readonly budget: RetryBudget.RetryBudget["Service"]
  readonly meaningOf: (error: E) => Meaning
  /** Whether the call changes nothing, so that it may be made again although an answer was lost. */
  readonly isRepeatable: boolean
  /** Whether the same call can go out at once: what was wrong with it has been put right. */
  readonly canResend: (meaning: Meaning) => Effect.Effect<boolean>
  readonly retrying: (error: E, delay: Duration.Duration) => Effect.Effect<void>
  readonly gaveUp: (error: E, why: string) => Effect.Effect<void>
}

/**
 * Repeats an attempt while the policy's schedule for its kind of failure goes on. Each kind keeps its own count, so a
 * rejection does not use up the retries of a lost connection.
 */
export const retry = <A, E extends { readonly _tag: string }>(
  attempt: Effect.Effect<A, E | DeadlineExceeded>,
  { budget, call, canResend, gaveUp, isRepeatable, meaningOf, policy, retrying }: Options<E | DeadlineExceeded>
): Effect.Effect<A, E | DeadlineExceeded> => {
  type Failure = E | DeadlineExceeded
  const steps = new Map<Kind, Step<Failure>>()
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

  const stepOf = (kind: Kind): Effect.Effect<Step<Failure>> => {
    const known = steps.get(kind)
    return known === undefined
      ? Effect.tap(Schedule.toStep(policy[kind]), (step) => Effect.sync(() => steps.set(kind, step)))
      : Effect.succeed(known)
  }

  // The quota holds rejected calls back, and some are not sent at all: neither adds to an outage.
  const costOf = (kind: Kind, { count }: Meaning): number =>
    !policy.usesBudget || kind === "rateLimit" || count === "NotSent"
      ? 0
      : kind === "transport"
        ? budget.costs.timeoutRetry
        : budget.costs.retry

  const giveUp = (error: Failure, why: string): Effect.Effect<never, Failure> =>
    Effect.andThen(gaveUp(error, why), Effect.fail(error))

  /** Ends when it is time for the next attempt, or fails where there is none. */
  const beforeNext = function* (error: Failure): Effect.fn.Return<void, Failure> {
    call.lastFailure = error
    const meaning = meaningOf(error)
    if (yield* canResend(meaning)) return yield* retrying(error, Duration.zero)
    // What has changed something may have done so although the answer was lost.
    const isSafe = isRepeatable || meaning.count === "Rejected" || meaning.count === "NotSent"
    const kind = isSafe ? meaning.retry : undefined
    if (kind === undefined) return yield* giveUp(error, "the same call would fail again")
    const isLast = call.attempts >= (policy.attempts ?? Infinity)
    const scheduled = isLast ? undefined : yield* nextDelay(yield* stepOf(kind), yield* now, error)
    if (scheduled === undefined) return yield* giveUp(error, "the policy allows no more retries")
    const delay = Duration.max(scheduled, meaning.retryAfter ?? Duration.zero)
    if (Duration.isGreaterThanOrEqualTo(delay, call.timeLeft)) {
      return yield* giveUp(call.deadlineExceeded(delay), "the deadline comes before the next retry")
    }
    const cost = costOf(kind, meaning)
    if (!(yield* budget.spend(cost))) return yield* giveUp(error, "the retry budget is empty")
    spent = cost
    yield* retrying(error, delay)
    yield* Effect.sleep(delay)
  }

  const loop: Effect.Effect<A, Failure> = Effect.matchEffect(attempt, {
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

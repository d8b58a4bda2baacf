/** Makes a failed call again, as its policy says. */
import type { ServiceError } from "@effect-zim/protocol"
import * as Clock from "effect/Clock"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Pull from "effect/Pull"
import * as Schedule from "effect/Schedule"
import type { CallError } from "../ClientError.ts"
import type * as RetryPolicy from "../RetryPolicy.ts"

type Retryable = CallError<ServiceError.ServiceError>
type Step = Effect.Success<ReturnType<typeof Schedule.toStep<unknown, Retryable, never, never>>>

/** The delay before the next attempt; none where the schedule has ended. */
const nextDelay = (step: Step, now: number, error: Retryable): Effect.Effect<Duration.Duration | undefined> =>
  Pull.matchEffect(step(now, error), {
    onSuccess: ([, delay]) => Effect.succeed(delay),
    onDone: () => Effect.succeed(undefined),
    onFailure: Effect.failCause
  })

/**
 * Repeats an attempt while the policy's schedule for its kind of failure goes on. Each kind keeps its own count, so a
 * rejection does not use up the retries of a lost connection. `onFailure` sees every failure, the last one too.
 */
export const retry = <A, E extends Retryable>(
  attempt: Effect.Effect<A, E>,
  policy: RetryPolicy.RetryPolicy,
  kindOf: (error: E) => RetryPolicy.Kind | undefined,
  onFailure: (error: E) => void
): Effect.Effect<A, E> => {
  const steps = new Map<RetryPolicy.Kind, Step>()
  const stepOf = (kind: RetryPolicy.Kind): Effect.Effect<Step> => {
    const known = steps.get(kind)
    return known === undefined
      ? Effect.tap(Schedule.toStep(policy[kind]), (step) => Effect.sync(() => steps.set(kind, step)))
      : Effect.succeed(known)
  }
  const again = Effect.fnUntraced(function* (error: E): Effect.fn.Return<A, E> {
    onFailure(error)
    const kind = kindOf(error)
    if (kind === undefined) return yield* Effect.fail(error)
    const step = yield* stepOf(kind)
    const delay = yield* nextDelay(step, yield* Clock.currentTimeMillis, error)
    if (delay === undefined) return yield* Effect.fail(error)
    yield* Effect.sleep(delay)
    return yield* loop
  })
  const loop: Effect.Effect<A, E> = Effect.catch(attempt, again)
  return loop
}

import * as Clock from "effect/Clock"
import * as Data from "effect/Data"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Scheduler from "effect/Scheduler"
import * as TestClock from "effect/testing/TestClock"

/** Why an effect did not come to its end. */
export class NeverEnds extends Data.TaggedError("NeverEnds")<{ readonly problem: string }> {
  override get message(): string {
    return this.problem
  }
}

/** Lets every promise and every task that is due happen. */
const turn = Effect.callback<void>((resume) => {
  const timer = setImmediate(() => resume(Effect.void))
  return Effect.sync(() => clearImmediate(timer))
})

/** A scheduler that knows how many of its tasks have not run yet. */
const counting = (scheduler: Scheduler.Scheduler) => {
  let pending = 0
  const counted: Scheduler.Scheduler = {
    executionMode: scheduler.executionMode,
    shouldYield: (fiber) => scheduler.shouldYield(fiber),
    makeDispatcher: () => {
      const dispatcher = scheduler.makeDispatcher()
      return {
        scheduleTask: (task, priority) => {
          pending++
          dispatcher.scheduleTask(() => {
            pending--
            task()
          }, priority)
        },
        flush: () => dispatcher.flush()
      }
    }
  }
  return { counted, isIdle: () => pending === 0 }
}

/** A test clock that knows when the next sleeper wakes. */
const watching = (clock: TestClock.TestClock) => {
  const sleepers = new Set<{ readonly end: number }>()
  const watched: TestClock.TestClock = {
    ...clock,
    sleep: (duration) =>
      Effect.suspend(() => {
        const sleeper = { end: clock.currentTimeMillisUnsafe() + Duration.toMillis(duration) }
        sleepers.add(sleeper)
        return Effect.ensuring(
          clock.sleep(duration),
          Effect.sync(() => sleepers.delete(sleeper))
        )
      })
  }
  const next = (): number => {
    let earliest = Infinity
    for (const { end } of sleepers) if (end < earliest) earliest = end
    return earliest
  }
  return { watched, next }
}

/** In how many turns of the event loop nothing may happen before it counts as a standstill: a quarter of a second. */
const patience = 50

const isTestClock = (clock: Clock.Clock): boolean => "adjust" in clock && "setTime" in clock

/**
 * Runs an effect on the test's clock, which goes on from one sleeper to the next as soon as nothing else is left to do.
 */
export const run = Effect.fnUntraced(function* <A, E, R>(
  effect: Effect.Effect<A, E, R>,
  limit: Duration.Duration
): Effect.fn.Return<A, E | NeverEnds, R> {
  if (!isTestClock(yield* Clock.Clock)) {
    return yield* new NeverEnds({ problem: "there is no TestClock: use it.effect, or provide TestClock.layer()" })
  }
  const clock = yield* TestClock.testClockWith((clock) => Effect.succeed(clock))
  const { counted, isIdle } = counting(yield* Scheduler.Scheduler)
  const { next, watched } = watching(clock)
  const end = clock.currentTimeMillisUnsafe() + Duration.toMillis(limit)
  const fiber = yield* effect.pipe(
    Effect.provideService(Clock.Clock, watched),
    Effect.provideService(Scheduler.Scheduler, counted),
    Effect.forkChild({ startImmediately: true })
  )
  const settle = Effect.gen(function* () {
    do yield* turn
    while (!isIdle())
  })
  const stop = (problem: string) =>
    Effect.andThen(
      Effect.forkDetach(Fiber.interrupt(fiber)),
      Effect.andThen(settle, Effect.fail(new NeverEnds({ problem })))
    )

  let still = 0
  while (fiber.pollUnsafe() === undefined) {
    yield* settle
    if (fiber.pollUnsafe() !== undefined) break
    const wake = next()
    if (wake > end && Number.isFinite(wake)) {
      return yield* stop(`it is not done after ${Duration.format(limit)} of virtual time`)
    }
    if (Number.isFinite(wake)) {
      still = 0
      yield* clock.setTime(wake)
    } else if (++still > patience) {
      return yield* stop("it waits for something that never happens, and that is not time")
    } else if (still > patience / 2) {
      yield* clock.withLive(Effect.sleep(10))
    }
  }
  return yield* Fiber.join(fiber)
})

import * as Clock from "effect/Clock"
import * as Data from "effect/Data"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import { memoize } from "effect/Function"
import * as Scheduler from "effect/Scheduler"
import * as TestClock from "effect/testing/TestClock"
import { inRange } from "./inRange.ts"

/** Why an effect did not come to its end. */
export class NeverEnds extends Data.TaggedError("NeverEnds")<{ readonly message: string }> {}

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

const watchedClocks = new WeakSet<Clock.Clock>()

/**
 * A clock that tells when the next one wakes who sleeps on it. One for each clock: what one effect leaves asleep (a permit
 * on its way back), the next one may wait for.
 */
const watch = memoize((clock: TestClock.TestClock) => {
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
  watchedClocks.add(watched)
  return { clock: watched, next: () => [...sleepers].reduce((earliest, { end }) => Math.min(earliest, end), Infinity) }
})

/** In how many turns of the event loop nothing may happen before it counts as a standstill: a quarter of a second. */
const patience = 50

/** So many turns of the event loop an effect may be busy while no virtual time passes. */
const busiest = 500_000

/** After everything that is due, which is a timer where a runtime has nothing quicker, as workerd; returns what cancels it. */
const soon = new Scheduler.MixedScheduler().setImmediate

/**
 * Runs an effect on the test's clock, which goes on from one sleeper to the next as soon as nothing else is left to do.
 */
export const run = Effect.fnUntraced(function* <A, E, R>(
  effect: Effect.Effect<A, E, R>,
  limit: Duration.Duration
): Effect.fn.Return<A, E | NeverEnds, R> {
  const current = yield* Clock.Clock
  // Time goes on already.
  if (watchedClocks.has(current)) return yield* effect
  if (!("adjust" in current && "setTime" in current)) {
    return yield* new NeverEnds({ message: "there is no TestClock: use it.effect, or provide TestClock.layer()" })
  }
  const clock = yield* TestClock.testClockWith((clock) => Effect.succeed(clock))
  const { counted, isIdle } = counting(yield* Scheduler.Scheduler)
  const watching = watch(clock)
  const millis = Duration.toMillis(limit)
  inRange("the limit of virtual time", millis, Number.isFinite(millis) && millis > 0, "a finite time above 0")
  const end = clock.currentTimeMillisUnsafe() + millis
  const fiber = yield* effect.pipe(
    Effect.provideService(Clock.Clock, watching.clock),
    Effect.provideService(Scheduler.Scheduler, counted),
    Effect.forkChild({ startImmediately: true })
  )
  /** Lets everything happen that is due; whether everybody sleeps or waits then. */
  const settle = Effect.callback<boolean>((resume) => {
    let turns = 0
    const look = (): void => {
      if (isIdle()) resume(Effect.succeed(true))
      else if (++turns > busiest) resume(Effect.succeed(false))
      else cancel = soon(look)
    }
    let cancel = soon(look)
    return Effect.sync(() => cancel())
  })
  const stop = (message: string) =>
    Effect.andThen(
      Effect.forkDetach(Fiber.interrupt(fiber)),
      Effect.andThen(settle, Effect.fail(new NeverEnds({ message })))
    )

  let still = 0
  while (fiber.pollUnsafe() === undefined) {
    if (!(yield* settle)) return yield* stop("it is busy for ever, while no time passes")
    if (fiber.pollUnsafe() !== undefined) break
    const wake = watching.next()
    if (Number.isFinite(wake)) {
      if (wake > end) return yield* stop(`it is not done after ${Duration.format(limit)} of virtual time`)
      still = 0
      yield* clock.setTime(wake)
    } else if (++still <= patience) {
      yield* clock.withLive(Effect.sleep(still < patience / 2 ? 0 : 10))
    } else {
      // Somebody may sleep who was started on the clock itself.
      const step = 2 ** (still - patience)
      if (clock.currentTimeMillisUnsafe() + step > end) {
        return yield* stop("it waits for something that never happens, and that is not time")
      }
      yield* clock.adjust(step)
    }
  }
  return yield* Fiber.join(fiber)
})

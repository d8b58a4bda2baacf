/**
 * Ends what takes too long, with one timer for all of a client's attempts. A race with a timer of its own, which is what
 * `Effect.timeout` is, costs an attempt more than all the other policies together.
 */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as FiberSet from "effect/FiberSet"
import type * as Scope from "effect/Scope"
import { millisOf } from "./line.ts"

/** Something under way. */
interface Watched {
  readonly dueAt: number
  readonly end: () => void
}

/** What is under way by one clock, and when its timer goes off. */
interface Watch {
  readonly watched: Set<Watched>
  timerAt: number
  timer: Fiber.Fiber<void> | undefined
}

export interface Watchdog {
  /** The effect, or `late` when it takes longer: then the effect has been interrupted. It runs in the given context. */
  readonly within: <A, E, E2>(
    self: Effect.Effect<A, E>,
    duration: Duration.Duration,
    clock: Clock.Clock,
    context: Context.Context<never>,
    late: Effect.Effect<never, E2>
  ) => Effect.Effect<A, E | E2>
}

/** Milliseconds that are too few to sleep for: sums of fractions have the last bit wrong. */
const grain = 0.001

/** Ends what is late, and sleeps until the next one may be, as long as there is one. */
const patrol = (watch: Watch, clock: Clock.Clock): Effect.Effect<void> =>
  Effect.suspend(() => {
    const now = millisOf(clock)
    watch.timerAt = Infinity
    for (const one of watch.watched) {
      if (one.dueAt - now > grain) {
        watch.timerAt = Math.min(watch.timerAt, one.dueAt)
      } else {
        watch.watched.delete(one)
        one.end()
      }
    }
    if (watch.timerAt === Infinity) return Effect.void
    return Effect.andThen(Effect.sleep(Duration.millis(watch.timerAt - now)), patrol(watch, clock))
  })

export const make: Effect.Effect<Watchdog, never, Scope.Scope> = Effect.gen(function* () {
  const timers = yield* FiberSet.make<void>()
  const watches = new WeakMap<Clock.Clock, Watch>()
  const watchOf = (clock: Clock.Clock): Watch => {
    const known = watches.get(clock)
    if (known !== undefined) return known
    const watch: Watch = { watched: new Set(), timerAt: Infinity, timer: undefined }
    watches.set(clock, watch)
    return watch
  }
  /** Sees to it that the timer goes off in time for this one. */
  const keep = (watch: Watch, one: Watched, clock: Clock.Clock): void => {
    watch.watched.add(one)
    if (one.dueAt >= watch.timerAt) return
    watch.timer?.interruptUnsafe()
    watch.timerAt = one.dueAt
    watch.timer = Effect.runForkWith(Context.make(Clock.Clock, clock))(patrol(watch, clock))
    FiberSet.addUnsafe(timers, watch.timer)
  }
  return {
    within: <A, E, E2>(
      self: Effect.Effect<A, E>,
      duration: Duration.Duration,
      clock: Clock.Clock,
      context: Context.Context<never>,
      late: Effect.Effect<never, E2>
    ): Effect.Effect<A, E | E2> =>
      Effect.callback<A, E | E2>((resume) => {
        const fiber = Effect.runForkWith(context)(self)
        const exit = fiber.pollUnsafe()
        if (exit !== undefined) return resume(exit)
        const watch = watchOf(clock)
        const one: Watched = {
          dueAt: millisOf(clock) + Duration.toMillis(duration),
          end: () => resume(Effect.andThen(Fiber.interrupt(fiber), late))
        }
        fiber.addObserver((exit) => {
          watch.watched.delete(one)
          resume(exit)
        })
        keep(watch, one, clock)
        return Effect.suspend(() => {
          watch.watched.delete(one)
          return Fiber.interrupt(fiber)
        })
      })
  }
})

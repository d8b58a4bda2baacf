/**
 * The time as the policies count it, and the timers that end what takes too long: one for all of a client's attempts. A
 * race with a timer of its own, which is what `Effect.timeout` is, costs an attempt more than all the other policies
 * together.
 */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import { constVoid } from "effect/Function"
import * as Pull from "effect/Pull"
import type * as Schedule from "effect/Schedule"

/** Milliseconds of the monotonic clock: setting the machine's clock changes nothing. */
export const millisOf = (clock: Clock.Clock): number => Number(clock.monotonicTimeNanosUnsafe()) / 1e6

/** A schedule on its way. */
export type Step<E> = Effect.Success<ReturnType<typeof Schedule.toStep<unknown, E, never, never>>>

/** The next delay of a schedule; none where it has ended. */
export const nextDelay = <E>(step: Step<E>, now: number, input: E): Effect.Effect<Duration.Duration | undefined> =>
  Pull.matchEffect(step(now, input), {
    onSuccess: ([, delay]) => Effect.succeed(delay),
    onDone: () => Effect.succeed(undefined),
    onFailure: Effect.failCause
  })

/**
 * In workerd, a timer ends with the request that set it, what one request resumes runs as part of it, and a request that
 * is cancelled ends without a word. So callers there wake nobody: each looks again by a timer of its own.
 */
export const isOnItsOwn: boolean = globalThis.navigator?.userAgent === "Cloudflare-Workers"

/** Something under way. */
interface Watched {
  readonly dueAt: number
  end: () => void
}

/** What is under way by one clock, as long as there is a timer for it. */
interface Watch {
  readonly watched: Set<Watched>
  timerAt: number
  timer: Fiber.Fiber<void> | undefined
}

/** Ends what takes too long. */
export interface Watchdog extends Effect.Success<typeof makeWatchdog> {}

/** Milliseconds that are too few to sleep for: sums of fractions have the last bit wrong. */
const grain = 0.001

/**
 * The effect, or `late` when it takes longer: then the effect has been interrupted, and is not waited for. It runs in the
 * given context.
 */
const makeWithin =
  (keep: (end: () => void, millis: number, clock: Clock.Clock) => () => void) =>
  <A, E, E2>(
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
      const ignore = fiber.addObserver((exit) => {
        forget()
        resume(exit)
      })
      const end = () => {
        // It may take its time to end, or never do so.
        ignore()
        fiber.interruptUnsafe()
        resume(late)
      }
      const forget = keep(end, Duration.toMillis(duration), clock)
      return Effect.suspend(() => {
        forget()
        return Fiber.interrupt(fiber)
      })
    })

export const makeWatchdog = Effect.gen(function* () {
  const watches = new Map<Clock.Clock, Watch>()
  let isClosed = false
  const stop = (watch: Watch, clock: Clock.Clock): void => {
    watches.delete(clock)
    watch.timer?.interruptUnsafe()
  }
  // Whoever calls after that, or still waits for an answer, is kept to its time all the same. But no timer goes on alone.
  yield* Effect.addFinalizer(() =>
    Effect.sync(() => {
      isClosed = true
      for (const [clock, watch] of watches) if (watch.watched.size === 0) stop(watch, clock)
    })
  )

  /** Sleeps until one may be late, ends what is, and so on, as long as there is one. */
  const patrol = (watch: Watch, clock: Clock.Clock, millis: number): Effect.Effect<void> =>
    Effect.flatMap(Effect.sleep(Duration.millis(millis)), () => {
      const now = millisOf(clock)
      const late: Array<Watched> = []
      watch.timerAt = Infinity
      for (const one of watch.watched) {
        if (one.dueAt - now > grain) watch.timerAt = Math.min(watch.timerAt, one.dueAt)
        else late.push(one)
      }
      // Last: who is ended may begin something else at once, whose timer depends on `timerAt`.
      for (const one of late) {
        watch.watched.delete(one)
        one.end()
      }
      if (watch.timerAt < Infinity) return patrol(watch, clock, watch.timerAt - now)
      watches.delete(clock)
      return Effect.void
    })

  /** Sees to it that a timer goes off in time for this one. Gives the way to forget it. */
  const keep = (end: () => void, millis: number, clock: Clock.Clock): (() => void) => {
    if (millis === Infinity) return constVoid
    const watch: Watch = watches.get(clock) ?? { watched: new Set(), timerAt: Infinity, timer: undefined }
    const one: Watched = { dueAt: millisOf(clock) + millis, end }
    watch.watched.add(one)
    if (one.dueAt < watch.timerAt) {
      if (!isOnItsOwn) watches.set(clock, watch)
      watch.timer?.interruptUnsafe()
      watch.timerAt = one.dueAt
      watch.timer = Effect.runForkWith(Context.make(Clock.Clock, clock))(patrol(watch, clock, millis))
    }
    return () => {
      // An old table of the set may still hold it, and must not hold the answer with it.
      one.end = constVoid
      if (watch.watched.delete(one) && (isClosed || isOnItsOwn) && watch.watched.size === 0) stop(watch, clock)
    }
  }
  return { within: makeWithin(keep) }
})

/**
 * Callers in line for a permit: first come, first served. Only the first one acts, the others sleep, so that a permit
 * wakes one caller and not all of them.
 */
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type { Outcome, Permit } from "./lane.ts"

/** A caller: in the line, and then with a permit. */
export interface Caller {
  readonly askedAt: number
  permit: Permit | undefined
  /** Whether it has been told to look whether it is its turn, and how to tell it. */
  isAwake: boolean
  wake: (() => void) | undefined
  /** When it looks again by itself. */
  looksAt: number
}

/** In the order in which they came. */
export type Line = Set<Caller>

/**
 * In workerd, a timer ends with the request that set it, what one request resumes runs as part of it, and a request that
 * is cancelled ends without a word. So callers there wake nobody: each looks at the line again by a timer of its own.
 */
export const isOnItsOwn: boolean = globalThis.navigator?.userAgent === "Cloudflare-Workers"

/** How long those sleep between two looks, in milliseconds: not at all would be too short, and somebody before them may leave. */
const nap = { shortest: 10, longest: 250 }

/** Whoever has not looked for so long after it meant to is gone. In milliseconds. */
const goneAfter = 1000

/** Milliseconds of the monotonic clock. */
export const millisOf = (clock: Clock.Clock): number => Number(clock.monotonicTimeNanosUnsafe()) / 1e6

export const wakeFirst = (line: Line): void => {
  if (isOnItsOwn) return
  const first = line.values().next().value
  if (first === undefined) return
  first.isAwake = true
  first.wake?.()
}

/** Takes out who is gone without having left, as happens where everybody is on its own. */
const dropGone = (line: Line, now: number): void => {
  for (const caller of line) if (caller.looksAt + goneAfter < now) line.delete(caller)
}

/** Sleeps until it is time to look again, by a timer of its own. */
const sleepAlone = (caller: Caller, millis: number, clock: Clock.Clock): Effect.Effect<void> => {
  const pause = Math.ceil(Math.min(Math.max(millis, nap.shortest), nap.longest))
  caller.looksAt = millisOf(clock) + pause
  return clock.sleep(Duration.millis(pause))
}

/** Looks and lies down in one step: between two of them the fiber may have to wait, and would miss that it was woken. */
const sleepUntilAwake = (caller: Caller): Effect.Effect<void> =>
  Effect.callback((resume) => {
    if (caller.isAwake) return resume(Effect.void)
    // The caller goes on by itself, not within whoever woke it: a line of callers that are all refused would become one
    // stack, as deep as the line is long.
    caller.wake = () => resume(Effect.yieldNow)
  })

/** For the first in the line: sleeps this long, or until somebody wakes it: a permit may come back sooner than the next. */
export const sleep = (caller: Caller, millis: number, clock: Clock.Clock): Effect.Effect<unknown> => {
  if (isOnItsOwn) return sleepAlone(caller, millis, clock)
  caller.isAwake = false
  return millis === Infinity
    ? sleepUntilAwake(caller)
    : Effect.timeoutOption(sleepUntilAwake(caller), Math.ceil(millis))
}

/** How callers get a permit. */
export interface Admission<E> {
  readonly line: Line
  /** The least that a caller behind `ahead` others has to wait, in milliseconds. */
  readonly leastWait: (now: number, ahead: number) => number
  /** What the first in the line does until it has its permit. */
  readonly turn: Effect.Effect<void, E>
  /** The failure of a caller that cannot wait as long as it would have to. */
  readonly tooLong: (needed: Duration.Duration) => E
}

/** For who is not the first in the line: ends when it is. */
const untilFirst = <E>(admission: Admission<E>, caller: Caller, clock: Clock.Clock): Effect.Effect<void> => {
  const look: Effect.Effect<void> = Effect.suspend(() => {
    const { leastWait, line } = admission
    const now = millisOf(clock)
    caller.looksAt = now
    dropGone(line, now)
    const ahead = Array.from(line.add(caller)).indexOf(caller)
    return ahead === 0 ? Effect.void : Effect.andThen(sleepAlone(caller, leastWait(now, ahead), clock), look)
  })
  return isOnItsOwn ? look : sleepUntilAwake(caller)
}

/**
 * Gets the caller its permit when its turn comes, or fails: at once where the wait is known to be longer than it can
 * wait, and else when its patience ends. Interruption leaves the line.
 */
export const admit = <E>(
  admission: Admission<E>,
  caller: Caller,
  patience: Duration.Duration | undefined,
  clock: Clock.Clock
): Effect.Effect<void, E> => {
  const { leastWait, line, tooLong, turn } = admission
  if (isOnItsOwn) dropGone(line, caller.askedAt)
  const refuse = (millis: number) => Effect.fail(tooLong(Duration.millis(Math.ceil(millis))))
  if (patience !== undefined) {
    const needed = leastWait(caller.askedAt, line.size)
    if (needed > Duration.toMillis(patience)) return refuse(needed)
  }
  // Nobody may be in the line without the finalizer that takes it out: a caller that is gone would hold up the rest.
  const served = Effect.uninterruptibleMask((restore) => {
    caller.isAwake = line.size === 0
    line.add(caller)
    return Effect.onExit(restore(Effect.andThen(untilFirst(admission, caller, clock), turn)), () =>
      Effect.sync(() => {
        // An old table of the set may still hold it, and must not hold its fiber with it.
        caller.wake = undefined
        if (line.delete(caller)) wakeFirst(line)
      })
    )
  })
  return patience === undefined
    ? served
    : Effect.timeoutOrElse(served, {
        duration: patience,
        orElse: () => refuse(leastWait(millisOf(clock), 0))
      })
}

/**
 * A caller's way: gets its permit, makes its attempt with it, and gives it back however the attempt ends. `admitted` is
 * nothing where the caller has its permit at once.
 */
export const withPermit = <A, E, R, E2>(
  admitted: (caller: Caller, clock: Clock.Clock) => Effect.Effect<void, E2> | undefined,
  attempt: (
    waited: Duration.Duration,
    goingTo: (host: string) => Effect.Effect<void> | undefined
  ) => Effect.Effect<A, E, R>,
  goingTo: (caller: Caller, clock: Clock.Clock, host: string) => number,
  release: (caller: Caller, clock: Clock.Clock, outcome: Outcome) => Effect.Effect<void> | undefined,
  outcomeOf: (exit: Exit.Exit<A, E>) => Outcome
): Effect.Effect<A, E | E2, R> =>
  Effect.uninterruptibleMask((restore) =>
    Clock.clockWith((clock) => {
      const askedAt = millisOf(clock)
      const caller: Caller = { askedAt, permit: undefined, isAwake: false, wake: undefined, looksAt: askedAt }
      const beforeSending = (host: string) => {
        const wait = goingTo(caller, clock, host)
        return wait > 0 ? clock.sleep(Duration.millis(Math.ceil(wait))) : undefined
      }
      const waited = () => Duration.millis((caller.permit?.sentAt ?? 0) - caller.askedAt)
      const used = Effect.onExitPrimitive(restore(Effect.suspend(() => attempt(waited(), beforeSending))), (exit) =>
        release(caller, clock, outcomeOf(exit))
      )
      const admission = admitted(caller, clock)
      if (admission === undefined) return used
      // Interruption may come after the permit was granted and before anybody knows.
      const admittedOrNot = Effect.onExitPrimitive(restore(admission), (exit) =>
        Exit.isSuccess(exit) ? undefined : release(caller, clock, "NotSent")
      )
      return Effect.flatMap(admittedOrNot, () => used)
    })
  )

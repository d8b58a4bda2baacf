/**
 * Callers in a queue for a permit: first come, first served. Only the first one acts, the others sleep, so that a permit
 * wakes one caller and not all of them.
 */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type { Call } from "../../Call.ts"
import type { DeadlineExceeded } from "../../PolicyError.ts"
import { isOnItsOwn, millisOf } from "../time.ts"
import type { Outcome, Permit } from "./permits.ts"

/** A caller: in the queue, and then with a permit. */
export interface Caller {
  readonly call: Call
  readonly askedAt: number
  permit: Permit | undefined
  /** Whether it has been told to look whether it is its turn, and how to tell it. */
  isAwake: boolean
  wake: ((refusal?: DeadlineExceeded) => void) | undefined
  /** When it looks again by itself. */
  looksAt: number
}

/** In the order in which they came. */
export type Queue = Set<Caller>

/** How long those who are on their own sleep between two looks, in milliseconds: not at all would be too short, and somebody before them may leave. */
const nap = { shortest: 10, longest: 250 }

/** Whoever has not looked for so long after it meant to is gone. In milliseconds. */
const goneAfter = 1000

export const nowOf = ({ call }: Caller): number => millisOf(call.clock)

export const wakeFirst = (queue: Queue): void => {
  if (isOnItsOwn) return
  const first = queue.values().next().value
  if (first === undefined) return
  first.isAwake = true
  first.wake?.()
}

/** Takes out who is gone without having left, as happens where everybody is on its own. */
const dropGone = (queue: Queue, now: number): void => {
  for (const caller of queue) if (caller.looksAt + goneAfter < now) queue.delete(caller)
}

/** Sleeps until it is time to look again, by a timer of its own. */
const sleepAlone = (caller: Caller, millis: number): Effect.Effect<void> => {
  const pause = Math.ceil(Math.min(Math.max(millis, nap.shortest), nap.longest))
  caller.looksAt = nowOf(caller) + pause
  return caller.call.clock.sleep(Duration.millis(pause))
}

/** Looks and lies down in one step: between two of them the fiber may have to wait, and would miss that it was woken. */
const sleepUntilAwake = (caller: Caller): Effect.Effect<void, DeadlineExceeded> =>
  Effect.callback((resume) => {
    if (caller.isAwake) return resume(Effect.void)
    // The caller goes on by itself, not within whoever woke it: a queue of callers that are all refused would become one
    // stack, as deep as the queue is long.
    caller.wake = (refusal) =>
      resume(refusal === undefined ? Effect.yieldNow : Effect.andThen(Effect.yieldNow, Effect.fail(refusal)))
  })

/** For the first in the queue: sleeps this long, or until somebody wakes it: a permit may come back sooner than the next. */
export const sleep = (caller: Caller, millis: number): Effect.Effect<unknown, DeadlineExceeded> => {
  if (isOnItsOwn) return sleepAlone(caller, millis)
  caller.isAwake = false
  return millis === Infinity
    ? sleepUntilAwake(caller)
    : Effect.timeoutOption(sleepUntilAwake(caller), Math.ceil(millis))
}

/** For a call that would have to wait so long, in milliseconds. */
export const refusal = (call: Call, millis: number): DeadlineExceeded =>
  call.deadlineExceeded(Duration.millis(Math.ceil(millis)))

/** Refuses those who sleep and cannot wait as long as they have to since a pause began. */
export const refuseLate = (queue: Queue, now: number, leastWait: Admission<never>["leastWait"]): void => {
  let ahead = 0
  for (const { call, wake } of queue) {
    const needed = leastWait(now, ahead)
    if (needed > Duration.toMillis(call.timeLeft)) wake?.(refusal(call, needed))
    else ahead++
  }
}

/** How callers get a permit. */
export interface Admission<E> {
  readonly queue: Queue
  /** The least that a caller behind `ahead` others has to wait, in milliseconds. */
  readonly leastWait: (now: number, ahead: number) => number
  /** What the first in the queue does until it has its permit. */
  readonly turn: Effect.Effect<void, E>
}

/** For who is not the first in the queue: ends when it is. */
const untilFirst = <E>({ leastWait, queue }: Admission<E>, caller: Caller): Effect.Effect<void, DeadlineExceeded> => {
  const look: Effect.Effect<void> = Effect.suspend(() => {
    const now = nowOf(caller)
    caller.looksAt = now
    dropGone(queue, now)
    const ahead = Array.from(queue.add(caller)).indexOf(caller)
    return ahead === 0 ? Effect.void : Effect.andThen(sleepAlone(caller, leastWait(now, ahead)), look)
  })
  return isOnItsOwn ? look : sleepUntilAwake(caller)
}

/**
 * Gets the caller its permit when its turn comes, or fails: at once where the wait is known to be longer than its call
 * can wait, and else when its time ends. Interruption leaves the queue.
 */
export const admit = <E>(admission: Admission<E>, caller: Caller): Effect.Effect<void, E | DeadlineExceeded> => {
  const { leastWait, queue, turn } = admission
  const { call } = caller
  const { timeLeft } = call
  if (isOnItsOwn) dropGone(queue, caller.askedAt)
  const refuse = (millis: number) => Effect.fail(refusal(call, millis))
  if (Duration.isFinite(timeLeft)) {
    const needed = leastWait(caller.askedAt, queue.size)
    if (needed > Duration.toMillis(timeLeft)) return refuse(needed)
  }
  // Nobody may be in the queue without the finalizer that takes it out: a caller that is gone would hold up the rest.
  const served = Effect.uninterruptibleMask((restore) => {
    caller.isAwake = queue.size === 0
    queue.add(caller)
    return Effect.onExit(restore(Effect.andThen(untilFirst(admission, caller), turn)), () =>
      Effect.sync(() => {
        // An old table of the set may still hold it, and must not hold its fiber with it.
        caller.wake = undefined
        if (queue.delete(caller)) wakeFirst(queue)
      })
    )
  })
  return Duration.isFinite(timeLeft)
    ? Effect.timeoutOrElse(served, { duration: timeLeft, orElse: () => refuse(leastWait(nowOf(caller), 0)) })
    : served
}

/** Who gives permits out and takes them back. */
export interface Keeper<E> {
  /** Gets the caller its permit; nothing where it has it at once. */
  readonly admit: (caller: Caller) => Effect.Effect<void, E> | undefined
  /** Hears where the caller's request goes, and says how long it has to wait before it is sent, in milliseconds. */
  readonly send: (caller: Caller, host: string) => number
  /** Takes back what the caller got, if it got anything. For as long as `pause`, nobody gets a permit. */
  readonly release: (caller: Caller, outcome: Outcome, pause?: Duration.Duration) => Effect.Effect<void> | undefined
}

/** A caller's way: gets its permit, makes its attempt with it, and gives it back however the attempt ends. */
export const withPermit = <A, E, R, E2>(
  keeper: Keeper<E2>,
  call: Call,
  attempt: (
    waited: Duration.Duration,
    goingTo: (host: string) => Effect.Effect<void> | undefined
  ) => Effect.Effect<A, E, R>,
  outcomeOf: (exit: Exit.Exit<A, E>) => Outcome,
  pauseOf?: (exit: Exit.Exit<A, E>) => Duration.Duration | undefined
): Effect.Effect<A, E | E2, R> =>
  Effect.uninterruptibleMask((restore) => {
    const askedAt = millisOf(call.clock)
    const caller: Caller = { call, askedAt, permit: undefined, isAwake: false, wake: undefined, looksAt: askedAt }
    const goingTo = (host: string) => {
      const wait = keeper.send(caller, host)
      return wait > 0 ? call.clock.sleep(Duration.millis(Math.ceil(wait))) : undefined
    }
    const waited = () => Duration.millis((caller.permit?.sentAt ?? 0) - caller.askedAt)
    const used = Effect.onExitPrimitive(restore(Effect.suspend(() => attempt(waited(), goingTo))), (exit) =>
      keeper.release(caller, outcomeOf(exit), pauseOf?.(exit))
    )
    const admission = keeper.admit(caller)
    if (admission === undefined) return used
    // Interruption may come after the permit was granted and before anybody knows.
    const admittedOrNot = Effect.onExitPrimitive(restore(admission), (exit) =>
      Exit.isSuccess(exit) ? undefined : keeper.release(caller, "NotSent")
    )
    return Effect.flatMap(admittedOrNot, () => used)
  })

/**
 * Callers in a queue for a permit: first come, first served. Only the first one acts, the others sleep, so that a permit
 * wakes one caller and not all of them.
 */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type { Call } from "../Call.ts"
import type { DeadlineExceeded } from "../PolicyError.ts"
import { isOnItsOwn, millisOf } from "./timers.ts"
import * as Permits from "./permits.ts"

/** A caller: in the queue, and then with a permit. */
export interface Caller {
  readonly call: Call
  readonly askedAt: number
  permit: Permits.Permit | undefined
  /** Whether it has been told to look whether it is its turn, and how to tell it. */
  isAwake: boolean
  wake: ((refusal?: DeadlineExceeded) => void) | undefined
  /** When it looks again by itself. */
  looksAt: number
}

/** How long those who are on their own sleep between two looks, in milliseconds: not at all would be too short, and somebody before them may leave. */
const nap = { shortest: 10, longest: 250 }

/** Whoever has not looked for so long after it meant to is gone. In milliseconds. */
const goneAfter = 1000

export const nowOf = ({ call }: Caller): number => millisOf(call.clock)

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

/** The queue for the permits of one key. Who gives those out, and when, is said by what extends it. */
export abstract class PermitQueue<E> {
  /** In the order in which they came. */
  protected readonly callers = new Set<Caller>()
  /** What permits are given out of. */
  protected permits: Permits.Permits

  constructor(limits: Permits.Limits) {
    this.permits = new Permits.Permits(limits)
  }

  /** When the next permit may be given out. */
  protected get nextGrant(): number {
    return this.permits.nextGrant
  }

  /** The least that a caller behind `ahead` others has to wait, in milliseconds. */
  protected leastWait(now: number, ahead: number): number {
    return this.permits.leastWait(now, ahead)
  }

  /** How many permits are out. */
  protected get inUse(): number {
    return this.permits.inUse
  }

  state(key: string, now: number) {
    return {
      key,
      inUse: this.inUse,
      waiting: this.callers.size,
      nextPermit: Duration.millis(Math.max(0, this.nextGrant - now)),
      spacing: Duration.millis(this.permits.spacing)
    }
  }

  /** Gives the caller one of these permits. */
  protected give(caller: Caller, permits: Permits.Permits, now: number): Permits.Permit {
    return (caller.permit = permits.grant(now, Duration.toMillis(caller.call.attemptTimeout)))
  }

  /** Gives the caller a permit if it can have one at once. */
  protected grantAtOnce?(caller: Caller): boolean
  /** What the first in the queue does until it has its permit. */
  protected abstract turn(caller: Caller): Effect.Effect<void, E | DeadlineExceeded>
  /** Tells others of a permit that came back, and of a pause, in milliseconds. */
  protected tell?(caller: Caller, now: number, outcome: Permits.Outcome, pause?: number): Effect.Effect<void>

  /** Takes back what the caller got, if it got anything. For as long as `pause`, nobody gets a permit. */
  #release(caller: Caller, outcome: Permits.Outcome, pause?: Duration.Duration): Effect.Effect<void> | undefined {
    const now = nowOf(caller)
    const { permit } = caller
    const millis = pause === undefined ? undefined : Duration.toMillis(pause)
    if (permit !== undefined) permit.permits.release(now, permit, outcome)
    if (millis !== undefined) {
      this.permits.pause(now + millis)
      this.refuseLate(now)
    }
    this.wakeFirst()
    return this.tell?.(caller, now, outcome, millis)
  }

  /** A caller's way: gets its permit, makes its attempt with it, and gives it back however the attempt ends. */
  withPermit<A, E2, R>(
    call: Call,
    attempt: (
      waited: Duration.Duration,
      goingTo: (host: string) => Effect.Effect<void> | undefined
    ) => Effect.Effect<A, E2, R>,
    outcomeOf: (exit: Exit.Exit<A, E2>) => Permits.Outcome,
    pauseOf?: (exit: Exit.Exit<A, E2>) => Duration.Duration | undefined
  ): Effect.Effect<A, E | E2 | DeadlineExceeded, R> {
    return Effect.uninterruptibleMask((restore) => {
      const askedAt = millisOf(call.clock)
      const caller: Caller = { call, askedAt, permit: undefined, isAwake: false, wake: undefined, looksAt: askedAt }
      const goingTo = (host: string) => {
        const { permit } = caller
        const wait = permit === undefined ? 0 : permit.permits.send(permit, nowOf(caller), host)
        return wait > 0 ? call.clock.sleep(Duration.millis(Math.ceil(wait))) : undefined
      }
      const waited = () => Duration.millis((caller.permit?.sentAt ?? 0) - caller.askedAt)
      const used = Effect.onExitPrimitive(restore(Effect.suspend(() => attempt(waited(), goingTo))), (exit) =>
        this.#release(caller, outcomeOf(exit), pauseOf?.(exit))
      )
      if (this.callers.size === 0 && this.grantAtOnce?.(caller) === true) return used
      // Interruption may come after the permit was granted and before anybody knows.
      const admittedOrNot = Effect.onExitPrimitive(restore(this.#admit(caller)), (exit) =>
        Exit.isSuccess(exit) ? undefined : this.#release(caller, "NotSent")
      )
      return Effect.flatMap(admittedOrNot, () => used)
    })
  }

  /**
   * Gets the caller its permit when its turn comes, or fails: at once where the wait is known to be longer than its call
   * can wait, and else when its time ends. Interruption leaves the queue.
   */
  #admit(caller: Caller): Effect.Effect<void, E | DeadlineExceeded> {
    const { callers } = this
    const { timeLeft } = caller.call
    if (isOnItsOwn) this.#dropGone(caller.askedAt)
    const refuse = (millis: number) => Effect.fail(refusal(caller.call, millis))
    if (Duration.isFinite(timeLeft)) {
      const needed = this.leastWait(caller.askedAt, callers.size)
      if (needed > Duration.toMillis(timeLeft)) return refuse(needed)
    }
    // Nobody may be in the queue without the finalizer that takes it out: a caller that is gone would hold up the rest.
    const served = Effect.uninterruptibleMask((restore) => {
      caller.isAwake = callers.size === 0
      callers.add(caller)
      return Effect.onExit(restore(Effect.andThen(this.#untilFirst(caller), this.turn(caller))), () =>
        Effect.sync(() => {
          // An old table of the set may still hold it, and must not hold its fiber with it.
          caller.wake = undefined
          if (callers.delete(caller)) this.wakeFirst()
        })
      )
    })
    return Duration.isFinite(timeLeft)
      ? Effect.timeoutOrElse(served, { duration: timeLeft, orElse: () => refuse(this.leastWait(nowOf(caller), 0)) })
      : served
  }

  /** For who is not the first in the queue: ends when it is. */
  #untilFirst(caller: Caller): Effect.Effect<void, DeadlineExceeded> {
    const look: Effect.Effect<void> = Effect.suspend(() => {
      const now = nowOf(caller)
      caller.looksAt = now
      this.#dropGone(now)
      const ahead = Array.from(this.callers.add(caller)).indexOf(caller)
      return ahead === 0 ? Effect.void : Effect.andThen(sleepAlone(caller, this.leastWait(now, ahead)), look)
    })
    return isOnItsOwn ? look : sleepUntilAwake(caller)
  }

  /** Takes out who is gone without having left, as happens where everybody is on its own. */
  #dropGone(now: number): void {
    for (const caller of this.callers) if (caller.looksAt + goneAfter < now) this.callers.delete(caller)
  }

  protected wakeFirst(): void {
    if (isOnItsOwn) return
    const first = this.callers.values().next().value
    if (first === undefined) return
    first.isAwake = true
    first.wake?.()
  }

  /** Refuses those who sleep and cannot wait as long as they have to since a pause began. */
  protected refuseLate(now: number): void {
    let ahead = 0
    for (const { call, wake } of this.callers) {
      const needed = this.leastWait(now, ahead)
      if (needed > Duration.toMillis(call.timeLeft)) wake?.(refusal(call, needed))
      else ahead++
    }
  }
}

/** The queue for permits that this process gives out by itself. */
class LocalQueue extends PermitQueue<never> {
  /** Goes on under other limits, which may let the first in the queue go. */
  under(limits: Permits.Limits): this {
    if (this.permits.limits !== limits) {
      this.permits.limit(limits)
      this.wakeFirst()
    }
    return this
  }

  isIdle(now: number): boolean {
    return this.callers.size === 0 && this.permits.isIdle(now)
  }

  protected override grantAtOnce(caller: Caller): boolean {
    if (this.nextGrant > caller.askedAt) return false
    this.give(caller, this.permits, caller.askedAt)
    return true
  }

  /** Whoever is first in the queue watches the clock; the others sleep until they are first. */
  protected turn(caller: Caller): Effect.Effect<void, DeadlineExceeded> {
    return Effect.suspend(() => {
      const now = nowOf(caller)
      if (isOnItsOwn) this.permits.takeBackLost(now)
      const wait = this.nextGrant - now
      if (wait > 0) return Effect.andThen(sleep(caller, wait), this.turn(caller))
      this.give(caller, this.permits, now)
      return Effect.void
    })
  }
}

/** How many calls a window, and whether of a key or of each of its operations. */
export interface Rules {
  readonly limits: Permits.Limits
  readonly per?: "key" | "operation" | undefined
}

/** What a quota counts together. */
export const keyOf = ({ per }: Pick<Rules, "per">, call: Call): string =>
  per === "operation" ? `${call.key}:${call.operation}` : call.key

/** A queue for each key. The limits are those of whoever asks: others change what is left, and not what has been used. */
export class LocalQueues {
  readonly #known = new Map<string, LocalQueue>()

  of({ limits, per }: Rules, call: Call): PermitQueue<never> {
    const key = keyOf({ per }, call)
    const known = this.#known.get(key)
    if (known !== undefined) return known.under(limits)
    const queue = new LocalQueue(limits)
    this.#known.set(key, queue)
    return queue
  }

  /** Whether nothing counts any more: new ones would give out the same permits. */
  isIdle(now: number): boolean {
    return Array.from(this.#known.values()).every((queue) => queue.isIdle(now))
  }

  state(now: number) {
    return Array.from(this.#known, ([key, queue]) => queue.state(key, now))
  }
}

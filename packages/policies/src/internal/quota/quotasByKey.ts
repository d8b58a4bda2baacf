/** The quotas of the keys that a process has calls for. */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as Exit from "effect/Exit"
import type { Call } from "../../Call.ts"
import type { DeadlineExceeded } from "../../PolicyError.ts"
import { isOnItsOwn } from "../time.ts"
import { limitsOf, type Numbers } from "./options.ts"
import * as Permits from "./permits.ts"
import * as Queue from "./queue.ts"

/** What is known of one key. */
class KeyQuota implements Queue.Keeper<DeadlineExceeded> {
  readonly permits: Permits.Permits
  readonly queue: Queue.Queue = new Set()

  constructor(limits: Permits.Limits) {
    this.permits = new Permits.Permits(limits)
  }

  /** Goes on under other limits, which may let the first in the queue go. */
  under(limits: Permits.Limits): this {
    this.permits.limit(limits)
    Queue.wakeFirst(this.queue)
    return this
  }

  isIdle(now: number): boolean {
    return this.queue.size === 0 && this.permits.isIdle(now)
  }

  readonly #leastWait = (now: number, ahead: number): number => this.permits.leastWait(now, ahead)

  #grant(caller: Queue.Caller, now: number): undefined {
    caller.permit = this.permits.grant(now, Duration.toMillis(caller.call.attemptTimeout))
  }

  /** Whoever is first in the queue watches the clock; the others sleep until they are first. */
  #turn(caller: Queue.Caller): Effect.Effect<void, DeadlineExceeded> {
    return Effect.suspend(() => {
      const now = Queue.nowOf(caller)
      if (isOnItsOwn) this.permits.takeBackLost(now)
      const wait = this.permits.nextGrant - now
      if (wait > 0) return Effect.andThen(Queue.sleep(caller, wait), this.#turn(caller))
      this.#grant(caller, now)
      return Effect.void
    })
  }

  admit(caller: Queue.Caller): Effect.Effect<void, DeadlineExceeded> | undefined {
    const { permits, queue } = this
    if (queue.size === 0 && permits.nextGrant <= caller.askedAt) return this.#grant(caller, caller.askedAt)
    return Queue.admit({ queue, leastWait: this.#leastWait, turn: this.#turn(caller) }, caller)
  }

  send(caller: Queue.Caller, host: string): number {
    return caller.permit === undefined ? 0 : this.permits.send(caller.permit, Queue.nowOf(caller), host)
  }

  release(caller: Queue.Caller, outcome: Permits.Outcome, pause?: Duration.Duration): undefined {
    const { permits, queue } = this
    if (caller.permit !== undefined) permits.release(Queue.nowOf(caller), caller.permit, outcome)
    if (pause !== undefined) {
      const now = Queue.nowOf(caller)
      permits.pause(now + Duration.toMillis(pause))
      Queue.refuseLate(queue, now, this.#leastWait)
    }
    Queue.wakeFirst(queue)
  }
}

/** What a quota is one for. */
interface Per {
  readonly per?: "key" | "operation" | undefined
}

export const keyOf = ({ per }: Per, call: Call): string =>
  per === "operation" ? `${call.key}:${call.operation}` : call.key

/** How many calls a window, and of what. */
export interface Rules extends Per {
  readonly limits: Permits.Limits
}

export const rulesOf = (options: Numbers & Per): Rules => ({ limits: limitsOf(options), per: options.per })

/**
 * One quota for each key. The limits are those of whoever asks: other limits change what is left of it, and not what has
 * been used.
 */
export class Quotas {
  readonly known = new Map<string, KeyQuota>()

  #of(key: string, limits: Permits.Limits): KeyQuota {
    const known = this.known.get(key)
    if (known !== undefined) return known.permits.limits === limits ? known : known.under(limits)
    const quota = new KeyQuota(limits)
    this.known.set(key, quota)
    return quota
  }

  withPermit<A, E, R>(
    rules: Rules,
    call: Call,
    attempt: (
      waited: Duration.Duration,
      goingTo: (host: string) => Effect.Effect<void> | undefined
    ) => Effect.Effect<A, E, R>,
    outcomeOf: (exit: Exit.Exit<A, E>) => Permits.Outcome,
    pauseOf?: (exit: Exit.Exit<A, E>) => Duration.Duration | undefined
  ): Effect.Effect<A, E | DeadlineExceeded, R> {
    const quota = this.#of(keyOf(rules, call), rules.limits)
    return Queue.withPermit(quota, call, attempt, outcomeOf, pauseOf)
  }

  /** Whether nothing counts any more: new ones would give out the same permits. */
  isIdle(now: number): boolean {
    return Array.from(this.known.values()).every((quota) => quota.isIdle(now))
  }
}

export const stateOf = (quotas: Quotas, now: number) =>
  Array.from(quotas.known, ([key, { permits, queue }]) => ({
    key,
    inUse: permits.inUse,
    waiting: queue.size,
    nextPermit: Duration.millis(Math.max(0, permits.nextGrant - now)),
    spacing: Duration.millis(permits.spacing)
  }))

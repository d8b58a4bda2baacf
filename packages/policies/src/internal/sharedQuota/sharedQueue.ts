/**
 * The queue of one process for the permits of a key that several processes share.
 *
 * The process's own permits run along: they keep the process within the limit by themselves, know the round trips and
 * adapt to rejections, so that only the question whether the others left a permit goes to the store, asked by the first
 * in the queue.
 */
import * as Cause from "effect/Cause"
import type * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Hex from "effect/encoding/Hex"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as FiberSet from "effect/FiberSet"
import * as Random from "effect/Random"
import * as Schedule from "effect/Schedule"
import type { Call } from "../../Call.ts"
import { type DeadlineExceeded, QuotaUnavailable } from "../../PolicyError.ts"
import { millisOf } from "../timers.ts"
import * as Queue from "../permitQueue.ts"
import * as Permits from "../permits.ts"
import { problemOf, type Reply, type Return, type Store, StoreUnavailable } from "./store.ts"

/** What the queues of all keys have in common. */
export interface Shared {
  readonly store: Store
  readonly limits: Permits.Limits
  /** How many calls a window this process may make by itself while the store is away, if any. */
  readonly share: number | undefined
  /** How long the store has to answer. */
  readonly timeout: Duration.Duration
  /** What goes on although nobody waits for it. */
  readonly background: FiberSet.FiberSet<void, StoreUnavailable>
}

/** A lease of the store's: its name, when it was given out by the store's clock, and when it ends by itself. */
interface Lease {
  readonly name: string
  readonly at: number
  readonly hold: number
}

/** A permit that is out: of the store's, or, without a lease, of the process's own share. */
interface Held {
  readonly permits: Permits.Permits
  readonly permit: Permits.Permit
  readonly lease: Lease | undefined
}

/** How long a store remembers a key that nobody asks for, at least. */
const memory = 10 * 60_000

/** So that processes that wait for the same permit do not ask all at once, in milliseconds. */
const jitter = 5

/**
 * How long a permit may count after the last sign of life: of the store, for those who go on without it, and of those,
 * for the store. All of them know of each other by then.
 */
const spellOf = ({ limits, timeout }: Shared): number => limits.window + limits.grace + Duration.toMillis(timeout)

/** What the store is told of the end of an attempt. */
const endOf = (
  { grace, window }: Permits.Limits,
  { permit, permits }: Held,
  lease: Lease,
  now: number,
  outcome: Permits.Outcome
): Omit<Return, "key" | "limits" | "ago"> => ({
  lease: lease.name,
  delay: outcome === "NotSent" ? undefined : outcome === "Abandoned" ? window + grace : window,
  allowance: outcome === "Abandoned" || outcome === "NotSent" ? 0 : permits.allowanceOf(permit, now),
  rejected: outcome === "Rejected" ? { grantedAt: lease.at, spacing: permits.rejectedSpacing } : undefined
})

const unused = { delay: undefined, allowance: 0, rejected: undefined }

/** Tells the store something until it has heard it, or until nobody has to know any more. */
const untilHeard = (told: Effect.Effect<void, StoreUnavailable>, millis: number) =>
  told.pipe(Effect.retry(Schedule.spaced("1 second")), Effect.timeoutOption(millis), Effect.asVoid)

const unavailable = (call: Call, { cause, problem, reason }: StoreUnavailable): QuotaUnavailable =>
  new QuotaUnavailable({ ...call.description, reason, problem: problemOf(problem ?? cause), cause })

// What asks the store is interrupted with the scope of the quota, and not together with the caller.
const closed = Effect.suspend(() =>
  Effect.fail(new StoreUnavailable({ cause: new Error("the scope of the quota is closed") }))
)

const late = Effect.suspend(() =>
  Effect.fail(new StoreUnavailable({ cause: new Cause.TimeoutError("the store did not answer in time") }))
)

export class SharedQueue extends Queue.PermitQueue<QuotaUnavailable> {
  readonly key: string
  readonly #shared: Shared
  readonly #permits: Permits.Permits
  readonly #held = new Map<Queue.Caller, Held>()
  /** The process's own share, while the store is away. */
  #apart: Permits.Permits | undefined
  /** Until when, as the store has said, there is no permit. */
  #waitUntil: number
  /** When the store last answered. */
  #answeredAt = -Infinity
  /** The last rejection that the store told of, by its clock. */
  #rejectedAt = -1
  /** The last time the store did not answer: whoever had asked by then fails with the same. */
  #refused: { readonly at: number; readonly error: StoreUnavailable } | undefined

  constructor(key: string, shared: Shared, now: number) {
    super()
    this.key = key
    this.#shared = shared
    this.#permits = new Permits.Permits(shared.limits)
    // Others may still be on their own: the store has perhaps just come back.
    this.#waitUntil = shared.share === undefined ? -Infinity : now + spellOf(shared)
  }

  /** When the next permit may be given out, as far as this process knows. */
  get #nextGrant(): number {
    return this.#apart === undefined ? Math.max(this.#permits.nextGrant, this.#waitUntil) : this.#apart.nextGrant
  }

  protected leastWait(now: number, ahead: number): number {
    return this.#apart === undefined
      ? Math.max(this.#permits.leastWait(now, ahead), this.#waitUntil - now)
      : this.#apart.leastWait(now, ahead)
  }

  #inTime<A>(self: Effect.Effect<A, StoreUnavailable>): Effect.Effect<A, StoreUnavailable> {
    return Effect.timeoutOrElse(self, { duration: this.#shared.timeout, orElse: () => late })
  }

  #give(permits: Permits.Permits, caller: Queue.Caller, now: number, lease?: Lease): Permits.Permit {
    const permit = permits.grant(now, Duration.toMillis(caller.call.attemptTimeout))
    caller.permit = permit
    this.#held.set(caller, { permits, permit, lease })
    return permit
  }

  /** Tells the store until it has heard, or the lease has ended by itself. */
  #giveBack(
    end: Omit<Return, "key" | "limits" | "ago">,
    endedAt: number,
    hold: number,
    clock: Clock.Clock
  ): Effect.Effect<void, StoreUnavailable> {
    const { limits, store } = this.#shared
    const back = Effect.suspend(() => store.release({ ...end, key: this.key, limits, ago: millisOf(clock) - endedAt }))
    return untilHeard(back, hold)
  }

  /** Pauses, and tells the other processes until the store has heard or it is over. */
  #pause(caller: Queue.Caller, now: number, millis: number): Effect.Effect<unknown> {
    const { background, limits, store } = this.#shared
    const until = now + millis
    for (const permits of [this.#permits, this.#apart]) if (permits !== undefined) permits.pause(until)
    this.refuseLate(now)
    const told = Effect.suspend(() => store.pause({ key: this.key, limits, millis: until - Queue.nowOf(caller) }))
    return FiberSet.run(background, untilHeard(told, millis))
  }

  #acquire(lease: string, hold: number, allowance: number, now: number): Effect.Effect<Reply, StoreUnavailable> {
    const { limits, store } = this.#shared
    // A process that gets no permit recovers all the same: it would stay behind the others else.
    this.#permits.recover(now)
    return store.acquire({
      key: this.key,
      limits,
      lease,
      hold,
      allowance,
      host: this.#permits.host,
      spacing: this.#permits.spacing,
      isKnown: now - this.#answeredAt < memory
    })
  }

  /** Takes the store's answer: the permit that it granted, or how long to wait. */
  #take(reply: Reply, now: number, random: number): reply is Extract<Reply, { _tag: "Granted" }> {
    this.#answeredAt = now
    const { rejection } = reply
    if (rejection !== undefined && rejection.at !== this.#rejectedAt) {
      this.#rejectedAt = rejection.at
      this.#permits.adopt(now, rejection)
    }
    if (reply._tag === "Granted") return true
    this.#waitUntil = now + reply.millis + random * jitter
    // So long only where somebody was told to wait.
    if (reply.millis > this.#shared.limits.window) this.refuseLate(now)
    return false
  }

  /** Asks the store for a permit for the caller: after it the caller has one, or it is known how long to wait. */
  #ask(caller: Queue.Caller): Effect.Effect<void, StoreUnavailable> {
    const { clock } = caller.call
    const { background, limits } = this.#shared
    const name = Hex.encode(globalThis.crypto.getRandomValues(new Uint8Array(16)))
    const hold = Math.min(memory, Duration.toMillis(caller.call.attemptTimeout) + limits.window + limits.grace)
    let isWanted = true
    const asked = Effect.suspend(() => {
      const began = Queue.nowOf(caller)
      const allowance = this.#permits.allowance(began)
      return Effect.flatMap(Effect.zip(this.#acquire(name, hold, allowance, began), Random.next), ([reply, random]) => {
        const now = Queue.nowOf(caller)
        if (!this.#take(reply, now, random)) return Effect.void
        // A process that was frozen may find a permit from long ago: by now it is somebody else's.
        if (!isWanted || now - began > Duration.toMillis(this.#shared.timeout))
          return this.#giveBack({ ...unused, lease: name }, now, hold, clock)
        const permit = this.#give(this.#permits, caller, now, { name, at: reply.at, hold })
        permit.due = Math.max(permit.due, now + allowance)
        return Effect.void
      })
    })
    // The store may grant a permit although the caller has stopped waiting for it: somebody has to take it then.
    return Effect.uninterruptibleMask((restore) =>
      Effect.flatMap(FiberSet.run(background, asked), (fiber) =>
        Effect.ensuring(
          restore(
            this.#inTime(Effect.flatMap(Fiber.await(fiber), (exit) => (Exit.hasInterrupts(exit) ? closed : exit)))
          ),
          Effect.sync(() => (isWanted = false))
        )
      )
    )
  }

  #onUnavailable(error: StoreUnavailable, clock: Clock.Clock): Effect.Effect<void, StoreUnavailable> {
    const now = millisOf(clock)
    const { limits, share } = this.#shared
    // The others may go on with the whole quota.
    if (share === undefined || (error.reason._tag === "Denied" && this.#apart === undefined)) {
      this.#refused = { at: now, error }
      return Effect.fail(error)
    }
    if (this.#apart !== undefined) return Effect.void
    this.#apart = new Permits.Permits({ ...limits, limit: share })
    this.#apart.pause(now + spellOf(this.#shared))
    return Effect.logWarning("The store of the shared quota does not answer: going on with a share of it.", error)
  }

  #rejoin(): Effect.Effect<void> {
    this.#apart = undefined
    this.wakeFirst()
    return Effect.logInfo("The store of the shared quota answers again.")
  }

  /** Keeps in touch with the store, so that all processes know at about the same time that it is away, and back. */
  watch(clock: Clock.Clock): Effect.Effect<never> {
    const { limits, store } = this.#shared
    const look = Effect.suspend(() => {
      const wasApart = this.#apart !== undefined
      const millis = wasApart ? spellOf(this.#shared) : 0
      return Effect.matchEffect(this.#inTime(store.pause({ key: this.key, limits, millis })), {
        onFailure: (error) => Effect.ignore(this.#onUnavailable(error, clock)),
        onSuccess: () => (wasApart ? this.#rejoin() : Effect.void)
      })
    })
    return Effect.forever(Effect.andThen(Effect.sleep(Duration.millis(limits.window)), look))
  }

  protected grantAtOnce(): boolean {
    return false
  }

  protected turn(caller: Queue.Caller): Effect.Effect<void, DeadlineExceeded | QuotaUnavailable> {
    return Effect.mapError(this.#turn(caller), (error) =>
      error instanceof StoreUnavailable ? unavailable(caller.call, error) : error
    )
  }

  #turn(caller: Queue.Caller): Effect.Effect<void, StoreUnavailable | DeadlineExceeded> {
    return Effect.suspend(() => {
      if (caller.permit !== undefined) return Effect.void
      if (this.#refused !== undefined && caller.askedAt <= this.#refused.at) return Effect.fail(this.#refused.error)
      const now = Queue.nowOf(caller)
      const wait = this.#nextGrant - now
      const known = this.#apart === undefined ? this.#waitUntil - now : 0
      if (known > Duration.toMillis(caller.call.timeLeft)) return Effect.fail(Queue.refusal(caller.call, known))
      if (wait > 0) return Effect.andThen(Queue.sleep(caller, wait), this.#turn(caller))
      if (this.#apart !== undefined) {
        this.#give(this.#apart, caller, now)
        return Effect.void
      }
      const asked = Effect.catch(this.#ask(caller), (error) => this.#onUnavailable(error, caller.call.clock))
      return Effect.andThen(asked, this.#turn(caller))
    })
  }

  protected send(caller: Queue.Caller, host: string): number {
    const held = this.#held.get(caller)
    return held === undefined ? 0 : held.permits.send(held.permit, Queue.nowOf(caller), host)
  }

  protected release(caller: Queue.Caller, outcome: Permits.Outcome, pause?: Duration.Duration): Effect.Effect<void> {
    return Effect.suspend(() => {
      const held = this.#held.get(caller)
      if (held === undefined) return Effect.void
      this.#held.delete(caller)
      const now = Queue.nowOf(caller)
      const { lease, permit, permits } = held
      permits.release(now, permit, outcome)
      const paused = pause === undefined ? Effect.void : this.#pause(caller, now, Duration.toMillis(pause))
      this.wakeFirst()
      if (lease === undefined) return Effect.asVoid(paused)
      const { background, limits } = this.#shared
      const end = endOf(limits, held, lease, now, outcome)
      return Effect.andThen(paused, FiberSet.run(background, this.#giveBack(end, now, lease.hold, caller.call.clock)))
    })
  }

  state(now: number) {
    return {
      key: this.key,
      inUse: this.#held.size,
      waiting: this.callers.size,
      nextPermit: Duration.millis(Math.max(0, this.#nextGrant - now)),
      spacing: Duration.millis((this.#apart ?? this.#permits).spacing)
    }
  }
}

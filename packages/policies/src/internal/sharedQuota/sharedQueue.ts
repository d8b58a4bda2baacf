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

/** How long a store remembers a key that nobody asks for, at least. */
const memory = 10 * 60_000

/** So that processes that wait for the same permit do not ask all at once, in milliseconds. */
const jitter = 5

/**
 * How long a permit may count after the last sign of life: of the store, for those who go on without it, and of those,
 * for the store. All of them know of each other by then.
 */
const spellOf = ({ limits, timeout }: Shared): number => limits.window + limits.grace + Duration.toMillis(timeout)

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
  readonly #key: string
  readonly #shared: Shared
  /** The permits that run along. While the store is away, the process gives out those of its own share. */
  readonly #along = this.permits
  /** Who has a permit, and the store's lease for it: none for one of the process's own share. */
  readonly #held = new Map<Queue.Caller, Lease | undefined>()
  /** Until when, as the store has said, there is no permit. */
  #waitUntil: number
  /** When the store last answered. */
  #answeredAt = -Infinity
  /** The last rejection that the store told of, by its clock. */
  #rejectedAt = -1
  /** The last time the store did not answer: whoever had asked by then fails with the same. */
  #refused: { readonly at: number; readonly error: StoreUnavailable } | undefined

  constructor(key: string, shared: Shared, now: number) {
    super(shared.limits)
    this.#key = key
    this.#shared = shared
    // Others may still be on their own: the store has perhaps just come back.
    this.#waitUntil = shared.share === undefined ? -Infinity : now + spellOf(shared)
  }

  get #isApart(): boolean {
    return this.permits !== this.#along
  }

  /** Until when the store gives no permit, as far as that matters. */
  get #storeWaitsUntil(): number {
    return this.#isApart ? -Infinity : this.#waitUntil
  }

  protected override get nextGrant(): number {
    return Math.max(super.nextGrant, this.#storeWaitsUntil)
  }

  protected override leastWait(now: number, ahead: number): number {
    return Math.max(super.leastWait(now, ahead), this.#storeWaitsUntil - now)
  }

  protected override get inUse(): number {
    return this.#held.size
  }

  #inTime<A>(self: Effect.Effect<A, StoreUnavailable>): Effect.Effect<A, StoreUnavailable> {
    return Effect.timeoutOrElse(self, { duration: this.#shared.timeout, orElse: () => late })
  }

  /** Tells the store of the end of an attempt until it has heard, or the lease has ended by itself. */
  #giveBack(
    caller: Queue.Caller,
    { hold, name: lease }: Lease,
    endedAt: number,
    end: Pick<Return, "delay" | "allowance" | "rejected">
  ): Effect.Effect<void, StoreUnavailable> {
    const { limits, store } = this.#shared
    const back = () => store.release({ ...end, lease, key: this.#key, limits, ago: Queue.nowOf(caller) - endedAt })
    return untilHeard(Effect.suspend(back), hold)
  }

  /** Takes the store's answer: the permit that it granted, or how long to wait. */
  #take(reply: Reply, now: number, random: number): reply is Extract<Reply, { _tag: "Granted" }> {
    this.#answeredAt = now
    const { rejection } = reply
    if (rejection !== undefined && rejection.at !== this.#rejectedAt) {
      this.#rejectedAt = rejection.at
      this.#along.adopt(now, rejection)
    }
    if (reply._tag === "Granted") return true
    this.#waitUntil = now + reply.millis + random * jitter
    // So long only where somebody was told to wait.
    if (reply.millis > this.#shared.limits.window) this.refuseLate(now)
    return false
  }

  /** Asks the store for a permit for the caller: after it the caller has one, or it is known how long to wait. */
  #ask(caller: Queue.Caller): Effect.Effect<void, StoreUnavailable> {
    const { background, limits, store } = this.#shared
    const name = Hex.encode(globalThis.crypto.getRandomValues(new Uint8Array(16)))
    const hold = Math.min(memory, Duration.toMillis(caller.call.attemptTimeout) + limits.window + limits.grace)
    let isWanted = true
    const asked = Effect.suspend(() => {
      const began = Queue.nowOf(caller)
      const allowance = this.#along.allowance(began)
      // A process that gets no permit recovers all the same: it would stay behind the others else.
      this.#along.recover(began)
      const { host, spacing } = this.#along
      const isKnown = began - this.#answeredAt < memory
      const ask = { key: this.#key, limits, lease: name, hold, allowance, host, spacing, isKnown }
      return Effect.flatMap(Effect.zip(store.acquire(ask), Random.next), ([reply, random]) => {
        const now = Queue.nowOf(caller)
        if (!this.#take(reply, now, random)) return Effect.void
        // A process that was frozen may find a permit from long ago: by now it is somebody else's.
        const lease = { name, at: reply.at, hold }
        if (!isWanted || now - began > Duration.toMillis(this.#shared.timeout))
          return this.#giveBack(caller, lease, now, unused)
        this.#held.set(caller, lease)
        const permit = this.give(caller, this.#along, now)
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
    if (share === undefined || (error.reason._tag === "Denied" && !this.#isApart)) {
      this.#refused = { at: now, error }
      return Effect.fail(error)
    }
    if (this.#isApart) return Effect.void
    this.permits = new Permits.Permits({ ...limits, limit: share })
    this.permits.pause(now + spellOf(this.#shared))
    return Effect.logWarning("The store of the shared quota does not answer: going on with a share of it.", error)
  }

  /** Keeps in touch with the store, so that all processes know at about the same time that it is away, and back. */
  watch(clock: Clock.Clock): Effect.Effect<never> {
    const { limits, store } = this.#shared
    const look = Effect.suspend(() => {
      const wasApart = this.#isApart
      const millis = wasApart ? spellOf(this.#shared) : 0
      return Effect.matchEffect(this.#inTime(store.pause({ key: this.#key, limits, millis })), {
        onFailure: (error) => Effect.ignore(this.#onUnavailable(error, clock)),
        onSuccess: () => {
          if (!wasApart) return Effect.void
          this.permits = this.#along
          this.wakeFirst()
          return Effect.logInfo("The store of the shared quota answers again.")
        }
      })
    })
    return Effect.forever(Effect.andThen(Effect.sleep(Duration.millis(limits.window)), look))
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
      const wait = this.nextGrant - now
      const known = this.#storeWaitsUntil - now
      if (known > Duration.toMillis(caller.call.timeLeft)) return Effect.fail(Queue.refusal(caller.call, known))
      if (wait > 0) return Effect.andThen(Queue.sleep(caller, wait), this.#turn(caller))
      if (this.#isApart) {
        this.#held.set(caller, undefined)
        this.give(caller, this.permits, now)
        return Effect.void
      }
      const asked = Effect.catch(this.#ask(caller), (error) => this.#onUnavailable(error, caller.call.clock))
      return Effect.andThen(asked, this.#turn(caller))
    })
  }

  protected override tell(
    caller: Queue.Caller,
    now: number,
    outcome: Permits.Outcome,
    pause?: number
  ): Effect.Effect<void> {
    const { background, limits, store } = this.#shared
    const told: Array<Effect.Effect<void, StoreUnavailable>> = []
    if (pause !== undefined) {
      this.#along.pause(now + pause)
      const rest = () => store.pause({ key: this.#key, limits, millis: now + pause - Queue.nowOf(caller) })
      told.push(untilHeard(Effect.suspend(rest), pause))
    }
    const { permit } = caller
    const lease = this.#held.get(caller)
    this.#held.delete(caller)
    if (permit !== undefined && lease !== undefined) {
      const isAnswered = outcome === "Answered" || outcome === "Rejected"
      const end = {
        delay: outcome === "NotSent" ? undefined : limits.window + (isAnswered ? 0 : limits.grace),
        allowance: isAnswered ? this.#along.allowanceOf(permit, now) : 0,
        rejected: outcome === "Rejected" ? { grantedAt: lease.at, spacing: this.#along.rejectedSpacing } : undefined
      }
      told.push(this.#giveBack(caller, lease, now, end))
    }
    return Effect.forEach(told, (one) => FiberSet.run(background, one), { discard: true })
  }
}

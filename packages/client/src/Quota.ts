/**
 * The client's share of the service's calls: never more than the quota, however the service aligns its windows, and
 * nearly all of it.
 *
 * @since 0.1.0
 */
import type { AppId } from "@effect-zim/protocol"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as Exit from "effect/Exit"
import { dual } from "effect/Function"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import * as Lane from "./internal/lane.ts"

/**
 * A call that asks for a permit.
 *
 * @since 0.1.0
 */
export interface Call {
  readonly appId: AppId.AppId
  readonly action: string
  /** How long the caller can wait. A wait that is known to be longer is refused at once. Default: as long as it takes. */
  readonly patience?: Duration.Duration | undefined
}

/**
 * How an attempt ended, as far as the service's count of it is concerned:
 *
 * - `Answered`: the service answered, so it has counted the call.
 * - `Rejected`: the service answered that the call was too many.
 * - `Abandoned`: there was no answer, so the request may still arrive and be counted then.
 * - `NotSent`: there was no request after all.
 *
 * @since 0.1.0
 */
export type Outcome = Lane.Outcome

/**
 * The wait for a permit would be longer than the caller can wait.
 *
 * @since 0.1.0
 */
export class WaitTooLong extends Schema.TaggedError<WaitTooLong>()("WaitTooLong", {
  /** The least the caller would have had to wait. */
  needed: Schema.Duration
}) {}

/**
 * What a quota is doing for one AppID, or one AppID and operation.
 *
 * @since 0.1.0
 */
export interface State {
  /** The AppID, with the operation behind a colon where the quota is one for each operation. */
  readonly key: string
  /** Permits that are out: requests under way. */
  readonly inUse: number
  /** Callers in the queue. */
  readonly waiting: number
  /** How long until the next permit, if one is known to come back. */
  readonly nextPermit: Duration.Duration
  /** The least time between two calls: zero unless the service rejected calls of late. */
  readonly spacing: Duration.Duration
}

/**
 * A quota: gives out permits, each for one request.
 *
 * @since 0.1.0
 */
export class Quota extends Context.Service<
  Quota,
  {
    /**
     * Waits for a permit, first come first served, makes one attempt with it, and takes it back, however the attempt
     * ends. Interruption while waiting leaves the queue and keeps nothing.
     */
    readonly withPermit: <A, E, R>(
      call: Call,
      attempt: (waited: Duration.Duration) => Effect.Effect<A, E, R>,
      outcomeOf: (exit: Exit.Exit<A, E>) => Outcome
    ) => Effect.Effect<A, E | WaitTooLong, R>
    readonly state: Effect.Effect<ReadonlyArray<State>>
  }
>()("@effect-zim/client/Quota") {}

/**
 * What a quota is made of.
 *
 * @since 0.1.0
 */
export interface Options {
  /** Calls per window. Default: 20, the documented limit. */
  readonly limit?: number | undefined
  /** The window. Default: 1 second. */
  readonly window?: Duration.Input | undefined
  /** Whether all operations of an app share one quota, or each has its own: undocumented. Default: `app`. */
  readonly per?: "app" | "operation" | undefined
  /**
   * How long a request that was given up may be under way before it arrives and is counted. Default: 2 seconds.
   */
  readonly grace?: Duration.Input | undefined
}

/** A caller in the queue. `wake` is called when it may be its turn. */
interface Waiter {
  awake: boolean
  resume: (() => void) | undefined
}

interface Queue {
  readonly lane: Lane.Lane
  readonly waiters: Set<Waiter>
}

const wakeFirst = (queue: Queue): void => {
  const first = queue.waiters.values().next().value
  if (first === undefined) return
  first.awake = true
  first.resume?.()
}

const sleepUntilWoken = (waiter: Waiter): Effect.Effect<void> =>
  Effect.callback((resume) => {
    if (waiter.awake) {
      resume(Effect.void)
      return
    }
    waiter.resume = () => resume(Effect.void)
  })

const millisOf = (clock: Clock.Clock): number => Number(clock.monotonicTimeNanosUnsafe()) / 1e6

/** Makes an effect of the queue interruptible: as much as the caller is. */
type Restore = <A, E, R>(self: Effect.Effect<A, E, R>) => Effect.Effect<A, E, R>

/** Whoever is first in the queue watches the clock; the others sleep until they are first. Only the waiting ends early. */
const waitInQueue = (queue: Queue, clock: Clock.Clock, restore: Restore): Effect.Effect<void> => {
  const waiter: Waiter = { awake: queue.waiters.size === 0, resume: undefined }
  queue.waiters.add(waiter)
  const turn: Effect.Effect<void> = Effect.suspend(() => {
    const wait = Lane.nextGrant(queue.lane) - millisOf(clock)
    if (wait <= 0) return Effect.void
    waiter.awake = false
    return Effect.andThen(
      restore(wait === Infinity ? sleepUntilWoken(waiter) : Effect.sleep(Duration.millis(Math.ceil(wait)))),
      turn
    )
  })
  return Effect.onExit(Effect.andThen(restore(sleepUntilWoken(waiter)), turn), (exit) =>
    Effect.sync(() => {
      queue.waiters.delete(waiter)
      if (exit._tag === "Failure") wakeFirst(queue)
    })
  )
}

/** Waits for the caller's turn, or refuses at once where that is known to take too long. */
const admit = (queue: Queue, call: Call, clock: Clock.Clock, restore: Restore): Effect.Effect<void, WaitTooLong> => {
  const now = millisOf(clock)
  if (queue.waiters.size === 0 && Lane.nextGrant(queue.lane) <= now) return Effect.void
  if (call.patience !== undefined) {
    const needed = Lane.leastWait(queue.lane, now, queue.waiters.size)
    if (needed > Duration.toMillis(call.patience)) {
      return Effect.fail(new WaitTooLong({ needed: Duration.millis(Math.ceil(needed)) }))
    }
  }
  return waitInQueue(queue, clock, restore)
}

/**
 * A quota within this process. A permit comes back one window after the answer of its request: the service counted the
 * old call before it answered, and counts the new one after it is sent, so no window of its own, wherever it begins,
 * holds more than `limit` of them. Of that time the smallest round trip seen is saved again. If the service rejects a
 * call in spite of it, everybody on that AppID pauses, and calls are spread out until it has not happened for a while.
 *
 * @since 0.1.0
 */
export const make = (options: Options = {}): Effect.Effect<Quota["Service"]> =>
  Effect.sync(() => {
    const laneOptions: Lane.Options = {
      limit: options.limit ?? 20,
      window: Duration.toMillis(options.window ?? "1 second"),
      grace: Duration.toMillis(options.grace ?? "2 seconds")
    }
    const queues = new Map<string, Queue>()
    const queueOf = (call: Call): Queue => {
      const key = options.per === "operation" ? `${call.appId}:${call.action}` : `${call.appId}`
      const known = queues.get(key)
      if (known !== undefined) return known
      const queue = { lane: Lane.make(laneOptions), waiters: new Set<Waiter>() }
      queues.set(key, queue)
      return queue
    }
    return {
      withPermit: (call, attempt, outcomeOf) =>
        Effect.uninterruptibleMask((restore) =>
          Clock.clockWith((clock) => {
            const queue = queueOf(call)
            const askedAt = millisOf(clock)
            return Effect.flatMap(admit(queue, call, clock, restore), () => {
              const grantedAt = millisOf(clock)
              Lane.grant(queue.lane, grantedAt)
              wakeFirst(queue)
              return Effect.onExit(restore(attempt(Duration.millis(grantedAt - askedAt))), (exit) =>
                Effect.sync(() => {
                  Lane.release(queue.lane, millisOf(clock), grantedAt, outcomeOf(exit))
                  wakeFirst(queue)
                })
              )
            })
          })
        ),
      state: Clock.clockWith((clock) =>
        Effect.sync(() =>
          Array.from(queues, ([key, { lane, waiters }]) => ({
            key,
            inUse: lane.inUse,
            waiting: waiters.size,
            nextPermit: Duration.millis(Math.max(0, Lane.nextGrant(lane) - millisOf(clock))),
            spacing: Duration.millis(lane.spacing)
          }))
        )
      )
    }
  })

/**
 * A quota for every client built on this layer. A client without one makes its own, with the defaults.
 *
 * @example
 * ```ts
 * import { Quota, ZimClient } from "@effect-zim/client"
 * import { Layer } from "effect"
 *
 * const client = ZimClient.layerConfig.pipe(Layer.provide(Quota.layer({ limit: 50 })))
 * ```
 *
 * @since 0.1.0
 */
export const layer = (options?: Options): Layer.Layer<Quota> => Layer.effect(Quota, make(options))

/**
 * Runs an effect's calls under a quota of their own.
 *
 * @since 0.1.0
 */
export const provide: {
  (quota: Quota["Service"]): <A, E, R>(self: Effect.Effect<A, E, R>) => Effect.Effect<A, E, R>
  <A, E, R>(self: Effect.Effect<A, E, R>, quota: Quota["Service"]): Effect.Effect<A, E, R>
} = dual(2, <A, E, R>(self: Effect.Effect<A, E, R>, quota: Quota["Service"]): Effect.Effect<A, E, R> =>
  Effect.provideService(self, Quota, quota)
)

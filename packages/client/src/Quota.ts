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
 * The quota cannot tell: what it is kept in, shared between processes, does not answer.
 *
 * @since 0.1.0
 */
export class Unavailable extends Schema.TaggedError<Unavailable>()("Unavailable", {
  cause: Schema.Defect()
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
    ) => Effect.Effect<A, E | WaitTooLong | Unavailable, R>
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

/** A caller: in the queue, and then with a permit. */
interface Caller {
  readonly askedAt: number
  /** When it got its permit. */
  grantedAt: number | undefined
  /** Whether it has been told to look whether it is its turn, and how to tell it. */
  isAwake: boolean
  wake: (() => void) | undefined
}

interface Queue {
  readonly lane: Lane.Lane
  readonly callers: Set<Caller>
}

const millisOf = (clock: Clock.Clock): number => Number(clock.monotonicTimeNanosUnsafe()) / 1e6

const wakeFirst = (queue: Queue): void => {
  const first = queue.callers.values().next().value
  if (first === undefined) return
  first.isAwake = true
  first.wake?.()
}

const sleepUntilAwake = (caller: Caller): Effect.Effect<void> =>
  Effect.callback((resume) => {
    caller.wake = () => resume(Effect.void)
    if (caller.isAwake) caller.wake()
  })

const grant = (queue: Queue, caller: Caller, now: number): void => {
  Lane.grant(queue.lane, now)
  caller.grantedAt = now
}

/** Takes back what the caller got, if it got anything. */
const release = (queue: Queue, caller: Caller, now: number, outcome: Outcome): void => {
  if (caller.grantedAt !== undefined) Lane.release(queue.lane, now, caller.grantedAt, outcome)
  wakeFirst(queue)
}

/** Whoever is first in the queue watches the clock; the others sleep until they are first. */
const waitInQueue = (queue: Queue, caller: Caller, clock: Clock.Clock): Effect.Effect<void> => {
  const turn: Effect.Effect<void> = Effect.suspend(() => {
    const now = millisOf(clock)
    const wait = Lane.nextGrant(queue.lane) - now
    if (wait <= 0) {
      queue.callers.delete(caller)
      grant(queue, caller, now)
      wakeFirst(queue)
      return Effect.void
    }
    caller.isAwake = false
    return Effect.andThen(
      wait === Infinity ? sleepUntilAwake(caller) : Effect.sleep(Duration.millis(Math.ceil(wait))),
      turn
    )
  })
  // Nobody may be in the queue without the finalizer that takes it out: a caller that is gone would hold up the rest.
  return Effect.uninterruptibleMask((restore) => {
    caller.isAwake = queue.callers.size === 0
    queue.callers.add(caller)
    return Effect.onExit(restore(Effect.andThen(sleepUntilAwake(caller), turn)), () =>
      Effect.sync(() => {
        if (queue.callers.delete(caller)) wakeFirst(queue)
      })
    )
  })
}

/** Gets the caller its permit, in time; refuses at once where that is known to take longer. */
const admit = (queue: Queue, caller: Caller, call: Call, clock: Clock.Clock): Effect.Effect<void, WaitTooLong> => {
  const { lane, callers } = queue
  if (callers.size === 0 && Lane.nextGrant(lane) <= caller.askedAt) {
    grant(queue, caller, caller.askedAt)
    return Effect.void
  }
  const { patience } = call
  if (patience === undefined) return waitInQueue(queue, caller, clock)
  const tooLong = (millis: number) => Effect.fail(new WaitTooLong({ needed: Duration.millis(Math.ceil(millis)) }))
  const needed = Lane.leastWait(lane, caller.askedAt, callers.size)
  if (needed > Duration.toMillis(patience)) return tooLong(needed)
  return Effect.timeoutOrElse(waitInQueue(queue, caller, clock), {
    duration: patience,
    orElse: () => tooLong(Lane.leastWait(lane, millisOf(clock), 0))
  })
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
      const queue = { lane: Lane.make(laneOptions), callers: new Set<Caller>() }
      queues.set(key, queue)
      return queue
    }
    return {
      withPermit: (call, attempt, outcomeOf) =>
        Effect.uninterruptibleMask((restore) =>
          Clock.clockWith((clock) => {
            const queue = queueOf(call)
            const caller: Caller = { askedAt: millisOf(clock), grantedAt: undefined, isAwake: false, wake: undefined }
            const admitted = Effect.suspend(() => admit(queue, caller, call, clock))
            const used = Effect.suspend(() => attempt(Duration.millis((caller.grantedAt ?? 0) - caller.askedAt)))
            // Interruption may come after the permit was granted and before anybody knows.
            return Effect.flatMap(
              Effect.onError(restore(admitted), () =>
                Effect.sync(() => release(queue, caller, millisOf(clock), "NotSent"))
              ),
              () =>
                Effect.onExit(restore(used), (exit) =>
                  Effect.sync(() => release(queue, caller, millisOf(clock), outcomeOf(exit)))
                )
            )
          })
        ),
      state: Clock.clockWith((clock) =>
        Effect.sync(() =>
          Array.from(queues, ([key, { lane, callers }]) => ({
            key,
            inUse: lane.inUse,
            waiting: callers.size,
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

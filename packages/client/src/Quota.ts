/**
 * The client's share of the service's calls: never more than the quota, however the service aligns its windows, unless
 * the way to its host suddenly gets shorter, and then in that one window only; and nearly all of it.
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
import * as BuiltIn from "./internal/builtIn.ts"
import * as Lane from "./internal/lane.ts"
import * as Line from "./internal/line.ts"
import { attemptMillis, keyOf, limitsOf } from "./internal/quotaOptions.ts"

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
  /** The longest that the attempt may take. Default: 10 seconds, as `Timeout.Attempt` has it. */
  readonly attemptTimeout?: Duration.Duration | undefined
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
 * The quota cannot tell: what it is kept in, shared between processes, gave no permit and no time to wait.
 *
 * - `NoAnswer`, the default: it does not answer.
 * - `Refused`: it answers that it cannot, whoever asks: it starts, fails over, or has no room. That may pass.
 * - `Denied`: it does not serve this process, whose credentials, permissions, or address of the store are wrong; or it
 *   holds something else. Neither waiting nor a share of one's own helps: others may go on with the whole quota.
 *
 * @since 0.1.0
 */
export class Unavailable extends Schema.TaggedError<Unavailable>()("Unavailable", {
  reason: Schema.optional(Schema.Literals(["NoAnswer", "Refused", "Denied"])),
  /** What the store said. Default: what the cause says. */
  problem: Schema.optional(Schema.String),
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
 * Tells the quota to which host the request goes, just before it is sent: what may be won back of the round trip to one
 * host is nothing to another. Gives what to wait for before it is sent, where those before it went elsewhere; nothing
 * where it may be sent at once. A request of which nothing is told goes where those before it went, as far as the quota
 * knows.
 *
 * @since 0.1.0
 */
export type GoingTo = (host: string) => Effect.Effect<void> | undefined

/**
 * A quota: gives out permits, each for one request.
 *
 * @example
 * ```ts
 * import { Quota } from "@effect-zim/client"
 * import { Duration, Effect, Layer } from "effect"
 *
 * // A quota of one's own: none at all, for a service in the same process.
 * const unlimited = Layer.succeed(Quota.Quota, {
 *   withPermit: (_call, attempt) => attempt(Duration.zero),
 *   state: Effect.succeed([])
 * })
 * ```
 *
 * @since 0.1.0
 */
export class Quota extends Context.Service<
  Quota,
  {
    /**
     * Waits for a permit, first come first served, makes one attempt with it, and takes it back, however the attempt
     * ends. Interruption while waiting leaves the queue and keeps nothing. The call's deadline interrupts a wait that is
     * longer than its `patience`; one of your own that knows it sooner fails with `WaitTooLong`.
     */
    readonly withPermit: <A, E, R>(
      call: Call,
      attempt: (waited: Duration.Duration, goingTo?: GoingTo) => Effect.Effect<A, E, R>,
      outcomeOf: (exit: Exit.Exit<A, E>) => Outcome
    ) => Effect.Effect<A, E | WaitTooLong | Unavailable, R>
    readonly state: Effect.Effect<ReadonlyArray<State>>
  }
>()("@effect-zim/client/Quota") {}

/**
 * What a quota is made of. A quota that nobody could keep is not made: it dies with a `RangeError` that names the option.
 *
 * @since 0.1.0
 */
export interface Options {
  /** Calls per window: a whole number, 1 or more. Default: 20, the documented limit. */
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

interface Queue {
  readonly lane: Lane.Lane
  readonly line: Line.Line
}

const tooLong = (needed: Duration.Duration) => new WaitTooLong({ needed })

const grant = ({ lane }: Queue, caller: Line.Caller, now: number, call: Call): undefined => {
  caller.permit = Lane.grant(lane, now, attemptMillis(call))
}

/** Whoever is first in the queue watches the clock; the others sleep until they are first. */
const waitForPermit = (queue: Queue, caller: Line.Caller, call: Call, clock: Clock.Clock): Effect.Effect<void> =>
  Effect.suspend(() => {
    const now = Line.millisOf(clock)
    if (Line.isOnItsOwn) Lane.takeBackLost(queue.lane, now)
    const wait = Lane.nextGrant(queue.lane) - now
    if (wait > 0) return Effect.andThen(Line.sleep(caller, wait, clock), waitForPermit(queue, caller, call, clock))
    grant(queue, caller, now, call)
    return Effect.void
  })

/** Gets the caller its permit, at once or in time; refuses at once where that is known to take longer. */
const admit = (
  queue: Queue,
  caller: Line.Caller,
  call: Call,
  clock: Clock.Clock
): Effect.Effect<void, WaitTooLong> | undefined => {
  const { lane, line } = queue
  if (line.size === 0 && Lane.nextGrant(lane) <= caller.askedAt) return grant(queue, caller, caller.askedAt, call)
  const leastWait = (now: number, ahead: number) => Lane.leastWait(lane, now, ahead)
  const turn = waitForPermit(queue, caller, call, clock)
  return Line.admit({ line, leastWait, turn, tooLong }, caller, call.patience, clock)
}

/** Hears where a caller's request goes, and says how long it has to wait before it is sent. */
const send = ({ lane }: Queue, caller: Line.Caller, clock: Clock.Clock, host: string): number =>
  caller.permit === undefined ? 0 : Lane.send(lane, caller.permit, Line.millisOf(clock), host)

/** Takes back what the caller got, if it got anything. */
const release = ({ lane, line }: Queue, caller: Line.Caller, clock: Clock.Clock, outcome: Outcome): undefined => {
  if (caller.permit !== undefined) Lane.release(lane, Line.millisOf(clock), caller.permit, outcome)
  Line.wakeFirst(line)
}

/**
 * A quota within this process. A permit comes back one window after the answer of its request: the service counted the
 * old call before it answered, and counts the new one after it is sent, so no window of its own, wherever it begins,
 * holds more than `limit` of them, unless the way to the host suddenly gets shorter, and then that one window only: of
 * that time the smallest round trip seen of late is saved again, as long as calls go to the same host, and nothing after
 * a fail-over. If the service rejects a call in spite of it, everybody on that AppID pauses, and calls are spread out
 * until it has not happened for a while.
 *
 * @example
 * ```ts
 * import { Quota } from "@effect-zim/client"
 * import { Console, Effect } from "effect"
 *
 * const program = Effect.gen(function* () {
 *   const quota = yield* Quota.make({ limit: 50, per: "operation" })
 *   for (const { inUse, key, waiting } of yield* quota.state) yield* Console.log(key, inUse, waiting)
 * })
 * ```
 *
 * @since 0.1.0
 */
export const make = (options: Options = {}): Effect.Effect<Quota["Service"]> =>
  Effect.sync(() => {
    const limits = limitsOf(options)
    const queues = new Map<string, Queue>()
    const queueOf = (call: Call): Queue => {
      const key = keyOf(options, call)
      const known = queues.get(key)
      if (known !== undefined) return known
      const queue: Queue = { lane: Lane.make(limits), line: new Set() }
      queues.set(key, queue)
      return queue
    }
    return BuiltIn.add<Quota["Service"]>({
      withPermit: (call, attempt, outcomeOf) => {
        const queue = queueOf(call)
        return Line.withPermit(
          (caller, clock) => admit(queue, caller, call, clock),
          attempt,
          (caller, clock, host) => send(queue, caller, clock, host),
          (caller, clock, outcome) => release(queue, caller, clock, outcome),
          outcomeOf
        )
      },
      state: Clock.clockWith((clock) =>
        Effect.sync(() =>
          Array.from(queues, ([key, { lane, line }]) => ({
            key,
            inUse: lane.out.length,
            waiting: line.size,
            nextPermit: Duration.millis(Math.max(0, Lane.nextGrant(lane) - Line.millisOf(clock))),
            spacing: Duration.millis(lane.spacing)
          }))
        )
      )
    })
  })

/**
 * A quota for every client built on this layer. Clients without one share
 * one of the defaults: all of an app in this process.
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
 * @example
 * ```ts
 * import { Conversations, Quota } from "@effect-zim/client"
 * import { Effect } from "effect"
 *
 * // A background job that leaves most of the limit to others.
 * const job = Effect.gen(function* () {
 *   const small = yield* Quota.make({ limit: 2 })
 *   return yield* Quota.provide(Conversations.snapshot("user-42"), small)
 * })
 * ```
 *
 * @since 0.1.0
 */
export const provide: {
  (quota: Quota["Service"]): <A, E, R>(self: Effect.Effect<A, E, R>) => Effect.Effect<A, E, R>
  <A, E, R>(self: Effect.Effect<A, E, R>, quota: Quota["Service"]): Effect.Effect<A, E, R>
} = dual(2, <A, E, R>(self: Effect.Effect<A, E, R>, quota: Quota["Service"]): Effect.Effect<A, E, R> =>
  Effect.provideService(self, Quota, quota)
)

/**
 * The part of a process in a shared quota.
 *
 * The process's own lane runs along: it keeps the process within the limit by itself, knows the round trips and adapts to
 * rejections, so that only the question whether the others left a permit goes to the store, asked by the first in
 * the line.
 */
import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Hex from "effect/encoding/Hex"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as FiberSet from "effect/FiberSet"
import * as Random from "effect/Random"
import * as Schedule from "effect/Schedule"
import type * as Scope from "effect/Scope"
import * as Quota from "../Quota.ts"
import type { Answer, Options, Rejection, Return, Store } from "../SharedQuota.ts"
import * as BuiltIn from "./builtIn.ts"
import * as Lane from "./lane.ts"
import * as Line from "./line.ts"
import { attemptMillis, keyOf, limitsOf, partOf, timeoutOf } from "./quotaOptions.ts"

/** A permit: of the store's, or of the process's own share. */
interface Permit {
  readonly lane: Lane.Lane
  readonly permit: Lane.Permit
  readonly lease: { readonly name: string; readonly at: number; readonly hold: number } | undefined
}

/** What this process knows of one key. */
interface Group {
  readonly key: string
  readonly lane: Lane.Lane
  readonly line: Line.Line
  readonly permits: Map<Line.Caller, Permit>
  /** The process's own share, while the store is away. */
  apart: Lane.Lane | undefined
  /** Until when, as the store has said, there is no permit. */
  waitUntil: number
  /** When the store last answered. */
  answeredAt: number
  /** The last rejection that the store told of, by its clock. */
  rejectedAt: number
  /** The last time the store did not answer: whoever had asked by then fails with the same. */
  refused: { readonly at: number; readonly error: Quota.Unavailable } | undefined
}

/** How long a store remembers a key that nobody asks for, at least. */
const memory = 10 * 60_000

/** So that processes that wait for the same permit do not ask all at once, in milliseconds. */
const jitter = 5

/** Slows down for a rejection of another process as for one of its own. */
const adopt = (group: Group, now: number, rejection: Rejection | undefined): void => {
  if (rejection === undefined || rejection.at === group.rejectedAt) return
  const { lane } = group
  group.rejectedAt = rejection.at
  lane.rejectedAt = now - rejection.ago
  lane.rejectedSpacing = rejection.spacing
  lane.spacing = Math.max(lane.spacing, rejection.spacing)
}

const give = (lane: Lane.Lane, caller: Line.Caller, call: Quota.Call, now: number): Lane.Permit =>
  (caller.permit = Lane.grant(lane, now, attemptMillis(call)))

const send = (group: Group, caller: Line.Caller, clock: Clock.Clock, host: string): number => {
  const held = group.permits.get(caller)
  return held === undefined ? 0 : Lane.send(held.lane, held.permit, Line.millisOf(clock), host)
}

const tooLong = (needed: Duration.Duration) => new Quota.WaitTooLong({ needed })

export const make = Effect.fnUntraced(function* (
  store: Store,
  options: Options = {}
): Effect.fn.Return<Quota.Quota["Service"], never, Scope.Scope> {
  const limits = limitsOf(options)
  const { grace, limit, window } = limits
  const timeout = timeoutOf(options.timeout)
  /**
   * How long a permit may count after the last sign of life: of the store, for those who go on without it, and of those,
   * for the store. All of them know of each other by then.
   */
  const spell = window + grace + Duration.toMillis(timeout)
  const share =
    options.whenUnavailable === undefined || options.whenUnavailable === "fail"
      ? undefined
      : partOf(limit, options.whenUnavailable.share)
  const groups = new Map<string, Group>()

  const watches = yield* FiberSet.make<never>()
  // What goes on although nobody waits for it. At the end the last permits are still given back.
  const background = yield* FiberSet.make<void, Quota.Unavailable>()
  yield* Effect.addFinalizer(() => Effect.timeoutOption(FiberSet.awaitEmpty(background), timeout))

  const makeGroup = (key: string, now: number): Group => ({
    key,
    lane: Lane.make(limits),
    line: new Set(),
    permits: new Map(),
    apart: undefined,
    // Others may still be on their own: the store has perhaps just come back.
    waitUntil: share === undefined ? -Infinity : now + spell,
    answeredAt: -Infinity,
    rejectedAt: -1,
    refused: undefined
  })

  const unavailable = () => new Quota.Unavailable({ cause: new Cause.TimeoutError("the store did not answer in time") })

  // What asks the store is interrupted with the scope of the quota, and not together with the caller.
  const closed = Effect.fail(new Quota.Unavailable({ cause: new Error("the scope of the quota is closed") }))

  const inTime = <A>(self: Effect.Effect<A, Quota.Unavailable>) =>
    Effect.timeoutOrElse(self, { duration: timeout, orElse: () => Effect.fail(unavailable()) })

  /** Tells the store until it has heard, or the lease has ended by itself. */
  const giveBack = (end: Omit<Return, "ago" | "limits">, endedAt: number, hold: number, clock: Clock.Clock) =>
    Effect.suspend(() => store.release({ ...end, limits, ago: Line.millisOf(clock) - endedAt })).pipe(
      Effect.retry(Schedule.spaced("1 second")),
      Effect.timeoutOption(hold),
      Effect.asVoid
    )

  /** Asks the store for a permit for the caller: after it the caller has one, or the group knows how long to wait. */
  const ask = (
    group: Group,
    caller: Line.Caller,
    call: Quota.Call,
    clock: Clock.Clock
  ): Effect.Effect<void, Quota.Unavailable> => {
    const name = Hex.encode(globalThis.crypto.getRandomValues(new Uint8Array(16)))
    const hold = Math.min(memory, attemptMillis(call) + window + grace)
    let isWanted = true
    let allowance = 0
    const take = (answer: Answer, random: number): Effect.Effect<void, Quota.Unavailable> => {
      const now = Line.millisOf(clock)
      group.answeredAt = now
      adopt(group, now, answer.rejection)
      if (answer._tag === "Wait") {
        group.waitUntil = now + answer.millis + random * jitter
        return Effect.void
      }
      if (!isWanted) {
        const end = { key: group.key, lease: name, delay: undefined, allowance: 0, rejected: undefined }
        return giveBack(end, now, hold, clock)
      }
      const permit = give(group.lane, caller, call, now)
      permit.due = Math.max(permit.due, now + allowance)
      group.permits.set(caller, { lane: group.lane, permit, lease: { name, at: answer.at, hold } })
      return Effect.void
    }
    const asked = Effect.flatMap(
      Effect.zip(
        Effect.suspend(() => {
          const now = Line.millisOf(clock)
          // A process that gets no permit recovers all the same: it would stay behind the others else.
          Lane.recover(group.lane, now)
          allowance = Lane.allowance(group.lane, now)
          return store.acquire({
            key: group.key,
            limits,
            lease: name,
            hold,
            allowance,
            host: group.lane.host,
            spacing: group.lane.spacing,
            isKnown: now - group.answeredAt < memory
          })
        }),
        Random.next
      ),
      ([answer, random]) => take(answer, random)
    )
    // The store may grant a permit although the caller has stopped waiting for it: somebody has to take it then.
    return Effect.uninterruptibleMask((restore) =>
      Effect.flatMap(FiberSet.run(background, asked), (fiber) =>
        Effect.ensuring(
          restore(inTime(Effect.flatMap(Fiber.await(fiber), (exit) => (Exit.hasInterrupts(exit) ? closed : exit)))),
          Effect.sync(() => (isWanted = false))
        )
      )
    )
  }

  const onUnavailable = (
    group: Group,
    error: Quota.Unavailable,
    clock: Clock.Clock
  ): Effect.Effect<void, Quota.Unavailable> => {
    const now = Line.millisOf(clock)
    // The others may go on with the whole quota.
    if (share === undefined || (error.reason === "Denied" && group.apart === undefined)) {
      group.refused = { at: now, error }
      return Effect.fail(error)
    }
    if (group.apart !== undefined) return Effect.void
    group.apart = Lane.make({ ...limits, limit: share })
    group.apart.pausedUntil = now + spell
    return Effect.logWarning("The store of the shared quota does not answer: going on with a share of it.", error)
  }

  const rejoin = (group: Group): Effect.Effect<void> => {
    group.apart = undefined
    Line.wakeFirst(group.line)
    return Effect.logInfo("The store of the shared quota answers again.")
  }

  /** Keeps in touch with the store, so that all processes know at about the same time that it is away, and back. */
  const watch = (group: Group, clock: Clock.Clock): Effect.Effect<never> =>
    Effect.forever(
      Effect.andThen(
        Effect.sleep(Duration.millis(window)),
        Effect.suspend(() => {
          const wasApart = group.apart !== undefined
          return Effect.matchEffect(inTime(store.pause({ key: group.key, limits, millis: wasApart ? spell : 0 })), {
            onFailure: (error) => Effect.ignore(onUnavailable(group, error, clock)),
            onSuccess: () => (wasApart ? rejoin(group) : Effect.void)
          })
        })
      )
    )

  const groupOf = (call: Quota.Call, clock: Clock.Clock): Effect.Effect<Group> => {
    const key = keyOf(options, call)
    const known = groups.get(key)
    if (known !== undefined) return Effect.succeed(known)
    const group = makeGroup(key, Line.millisOf(clock))
    groups.set(key, group)
    return share === undefined
      ? Effect.succeed(group)
      : Effect.uninterruptible(Effect.as(FiberSet.run(watches, watch(group, clock)), group))
  }

  const turn = (
    group: Group,
    caller: Line.Caller,
    call: Quota.Call,
    clock: Clock.Clock
  ): Effect.Effect<void, Quota.Unavailable> =>
    Effect.suspend(() => {
      if (caller.permit !== undefined) return Effect.void
      if (group.refused !== undefined && caller.askedAt <= group.refused.at) return Effect.fail(group.refused.error)
      const now = Line.millisOf(clock)
      const wait = nextGrant(group) - now
      const again = turn(group, caller, call, clock)
      if (wait > 0) return Effect.andThen(Line.sleep(caller, wait, clock), again)
      if (group.apart === undefined) {
        return Effect.andThen(
          Effect.catch(ask(group, caller, call, clock), (error) => onUnavailable(group, error, clock)),
          again
        )
      }
      const permit = give(group.apart, caller, call, now)
      group.permits.set(caller, { lane: group.apart, permit, lease: undefined })
      return Effect.void
    })

  const admit = (group: Group, caller: Line.Caller, call: Quota.Call, clock: Clock.Clock) =>
    Line.admit<Quota.WaitTooLong | Quota.Unavailable>(
      {
        line: group.line,
        leastWait: (now, ahead) =>
          group.apart === undefined
            ? Math.max(Lane.leastWait(group.lane, now, ahead), group.waitUntil - now)
            : Lane.leastWait(group.apart, now, ahead),
        turn: turn(group, caller, call, clock),
        tooLong
      },
      caller,
      call.patience,
      clock
    )

  const release = (group: Group, caller: Line.Caller, clock: Clock.Clock, outcome: Quota.Outcome) =>
    Effect.suspend(() => {
      const held = group.permits.get(caller)
      if (held === undefined) return Effect.void
      group.permits.delete(caller)
      const now = Line.millisOf(clock)
      const { lane, lease, permit } = held
      Lane.release(lane, now, permit, outcome)
      Line.wakeFirst(group.line)
      if (lease === undefined) return Effect.void
      const end = {
        key: group.key,
        lease: lease.name,
        delay: outcome === "NotSent" ? undefined : outcome === "Abandoned" ? window + grace : window,
        allowance: outcome === "Abandoned" || outcome === "NotSent" ? 0 : Lane.allowanceOf(lane, permit, now),
        rejected: outcome === "Rejected" ? { grantedAt: lease.at, spacing: lane.rejectedSpacing } : undefined
      }
      return FiberSet.run(background, giveBack(end, now, lease.hold, clock))
    })

  return BuiltIn.add<Quota.Quota["Service"]>({
    withPermit: (call, attempt, outcomeOf) =>
      Clock.clockWith((clock) =>
        Effect.flatMap(
          Effect.suspend(() => groupOf(call, clock)),
          (group) =>
            Line.withPermit(
              (caller) => admit(group, caller, call, clock),
              attempt,
              (caller, _, host) => send(group, caller, clock, host),
              (caller, _, outcome) => release(group, caller, clock, outcome),
              outcomeOf
            )
        )
      ),
    state: Clock.clockWith((clock) =>
      Effect.sync(() =>
        Array.from(groups.values(), (group) => ({
          key: group.key,
          inUse: group.permits.size,
          waiting: group.line.size,
          nextPermit: Duration.millis(Math.max(0, nextGrant(group) - Line.millisOf(clock))),
          spacing: Duration.millis((group.apart ?? group.lane).spacing)
        }))
      )
    )
  })
})

/** When the next permit may be given out, as far as this process knows. */
const nextGrant = ({ apart, lane, waitUntil }: Group): number =>
  apart === undefined ? Math.max(Lane.nextGrant(lane), waitUntil) : Lane.nextGrant(apart)

/** The store of a shared quota in this process's memory, on Effect's clock: for tests and simulations. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import type { Ask, Reply, Return, Store } from "./store.ts"
import { millisOf } from "../timers.ts"

interface Lease {
  /** When the permit comes back, and how much sooner it may to somebody who knows that as well. */
  readonly back: number
  readonly allowance: number
}

/** What is kept of one key. */
class Group {
  /** Whether anybody has been given a lease or an answer. If not, what is here is all that is left of what was lost. */
  isKnown = false
  readonly leases = new Map<string, Lease>()
  pausedUntil = -Infinity
  lastGrant = -Infinity
  rejectedAt = -1
  rejectedSpacing = 0
  /** The smallest allowance that anybody asked with: since `smallestFrom`, and in the time before it. */
  smallest = 0
  smallestBefore = 0
  smallestFrom = -Infinity
  /** Where the requests of the last one who asked go. */
  host = ""
}

/** How many windows the smallest allowance is remembered, at least. */
export const allowanceWindows = 10

/**
 * The allowance for everybody: the smallest of late, and none where requests have gone elsewhere of late. With one of its own each, a process that has not learned its own yet
 * would see permits come back later than the others do, get none, and never learn.
 */
const allowanceOf = (group: Group, now: number, ask: Ask): number => {
  const isOver = now - group.smallestFrom > allowanceWindows * ask.limits.window
  if (isOver) {
    group.smallestBefore = group.smallest
    group.smallestFrom = now
  }
  const { host = "" } = ask
  const allowance = host === group.host ? ask.allowance : 0
  group.host = host
  group.smallest = isOver ? allowance : Math.min(group.smallest, allowance)
  return Math.min(group.smallest, group.smallestBefore)
}

/** How long until fewer than `limit` leases are out, with this allowance. */
const permitWait = ({ leases }: Group, now: number, { limit, window }: Ask["limits"], allowance: number): number => {
  if (leases.size < limit) return 0
  const backs = Array.from(leases.values(), (lease) => lease.back - Math.min(lease.allowance, allowance))
  const wait = (backs.toSorted((a, b) => a - b)[leases.size - limit] ?? 0) - now
  // Whatever is under way now may come back this soon.
  return Math.min(wait, Math.max(window - allowance, window / limit))
}

const acquire = (group: Group, now: number, ask: Ask): Reply => {
  const { grace, window } = ask.limits
  if (ask.isKnown && !group.isKnown) group.pausedUntil = Math.max(group.pausedUntil, now + window + grace)
  group.isKnown = true
  for (const [name, { back }] of group.leases) if (back <= now) group.leases.delete(name)
  const allowance = allowanceOf(group, now, ask)
  const wait = Math.max(
    group.pausedUntil - now,
    group.lastGrant + ask.spacing - now,
    permitWait(group, now, ask.limits, allowance)
  )
  const { rejectedAt, rejectedSpacing } = group
  const rejection = rejectedAt < 0 ? undefined : { at: rejectedAt, ago: now - rejectedAt, spacing: rejectedSpacing }
  if (wait > 0) return { _tag: "Wait", millis: Math.ceil(wait), rejection }
  group.leases.set(ask.lease, { back: now + ask.hold, allowance: 0 })
  group.lastGrant = now
  return { _tag: "Granted", at: now, rejection }
}

const release = (group: Group, now: number, { ago, allowance, delay, lease, limits, rejected }: Return): void => {
  group.leases.delete(lease)
  if (delay !== undefined) group.leases.set(lease, { back: now - ago + delay, allowance })
  if (rejected === undefined) return
  group.pausedUntil = Math.max(group.pausedUntil, now + limits.window)
  if (rejected.grantedAt <= group.rejectedAt) return
  group.rejectedAt = now
  group.rejectedSpacing = rejected.spacing
}

export const make = (): Store => {
  const groups = new Map<string, Group>()
  const change = <A>(key: string, f: (group: Group, now: number) => A): Effect.Effect<A> =>
    Clock.clockWith((clock) =>
      Effect.sync(() => {
        const group = groups.get(key) ?? new Group()
        groups.set(key, group)
        return f(group, millisOf(clock))
      })
    )
  return {
    acquire: (ask) => change(ask.key, (group, now) => acquire(group, now, ask)),
    release: (lease) => change(lease.key, (group, now) => release(group, now, lease)),
    pause: ({ key, millis }) =>
      change(key, (group, now) => {
        group.pausedUntil = Math.max(group.pausedUntil, now + millis)
      })
  }
}

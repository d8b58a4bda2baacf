/** The store of a shared quota in this process's memory, on Effect's clock: for tests and simulations. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import { type Ask, type Reply, replyOf, type Return, type Store } from "./store.ts"
import { millisOf } from "../timers.ts"

/** How many windows the smallest allowance is remembered, at least. */
export const allowanceWindows = 10

/** What is kept of one key. */
class Group {
  /** Whether anybody has been given a lease or an answer. If not, what is here is all that is left of what was lost. */
  #isKnown = false
  /** When each permit comes back, and how much sooner it may to somebody who knows that as well. */
  readonly #leases = new Map<string, { readonly back: number; readonly allowance: number }>()
  #pausedUntil = -Infinity
  #lastGrant = -Infinity
  #rejectedAt = -1
  #rejectedSpacing = 0
  /** The smallest allowance that anybody asked with: since `smallestFrom`, and in the time before it. */
  #smallest = 0
  #smallestBefore = 0
  #smallestFrom = -Infinity
  /** Where the requests of the last one who asked go. */
  #host = ""

  /**
   * The allowance for everybody: the smallest of late, and none where requests have gone elsewhere of late. With one of
   * its own each, a process that has not learned its own yet would see permits come back later than the others do, get
   * none, and never learn.
   */
  #allowanceOf(now: number, { allowance: own, host = "", limits }: Ask): number {
    const isOver = now - this.#smallestFrom > allowanceWindows * limits.window
    if (isOver) {
      this.#smallestBefore = this.#smallest
      this.#smallestFrom = now
    }
    const allowance = host === this.#host ? own : 0
    this.#host = host
    this.#smallest = isOver ? allowance : Math.min(this.#smallest, allowance)
    return Math.min(this.#smallest, this.#smallestBefore)
  }

  /** How long until fewer than `limit` leases are out, with this allowance. */
  #permitWait(now: number, { limit, window }: Ask["limits"], allowance: number): number {
    const { size } = this.#leases
    if (size < limit) return 0
    const backs = Array.from(this.#leases.values(), (lease) => lease.back - Math.min(lease.allowance, allowance))
    const wait = (backs.toSorted((a, b) => a - b)[size - limit] ?? 0) - now
    // Whatever is under way now may come back this soon.
    return Math.min(wait, Math.max(window - allowance, window / limit))
  }

  acquire(now: number, ask: Ask): Reply {
    const { grace, window } = ask.limits
    if (ask.isKnown && !this.#isKnown) this.pause(now + window + grace)
    this.#isKnown = true
    for (const [name, { back }] of this.#leases) if (back <= now) this.#leases.delete(name)
    const permitWait = this.#permitWait(now, ask.limits, this.#allowanceOf(now, ask))
    const wait = Math.max(0, this.#pausedUntil - now, this.#lastGrant + ask.spacing - now, permitWait)
    if (wait === 0) {
      this.#leases.set(ask.lease, { back: now + ask.hold, allowance: 0 })
      this.#lastGrant = now
    }
    return replyOf(Math.ceil(wait), now, this.#rejectedAt, this.#rejectedSpacing)
  }

  release(now: number, { ago, allowance, delay, lease, limits, rejected }: Return): void {
    this.#leases.delete(lease)
    if (delay !== undefined) this.#leases.set(lease, { back: now - ago + delay, allowance })
    if (rejected === undefined) return
    this.pause(now + limits.window)
    if (rejected.grantedAt <= this.#rejectedAt) return
    this.#rejectedAt = now
    this.#rejectedSpacing = rejected.spacing
  }

  pause(until: number): void {
    this.#pausedUntil = Math.max(this.#pausedUntil, until)
  }
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
    acquire: (ask) => change(ask.key, (group, now) => group.acquire(now, ask)),
    release: (back) => change(back.key, (group, now) => group.release(now, back)),
    pause: ({ key, millis }) => change(key, (group, now) => group.pause(now + millis))
  }
}

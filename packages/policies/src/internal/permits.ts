/**
 * The permits of one quota: when the next one may be given out. Pure but for its own state: time comes in as
 * milliseconds of a monotonic clock, so that programs, tests and simulations run the same lines.
 */

/**
 * How an attempt ended, as far as the service's count of it is concerned:
 *
 * - `Answered`: the service answered, so it has counted the call.
 * - `Rejected`: the service answered that the call was too many.
 * - `Abandoned`: there was no answer, so the request may still arrive and be counted then.
 * - `NotSent`: there was no request after all.
 *
 * @category models
 * @since 0.1.0
 */
export type Outcome = "Answered" | "Rejected" | "Abandoned" | "NotSent"

/**
 * The numbers of a quota: calls per window, and the window and the grace in milliseconds.
 *
 * @category models
 * @since 0.1.0
 */
export interface Limits {
  readonly limit: number
  readonly window: number
  readonly grace: number
}

/** A permit that is out. */
export interface Permit {
  /** Those that it is one of. */
  readonly permits: Permits
  /** When it was given out or, later, when the request could be sent. */
  sentAt: number
  /** Where the permits' requests went when it was given out: no allowance is good for any other place. */
  readonly from: string | undefined
  /** Where its own request goes, as far as the permits has been told. */
  to: string | undefined
  /** When it would have been given out without an allowance. */
  due: number
  /** How long after that it may be in use, most of all. */
  readonly hold: number
}

/** A permit on its way back: free at `at`, and without its allowance at `due`. */
interface Returning {
  readonly at: number
  readonly due: number
}

/** The smallest round trip of late, of this period and the one before it: nothing is known of any. */
const noRoundTrips = {
  count: 0,
  firstAt: Infinity,
  periodFrom: -Infinity,
  smallest: Infinity,
  smallestBefore: Infinity
}

/** How much is seen before a smallest round trip is trusted: so many, over so many windows, since those of one burst are alike. */
const trusted = { count: 100, windows: 10 }

/** How long a smallest round trip is remembered, at least. */
const period = 5 * 60_000

/** What a smallest round trip may be off by, most of all because this process was busy whenever it was measured. */
const margin = { factor: 0.9, millis: 15 }

/** What a rejection leaves of the rate, and how many windows later it is back at what it was. */
const adaptation = { rest: 0.8, windows: 30 }

export class Permits {
  limits: Limits
  /** Permits that may be given out; below 0 while more are in use than a lower limit allows. */
  #free: number
  /** The permits that are neither free nor out, the next one first. */
  #returning: Array<Returning> = []
  #out: Array<Permit> = []
  /** Where requests go, of late: what is known of round trips is known of the way there. */
  host: string | undefined
  #lastGrant = -Infinity
  #pausedUntil = -Infinity
  /** The least time between two grants: 0 while the service has not complained. */
  spacing = 0
  /** The spacing that the service last rejected, and when: what `spacing` comes back to. */
  rejectedSpacing = 0
  #rejectedAt = -Infinity
  #roundTrips = noRoundTrips

  constructor(limits: Limits) {
    this.limits = limits
    this.#free = limits.limit
  }

  /** How many are out. */
  get inUse(): number {
    return this.#out.length
  }

  /** Takes over what another process of the same quota heard. */
  adopt(now: number, { ago, spacing }: { readonly ago: number; readonly spacing: number }): void {
    this.#rejectedAt = now - ago
    this.rejectedSpacing = spacing
    this.spacing = Math.max(this.spacing, spacing)
  }

  /**
   * How much sooner than a window after the answer a permit may come back. The service counted the old call at least
   * the latency back before the answer arrived, and counts the new one at least the latency out after it is sent: together
   * the smallest round trip, where both take the same path. Worth it at high latency only: at a low one there is nothing
   * to win.
   */
  allowance(now: number): number {
    const { count, firstAt, smallest, smallestBefore } = this.#roundTrips
    if (count < trusted.count || now - firstAt < trusted.windows * this.limits.window) return 0
    const roundTrip = Math.min(smallest, smallestBefore)
    return Math.min(this.limits.window, Math.max(0, roundTrip * margin.factor - margin.millis))
  }

  /** The allowance of a permit that comes back: none where requests go elsewhere by now. */
  allowanceOf(permit: Permit, now: number): number {
    return permit.to === this.host ? this.allowance(now) : 0
  }

  #learn(now: number, roundTrip: number): void {
    const { count, firstAt, periodFrom, smallest, smallestBefore } = this.#roundTrips
    const isOver = now - periodFrom > period
    this.#roundTrips = {
      count: count + 1,
      firstAt: Math.min(firstAt, now),
      periodFrom: isOver ? now : periodFrom,
      smallest: isOver ? roundTrip : Math.min(smallest, roundTrip),
      smallestBefore: isOver ? smallest : smallestBefore
    }
  }

  #insert(back: Returning): void {
    const returning = this.#returning
    let index = returning.length
    while (index > 0 && (returning[index - 1]?.at ?? -Infinity) > back.at) index--
    returning.splice(index, 0, back)
  }

  /** When the permit with `ahead` others before it is free; `unknown` where it is out. */
  #permitAt(ahead: number, unknown: number): number {
    return ahead < this.#free ? -Infinity : (this.#returning[ahead - this.#free]?.at ?? unknown)
  }

  /** When the next permit may be given out: never, as far as is known, while all of them are out. */
  get nextGrant(): number {
    return Math.max(this.#permitAt(0, Infinity), this.#pausedUntil, this.#lastGrant + this.spacing)
  }

  /** The least that a caller behind `ahead` others has to wait: later answers can only make it longer. */
  leastWait(now: number, ahead: number): number {
    const { limit, window } = this.limits
    const lap = Math.floor(ahead / limit)
    const turn = this.#permitAt(ahead % limit, now + window - this.allowance(now))
    const earliest = Math.max(turn, this.#pausedUntil, this.#lastGrant + this.spacing * (ahead + 1))
    return Math.max(0, earliest - now) + lap * (window - this.allowance(now))
  }

  /** Gives out a permit, for an attempt of at most so many milliseconds. Only when {@link nextGrant} has come. */
  grant(now: number, timeout: number): Permit {
    while ((this.#returning[0]?.due ?? Infinity) <= now) {
      this.#returning.shift()
      this.#free++
    }
    const early = this.#free > 0 ? undefined : this.#returning.shift()
    if (early === undefined) this.#free--
    const { grace, window } = this.limits
    const permit: Permit = {
      permits: this,
      sentAt: now,
      from: this.host,
      to: this.host,
      due: early?.due ?? -Infinity,
      hold: timeout + window + grace
    }
    this.#out.push(permit)
    this.#lastGrant = now
    this.recover(now)
    return permit
  }

  /**
   * Hears where the request of a permit goes. Gives how long to wait before it is sent: where requests went elsewhere
   * until now, what was won of the round trip there has to be given back, and the latency is learned anew.
   */
  send(permit: Permit, now: number, host: string): number {
    const wait = host === permit.from ? 0 : Math.max(0, permit.due - now)
    permit.sentAt = now + wait
    permit.to = host
    if (host !== this.host) {
      this.host = host
      this.#roundTrips = noRoundTrips
      this.#returning = this.#returning.map(({ due }) => ({ at: due, due })).toSorted((a, b) => a.at - b.at)
    }
    return wait
  }

  /** Takes a permit back. */
  release(now: number, permit: Permit, outcome: Outcome): void {
    const { grace, window } = this.limits
    const index = this.#out.indexOf(permit)
    if (index < 0) return
    this.#out.splice(index, 1)
    if (outcome === "NotSent") {
      return this.#insert({ at: permit.from === this.host ? now : Math.max(now, permit.due), due: permit.due })
    }
    const due = now + window
    if (outcome === "Abandoned") return this.#insert({ at: due + grace, due: due + grace })
    if (permit.to === this.host) this.#learn(now, now - permit.sentAt)
    if (outcome === "Rejected") this.#slowDown(now, permit.sentAt)
    this.#insert({ at: due - this.allowanceOf(permit, now), due })
  }

  /** Gives out none before that time. */
  pause(until: number): void {
    this.#pausedUntil = Math.max(this.#pausedUntil, until)
  }

  /** Changes the limits: what is in use stays in use. */
  limit(limits: Limits): void {
    this.#free += limits.limit - this.limits.limit
    this.limits = limits
  }

  /** Takes back what nobody can be using any more, although nobody gave it back. */
  takeBackLost(now: number): void {
    const inUse = this.#out.filter(({ hold, sentAt }) => now < sentAt + hold)
    this.#free += this.#out.length - inUse.length
    this.#out = inUse
  }

  /** Whether no call counts any more, nor keeps others waiting. */
  isIdle(now: number): boolean {
    return (
      this.#pausedUntil <= now &&
      this.#returning.every(({ due }) => due <= now) &&
      this.#out.every(({ hold, sentAt }) => sentAt + hold <= now)
    )
  }

  /**
   * A rejection, although the quota was kept, has one of three reasons: somebody else uses the same app, the service
   * allows no bursts, or the path got shorter. For all three: pause, spread the calls out, forget the round trips. The
   * rejections of one burst count once.
   */
  #slowDown(now: number, sentAt: number): void {
    const { limit, window } = this.limits
    this.pause(now + window)
    this.#roundTrips = noRoundTrips
    if (sentAt <= this.#rejectedAt) return
    this.rejectedSpacing = Math.min(this.spacing === 0 ? window / limit : this.spacing, window * adaptation.rest)
    this.#rejectedAt = now
    this.spacing = this.rejectedSpacing / adaptation.rest
  }

  /**
   * Brings the spacing up to date, before it is looked at. Without rejections the rate comes back along a cubic curve: soon
   * it is near the one that was rejected, stays there for long, and then rises ever faster, until bursts are allowed as
   * before.
   */
  recover(now: number): void {
    const { limit, window } = this.limits
    if (this.spacing === 0) return
    const ahead = 1 - (now - this.#rejectedAt) / (adaptation.windows * window)
    const steepness = ahead > 0 ? 1 - adaptation.rest : 1
    const spacing = this.rejectedSpacing / (1 - steepness * ahead ** 3)
    this.spacing = spacing < window / limit / 2 ? 0 : spacing
  }
}

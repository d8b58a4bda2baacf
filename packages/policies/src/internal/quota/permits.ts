/**
 * The permits of one quota: when the next one may be given out. Pure but for its own state: time comes in as
 * milliseconds of a monotonic clock, so that programs, tests and simulations run the same lines.
 */

/** How an attempt ended, as far as the service's count of it is concerned. */
export type Outcome =
  /** The service answered: it counted the call before that. */
  | "Answered"
  /** The service answered that the call was too many. */
  | "Rejected"
  /** No answer: the request may still arrive, and be counted then. */
  | "Abandoned"
  /** There was no request after all. */
  | "NotSent"

export interface Limits {
  readonly limit: number
  /** Milliseconds. */
  readonly window: number
  /** How long after it was abandoned a request may still arrive, in milliseconds. */
  readonly grace: number
}

/** A permit that is out. */
export interface Permit {
  /** When it was given out or, later, when the request could be sent. */
  sentAt: number
  /** Where the permits's requests went when it was given out: no allowance is good for any other place. */
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

export interface Permits {
  limits: Limits
  /** Permits that may be given out; below 0 while more are in use than a lower limit allows. */
  free: number
  /** The permits that are neither free nor out, the next one first. */
  returning: Array<Returning>
  out: Array<Permit>
  /** Where requests go, of late: what is known of round trips is known of the way there. */
  host: string | undefined
  lastGrant: number
  pausedUntil: number
  /** The least time between two grants: 0 while the service has not complained. */
  spacing: number
  /** The spacing that the service last rejected, and when: what `spacing` comes back to. */
  rejectedSpacing: number
  rejectedAt: number
  roundTrips: RoundTrips
}

/** The smallest round trip of late: of this period and the one before it. */
interface RoundTrips {
  readonly count: number
  readonly firstAt: number
  readonly periodFrom: number
  readonly smallest: number
  readonly smallestBefore: number
}

const noRoundTrips: RoundTrips = {
  count: 0,
  firstAt: Infinity,
  periodFrom: -Infinity,
  smallest: Infinity,
  smallestBefore: Infinity
}

export const make = (limits: Limits): Permits => ({
  limits,
  free: limits.limit,
  returning: [],
  out: [],
  host: undefined,
  lastGrant: -Infinity,
  pausedUntil: -Infinity,
  spacing: 0,
  rejectedSpacing: 0,
  rejectedAt: -Infinity,
  roundTrips: noRoundTrips
})

/** Changes the limits: what is in use stays in use. */
export const limit = (permits: Permits, limits: Limits): void => {
  permits.free += limits.limit - permits.limits.limit
  permits.limits = limits
}

/** How much is seen before a smallest round trip is trusted: so many, over so many windows, since those of one burst are alike. */
const trusted = { count: 100, windows: 10 }

/** How long a smallest round trip is remembered, at least. */
const period = 5 * 60_000

/** What a smallest round trip may be off by, most of all because this process was busy whenever it was measured. */
const margin = { factor: 0.9, millis: 15 }

/**
 * How much sooner than a window after the answer a permit may come back. The service counted the old call at least
 * the latency back before the answer arrived, and counts the new one at least the latency out after it is sent: together
 * the smallest round trip, where both take the same path. Worth it at high latency only: at a low one there is nothing
 * to win.
 */
export const allowance = (permits: Permits, now: number): number => {
  const { count, firstAt, smallest, smallestBefore } = permits.roundTrips
  if (count < trusted.count || now - firstAt < trusted.windows * permits.limits.window) return 0
  const roundTrip = Math.min(smallest, smallestBefore)
  return Math.min(permits.limits.window, Math.max(0, roundTrip * margin.factor - margin.millis))
}

/** The allowance of a permit that comes back: none where requests go elsewhere by now. */
export const allowanceOf = (permits: Permits, permit: Permit, now: number): number =>
  permit.to === permits.host ? allowance(permits, now) : 0

const learn = (permits: Permits, now: number, roundTrip: number): void => {
  const { count, firstAt, periodFrom, smallest, smallestBefore } = permits.roundTrips
  const isOver = now - periodFrom > period
  permits.roundTrips = {
    count: count + 1,
    firstAt: Math.min(firstAt, now),
    periodFrom: isOver ? now : periodFrom,
    smallest: isOver ? roundTrip : Math.min(smallest, roundTrip),
    smallestBefore: isOver ? smallest : smallestBefore
  }
}

const insert = (permits: Permits, back: Returning): void => {
  const { returning } = permits
  let index = returning.length
  while (index > 0 && (returning[index - 1]?.at ?? -Infinity) > back.at) index--
  returning.splice(index, 0, back)
}

/** When the permit with `ahead` others before it is free; `unknown` where it is out. */
const permitAt = (permits: Permits, ahead: number, unknown: number): number =>
  ahead < permits.free ? -Infinity : (permits.returning[ahead - permits.free]?.at ?? unknown)

/** When the next permit may be given out: never, as far as is known, while all of them are out. */
export const nextGrant = (permits: Permits): number =>
  Math.max(permitAt(permits, 0, Infinity), permits.pausedUntil, permits.lastGrant + permits.spacing)

/** The least that a caller behind `ahead` others has to wait: later answers can only make it longer. */
export const leastWait = (permits: Permits, now: number, ahead: number): number => {
  const { limit, window } = permits.limits
  const lap = Math.floor(ahead / limit)
  const turn = permitAt(permits, ahead % limit, now + window - allowance(permits, now))
  const earliest = Math.max(turn, permits.pausedUntil, permits.lastGrant + permits.spacing * (ahead + 1))
  return Math.max(0, earliest - now) + lap * (window - allowance(permits, now))
}

/** Gives out a permit, for an attempt of at most so many milliseconds. Only when {@link nextGrant} has come. */
export const grant = (permits: Permits, now: number, timeout: number): Permit => {
  while ((permits.returning[0]?.due ?? Infinity) <= now) {
    permits.returning.shift()
    permits.free++
  }
  const early = permits.free > 0 ? undefined : permits.returning.shift()
  if (early === undefined) permits.free--
  const { grace, window } = permits.limits
  const permit: Permit = {
    sentAt: now,
    from: permits.host,
    to: permits.host,
    due: early?.due ?? -Infinity,
    hold: timeout + window + grace
  }
  permits.out.push(permit)
  permits.lastGrant = now
  recover(permits, now)
  return permit
}

/**
 * Hears where the request of a permit goes. Gives how long to wait before it is sent: where requests went elsewhere
 * until now, what was won of the round trip there has to be given back, and the latency is learned anew.
 */
export const send = (permits: Permits, permit: Permit, now: number, host: string): number => {
  const wait = host === permit.from ? 0 : Math.max(0, permit.due - now)
  permit.sentAt = now + wait
  permit.to = host
  if (host !== permits.host) {
    permits.host = host
    permits.roundTrips = noRoundTrips
    permits.returning = permits.returning.map(({ due }) => ({ at: due, due })).toSorted((a, b) => a.at - b.at)
  }
  return wait
}

/** Takes a permit back. */
export const release = (permits: Permits, now: number, permit: Permit, outcome: Outcome): void => {
  const { grace, window } = permits.limits
  const index = permits.out.indexOf(permit)
  if (index < 0) return
  permits.out.splice(index, 1)
  if (outcome === "NotSent") {
    return insert(permits, { at: permit.from === permits.host ? now : Math.max(now, permit.due), due: permit.due })
  }
  const due = now + window
  if (outcome === "Abandoned") return insert(permits, { at: due + grace, due: due + grace })
  if (permit.to === permits.host) learn(permits, now, now - permit.sentAt)
  if (outcome === "Rejected") slowDown(permits, now, permit.sentAt)
  insert(permits, { at: due - allowanceOf(permits, permit, now), due })
}

/** Gives out none before that time. */
export const pause = (permits: Permits, until: number): void => {
  permits.pausedUntil = Math.max(permits.pausedUntil, until)
}

/** Takes back what nobody can be using any more, although nobody gave it back. */
export const takeBackLost = (permits: Permits, now: number): void => {
  const inUse = permits.out.filter(({ hold, sentAt }) => now < sentAt + hold)
  permits.free += permits.out.length - inUse.length
  permits.out = inUse
}

/** Whether no call counts any more, nor keeps others waiting. */
export const isIdle = ({ out, pausedUntil, returning }: Permits, now: number): boolean =>
  pausedUntil <= now &&
  returning.every(({ due }) => due <= now) &&
  out.every(({ hold, sentAt }) => sentAt + hold <= now)

/** What a rejection leaves of the rate, and how many windows later it is back at what it was. */
const adaptation = { rest: 0.8, windows: 30 }

/**
 * A rejection, although the quota was kept, has one of three reasons: somebody else uses the same app, the service
 * allows no bursts, or the path got shorter. For all three: pause, spread the calls out, forget the round trips. The
 * rejections of one burst count once.
 */
const slowDown = (permits: Permits, now: number, sentAt: number): void => {
  const { limit, window } = permits.limits
  pause(permits, now + window)
  permits.roundTrips = noRoundTrips
  if (sentAt <= permits.rejectedAt) return
  permits.rejectedSpacing = Math.min(permits.spacing === 0 ? window / limit : permits.spacing, window * adaptation.rest)
  permits.rejectedAt = now
  permits.spacing = permits.rejectedSpacing / adaptation.rest
}

/**
 * Brings the spacing up to date, before it is looked at. Without rejections the rate comes back along a cubic curve: soon
 * it is near the one that was rejected, stays there for long, and then rises ever faster, until bursts are allowed as
 * before.
 */
export const recover = (permits: Permits, now: number): void => {
  const { limit, window } = permits.limits
  if (permits.spacing === 0) return
  const ahead = 1 - (now - permits.rejectedAt) / (adaptation.windows * window)
  const steepness = ahead > 0 ? 1 - adaptation.rest : 1
  const spacing = permits.rejectedSpacing / (1 - steepness * ahead ** 3)
  permits.spacing = spacing < window / limit / 2 ? 0 : spacing
}

/**
 * The permits of one quota: when the next one may be given out. Pure but for its own state: time comes in as
 * milliseconds of a monotonic clock, so that the client, its tests and the simulation run the same lines.
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

export interface Options {
  readonly limit: number
  /** Milliseconds. */
  readonly window: number
  /** How long after it was abandoned a request may still arrive, in milliseconds. */
  readonly grace: number
}

export interface Lane {
  readonly options: Options
  /** Permits that may be given out. */
  free: number
  /** When each permit that is neither free nor out becomes free, ascending. */
  readonly returning: Array<number>
  inUse: number
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

export const make = (options: Options): Lane => ({
  options,
  free: options.limit,
  returning: [],
  inUse: 0,
  lastGrant: -Infinity,
  pausedUntil: -Infinity,
  spacing: 0,
  rejectedSpacing: 0,
  rejectedAt: -Infinity,
  roundTrips: noRoundTrips
})

/** How much is seen before a smallest round trip is trusted: so many, over so many windows, since those of one burst are alike. */
const trusted = { count: 50, windows: 5 }

/** How long a smallest round trip is remembered, at least. */
const period = 5 * 60_000

/** What a smallest round trip may be off by, most of all because this process was busy whenever it was measured. */
const margin = { factor: 0.9, millis: 15 }

/**
 * How much sooner than a window after the answer a permit may come back. The service counted the old call at least a
 * way back before the answer arrived, and counts the new one at least a way out after it is sent: together the smallest
 * round trip. Worth it on long ways only: on short ones there is nothing to win.
 */
export const allowance = (lane: Lane, now: number): number => {
  const { count, firstAt, smallest, smallestBefore } = lane.roundTrips
  if (count < trusted.count || now - firstAt < trusted.windows * lane.options.window) return 0
  const roundTrip = Math.min(smallest, smallestBefore)
  return Math.min(lane.options.window, Math.max(0, roundTrip * margin.factor - margin.millis))
}

const learn = (lane: Lane, now: number, roundTrip: number): void => {
  const { count, firstAt, periodFrom, smallest, smallestBefore } = lane.roundTrips
  const isOver = now - periodFrom > period
  lane.roundTrips = {
    count: count + 1,
    firstAt: Math.min(firstAt, now),
    periodFrom: isOver ? now : periodFrom,
    smallest: isOver ? roundTrip : Math.min(smallest, roundTrip),
    smallestBefore: isOver ? smallest : smallestBefore
  }
}

const insert = (returning: Array<number>, at: number): void => {
  let index = returning.length
  while (index > 0 && (returning[index - 1] ?? -Infinity) > at) index--
  returning.splice(index, 0, at)
}

/** When the permit with `ahead` others before it is free; `unknown` where it is out. */
const permitAt = (lane: Lane, ahead: number, unknown: number): number =>
  ahead < lane.free ? -Infinity : (lane.returning[ahead - lane.free] ?? unknown)

/** When the next permit may be given out: never, as far as is known, while all of them are out. */
export const nextGrant = (lane: Lane): number =>
  Math.max(permitAt(lane, 0, Infinity), lane.pausedUntil, lane.lastGrant + lane.spacing)

/** The least that a caller behind `ahead` others has to wait: later answers can only make it longer. */
export const leastWait = (lane: Lane, now: number, ahead: number): number => {
  const { limit, window } = lane.options
  const lap = Math.floor(ahead / limit)
  const turn = permitAt(lane, ahead % limit, now + window - allowance(lane, now))
  const earliest = Math.max(turn, lane.pausedUntil, lane.lastGrant + lane.spacing * (ahead + 1))
  return Math.max(0, earliest - now) + lap * (window - allowance(lane, now))
}

/** Gives out a permit. Only when {@link nextGrant} has come. */
export const grant = (lane: Lane, now: number): void => {
  while ((lane.returning[0] ?? Infinity) <= now) {
    lane.returning.shift()
    lane.free++
  }
  lane.free--
  lane.inUse++
  lane.lastGrant = now
  recover(lane, now)
}

/** Takes a permit back. `grantedAt` is when it was given out. */
export const release = (lane: Lane, now: number, grantedAt: number, outcome: Outcome): void => {
  const { grace, window } = lane.options
  lane.inUse--
  if (outcome === "Abandoned" || outcome === "NotSent") {
    insert(lane.returning, outcome === "NotSent" ? now : now + window + grace)
    return
  }
  learn(lane, now, now - grantedAt)
  if (outcome === "Rejected") slowDown(lane, now, grantedAt)
  insert(lane.returning, now + window - allowance(lane, now))
}

/** What a rejection leaves of the rate, and how many windows later it is back at what it was. */
const adaptation = { rest: 0.8, windows: 30 }

/**
 * A rejection, although the quota was kept, has one of three reasons: somebody else uses the same app, the service
 * allows no bursts, or the path got shorter. For all three: pause, spread the calls out, forget the round trips. The
 * rejections of one burst count once.
 */
const slowDown = (lane: Lane, now: number, grantedAt: number): void => {
  const { limit, window } = lane.options
  lane.pausedUntil = Math.max(lane.pausedUntil, now + window)
  lane.roundTrips = noRoundTrips
  if (grantedAt <= lane.rejectedAt) return
  lane.rejectedSpacing = Math.min(lane.spacing === 0 ? window / limit : lane.spacing, window * adaptation.rest)
  lane.rejectedAt = now
  lane.spacing = lane.rejectedSpacing / adaptation.rest
}

/**
 * Brings the spacing up to date, before it is looked at. Without rejections the rate comes back along a cubic curve: soon
 * it is near the one that was rejected, stays there for long, and then rises ever faster, until bursts are allowed as
 * before.
 */
export const recover = (lane: Lane, now: number): void => {
  const { limit, window } = lane.options
  if (lane.spacing === 0) return
  const ahead = 1 - (now - lane.rejectedAt) / (adaptation.windows * window)
  const steepness = ahead > 0 ? 1 - adaptation.rest : 1
  const spacing = lane.rejectedSpacing / (1 - steepness * ahead ** 3)
  lane.spacing = spacing < window / limit / 2 ? 0 : spacing
}

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

export interface Options {
  readonly limit: number
  /** Milliseconds. */
  readonly window: number
  /** How long after it was abandoned a request may still arrive, in milliseconds. */
  readonly grace: number
}

export interface Lane {
  readonly options: Options
  /** When each permit that is not out comes back, ascending. */
  readonly ready: Array<number>
  inUse: number
  lastGrant: number
  pausedUntil: number
  /** The least time between two grants: 0 while the service has not complained. */
  spacing: number
  /** When spacing was last changed, and when a rejection last changed it. */
  adaptedAt: number
  rejectedAt: number
  roundTrips: RoundTrips
}

/** The smallest round trip of late: of this period and the one before it. */
interface RoundTrips {
  readonly count: number
  readonly startedAt: number
  readonly smallest: number
  readonly smallestBefore: number
}

const noRoundTrips = (now: number): RoundTrips => ({
  count: 0,
  startedAt: now,
  smallest: Infinity,
  smallestBefore: Infinity
})

export const make = (options: Options): Lane => ({
  options,
  ready: Array.from({ length: options.limit }, () => -Infinity),
  inUse: 0,
  lastGrant: -Infinity,
  pausedUntil: -Infinity,
  spacing: 0,
  adaptedAt: -Infinity,
  rejectedAt: -Infinity,
  roundTrips: noRoundTrips(-Infinity)
})

/** How many round trips are seen before the smallest one is trusted. */
const trustedCount = 20

/** How long a smallest round trip is remembered, at least. */
const period = 5 * 60_000

/** What a smallest round trip may be off by: timers and the clock's grain. */
const margin = { factor: 0.9, millis: 1 }

/**
 * How much sooner than a window after the answer a permit may come back. The service counted the old call at least a
 * way back before the answer arrived, and counts the new one at least a way out after it is sent: together the smallest
 * round trip.
 */
export const allowance = (lane: Lane): number => {
  if (lane.roundTrips.count < trustedCount) return 0
  const smallest = Math.min(lane.roundTrips.smallest, lane.roundTrips.smallestBefore)
  return Math.min(lane.options.window, Math.max(0, smallest * margin.factor - margin.millis))
}

const learn = (lane: Lane, now: number, roundTrip: number): void => {
  const { count, smallest, smallestBefore, startedAt } = lane.roundTrips
  const isOver = now - startedAt > period
  lane.roundTrips = {
    count: count + 1,
    startedAt: isOver ? now : startedAt,
    smallest: isOver ? roundTrip : Math.min(smallest, roundTrip),
    smallestBefore: isOver ? smallest : smallestBefore
  }
}

const insert = (ready: Array<number>, at: number): void => {
  let index = ready.length
  while (index > 0 && (ready[index - 1] ?? -Infinity) > at) index--
  ready.splice(index, 0, at)
}

/** When the next permit may be given out: never, as far as is known, while all of them are out. */
export const nextGrant = (lane: Lane): number =>
  Math.max(lane.ready[0] ?? Infinity, lane.pausedUntil, lane.lastGrant + lane.spacing)

/** The least that a caller behind `ahead` others has to wait: later answers can only make it longer. */
export const leastWait = (lane: Lane, now: number, ahead: number): number => {
  const { limit, window } = lane.options
  const lap = Math.floor(ahead / limit)
  const turn = lane.ready[ahead % limit] ?? now + window - allowance(lane)
  const earliest = Math.max(turn, lane.pausedUntil, lane.lastGrant + lane.spacing * (ahead + 1))
  return Math.max(0, earliest - now) + lap * (window - allowance(lane))
}

/** Gives out a permit. Only when {@link nextGrant} has come. */
export const grant = (lane: Lane, now: number): void => {
  lane.ready.shift()
  lane.inUse++
  lane.lastGrant = now
  recover(lane, now)
}

/** Takes a permit back. `grantedAt` is when it was given out. */
export const release = (lane: Lane, now: number, grantedAt: number, outcome: Outcome): void => {
  const { grace, window } = lane.options
  lane.inUse--
  if (outcome === "Abandoned") {
    insert(lane.ready, now + window + grace)
    return
  }
  learn(lane, now, now - grantedAt)
  if (outcome === "Rejected") slowDown(lane, now, grantedAt)
  insert(lane.ready, now + window - allowance(lane))
}

/**
 * A rejection, although the quota was kept, has one of three reasons: somebody else uses the same app, the service
 * allows no bursts, or the path got shorter. For all three: pause, spread the calls out, forget the round trips. The
 * rejections of one burst count once.
 */
const slowDown = (lane: Lane, now: number, grantedAt: number): void => {
  const { limit, window } = lane.options
  lane.pausedUntil = Math.max(lane.pausedUntil, now + window)
  lane.roundTrips = noRoundTrips(now)
  if (grantedAt <= lane.rejectedAt) return
  lane.spacing = lane.spacing === 0 ? window / limit : Math.min(lane.spacing * 1.25, window)
  lane.rejectedAt = now
  lane.adaptedAt = now
}

/** Without rejections the calls draw together again, bit by bit, until bursts are allowed as before. */
const recover = (lane: Lane, now: number): void => {
  const { limit, window } = lane.options
  if (lane.spacing === 0 || now - lane.adaptedAt < 10 * window) return
  lane.adaptedAt = now
  lane.spacing = lane.spacing < window / limit / 2 ? 0 : lane.spacing * 0.95
}

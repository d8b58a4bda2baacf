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

/** A permit that is out. */
export interface Permit {
  /** When it was given out or, later, when the request could be sent. */
  sentAt: number
  /** Where the lane's requests went when it was given out: no allowance is good for any other place. */
  readonly from: string | undefined
  /** Where its own request goes, as far as the lane has been told. */
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

export interface Lane {
  readonly options: Options
  /** Permits that may be given out. */
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

export const make = (options: Options): Lane => ({
  options,
  free: options.limit,
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

/** How much is seen before a smallest round trip is trusted: so many, over so many windows, since those of one burst are alike. */
const trusted = { count: 50, windows: 5 }

/** How long a smallest round trip is remembered, at least. */
const period = 5 * 60_000

/** What a smallest round trip may be off by, most of all because this process was busy whenever it was measured. */
const margin = { factor: 0.9, millis: 15 }

/**
 * How much sooner than a window after the answer a permit may come back. The service counted the old call at least a
 * way back before the answer arrived, and counts the new one at least a way out after it is sent: together the smallest
 * round trip, where both go the same way. Worth it on long ways only: on short ones there is nothing to win.
 */
export const allowance = (lane: Lane, now: number): number => {
  const { count, firstAt, smallest, smallestBefore } = lane.roundTrips
  if (count < trusted.count || now - firstAt < trusted.windows * lane.options.window) return 0
  const roundTrip = Math.min(smallest, smallestBefore)
  return Math.min(lane.options.window, Math.max(0, roundTrip * margin.factor - margin.millis))
}

/** The allowance of a permit that comes back: none where requests go elsewhere by now. */
export const allowanceOf = (lane: Lane, permit: Permit, now: number): number =>
  permit.to === lane.host ? allowance(lane, now) : 0

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

const insert = (lane: Lane, back: Returning): void => {
  const { returning } = lane
  let index = returning.length
  while (index > 0 && (returning[index - 1]?.at ?? -Infinity) > back.at) index--
  returning.splice(index, 0, back)
}

/** When the permit with `ahead` others before it is free; `unknown` where it is out. */
const permitAt = (lane: Lane, ahead: number, unknown: number): number =>
  ahead < lane.free ? -Infinity : (lane.returning[ahead - lane.free]?.at ?? unknown)

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

/** Gives out a permit, for an attempt of at most so many milliseconds. Only when {@link nextGrant} has come. */
export const grant = (lane: Lane, now: number, timeout: number): Permit => {
  while ((lane.returning[0]?.due ?? Infinity) <= now) {
    lane.returning.shift()
    lane.free++
  }
  const early = lane.free > 0 ? undefined : lane.returning.shift()
  if (early === undefined) lane.free--
  const { grace, window } = lane.options
  const permit: Permit = {
    sentAt: now,
    from: lane.host,
    to: lane.host,
    due: early?.due ?? -Infinity,
    hold: timeout + window + grace
  }
  lane.out.push(permit)
  lane.lastGrant = now
  recover(lane, now)
  return permit
}

/**
 * Hears where the request of a permit goes. Gives how long to wait before it is sent: where requests went elsewhere
 * until now, what was won of the round trip there has to be given back, and the way is learned anew.
 */
export const send = (lane: Lane, permit: Permit, now: number, host: string): number => {
  const wait = host === permit.from ? 0 : Math.max(0, permit.due - now)
  permit.sentAt = now + wait
  permit.to = host
  if (host !== lane.host) {
    lane.host = host
    lane.roundTrips = noRoundTrips
    lane.returning = lane.returning.map(({ due }) => ({ at: due, due })).toSorted((a, b) => a.at - b.at)
  }
  return wait
}

/** Takes a permit back. */
export const release = (lane: Lane, now: number, permit: Permit, outcome: Outcome): void => {
  const { grace, window } = lane.options
  const index = lane.out.indexOf(permit)
  if (index < 0) return
  lane.out.splice(index, 1)
  if (outcome === "NotSent") {
    return insert(lane, { at: permit.from === lane.host ? now : Math.max(now, permit.due), due: permit.due })
  }
  const due = now + window
  if (outcome === "Abandoned") return insert(lane, { at: due + grace, due: due + grace })
  if (permit.to === lane.host) learn(lane, now, now - permit.sentAt)
  if (outcome === "Rejected") slowDown(lane, now, permit.sentAt)
  insert(lane, { at: due - allowanceOf(lane, permit, now), due })
}

/** Takes back what nobody can be using any more, although nobody gave it back. */
export const takeBackLost = (lane: Lane, now: number): void => {
  const inUse = lane.out.filter(({ hold, sentAt }) => now < sentAt + hold)
  lane.free += lane.out.length - inUse.length
  lane.out = inUse
}

/** What a rejection leaves of the rate, and how many windows later it is back at what it was. */
const adaptation = { rest: 0.8, windows: 30 }

/**
 * A rejection, although the quota was kept, has one of three reasons: somebody else uses the same app, the service
 * allows no bursts, or the path got shorter. For all three: pause, spread the calls out, forget the round trips. The
 * rejections of one burst count once.
 */
const slowDown = (lane: Lane, now: number, sentAt: number): void => {
  const { limit, window } = lane.options
  lane.pausedUntil = Math.max(lane.pausedUntil, now + window)
  lane.roundTrips = noRoundTrips
  if (sentAt <= lane.rejectedAt) return
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

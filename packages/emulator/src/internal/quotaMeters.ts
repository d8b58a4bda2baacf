/**
 * What becomes of a call: whether it passes, and how many milliseconds it waits before it is processed.
 *
 * @category models
 * @since 0.1.0
 */
export interface Admission {
  readonly admitted: boolean
  readonly delay: number
}

/**
 * What a running count shows: its gauge.
 *
 * @category models
 * @since 0.1.0
 */
export interface State {
  /** How much of the limit is taken: calls in the window, tokens missing, calls in the queue. */
  readonly used: number
  /** How many calls would pass now; `Infinity` without a limit. */
  readonly available: number
  /** In how many milliseconds a call would pass, 0 for now; `undefined` for never. */
  readonly wait: number | undefined
}

/**
 * A running count. Times are in milliseconds and never go back.
 *
 * @category models
 * @since 0.1.0
 */
export interface Meter {
  /** Counts a call, and says what becomes of it. */
  readonly take: (now: number) => Admission
  /** The same, for who asks only whether it passes. */
  readonly admit: (now: number) => boolean
  /** Counts nothing. */
  readonly state: (now: number) => State
}

/** What every meter says of a call it lets pass at once. */
const pass: Admission = { admitted: true, delay: 0 }
const reject: Admission = { admitted: false, delay: 0 }

const make = (take: (now: number) => Admission, state: (now: number) => State): Meter => ({
  take,
  admit: (now) => take(now).admitted,
  state
})

const stateOf = (used: number, available: number, wait: number | undefined): State => ({
  used,
  available,
  wait: available > 0 ? 0 : wait
})

export const unlimited: Meter = make(
  () => pass,
  () => ({ used: 0, available: Infinity, wait: 0 })
)

export const sliding = (limit: number, window: number, countRejected: boolean): Meter => {
  // The times of the last `limit` counted calls, in a ring: the oldest is the next to be overwritten.
  const ring = new Float64Array(limit).fill(-Infinity)
  let next = 0
  return make(
    (now) => {
      const passes = now - (ring[next] ?? now) >= window
      if (limit > 0 && (passes || countRejected)) {
        ring[next] = now
        next = (next + 1) % limit
      }
      return passes ? pass : reject
    },
    (now) => {
      const used = ring.reduce((count, time) => (now - time < window ? count + 1 : count), 0)
      const oldest = ring[next]
      return stateOf(used, limit - used, oldest === undefined ? undefined : window - (now - oldest))
    }
  )
}

export const fixed = (limit: number, window: number, countRejected: boolean, aligned: boolean): Meter => {
  let start = -Infinity
  let count = 0
  const isOver = (now: number): boolean => now - start >= window
  return make(
    (now) => {
      if (isOver(now)) {
        start = aligned ? Math.floor(now / window) * window : now
        count = 0
      }
      const passes = count < limit
      if (passes || countRejected) count++
      return passes ? pass : reject
    },
    (now) => {
      const used = isOver(now) ? 0 : Math.min(count, limit)
      return stateOf(used, limit - used, limit === 0 ? undefined : start + window - now)
    }
  )
}

// Both buckets count in units of one `limit`-th of a millisecond, from their first call on: whole numbers stay whole,
// so nothing is gained or lost by rounding. One call costs `window` units.

export const tokenBucket = (limit: number, window: number, burst: number): Meter => {
  const capacity = burst * window
  let level = capacity
  let last: number | undefined
  const levelAt = (now: number): number =>
    last === undefined ? capacity : Math.min(capacity, level + (now - last) * limit)
  return make(
    (now) => {
      level = levelAt(now)
      last = now
      if (level < window) return reject
      level -= window
      return pass
    },
    (now) => {
      const current = levelAt(now)
      const available = Math.floor(current / window)
      const wait = limit === 0 || burst < 1 ? undefined : (window - current) / limit
      return stateOf(burst - available, available, wait)
    }
  )
}

export const leaky = (limit: number, window: number, queue: number): Meter => {
  let origin: number | undefined
  let free = 0
  const behind = (now: number): number => (origin === undefined ? 0 : Math.max(0, free - (now - origin) * limit))
  const places = (now: number): number => Math.ceil(behind(now) / window)
  return make(
    (now) => {
      if (limit === 0 || places(now) > queue) return reject
      origin ??= now
      const waiting = behind(now)
      free = (now - origin) * limit + waiting + window
      return waiting === 0 ? pass : { admitted: true, delay: waiting / limit }
    },
    (now) => {
      const used = places(now)
      const available = limit === 0 ? 0 : Math.max(0, queue + 1 - used)
      return stateOf(used, available, limit === 0 ? undefined : (behind(now) - queue * window) / limit)
    }
  )
}

/**
 * How a service may count calls: the models that the quota has to cope with. All of them allow 20 calls per second.
 *
 * The documentation gives that number and nothing more: neither how a window is aligned, nor whether rejected calls
 * count, nor whether bursts are allowed.
 */
import type { Chance } from "./internal/random.ts"

export const limit = 20

/** Milliseconds. */
export const window = 1000

const spacing = window / limit

/** A service's count of its calls. Times are in milliseconds and never go back. */
export interface Meter {
  /** Counts a call that arrives; the milliseconds until the service deals with it, or `undefined` where it is rejected. */
  readonly admit: (now: number) => number | undefined
}

export interface Server {
  readonly name: string
  readonly about: string
  readonly start: (random: Chance) => Meter
}

/** Accepts as long as `limit` calls have not been counted in the window of this moment. */
const fixedWindow = (phase: number): Meter => {
  let current = -Infinity
  let count = 0
  return {
    admit: (now) => {
      const index = Math.floor((now - phase) / window)
      if (index !== current) {
        current = index
        count = 0
      }
      if (count >= limit) return undefined
      count++
      return 0
    }
  }
}

const slidingWindow = (countsRejected: boolean): Meter => {
  const counted: Array<number> = []
  return {
    admit: (now) => {
      while ((counted[0] ?? Infinity) <= now - window) counted.shift()
      const passes = counted.length < limit
      if (passes || countsRejected) counted.push(now)
      return passes ? 0 : undefined
    }
  }
}

const tokenBucket = (): Meter => {
  let tokens = limit
  let filledAt = 0
  return {
    admit: (now) => {
      tokens = Math.min(limit, tokens + (now - filledAt) / spacing)
      filledAt = now
      // A sum of fractions may be short of a whole token by a rounding error.
      if (tokens < 1 - 1e-9) return undefined
      tokens--
      return 0
    }
  }
}

/** One call at a time, each for 1/20 second, with room for `places` more. */
const leaky = (places: number): Meter => {
  let freeAt = -Infinity
  return {
    admit: (now) => {
      const wait = Math.max(0, freeAt - now)
      if (wait > places * spacing + 1e-9) return undefined
      freeAt = now + wait + spacing
      return wait
    }
  }
}

export const fixedAligned: Server = {
  name: "fixed",
  about: "20 in each second, counted from the second in which the client starts",
  start: () => fixedWindow(0)
}

export const fixedUnaligned: Server = {
  name: "fixed, unaligned",
  about: "20 in each second, which begins anywhere",
  start: (random) => fixedWindow(random() * window)
}

export const sliding: Server = {
  name: "sliding",
  about: "20 accepted calls in any second",
  start: () => slidingWindow(false)
}

export const slidingCounting: Server = {
  name: "sliding, counts rejections",
  about: "20 calls in any second, the rejected ones too: who goes on too fast gets nothing",
  start: () => slidingWindow(true)
}

export const bucket: Server = {
  name: "token bucket",
  about: "20 tokens, filled up by one every 50 ms",
  start: tokenBucket
}

export const leakyQueue: Server = {
  name: "leaky, 4 places",
  about: "one call every 50 ms; 4 wait, the others are rejected",
  start: () => leaky(4)
}

export const leakyStrict: Server = {
  name: "leaky, strict",
  about: "a call within 50 ms of the one before it is rejected: no bursts at all",
  start: () => leaky(0)
}

/** The models that count windows: on these no call may be rejected. */
export const windows: ReadonlyArray<Server> = [fixedAligned, fixedUnaligned, sliding, slidingCounting]

export const all: ReadonlyArray<Server> = [...windows, bucket, leakyQueue, leakyStrict]

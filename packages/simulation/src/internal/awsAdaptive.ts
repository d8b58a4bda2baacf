/**
 * The adaptive retry mode of the AWS SDKs, after the SDK for JavaScript v3 (`@smithy/util-retry` 4.6): a token bucket
 * whose rate follows a cubic curve since the last rejection, in front of the standard retries. Traits that matter here,
 * and are kept: the bucket is off until the first rejection; callers do not queue, each sleeps for what is missing and
 * looks again; a measured rate counts answers per half second.
 */
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Random from "effect/Random"
import type { Call } from "../Contestant.ts"
import type { Answer } from "../NetworkPath.ts"

/** What a rejection leaves of the rate, how steeply it comes back, and how much the newest measurement weighs. */
const beta = 0.7
const steepness = 0.4
const smoothing = 0.8

const leastRate = 0.5
const leastCapacity = 1

const maxAttempts = 3
const budget = { capacity: 500, success: 1 }
const cost = { Rejected: 5, Lost: 14 }
const backoffBase = { Rejected: 1000, Lost: 50 }
const backoffCap = 20_000

/** The clock in seconds, which the constants are made for. */
const seconds = Effect.map(Clock.currentTimeMillis, (millis) => millis / 1000)

/** Times are in seconds. */
export interface Limiter {
  isOn: boolean
  tokens: number
  capacity: number
  rate: number
  filledAt: number | undefined
  /** The rate at the last rejection, and when that was. */
  rejectedRate: number
  rejectedAt: number
  /** The measured rate, and the half second whose calls are being counted. */
  measured: number
  halfSecond: number
  count: number
}

export const start = (now: number): Limiter => ({
  isOn: false,
  tokens: 0,
  capacity: leastCapacity,
  rate: leastRate,
  filledAt: undefined,
  rejectedRate: 0,
  rejectedAt: now,
  measured: 0,
  halfSecond: Math.floor(now),
  count: 0
})

const fill = (limiter: Limiter, now: number): void => {
  const gain = (now - (limiter.filledAt ?? now)) * limiter.rate
  limiter.tokens = Math.min(limiter.capacity, limiter.tokens + gain)
  limiter.filledAt = now
}

/** Takes a token, or says in how many seconds to ask again. */
export const take = (limiter: Limiter, now: number): number => {
  if (!limiter.isOn) return 0
  fill(limiter, now)
  if (limiter.tokens < 1) return (1 - limiter.tokens) / limiter.rate
  limiter.tokens--
  return 0
}

const takeToken = (limiter: Limiter): Effect.Effect<void> =>
  Effect.flatMap(seconds, (now) => {
    const wait = take(limiter, now)
    // A timer is not set for less than a millisecond.
    return wait === 0
      ? Effect.void
      : Effect.andThen(
          Effect.sleep(Duration.millis(Math.max(1, wait * 1000))),
          Effect.suspend(() => takeToken(limiter))
        )
  })

const measure = (limiter: Limiter, now: number): void => {
  limiter.count++
  const halfSecond = Math.floor(now * 2) / 2
  if (halfSecond <= limiter.halfSecond) return
  const rate = limiter.count / (halfSecond - limiter.halfSecond)
  limiter.measured = rate * smoothing + limiter.measured * (1 - smoothing)
  limiter.halfSecond = halfSecond
  limiter.count = 0
}

/** How long the curve takes to be back at the rate of the last rejection. */
const recovery = (limiter: Limiter): number => Math.cbrt((limiter.rejectedRate * (1 - beta)) / steepness)

/** Learns from an answer. */
export const update = (limiter: Limiter, now: number, isRejected: boolean): void => {
  measure(limiter, now)
  if (isRejected) {
    limiter.rejectedRate = limiter.isOn ? Math.min(limiter.measured, limiter.rate) : limiter.measured
    limiter.rejectedAt = now
    limiter.isOn = true
  }
  const wanted = isRejected
    ? limiter.rejectedRate * beta
    : steepness * (now - limiter.rejectedAt - recovery(limiter)) ** 3 + limiter.rejectedRate
  fill(limiter, now)
  const rate = Math.min(wanted, 2 * limiter.measured)
  limiter.rate = Math.max(rate, leastRate)
  limiter.capacity = Math.max(rate, leastCapacity)
  limiter.tokens = Math.min(limiter.tokens, limiter.capacity)
}

/** The calls of one client. A call fails after its third attempt, or when the client's retry budget is spent. */
export const make = (attempt: Effect.Effect<Answer | "Lost">): Effect.Effect<Call> =>
  Effect.map(seconds, (now) => {
    const limiter = start(now)
    let left = budget.capacity

    const attempts = (made: number, spent: number): Call =>
      Effect.flatMap(
        Effect.zip(
          attempt,
          Effect.suspend(() => seconds)
        ),
        ([answer, now]) => {
          update(limiter, now, answer === "Rejected")
          if (answer === "Accepted") {
            left = Math.min(budget.capacity, left + (spent === 0 ? budget.success : spent))
            return Effect.succeed(true)
          }
          if (made + 1 === maxAttempts || cost[answer] > left) return Effect.succeed(false)
          left -= cost[answer]
          return Effect.flatMap(Random.next, (part) =>
            Effect.sleep(Duration.millis(Math.min(part * backoffBase[answer] * 2 ** made, backoffCap))).pipe(
              Effect.andThen(takeToken(limiter)),
              Effect.andThen(Effect.suspend(() => attempts(made + 1, cost[answer])))
            )
          )
        }
      )

    return Effect.andThen(takeToken(limiter), attempts(0, 0))
  })

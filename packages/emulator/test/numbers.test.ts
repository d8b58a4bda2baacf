/** Numbers that are none, or out of their range: refused by name, or as good as another, and never a hang. */
import { Emulator, Fault, ServiceQuota, ServiceClock, World } from "@effect-zim/emulator"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"

const world = World.generate({ seed: 1, users: 1 })
const made = (options: Partial<Emulator.Options>) => Effect.runSync(Emulator.make({ world, ...options }))
const when = (condition: Fault.Condition) => Fault.when(Fault.hang, condition)

/** What takes a number, and the name that a refusal must say. */
const takers: Record<string, readonly [name: string, take: (value: number) => unknown]> = {
  "Quota.sliding limit": ["limit", (limit) => ServiceQuota.sliding({ limit })],
  "Quota.sliding window": ["window", (window) => ServiceQuota.sliding({ window })],
  "Quota.fixed limit": ["limit", (limit) => ServiceQuota.fixed({ limit })],
  "Quota.fixed window": ["window", (window) => ServiceQuota.fixed({ window })],
  "Quota.tokenBucket limit": ["limit", (limit) => ServiceQuota.tokenBucket({ limit })],
  "Quota.tokenBucket window": ["window", (window) => ServiceQuota.tokenBucket({ window })],
  "Quota.tokenBucket burst": ["burst", (burst) => ServiceQuota.tokenBucket({ burst })],
  "Quota.leaky limit": ["limit", (limit) => ServiceQuota.leaky({ limit })],
  "Quota.leaky window": ["window", (window) => ServiceQuota.leaky({ window })],
  "Quota.leaky queue": ["queue", (queue) => ServiceQuota.leaky({ queue })],
  "Fault.returnCode": ["code", (code) => Fault.returnCode(code)],
  "Fault.latency": ["duration", (duration) => Fault.latency(duration)],
  "Fault.latencyBetween": ["maximum", (maximum) => Fault.latencyBetween(0, maximum)],
  "Fault.latencyNormal": ["deviation", (deviation) => Fault.latencyNormal(0, deviation)],
  "Fault.latencyLogNormal": ["sigma", (sigma) => Fault.latencyLogNormal(1, sigma)],
  "Fault.latencyExponential": ["mean", (mean) => Fault.latencyExponential(mean)],
  "Fault.latencyPareto": ["shape", (shape) => Fault.latencyPareto(1, shape)],
  "Fault.cyclingCursor": ["length", (length) => Fault.cyclingCursor(length)],
  "Fault.duplicateEntries": ["count", (count) => Fault.duplicateEntries(count)],
  "Fault.missingEntries": ["count", (count) => Fault.missingEntries(count)],
  "Fault.httpStatus": ["status", (status) => Fault.httpStatus(status)],
  "Fault.retryAfter": ["after", (after) => Fault.retryAfter(after)],
  "Fault.slowBody bytes": ["bytes", (bytes) => Fault.slowBody({ bytes, every: 1 })],
  "Fault.slowBody every": ["every", (every) => Fault.slowBody({ bytes: 1, every })],
  "Fault.oversizedBody": ["bytes", (bytes) => Fault.oversizedBody(bytes)],
  "Fault.gzipBomb": ["bytes", (bytes) => Fault.gzipBomb(bytes)],
  "Fault.times": ["times", (n) => Fault.times(Fault.hang, n)],
  "Fault.first": ["times", (n) => when(Fault.first(n))],
  "Fault.nth": ["nth", (n) => when(Fault.nth(n))],
  "Fault.every": ["every", (n) => when(Fault.every(n))],
  "Fault.attempt": ["attempt", (n) => when(Fault.attempt(n))],
  "Fault.page": ["page", (n) => when(Fault.page(n))],
  "Fault.app": ["app", (n) => when(Fault.app(n))],
  "Fault.probability": ["probability", (share) => when(Fault.probability(share))],
  "World.generate now": ["now", (now) => World.generate({ seed: 1, users: 1, now })],
  "World.generate users": ["users", (users) => World.generate({ seed: 1, users })],
  "World.generate appId": ["AppId", (appId) => World.generate({ seed: 1, users: 0, appId })],
  "World.unregistered": ["count", (count) => World.unregistered(world, count)],
  "ServiceClock.skewed": ["offset", (offset) => ServiceClock.skewed(offset)],
  "ServiceClock.frozen": ["at", (at) => ServiceClock.frozen(at)],
  "ServiceClock.stepping": ["at", (at) => ServiceClock.stepping({ at, by: 0 })],
  "ServiceClock.drifting": ["millisPerSecond", (millisPerSecond) => ServiceClock.drifting({ millisPerSecond })],
  "Emulator clockOffset": ["offset", (clockOffset) => made({ clockOffset })],
  "Emulator journalCapacity": ["journalCapacity", (journalCapacity) => made({ journalCapacity })]
}

/** What is meant by these is said where they are documented. */
const meaningful: Record<string, ReadonlyArray<number>> = {
  // No duration is no number: Effect makes it zero.
  "Fault.latency": [NaN],
  "Fault.latencyBetween": [NaN],
  "Fault.latencyNormal": [NaN],
  "Fault.latencyExponential": [NaN],
  "Fault.retryAfter": [NaN],
  "Fault.slowBody every": [NaN],
  "ServiceClock.skewed": [NaN, -1],
  "Emulator clockOffset": [NaN, -1],
  "Fault.returnCode": [-1],
  "Fault.app": [-1],
  "Fault.latencyLogNormal": [-1],
  "ServiceClock.frozen": [-1],
  "ServiceClock.stepping": [-1],
  "ServiceClock.drifting": [-1],
  "Emulator journalCapacity": [Infinity]
}

describe("a number that is none", () => {
  it.each(Object.entries(takers))("%s", (which, [name, take]) => {
    for (const value of [NaN, Infinity, -Infinity, -1]) {
      if (meaningful[which]?.includes(value) === true) take(value)
      else assert.throws(() => take(value), new RegExp(name), `${value}`)
    }
  })

  it("is asked of everything that takes a number", () => {
    const known = Object.keys(takers).map((which) => which.split(" ")[0])
    // Neither takes a number, or it is another's: latency is tried above.
    const others = [
      "Fault.nextCursor",
      "Fault.user",
      "Fault.cursor",
      "Fault.rawBody",
      "Fault.redirect",
      "Fault.rewrite"
    ]
    const combining = ["describe", "when", "where", "and", "or", "not"].map((name) => `Fault.${name}`)
    for (const [name, value] of Object.entries(Fault)) {
      if (typeof value !== "function" || name === "Fault" || name === "Condition") continue
      assert.include([...known, ...others, ...combining], `Fault.${name}`)
    }
  })
})

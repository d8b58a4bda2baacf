/** Runs one contestant against one service over one path, in virtual time. */
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Random from "effect/Random"
import * as Scope from "effect/Scope"
import * as TestClock from "effect/testing/TestClock"
import type { Call, Contestant } from "./Contestant.ts"
import { seeded } from "./internal/random.ts"
import * as NetworkPath from "./NetworkPath.ts"
import { limit, type Server, window } from "./ServiceModels.ts"

export interface Scenario {
  readonly contestant: Contestant
  readonly server: Server
  readonly path: NetworkPath.NetworkPath
  readonly processes: number
  readonly seed: number
  /** Virtual seconds before anything but the worst window is looked at. */
  readonly warmUp: number
  /** Virtual seconds that are looked at. */
  readonly measured: number
  /** Callers of all processes together: each makes one call after the other. */
  readonly callers: number
}

/** What a caller wanted, with all that was done to have it answered; milliseconds. */
export interface Wish {
  readonly askedAt: number
  /** `Infinity` where it was not answered before the end. */
  answeredAt: number
}

export interface Run {
  readonly scenario: Scenario
  readonly arrivals: ReadonlyArray<NetworkPath.Arrival>
  readonly wishes: ReadonlyArray<Wish>
}

const now = Effect.map(Clock.monotonicTimeNanos, (nanos) => Number(nanos) / 1e6)

/** A caller asks again until it is answered, and then for the next thing. */
const caller = (call: Call, wishes: Array<Wish>): Effect.Effect<never> =>
  Effect.forever(
    Effect.flatMap(now, (askedAt) => {
      const wish: Wish = { askedAt, answeredAt: Infinity }
      wishes.push(wish)
      return Effect.andThen(
        Effect.repeat(call, { until: (isAnswered) => isAnswered }),
        Effect.map(now, (answeredAt) => (wish.answeredAt = answeredAt))
      )
    })
  )

const simulate = Effect.fnUntraced(function* (scenario: Scenario) {
  const { callers, contestant, measured, path, processes, seed, server, warmUp } = scenario
  const random = seeded(`${seed}`)
  const meter = server.start(random)
  const arrivals: Array<NetworkPath.Arrival> = []
  const wishes: Array<Wish> = []
  const scope = yield* Scope.make()
  const inScope = Scope.provide(scope)
  const start = yield* inScope(contestant.start)
  for (let index = 0; index < processes; index++) {
    const wire = NetworkPath.connect({ path, random: seeded(`${seed}/${index}`), meter, arrivals, scope })
    const begin = Duration.millis(random() * window)
    yield* Effect.forkIn(
      Effect.gen(function* () {
        yield* Effect.sleep(begin)
        const call = yield* inScope(start(wire))
        yield* Effect.all(
          Array.from({ length: callers / processes }, () => caller(call, wishes)),
          { concurrency: "unbounded" }
        )
      }),
      scope
    )
  }
  yield* TestClock.adjust(Duration.seconds(warmUp + measured))
  const run: Run = { scenario, arrivals: [...arrivals], wishes: wishes.map((wish) => ({ ...wish })) }
  // Who is interrupted may still tell a store, which takes time.
  yield* Effect.race(Scope.close(scope, Exit.void), Effect.forever(TestClock.adjust("1 second")))
  return run
})

/** The same scenario gives the same run. */
export const run = (scenario: Scenario): Effect.Effect<Run> =>
  simulate(scenario).pipe(
    Random.withSeed(scenario.seed),
    // Real time plays no part, so a slow machine is no reason to worry.
    Effect.provide(TestClock.layer({ warningDelay: "1 hour" }))
  )

/** What is to be known of some runs that differ in their seeds only. */
export interface Summary {
  /** Answered calls, as a part of what the quota allows. */
  readonly used: number
  readonly calls: number
  readonly rejected: number
  /** The most calls that arrived in any one second, wherever it begins, the rejected ones too. */
  readonly worstWindow: number
  /** How long it takes until a call is answered, in milliseconds; those still waiting at the end count with their age. */
  readonly median: number
  readonly p99: number
  readonly warmUp: { readonly calls: number; readonly rejected: number; readonly worstWindow: number }
}

/** The most arrivals in any window, which is open at its end. */
export const worstWindow = (arrivals: ReadonlyArray<NetworkPath.Arrival>): number => {
  let worst = 0
  let first = 0
  for (const [index, { at }] of arrivals.entries()) {
    while ((arrivals[first]?.at ?? at) <= at - window) first++
    worst = Math.max(worst, index - first + 1)
  }
  return worst
}

const quantile = (sorted: ReadonlyArray<number>, part: number): number =>
  sorted[Math.min(sorted.length - 1, Math.floor(part * sorted.length))] ?? Number.NaN

const rejections = (arrivals: ReadonlyArray<NetworkPath.Arrival>): number =>
  arrivals.filter(({ answer }) => answer === "Rejected").length

export const summarize = (runs: ReadonlyArray<Run>): Summary => {
  const parts = runs.map(({ arrivals, scenario, wishes }) => {
    const from = scenario.warmUp * 1000
    const end = from + scenario.measured * 1000
    const seen = wishes.filter(({ answeredAt }) => answeredAt >= from)
    return {
      before: arrivals.filter(({ at }) => at < from),
      after: arrivals.filter(({ at }) => at >= from),
      answered: seen.filter(({ answeredAt }) => answeredAt !== Infinity).length,
      waits: seen.map(({ answeredAt, askedAt }) => Math.min(answeredAt, end) - askedAt)
    }
  })
  const before = parts.flatMap((part) => part.before)
  const after = parts.flatMap((part) => part.after)
  const worst = (key: "before" | "after") => Math.max(...parts.map((part) => worstWindow(part[key])))
  const sum = (numbers: ReadonlyArray<number>) => numbers.reduce((total, number) => total + number, 0)
  const waits = parts.flatMap((part) => part.waits).toSorted((a, b) => a - b)
  return {
    used: sum(parts.map(({ answered }) => answered)) / sum(runs.map(({ scenario }) => scenario.measured)) / limit,
    calls: after.length,
    rejected: rejections(after),
    worstWindow: worst("after"),
    median: quantile(waits, 0.5),
    p99: quantile(waits, 0.99),
    warmUp: { calls: before.length, rejected: rejections(before), worstWindow: worst("before") }
  }
}

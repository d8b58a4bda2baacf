/** What the quota promises, in virtual time. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type { Contestant } from "@effect-zim/simulation/Contestant"
import * as Grid from "@effect-zim/simulation/Grid"
import { exponential } from "@effect-zim/simulation/internal/random"
import * as NetworkPath from "@effect-zim/simulation/NetworkPath"
import * as OtherLimiters from "@effect-zim/simulation/OtherLimiters"
import * as ServiceModels from "@effect-zim/simulation/ServiceModels"
import * as Simulation from "@effect-zim/simulation/Simulation"
import * as OurPolicies from "@effect-zim/simulation/OurPolicies"

const ours = OurPolicies.separate("ours", 1)
const shared = OurPolicies.shared("ours, shared")

const summaryOf = (
  contestant: Contestant,
  server: ServiceModels.Server,
  path: NetworkPath.NetworkPath,
  processes = 1
) => Grid.summaryOf({ contestant, server, path, processes })

const assertKept = ({ rejected, warmUp, worstWindow }: Simulation.Summary): void => {
  assert.strictEqual(rejected + warmUp.rejected, 0)
  assert.isAtMost(Math.max(worstWindow, warmUp.worstWindow), ServiceModels.limit)
}

const least = (share: number) => (path: NetworkPath.NetworkPath) =>
  ServiceModels.windows.map((server) => [server.name, path.name, share, server, path] as const)

const onEveryPath = [
  ...least(0.97)(NetworkPath.loopback),
  ...least(0.97)(NetworkPath.lan),
  ...least(0.95)(NetworkPath.wan),
  ...least(0.88)(NetworkPath.lossy)
]

describe("one process", () => {
  it.effect.each(onEveryPath)("%s, %s: at least %d of the quota, nothing rejected", ([, , share, server, path]) =>
    Effect.gen(function* () {
      const summary = yield* summaryOf(ours, server, path)
      assertKept(summary)
      assert.isAtLeast(summary.used, share)
    })
  )

  const between = (minimum: number, maximum: number) => Schema.Int.check(Schema.isBetween({ minimum, maximum }))

  it.effect.prop(
    "never more than the limit in any second, whatever the path, while its minimum does not fall",
    {
      seed: Schema.Int,
      out: between(0, 200),
      back: between(0, 200),
      jitter: between(0, 60),
      shape: Schema.Literals(["even", "exponential", "spikes"]),
      server: Schema.Literals([0, 1, 2, 3])
    },
    ({ back, jitter, out, seed, server, shape }) =>
      Effect.gen(function* () {
        const delay = (least: number): NetworkPath.NetworkPath["transit"] => {
          const draw = (random: () => number) => ({
            even: jitter * random(),
            exponential: exponential(random, jitter),
            spikes: random() < 0.1 ? 10 * jitter : 0
          })
          return (random) => ({ out: least + draw(random)[shape], back: back + draw(random)[shape] })
        }
        const run = yield* Simulation.run({
          contestant: ours,
          server: ServiceModels.windows[server] ?? ServiceModels.sliding,
          path: { name: "", about: "", transit: delay(out) },
          processes: 1,
          seed,
          warmUp: 0,
          measured: 15,
          callers: 40
        })
        assert.isAtLeast(run.arrivals.length, 100)
        assert.isAtMost(Simulation.worstWindow(run.arrivals), ServiceModels.limit)
        assert.notInclude(
          run.arrivals.map(({ answer }) => answer),
          "Rejected"
        )
      }),
    { arbitrary: { seed: 42, runs: 60 } }
  )
})

describe("four processes on one store", () => {
  const paths = [NetworkPath.lan, NetworkPath.wan]
  const servers = [ServiceModels.fixedUnaligned, ServiceModels.sliding, ServiceModels.slidingCounting]
  const cases = paths.flatMap((path) => servers.map((server) => [server.name, path.name, server, path] as const))

  it.effect.each(cases)("%s, %s: at least 0.9 of the quota, nothing rejected, nobody left out", ([, , server, path]) =>
    Effect.gen(function* () {
      const summary = yield* summaryOf(shared, server, path, 4)
      assertKept(summary)
      assert.isAtLeast(summary.used, 0.9)
      // 40 callers share 20 calls a second: two seconds each, if all of them get the same.
      assert.isAtMost(summary.p99, 6000)
    })
  )
})

/** The same service, where somebody else takes a part of the quota for a while; milliseconds. */
const withStranger = (server: ServiceModels.Server, from: number, to: number, every: number): ServiceModels.Server => ({
  ...server,
  start: (random) => {
    const meter = server.start(random)
    let next = from
    return {
      admit: (now) => {
        for (; next < Math.min(now, to); next += every) meter.admit(next)
        return meter.admit(now)
      }
    }
  }
})

const usedBetween = ({ wishes }: Simulation.Run, from: number, to: number): number =>
  wishes.filter(({ answeredAt }) => answeredAt >= from && answeredAt < to).length /
  ((to - from) / 1000) /
  ServiceModels.limit

describe("a service that is stricter than it says", () => {
  it.effect("a token bucket of 20 rejects nothing", () =>
    Effect.gen(function* () {
      for (const path of [NetworkPath.lan, NetworkPath.wan]) {
        const summary = yield* summaryOf(ours, ServiceModels.bucket, path)
        assertKept(summary)
        assert.isAtLeast(summary.used, 0.95)
      }
    })
  )

  it.effect("a leaky one with a small queue is used nearly in full, after one rejected burst", () =>
    Effect.gen(function* () {
      const summary = yield* summaryOf(ours, ServiceModels.leakyQueue, NetworkPath.lan)
      assert.isAtLeast(summary.used, 0.97)
      assert.strictEqual(summary.rejected, 0)
      assert.isAtMost(summary.warmUp.rejected, 15 * Grid.seeds.length)
    })
  )

  it.effect("a leaky one that forbids bursts is used at 0.85 on a LAN, and rejects one call in 200 at most", () =>
    Effect.gen(function* () {
      const summary = yield* summaryOf(ours, ServiceModels.leakyStrict, NetworkPath.lan)
      assert.isAtLeast(summary.used, 0.85)
      assert.isAtMost(summary.rejected / summary.calls, 1 / 200)
      const pacing = yield* summaryOf(OtherLimiters.pacing("pacing", 1), ServiceModels.leakyStrict, NetworkPath.lan)
      assert.isAbove(summary.used, pacing.used)
    })
  )

  it.effect("a stranger on the same app costs what it takes and little more, and is soon forgotten", () =>
    Effect.gen(function* () {
      const run = yield* Simulation.run({
        contestant: ours,
        server: withStranger(ServiceModels.slidingCounting, 20_000, 80_000, 100),
        path: NetworkPath.lan,
        processes: 1,
        seed: 1,
        warmUp: 0,
        measured: 200,
        callers: 64
      })
      const rejected = run.arrivals.filter(({ answer }) => answer === "Rejected")
      assert.isAtLeast(usedBetween(run, 0, 20_000), 0.97)
      assert.isAtLeast(usedBetween(run, 30_000, 80_000), 0.4)
      assert.isAtMost(rejected.length, 20)
      assert.isAtMost(rejected.at(-1)?.at ?? 0, 81_000)
      assert.isAtLeast(usedBetween(run, 140_000, 200_000), 0.97)
    })
  )
})

describe("the simulation", () => {
  const scenario = {
    server: ServiceModels.leakyStrict,
    path: NetworkPath.lossy,
    processes: 4,
    seed: 7,
    warmUp: 2,
    measured: 20,
    callers: 16
  }

  it.effect.each(
    [ours, shared, OtherLimiters.awsAdaptive, OtherLimiters.backoff].map(
      (contestant) => [contestant.name, contestant] as const
    )
  )("is the same for the same seed and another for another: %s", ([, contestant]) =>
    Effect.gen(function* () {
      const first = yield* Simulation.run({ ...scenario, contestant })
      const second = yield* Simulation.run({ ...scenario, contestant })
      const other = yield* Simulation.run({ ...scenario, contestant, seed: 8 })
      assert.deepStrictEqual(second.arrivals, first.arrivals)
      assert.deepStrictEqual(second.wishes, first.wishes)
      assert.notDeepEqual(other.arrivals, first.arrivals)
    })
  )
})

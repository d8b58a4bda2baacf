import { assert, describe, it } from "@effect/vitest"
import * as Schema from "effect/Schema"
import { seeded } from "@effect-zim/simulation/internal/random"
import * as NetworkPath from "@effect-zim/simulation/NetworkPath"
import * as MarkdownReport from "@effect-zim/simulation/MarkdownReport"
import * as ServiceModels from "@effect-zim/simulation/ServiceModels"
import * as Simulation from "@effect-zim/simulation/Simulation"

const gaps = Schema.Array(
  Schema.Union([Schema.Literal(0), Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 120 }))])
).check(Schema.isMinLength(30), Schema.isMaxLength(200))

const timesOf = (gaps: ReadonlyArray<number>): ReadonlyArray<number> => {
  let time = 0
  return gaps.map((gap) => (time += gap))
}

const runs = { arbitrary: { seed: 41, runs: 200 } }

describe("servers", () => {
  it.prop(
    "of all models accept as many calls as the quota allows and no more",
    { gaps },
    ({ gaps }) => {
      const times = timesOf(gaps)
      for (const server of ServiceModels.all) {
        const meter = server.start(() => 0.3)
        const accepted = times.filter((time) => meter.admit(time) !== undefined)
        const most = (from: number, to: number) => accepted.filter((time) => time >= from && time < to).length
        for (const time of accepted) {
          if (server.name.startsWith("sliding")) assert.isAtMost(most(time, time + 1000), 20)
          if (server.name.startsWith("fixed")) assert.isAtMost(most(time, time + 1000), 40)
          if (server === ServiceModels.bucket) assert.isAtMost(most(time, time + 1000), 40)
          if (server === ServiceModels.leakyQueue) assert.isAtMost(most(time, time + 1000), 25)
          if (server === ServiceModels.leakyStrict) assert.isAtMost(most(time, time + 50), 1)
        }
      }
    },
    runs
  )

  it.prop(
    "with sliding windows reject a call just where 20 are counted in the second before it",
    { gaps },
    ({ gaps }) => {
      for (const server of [ServiceModels.sliding, ServiceModels.slidingCounting]) {
        const meter = server.start(() => 0)
        const counted: Array<number> = []
        for (const time of timesOf(gaps)) {
          const passes = counted.filter((old) => time - old < 1000).length < 20
          assert.strictEqual(meter.admit(time) !== undefined, passes)
          if (passes || server === ServiceModels.slidingCounting) counted.push(time)
        }
      }
    },
    runs
  )

  it("with a queue make a call wait for those before it", () => {
    const meter = ServiceModels.leakyQueue.start(() => 0)
    assert.deepStrictEqual(
      Array.from({ length: 6 }, () => meter.admit(0)),
      [0, 50, 100, 150, 200, undefined]
    )
    assert.strictEqual(meter.admit(60), 190)
  })

  it("with a bucket take 20 at once and then one every 50 ms", () => {
    const meter = ServiceModels.bucket.start(() => 0)
    const accepted = Array.from({ length: 400 }, (_, i) => i * 5).filter((time) => meter.admit(time) !== undefined)
    assert.strictEqual(accepted.length, 20 + 39)
    assert.strictEqual(accepted.at(-1), 1950)
  })
})

describe("paths", () => {
  it("have the round trips that they are named for", () => {
    for (const [path, least, mean] of [
      [NetworkPath.loopback, 0.2, 0.22],
      [NetworkPath.lan, 1, 2],
      [NetworkPath.wan, 92, 100],
      [NetworkPath.lossy, 230, 272]
    ] as const) {
      const random = seeded(path.name)
      const trips = Array.from({ length: 20_000 }, () => path.transit(random)).map(({ back, out }) => out + back)
      const finite = trips.filter((trip) => trip !== Infinity)
      assert.isAtLeast(Math.min(...finite), least)
      const average = finite.reduce((sum, trip) => sum + trip, 0) / finite.length
      assert.approximately(average, mean, mean * 0.02)
      assert.approximately((trips.length - finite.length) / trips.length, path === NetworkPath.lossy ? 0.002 : 0, 0.001)
    }
  })
})

describe("the worst window", () => {
  it.prop(
    "is the most calls of any second",
    { gaps },
    ({ gaps }) => {
      const times = timesOf(gaps)
      const expected = Math.max(
        ...times.map((from) => times.filter((time) => time >= from && time < from + 1000).length)
      )
      assert.strictEqual(Simulation.worstWindow(times.map((at) => ({ at, answer: "Accepted" }))), expected)
    },
    runs
  )
})

describe("the report", () => {
  it("replaces the tables and keeps the words before them", () => {
    const first = MarkdownReport.replace("# Words\n", "## Tables\n")
    assert.match(first, /^# Words\n\n<!--.*-->\n\n## Tables\n$/)
    assert.strictEqual(MarkdownReport.replace(first, "## Tables\n"), first)
  })
})

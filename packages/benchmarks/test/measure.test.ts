import * as Contestant from "@effect-zim/benchmarks/Contestant"
import * as Measure from "@effect-zim/benchmarks/Measure"
import * as Results from "@effect-zim/benchmarks/Results"
import * as TextTables from "@effect-zim/benchmarks/TextTables"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"

const series = (name: string, role: Contestant.Role, cpu: ReadonlyArray<number>): Measure.Series => ({
  name,
  role,
  costs: cpu.map((cpu) => ({ cpu, wall: 2 * cpu }))
})

describe("Measure", () => {
  it.effect("measures nobody where two do not answer the same", () =>
    Effect.gen(function* () {
      let worked = 0
      const answering = (name: string, answer: unknown): Contestant.Contestant => ({
        name,
        role: "peer",
        answer: Effect.succeed(answer),
        work: () => Effect.sync(() => void worked++)
      })
      const contestants = [
        answering("a", { list: [1, 2] }),
        answering("b", { list: [1, 2] }),
        answering("c", { list: [2] })
      ]
      const error = yield* Effect.flip(Measure.sideBySide(contestants))
      assert.strictEqual(error.message, "a and c do not answer the same")
      assert.strictEqual(worked, 0)
    })
  )

  it("compares round by round", () => {
    // The machine is ten times slower in the third round, for both.
    const base = series("base", "limit", [10, 10, 100])
    const other = series("other", "ours", [20, 21, 220])
    assert.deepStrictEqual(Measure.ratio(other, base), { middle: 2.1, low: 2.05, high: 2.1500000000000004 })
    assert.strictEqual(Measure.difference(other, base).middle, 11)
    assert.strictEqual(Measure.each(other, "wall").middle, 42)
  })
})

describe("Contestant", () => {
  const concurrency = 3

  it.effect.each([
    [
      "effect",
      (work: () => Promise<void>) =>
        Contestant.effect({ name: "effect", role: "peer", concurrency }, Effect.promise(work))
    ] as const,
    [
      "promise",
      (work: () => Promise<void>) => Contestant.promise({ name: "promise", role: "peer", concurrency }, work)
    ] as const
  ])("%s does all of the work, so much at a time", ([, make]) =>
    Effect.gen(function* () {
      let done = 0
      let now = 0
      let most = 0
      const contestant = make(async () => {
        most = Math.max(most, ++now)
        await Promise.resolve()
        now--
        done++
      })
      yield* contestant.work(10)
      assert.deepStrictEqual({ done, most }, { done: 10, most: concurrency })
    })
  )
})

describe("Report", () => {
  const table = Results.costTable({
    title: "A page",
    series: [series("limit", "limit", [0.5, 0.5]), series("ours", "ours", [1, 1.2])],
    unit: "page",
    goals: [{ text: "Ours", reached: 2.2, bound: { atMost: 2.2 }, format: "times" }]
  })

  it("shows ratios and costs, and what was reached", () => {
    assert.strictEqual(
      TextTables.markdown(table),
      `|  | times limit | CPU per page |
| --- | --: | --: |
| limit | 1.00 | 500 ns |
| **ours** | 2.20 (2.10 to 2.30) | 1.10 µs (1.05 to 1.15) |`
    )
    assert.deepStrictEqual(table.goals.map(TextTables.goalLine), ["Goal: Ours, at most 2.20: 2.200, met"])
  })

  it("knows a goal that was missed, from above and from below", () => {
    const goal = (bound: Results.Goal["bound"]): Results.Goal => ({ text: "", reached: 4, bound, format: "times" })
    assert.deepStrictEqual(
      [{ atMost: 3.9 }, { atMost: 4 }, { atLeast: 4 }, { atLeast: 4.1 }].map((bound) => Results.isMet(goal(bound))),
      [false, true, true, false]
    )
  })
})

/** One call: what it costs to ask for a page, from the request to checked conversations. */
import * as Effect from "effect/Effect"
import * as Measure from "../Measure.ts"
import * as Results from "../Results.ts"
import * as SampleAnswers from "../SampleAnswers.ts"
import type { Suite } from "../Suite.ts"
import * as AnsweringServer from "./network/AnsweringServer.ts"
import * as Callers from "./network/Callers.ts"

const { limit, ours, withAxios, withFetch } = Callers.names

interface Case {
  readonly title: string
  readonly text: string
  readonly concurrency: number
  readonly isTraced?: boolean
  readonly rounds: number
  /** How long the callers work before the rounds, in milliseconds. Default: 2000. */
  readonly warmUp?: number
  readonly goals?: (series: ReadonlyArray<Measure.Series>) => ReadonlyArray<Results.Goal>
}

/** Long enough for the garbage of many calls to be collected, in milliseconds. */
const sample = 200

/** Works for so long, and tells how many calls make a sample. */
const warmUp = (caller: Callers.Process, job: Callers.Job, millis: number) =>
  Effect.gen(function* () {
    const end = performance.now() + millis
    let times = 64
    do {
      const { cost } = yield* caller.run({ ...job, times })
      times = Math.max(64, Math.round((sample * 1000) / cost.cpu))
    } while (performance.now() < end)
    return times
  })

const table = (callers: ReadonlyArray<Callers.Process>, one: Case) =>
  Effect.scoped(
    Effect.gen(function* () {
      yield* Measure.announce(one.title)
      const url = yield* AnsweringServer.start({ answers: { 0: one.text }, delay: 0 })
      const job = { url, concurrency: one.concurrency, isTraced: one.isTraced ?? false, times: 0 }
      yield* Measure.sameAnswers(
        callers.map((caller) => ({
          name: caller.name,
          answer: Effect.map(caller.run(job), ({ answer }) => answer)
        }))
      )
      // Together: that takes less time, and nobody measures yet.
      const entries = yield* Effect.forEach(
        callers,
        (caller) =>
          Effect.map(warmUp(caller, job, one.warmUp ?? 2000), (times) => ({
            caller,
            times,
            costs: Array<Measure.Cost>()
          })),
        { concurrency: "unbounded" }
      )
      for (const { caller, costs, times } of Measure.inTurns(entries, one.rounds)) {
        // While others had their turn, the engine has made its heap small and the processor has forgotten the code.
        yield* caller.run({ ...job, times: Math.ceil(times / 2) })
        costs.push((yield* caller.run({ ...job, times })).cost)
      }
      const series = entries.map(({ caller: { name, role }, costs }) => ({ name, role, costs }))
      return Results.costTable({
        title: one.title,
        series,
        unit: "call",
        isCharted: one.goals !== undefined,
        goals: one.goals?.(series) ?? []
      })
    })
  )

const small = SampleAnswers.page(SampleAnswers.entries(2))
const large = SampleAnswers.page(SampleAnswers.entries(500), 1_708_254_395)

const cases: ReadonlyArray<Case> = [
  {
    title: "A small answer, 16 calls at a time",
    text: small,
    concurrency: 16,
    rounds: 21,
    // The first heap of a process is small, and grows a few times before it stays as it is.
    warmUp: 25_000,
    goals: (series) => [
      Results.atMost("A call, untraced, against undici by hand", series, { name: ours, base: limit }, 1.5),
      Results.atLeast("axios against a call", series, { name: ours, peer: withAxios }, 4),
      Results.atLeast("fetch and zod against a call", series, { name: ours, peer: withFetch }, 4)
    ]
  },
  {
    title: "The same, with a tracer",
    text: small,
    concurrency: 16,
    isTraced: true,
    rounds: 15,
    goals: (series) => [
      Results.atMost("A call, traced, against undici by hand", series, { name: ours, base: limit }, 2.2)
    ]
  },
  { title: "A small answer, one call at a time", text: small, concurrency: 1, rounds: 5 },
  { title: "A small answer, 64 calls at a time", text: small, concurrency: 64, rounds: 5 },
  { title: "A page of 500, 16 calls at a time", text: large, concurrency: 16, rounds: 5 },
  { title: "A page of 500, with a tracer", text: large, concurrency: 16, isTraced: true, rounds: 5 }
]

export const call: Suite = {
  name: "call",
  title: "One call, from the request to checked conversations",
  about: `Everybody signs each request with a nonce and a time of its own, bounds it to 10 seconds, and checks every field of
the answer. Ours has all its policies on, with a quota that is never reached: deadline, retry, budget, breaker, server
clock, metrics. A server, bare \`node:http\` in another process, replies with the same bytes each time. Every caller has a
process of its own, as in a program that has one client; they take turns, after tens of thousands of calls to warm up, and
half a turn before each that counts. CPU of the caller's process only. undici's dispatcher is the floor of what goes over
the network here: the same signature and the same checks, on the least handler that there can be.`,
  run: Effect.flatMap(Callers.startAll, (callers) => Effect.forEach(cases, (one) => table(callers, one)))
}

/** What a stream of conversations costs for each of them, and how much memory ten million take. */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as ChildProcess from "effect/process/ChildProcess"
import * as ChildProcessSpawner from "effect/process/ChildProcessSpawner"
import type * as Contestant from "../Contestant.ts"
import * as Paths from "../Paths.ts"
import * as Measure from "../Measure.ts"
import * as Results from "../Results.ts"
import type { Suite } from "../Suite.ts"
import {
  byElement,
  byPage,
  conversationsPerUser,
  hand,
  type Reader,
  readers,
  slowest,
  type Tally
} from "./streamReaders.ts"

const contestant = ({ name, read, role }: Reader): Contestant.Contestant => ({
  name,
  role,
  pieces: conversationsPerUser,
  answer: Effect.suspend(() => {
    const tally: Tally = { count: 0, sum: 0 }
    return Effect.as(read(3, tally), tally)
  }),
  work: (users) => read(users, { count: 0, sum: 0 })
})

const time = Effect.gen(function* () {
  yield* Measure.announce("time for each conversation")
  const series = yield* Measure.sideBySide(readers.map(contestant), { sample: 40 })
  return Results.costTable({
    title: "Reading users of 1000 conversations, one after the other",
    series,
    unit: "conversation",
    goals: [
      Results.atMost("By page, against a loop", series, { name: byPage, base: hand }, 1.3),
      Results.atMost("By element, against a loop", series, { name: byElement, base: hand }, 2.5)
    ]
  })
})

const Memory = Schema.fromJsonString(
  Schema.Struct({
    count: Schema.Int,
    sum: Schema.Int,
    seconds: Schema.Finite,
    live: Schema.NonEmptyArray(Schema.Finite),
    garbage: Schema.Finite,
    rss: Schema.Finite
  })
)

const users = 10_000

const memory = Effect.gen(function* () {
  const spawner = yield* ChildProcessSpawner.ChildProcessSpawner
  const some = readers.filter(({ name }) => name !== slowest)
  const measured = yield* Effect.forEach(some, ({ name, role }) =>
    Effect.gen(function* () {
      yield* Measure.announce(`memory for 10 million: ${name}`)
      const args = ["--expose-gc", Paths.beside("suites/streamMemoryProgram"), name, `${users}`]
      const output = yield* spawner.string(ChildProcess.make(process.execPath, args, { stderr: "inherit" }))
      const { garbage, live, rss, seconds, ...tally } = yield* Schema.decodeEffect(Memory)(output)
      const most = Math.max(...live)
      const growth = (live.at(-1) ?? 0) - (live[Math.floor(live.length / 4)] ?? 0)
      return { name, role, tally, most, growth, garbage, rss, seconds }
    })
  )
  yield* Measure.sameAnswers(measured.map(({ name, tally }) => ({ name, answer: Effect.succeed(tally) })))
  const value = (middle: number): Measure.Value => ({ middle })
  const most = measured.find(({ name }) => name === byElement)?.most ?? Number.NaN
  const table: Results.Table = {
    title: "Memory for 10 million conversations",
    about: `Each in a process of its own. "Alive" is what is left after a full collection: the most of 20 looks, and how much
more it was at the end than after a quarter of the way. The rest is garbage that the engine lets lie.`,
    columns: [
      { name: "alive, at most", format: "bytes" },
      { name: "alive, growth", format: "bytes" },
      { name: "heap with garbage", format: "bytes" },
      { name: "whole process (RSS)", format: "bytes" },
      { name: "took", format: "micros" }
    ],
    rows: measured.map(({ garbage, growth, most, name, role, rss, seconds }) => ({
      name,
      role,
      values: [most, growth, garbage, rss, seconds * 1e6].map(value)
    })),
    goals: [{ text: "Heap for 10 million, by element", reached: most, bound: { atMost: 40e6 }, format: "bytes" }],
    isCharted: false
  }
  return table
})

export const stream: Suite = {
  name: "stream",
  title: "A stream of conversations",
  about: `Everybody reads the same pages, which come as promises and are made anew each time, 500 conversations each, without
HTTP and JSON, which would hide the difference: what is left is the loop itself. Ours is \`Conversations.pages\` and
\`Conversations.stream\` of each user over a \`ZimClient\` that answers with these pages. By element, an effect is run for
each conversation; folded, a function is called. Effect's Stream, by element, is \`Stream.paginate\` over the pages with
nothing of ours in it: the floor of whoever runs an effect for each.`,
  run: Effect.all([time, memory])
}

/** A whole list: how long it takes to read all of a user's conversations, and with how many calls. */
import * as Conversations from "@effect-zim/client/Conversations"
import { UndiciHttpClient } from "@effect-zim/node"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import * as Contestant from "../Contestant.ts"
import * as Measure from "../Measure.ts"
import type * as Results from "../Results.ts"
import * as SampleAnswers from "../SampleAnswers.ts"
import type { Suite } from "../Suite.ts"
import * as AnsweringServer from "./network/AnsweringServer.ts"
import * as OurClient from "./network/OurClient.ts"
import * as Peers from "./network/Peers.ts"

const ours = "effect-zim"
const delays = [0, 20, 100] as const

/** A thousand conversations, as many as the service keeps, in two pages. */
const entries = SampleAnswers.entries(1000)
const cursor = 1_708_254_395
const answers = {
  0: SampleAnswers.page(entries.slice(0, 500), cursor),
  [cursor]: SampleAnswers.page(entries.slice(500))
}

/** Page after page, until there is none. */
const all = async (page: (next: number) => Promise<Peers.Page>): Promise<ReadonlyArray<Peers.Entry>> => {
  const found: Array<Peers.Entry> = []
  let next = 0
  do {
    // One after the other: the next cursor is in the page before.
    // oxlint-disable-next-line no-await-in-loop
    const answer = await page(next)
    found.push(...answer.list)
    next = answer.next
  } while (next !== 0)
  return found
}

const at = (delay: number) =>
  Effect.gen(function* () {
    yield* Measure.announce(`round trips of ${delay} ms`)
    const url = yield* AnsweringServer.start({ answers, delay })
    const target = { url, appId: 12345, secret: "9193cc662a4c0ec135ec71fb57194b38", userId: "user-42" }
    const axios = Peers.axiosClient(target)
    const peer = { role: "peer" } as const
    const contestants = [
      Contestant.promise({ name: "undici.request, by hand", role: "limit" }, () =>
        all((next) => Peers.byHand(target, next))
      ),
      Contestant.effect(
        { name: ours, role: "ours", comparable: OurClient.entriesOf },
        Stream.runCollect(Conversations.stream(target.userId))
      ),
      Contestant.promise({ ...peer, name: "fetch, zod 4" }, () =>
        all(async (next) => Peers.ofFields(await Peers.withFetch(target, next)))
      ),
      Contestant.promise({ ...peer, name: "axios" }, () => all(axios))
    ]
    return yield* Effect.gen(function* () {
      const series = yield* Measure.sideBySide(contestants, { rounds: delay > 50 ? 9 : 15, sample: 10 })
      const calls = yield* Effect.forEach(contestants, ({ answer }) =>
        Effect.gen(function* () {
          const before = yield* AnsweringServer.calls(url)
          yield* answer
          return (yield* AnsweringServer.calls(url)) - before
        })
      )
      return { delay, series, calls }
    }).pipe(Effect.provide(yield* OurClient.client(target, UndiciHttpClient.layer)))
  }).pipe(Effect.scoped)

const run = Effect.gen(function* () {
  const found = yield* Effect.forEach(delays, at)
  const names = found[0]?.series ?? []
  const slowest = found.map(({ delay, series }) => ({
    delay,
    millis: Measure.each(Measure.find(series, ours), "wall").middle / 1000
  }))
  const calls = (name: string): number => found[0]?.calls[names.findIndex((one) => one.name === name)] ?? Number.NaN
  const table: Results.Table = {
    title: "All of a user with 1000 conversations",
    about: "",
    columns: [
      { name: "calls", format: "count" },
      ...delays.map((delay) => ({ name: `time, answers after ${delay} ms`, format: "micros" }) as const)
    ],
    rows: names.map(({ name, role }) => ({
      name,
      role,
      values: [{ middle: calls(name) }, ...found.map(({ series }) => Measure.each(Measure.find(series, name), "wall"))]
    })),
    goals: [
      { text: "Calls for 1000 conversations", reached: calls(ours), bound: { atMost: 2 }, format: "count" },
      ...slowest.map(({ delay, millis }): Results.Goal => ({
        text: `Time on top of two round trips of ${delay} ms`,
        reached: millis - 2 * delay,
        bound: { atMost: 5 },
        format: "millis"
      }))
    ],
    isCharted: false
  }
  return [table]
})

export const listing: Suite = {
  name: "listing",
  title: "A whole list, from the first page to the last",
  about: `The server, in another process, waits before each answer as long as a round trip would take. The second page cannot
be asked for before the first is there, so two round trips are the least. Ours is \`Conversations.stream\`, with all its
policies.`,
  run
}

/** Each law finds the bug that is planted for it, and says so in words. What the guide prints is kept true here. */
import { Conversations, RetryPolicy, Timeout, ZimClient } from "@effect-zim/client"
import { Arbitraries, Laws, type Scenario } from "@effect-zim/testing"
import { assert, describe, it } from "@effect/vitest"
import * as Arbitrary from "effect/Arbitrary"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as Stream from "effect/Stream"
import { readFileSync } from "node:fs"
import * as Planted from "./planted.ts"

const guide = readFileSync(new URL("../../../docs/guides/property-testing.md", import.meta.url), "utf8")
const sources = readFileSync(new URL("planted.ts", import.meta.url), "utf8")

/** What a failing property prints, without the line to replay it. */
const counterexample = (
  law: (scenario: Scenario.Scenario) => Effect.Effect<void, Laws.LawBroken>,
  options: Arbitraries.Options = {}
) =>
  Arbitrary.checkEffect(Arbitraries.scenario(options), (scenario) => Effect.as(law(scenario), true), {
    seed: 1,
    runs: 200
  }).pipe(
    Effect.map((result) => {
      if (result._tag !== "Falsified") return assert.fail(`the bug was not found: ${result._tag}`)
      if (result.failure._tag !== "PropertyError") return assert.fail(result.failure._tag)
      return `${String(result.shrunkInput)}\nLawBroken: ${result.failure.error.message}`
    })
  )

const app: ZimClient.Options = { appId: 12345, serverSecret: Redacted.make("9193cc662a4c0ec135ec71fb57194b38") }

const bugs = {
  retriesTheStream: [
    counterexample((scenario) => Laws.exactlyOnce(scenario, Planted.retriesTheStream)),
    `user u1: 501 conversations: group:1, group:2, group:3, ..., group:499, group:500, group:501
calls 2 to 5 of user u1: body cut off
LawBroken: not exactly once
  user u1: 500 conversations (group:1, group:2, group:3, and 497 more) came again; page 1 was read again`
  ],
  stopsAtAShortPage: [
    counterexample((scenario) => Laws.complete(scenario, Planted.stopsAtAShortPage)),
    ``
  ],
  dropsTheLastPage: [counterexample((scenario) => Laws.complete(scenario, Planted.dropsTheLastPage)), ``],
  countsItsWay: [counterexample((scenario) => Laws.finishes(scenario, Planted.countsItsWay), { troubles: 0 }), ``],
  sortsTheWrongWay: [counterexample((scenario) => Laws.inOrder(scenario, Planted.sortsTheWrongWay)), ``],
  savesTheOldCursor: [counterexample((scenario) => Laws.resumes(scenario, Planted.savesTheOldCursor), { conversations: 40 }), ``],
  hasAClientForEachUser: [
    counterexample((scenario) => Laws.respectsQuota(scenario, Planted.hasAClientForEachUser(app)), { conversations: 40 }),
    ``
  ],
  tellsTheSecret: [
    counterexample((scenario) =>
      Laws.keepsSecrets(scenario, Planted.tellsTheSecret({ ...app, baseUrl: "9193cc662a4c0ec135ec71fb57194b38" }))
    ),
    ``
  ]
} as const

describe("a planted bug", () => {
  for (const [name, [found, printed]] of Object.entries(bugs)) {
    it.effect(`${name} is found`, () => Effect.map(found, (text) => assert.strictEqual(text, printed)))
  }

  it("is shown in the guide as it is, with its counterexample", () => {
    for (const name of ["retriesTheStream", "stopsAtAShortPage", "dropsTheLastPage"] as const) {
      assert.include(guide, bugs[name][1], name)
      const source = sources.match(new RegExp(`^export (const ${name} = [\\s\\S]*?)\\n\\n`, "m"))?.[1]
      assert.include(guide, source ?? assert.fail(`${name} is not in planted.ts`))
    }
  })
})

/** Patient beyond any trouble that ends. */
const endless = RetryPolicy.backoff({ base: "500 millis", cap: "30 seconds" })
const patience: RetryPolicy.RetryPolicy = { ...RetryPolicy.patient, bounded: endless }

const patient = <A, E, R>(self: Stream.Stream<A, E, R>) =>
  self.pipe(
    Stream.provideService(RetryPolicy.Current, patience),
    Stream.provideService(Timeout.Deadline, Duration.hours(4))
  )

describe("the client keeps the laws", () => {
  it.effect.prop(
    "loses nothing",
    [Arbitraries.scenario()],
    ([scenario]) => Laws.losesNothing(scenario, (userId) => Conversations.stream(userId)),
    { arbitrary: { seed: 1, runs: 100 } }
  )

  it.effect.prop(
    "loses nothing in small pages",
    [Arbitraries.scenario({ conversations: 60, troubles: 8 })],
    ([scenario]) => Laws.losesNothing(scenario, (userId) => Conversations.stream(userId, { pageSize: 3 })),
    { arbitrary: { seed: 2, runs: 100 } }
  )

  it.effect.prop(
    "gets through every trouble that ends, where it is patient",
    [Arbitraries.scenario({ conversations: 600 })],
    ([scenario]) => Laws.finishes(scenario, (userId) => patient(Conversations.stream(userId))),
    { arbitrary: { seed: 3, runs: 100 } }
  )

  it.effect.prop(
    "passes nothing off as the whole, whatever happens and however long",
    [Arbitraries.hostileScenario({ conversations: 600 })],
    ([scenario]) => Laws.losesNothing(scenario, (userId) => Conversations.stream(userId, { pageSize: 100 })),
    { arbitrary: { seed: 4, runs: 100 } }
  )

  it.effect.prop(
    "gives every group",
    [Arbitraries.scenario({ conversations: 200 })],
    ([scenario]) =>
      Laws.losesNothing(
        scenario,
        (userId) => Conversations.stream(userId).pipe(Stream.filter(({ type }) => type === "Group")),
        { where: ({ type }) => type === "Group" }
      ),
    { arbitrary: { seed: 5, runs: 60 } }
  )

  it.effect.prop(
    "gives the ids alone",
    [Arbitraries.scenario({ conversations: 200 })],
    ([scenario]) =>
      Laws.losesNothing(scenario, (userId) => Stream.map(Conversations.stream(userId), ({ id }) => id)),
    { arbitrary: { seed: 6, runs: 60 } }
  )

  it.effect.prop(
    "resumes from every checkpoint",
    [Arbitraries.scenario({ conversations: 200, users: 2 })],
    ([scenario]) => Laws.resumes(scenario, (userId, from) => Conversations.pages(userId, { pageSize: 20, from })),
    { arbitrary: { seed: 7, runs: 40 } }
  )

  it.effect.prop(
    "respects the quota",
    [Arbitraries.scenario()],
    ([scenario]) => Laws.respectsQuota(scenario, (userId) => Conversations.stream(userId, { pageSize: 5 })),
    { arbitrary: { seed: 8, runs: 25 } }
  )

  it.effect.prop(
    "keeps secrets",
    [Arbitraries.hostileScenario({ conversations: 100 })],
    ([scenario]) => Laws.keepsSecrets(scenario, (userId) => Conversations.stream(userId)),
    { arbitrary: { seed: 9, runs: 60 } }
  )
})

/** Each law finds the bug that is planted for it, and says so in words. What the guide prints is kept true here. */
import { Conversations, RetryPolicy, Timeout, type ZimClient } from "@effect-zim/client"
import { World } from "@effect-zim/emulator"
import { Arbitraries, FaultSchedule, Laws, Scenario, TestWorld } from "@effect-zim/testing"
import { AppId, type Conversation } from "@effect-zim/protocol"
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
      const message = result.failure.error.message.replace(/ \(request id.*/, "")
      return `${String(result.shrunkInput)}\nLawBroken: ${message}`
    })
  )

/** The app of every drawn world. */
const secret = "9193cc662a4c0ec135ec71fb57194b38"
const app: ZimClient.Options = { appId: 12345, serverSecret: Redacted.make(secret) }

const bugs = {
  retriesTheStream: [
    counterexample((scenario) => Laws.exactlyOnce(scenario, Planted.retriesTheStream)),
    `user u1: 501 conversations: group:1, group:2, group:3, ..., group:499, group:500, group:501
calls 2 to 10 of user u1: 660300005
LawBroken: not exactly once
  user u1: 500 conversations (group:1, group:2, group:3, and 497 more) came again; page 1 was read again`
  ],
  stopsAtAShortPage: [
    counterexample((scenario) => Laws.complete(scenario, Planted.stopsAtAShortPage)),
    `user u1: 2 conversations: group:1, group:2
call 1 of user u1: page of 1
LawBroken: not complete
  user u1: conversation group:2 missing; page 2 of 2 was never read`
  ],
  dropsTheLastPage: [
    counterexample((scenario) => Laws.complete(scenario, Planted.dropsTheLastPage)),
    `user u1: 1 conversation: group:1
no faults
LawBroken: not complete
  user u1: conversation group:1 missing; page 1 of 1 had it`
  ],
  countsItsWay: [
    counterexample((scenario) => Laws.finishes(scenario, Planted.countsItsWay), { troubles: 0 }),
    `user u1: 11 conversations: group:1, group:2, group:3, ..., group:9, group:10, group:11
no faults
LawBroken: not finished
  user u1: gave up: @effect-zim/protocol/InvalidInput: 660000002 Input parameter wrong or missing`
  ],
  sortsTheWrongWay: [
    counterexample((scenario) => Laws.inOrder(scenario, Planted.sortsTheWrongWay)),
    `user u1: 2 conversations: group:1, group:2
no faults
LawBroken: not in order
  user u1: group:2 came before group:1; the service sent group:1 first`
  ],
  savesTheOldCursor: [
    counterexample((scenario) => Laws.resumes(scenario, Planted.savesTheOldCursor), { conversations: 40 }),
    `user u1: 11 conversations: group:1, group:2, group:3, ..., group:9, group:10, group:11
no faults
LawBroken: not resumed after piece 1
  user u1: 10 conversations (group:1, group:2, group:3, and 7 more) came again; page 1 was read again`
  ],
  hasAQuotaForEachUser: [
    counterexample((scenario) => Laws.respectsQuota(scenario, Planted.hasAQuotaForEachUser(app)), {
      conversations: 40
    }),
    `user u1: no conversations
no faults
LawBroken: not within the quota
  the service rejected 30 calls: up to 45 came in one second, 20 may`
  ],
  tellsTheSecret: [
    counterexample((scenario) => Laws.keepsSecrets(scenario, Planted.tellsTheSecret(secret))),
    `user u1: no conversations
calls 1 to 3 of user u1: 660800053
LawBroken: not secret
  an error holds the ServerSecret`
  ],
  neverAnswers: [
    counterexample((scenario) => Laws.complete(scenario, () => Effect.never)),
    `user u1: no conversations
no faults
LawBroken: not complete
  user u1: never ends: it waits for something that never happens, and that is not time`
  ],
  sleepsForEver: [
    counterexample((scenario) => Laws.complete(scenario, () => Effect.forever(Effect.sleep("1 hour")))),
    `user u1: no conversations
no faults
LawBroken: not complete
  user u1: never ends: it is not done after 1d of virtual time`
  ],
  dies: [
    counterexample((scenario) => Laws.complete(scenario, () => Effect.die(new Error("oops")))),
    `user u1: no conversations
no faults
LawBroken: not complete
  user u1: died: Error: oops`
  ],
  inventsOne: [
    counterexample((scenario) => Laws.exactlyOnce(scenario, () => Effect.succeed(["ghost"]))),
    `user u1: no conversations
no faults
LawBroken: not exactly once
  user u1: conversation ghost came, but is not in the list`
  ]
} as const

describe("a planted bug", () => {
  for (const [name, [found, printed]] of Object.entries(bugs)) {
    it.effect(`${name} is found`, () => Effect.map(found, (text) => assert.strictEqual(text, printed)))
  }

  it.effect("asksForEver is found", () =>
    Effect.gen(function* () {
      const quiet = new Scenario.Scenario({
        world: new TestWorld.TestWorld({ apps: [{ ...app, appId: AppId.make(12345) }], users: [] }, ["u1"]),
        faults: FaultSchedule.none
      })
      const broken = yield* Effect.flip(Laws.complete(quiet, Planted.asksForEver))
      assert.deepStrictEqual(broken.problems, ["user u1: never ends: it made more than 10000 calls"])
    })
  )

  /** One user with this list. */
  const alone = (list: ReadonlyArray<Conversation.Wire>, faults = FaultSchedule.none) =>
    new Scenario.Scenario({
      world: new TestWorld.TestWorld(
        World.make({
          apps: [{ appId: 12345, serverSecret: secret }],
          users: [{ userId: "u1", conversations: list }]
        })
      ),
      faults
    })

  it.effect("a loss is found where equal times leave open which conversations come", () =>
    Effect.gen(function* () {
      const list = Array.from({ length: 1002 }, (_, i) => ({ ConvId: `g${i}`, ConvType: 2, UpdateTime: 1 }))
      const [none, some] = yield* Effect.forEach([0, 999], (count) =>
        Effect.flip(Laws.complete(alone(list), (userId) => Stream.take(Conversations.stream(userId), count)))
      )
      assert.deepStrictEqual(none?.problems, ["user u1: 0 of 1000 conversations came"])
      assert.deepStrictEqual(some?.problems, ["user u1: 999 of 1000 conversations came"])
      yield* Laws.complete(alone(list), (userId) => Conversations.stream(userId))
    })
  )

  it.effect("a wrong order is found whatever the ids, also where the answer came in pieces", () =>
    Effect.gen(function* () {
      const [first, second] = ["群".repeat(20), "組".repeat(20)]
      const list = [first, second].map((ConvId, i) => ({ ConvId, ConvType: 2, UpdateTime: i }))
      const inPieces = FaultSchedule.make([{ userId: "u1", trouble: "slow body", call: 1 }])
      for (const faults of [FaultSchedule.none, inPieces]) {
        const broken = yield* Effect.flip(Laws.inOrder(alone(list, faults), Planted.sortsTheWrongWay))
        assert.deepStrictEqual(broken.problems, [
          `user u1: group:${second} came before group:${first}; the service sent group:${first} first`
        ])
      }
    })
  )

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

const patient = <A, E, R>(self: Stream.Stream<A, E, R>, policy = patience) =>
  self.pipe(
    Stream.provideService(RetryPolicy.Current, policy),
    Stream.provideService(Timeout.Deadline, Duration.hours(4))
  )

describe("the client keeps the laws", () => {
  it.effect.prop(
    "loses nothing",
    [Arbitraries.scenario()],
    ([scenario]) => Laws.losesNothing(scenario, (userId) => Conversations.stream(userId)),
    { arbitrary: { seed: 1, runs: 60 } }
  )

  it.effect.prop(
    "loses nothing in small pages",
    [Arbitraries.scenario({ conversations: 60, troubles: 8 })],
    ([scenario]) => Laws.losesNothing(scenario, (userId) => Conversations.stream(userId, { pageSize: 3 })),
    { arbitrary: { seed: 2, runs: 60 } }
  )

  it.effect.prop(
    "loses nothing in a snapshot, which is sorted by time",
    [Arbitraries.scenario()],
    ([scenario]) =>
      Laws.losesNothing(scenario, (userId) =>
        Effect.map(Conversations.snapshot(userId), ({ conversations }) => conversations)
      ),
    { arbitrary: { seed: 10, runs: 60 } }
  )

  it.effect.prop(
    "gets through troubles that are no longer than the patience of a policy that is shipped",
    [Arbitraries.scenario({ conversations: 600, troubles: 1, times: 5 })],
    ([scenario]) => Laws.finishes(scenario, (userId) => patient(Conversations.stream(userId), RetryPolicy.patient)),
    { arbitrary: { seed: 11, runs: 60 } }
  )

  it.effect.prop(
    "gets through every trouble that ends, where it is patient",
    [Arbitraries.scenario({ conversations: 600 })],
    ([scenario]) => Laws.finishes(scenario, (userId) => patient(Conversations.stream(userId))),
    { arbitrary: { seed: 3, runs: 60 } }
  )

  it.effect.prop(
    "passes nothing off as the whole, whatever happens and however long",
    [Arbitraries.hostileScenario({ conversations: 600 })],
    ([scenario]) => Laws.losesNothing(scenario, (userId) => Conversations.stream(userId, { pageSize: 100 })),
    { arbitrary: { seed: 4, runs: 60 } }
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
    ([scenario]) => Laws.losesNothing(scenario, (userId) => Stream.map(Conversations.stream(userId), ({ id }) => id)),
    { arbitrary: { seed: 6, runs: 60 } }
  )

  it.effect.prop(
    "resumes from every checkpoint",
    [Arbitraries.scenario({ conversations: 200, users: 2 })],
    ([scenario]) => Laws.resumes(scenario, (userId, from) => Conversations.pages(userId, { pageSize: 20, from })),
    { arbitrary: { seed: 7, runs: 25 } }
  )

  it.effect.prop(
    "respects the quota",
    [Arbitraries.scenario()],
    ([scenario]) => Laws.respectsQuota(scenario, (userId) => Conversations.stream(userId, { pageSize: 5 })),
    { arbitrary: { seed: 8, runs: 15 } }
  )

  it.effect.prop(
    "keeps secrets",
    [Arbitraries.hostileScenario({ conversations: 100 })],
    ([scenario]) => Laws.keepsSecrets(scenario, (userId) => Conversations.stream(userId)),
    { arbitrary: { seed: 9, runs: 60 } }
  )
})

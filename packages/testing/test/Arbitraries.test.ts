import { Emulator, World } from "@effect-zim/emulator"
import { Envelope, QueryConversationList, UserId } from "@effect-zim/protocol"
import { Arbitraries, FaultSchedule, Scenario, TestWorld } from "@effect-zim/testing"
import { assert, describe, it } from "@effect/vitest"
import * as Arbitrary from "effect/Arbitrary"
import * as Effect from "effect/Effect"
import * as Formatter from "effect/Formatter"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import { inspect } from "node:util"

const isWorld = Schema.is(World.World)
const sample = <A>(arbitrary: Arbitrary.Arbitrary<A>, count: number) =>
  Effect.orDie(Arbitrary.sampleEffect(arbitrary, { count, size: 30, seed: 1 }))

describe("what is drawn", () => {
  it.effect.prop(
    "worlds are worlds, and the emulator starts with them and their faults",
    [Arbitraries.hostileScenario()],
    ([{ faults, reading, world }]) =>
      Effect.gen(function* () {
        assert.isTrue(isWorld({ apps: world.apps, users: world.users }))
        assert.isAbove(world.userIds.length, 0)
        yield* Emulator.make({ world, faults: faults.faults, reading })
      }),
    { arbitrary: { seed: 1, runs: 200 } }
  )

  it.effect("has everything that paging may stumble over", () =>
    Effect.gen(function* () {
      const worlds = yield* sample(Arbitraries.world(), 300)
      const lists = worlds.flatMap(({ users }) => users.map(({ conversations }) => conversations))
      assert.isTrue(lists.some((list) => list.length === 0))
      for (const length of [100, 500, 1000]) assert.isTrue(lists.some((list) => list.length > length))
      assert.isTrue(lists.some((list) => list.some(({ UpdateTime }, i) => list[i - 1]?.UpdateTime === UpdateTime)))
      assert.isTrue(lists.some((list) => list.some(({ ConvId }, i) => list[i - 1]?.ConvId === ConvId)))
      for (const type of [undefined, 0, 1, 2, 3, 99]) {
        assert.isTrue(lists.some((list) => list.some(({ ConvType }) => ConvType === type)))
      }
      assert.isTrue(worlds.some(({ strangers }) => strangers.length > 0))
      const ids = (yield* sample(Arbitraries.userId, 300)).join("")
      assert.strictEqual(new Set(ids).size, 26 + 26 + 10 + "!#$%&()+-:;<=.>?@[]^_ {}|~".length)
      const cursors = yield* sample(Arbitraries.cursor, 100)
      assert.isTrue(cursors.some((cursor) => cursor.length > 20))
      assert.isTrue(cursors.some((cursor) => cursor.startsWith("-")))
      assert.isTrue((yield* sample(Arbitraries.anyFaults(), 50)).some((schedule) => !schedule.ends))
      assert.isTrue((yield* sample(Arbitraries.faults(), 50)).every((schedule) => schedule.ends))
    })
  )

  it.effect.prop(
    "user ids are legal, and right answers are right by the protocol",
    [Arbitraries.userId, Arbitraries.answer],
    ([userId, answer]) =>
      Effect.sync(() => {
        assert.isTrue(Schema.is(UserId.UserId)(userId))
        const envelope = Result.getOrThrow(Envelope.parse(answer.text))
        assert.strictEqual(envelope.code, 0)
        assert.isTrue(Schema.is(QueryConversationList.Payload)(envelope.body))
      }),
    { arbitrary: { seed: 2, runs: 300 } }
  )
})

describe("what is printed", () => {
  const scenario = new Scenario.Scenario({
    world: new TestWorld.TestWorld(
      World.make({
        apps: [{ appId: 1, serverSecret: "canary" }],
        users: [
          {
            userId: "u1",
            conversations: [
              { ConvId: "b", UpdateTime: 2 },
              { ConvId: "a", ConvType: 2, UpdateTime: 1 },
              { ConvId: "c", ConvType: 9, UpdateTime: 2 }
            ]
          },
          { userId: "u2" }
        ]
      }),
      ["nobody"]
    ),
    faults: FaultSchedule.make([
      { userId: "u1", call: 3, trouble: "660300005" },
      { userId: "u1", call: 2, times: 3, trouble: "no answer" },
      { userId: "u2", call: 1, times: Infinity, trouble: "HTTP 503" },
      { userId: "u2", call: 4, times: Infinity, trouble: "page of 1" }
    ]),
    reading: { order: "WithinPages" },
    seed: 7
  })
  const text = `user u1: 3 conversations: group:a, peer:b, type 9:c (same time)
user u2: no conversations
user nobody: not registered
call 3 of user u1: 660300005
calls 2 to 4 of user u1: no answer
every call of user u2: HTTP 503
every call from call 4 on of user u2: page of 1
reading: order WithinPages
seed: 7`

  it("is a table and lines, wherever it is printed, without the secret", () => {
    assert.strictEqual(String(scenario), text)
    assert.strictEqual(inspect(scenario), text)
    assert.strictEqual(Formatter.format(scenario, { space: 2 }), text)
    assert.strictEqual(JSON.stringify(scenario), JSON.stringify(text))
  })
})

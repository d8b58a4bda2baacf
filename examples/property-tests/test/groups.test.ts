/**
 * The pipeline in worlds and troubles that are drawn: rejections, lost answers, bodies that are cut off, time skew. The laws
 * bring the client, the emulator behind it, and a clock that passes by itself.
 */
import { Conversations } from "@effect-zim/client"
import { World } from "@effect-zim/emulator"
import type { Conversation } from "@effect-zim/protocol"
import { Arbitraries, FaultSchedule, Laws, Scenario, TestWorld } from "@effect-zim/testing"
import { assert, it } from "@effect/vitest"
import { Effect, Stream } from "effect"
import { groupBatches, groups } from "../src/groups.ts"

// The same examples in every run; without a seed each run looks elsewhere.
const options = { timeout: 60_000, arbitrary: { seed: "groups", runs: 50 } }
const isGroup = ({ type }: Conversation.Conversation) => type === "Group"
const scenario = Arbitraries.scenario({ conversations: 60 })

it.effect.prop(
  "leaves out no group",
  [scenario],
  ([scenario]) => Laws.complete(scenario, groups, { where: isGroup }),
  options
)

it.effect.prop("gives none twice", [scenario], ([scenario]) => Laws.exactlyOnce(scenario, groups), options)

it.effect.prop(
  "goes on where it was stopped",
  [scenario],
  ([scenario]) =>
    Laws.resumes(
      scenario,
      (userId, from) => Stream.map(groupBatches(userId, from), ({ groups, next }) => ({ conversations: groups, next })),
      { where: isGroup }
    ),
  options
)

it.effect.prop("keeps the quota", [scenario], ([scenario]) => Laws.respectsQuota(scenario, groups), {
  ...options,
  arbitrary: { ...options.arbitrary, runs: 10 }
})

it.effect("a pipeline that takes the first page for all breaks the law", () =>
  Effect.gen(function* () {
    const firstPage = (userId: string) =>
      Effect.map(Conversations.page(userId, { pageSize: 20 }), ({ conversations }) => conversations)
    const conversations = Array.from({ length: 21 }, (_, i) => ({ ConvId: `peer-${i}`, ConvType: 0, UpdateTime: i }))
    const world = World.make({
      apps: [{ appId: 12345, serverSecret: "0".repeat(32) }],
      users: [{ userId: "ada", conversations }]
    })
    const broken = yield* Effect.flip(
      Laws.complete(
        new Scenario.Scenario({ world: new TestWorld.TestWorld(world), faults: FaultSchedule.none }),
        firstPage
      )
    )
    assert.include(broken.message, "conversation peer:peer-20 missing; page 2 of 2 was never read")
  })
)

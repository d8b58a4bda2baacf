import { WorldChange, Emulator, World } from "@effect-zim/emulator"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as TestClock from "effect/testing/TestClock"
import { appId, page, secret } from "./support.ts"

const people = ["a", "b", "c"]
const one = (names: ReadonlyArray<string>) => Schema.Literals(names)
const world = World.make({
  apps: [{ appId, serverSecret: secret }],
  users: [
    {
      userId: "a",
      conversations: [
        { ConvId: "b", UpdateTime: 5000 },
        { ConvId: "g", ConvType: 2, UpdateTime: 6000 }
      ]
    },
    { userId: "b", conversations: [{ ConvId: "g", ConvType: 2, UpdateTime: 6000 }] },
    { userId: "c" }
  ]
})

/** What each user sees, latest last. */
const lists = Effect.gen(function* () {
  const all: Record<string, ReadonlyArray<string>> = {}
  for (const user of people) {
    const { List } = yield* page({ FromUserId: user })
    all[user] = (List ?? []).map(({ ConvId }) => ConvId)
  }
  return all
})
const provide = Effect.provide(Emulator.layer({ world }))

describe("what happens in a world", () => {
  it.effect("a message moves the conversation to the end, for everyone concerned", () =>
    Effect.gen(function* () {
      const { change } = yield* Emulator.Emulator
      yield* change({ type: "message", from: "b", to: "a" })
      assert.deepStrictEqual(yield* lists, { a: ["g", "b"], b: ["g", "a"], c: [] })
      yield* change({ type: "message", from: "a", group: "g" })
      assert.deepStrictEqual(yield* lists, { a: ["b", "g"], b: ["a", "g"], c: [] })
      yield* change({ type: "message", from: "c", to: "stranger" })
      assert.deepStrictEqual((yield* lists)["c"], ["stranger"])
    }).pipe(provide)
  )

  it.effect("is dated now, or after all that its users have seen, or as it says", () =>
    Effect.gen(function* () {
      const { change, world } = yield* Emulator.Emulator
      const latest = Effect.map(world.get, ({ users }) => users[0]?.conversations.at(-1)?.UpdateTime)
      yield* change({ type: "message", from: "a", group: "g" })
      assert.strictEqual(yield* latest, 6001)
      yield* TestClock.setTime(10_000)
      yield* change({ type: "message", from: "a", group: "g" })
      assert.strictEqual(yield* latest, 10_000)
      yield* change({ type: "message", from: "a", group: "g", time: 70 })
      assert.strictEqual(yield* latest, 70)
    }).pipe(provide)
  )

  it.effect("a kicked user still sees the conversation, which new messages no longer move", () =>
    Effect.gen(function* () {
      const { change } = yield* Emulator.Emulator
      yield* change({ type: "kick", group: "g", userId: "a" })
      yield* change({ type: "message", from: "a", to: "b" })
      yield* change({ type: "message", from: "b", group: "g" })
      assert.deepStrictEqual(yield* lists, { a: ["g", "b"], b: ["a", "g"], c: [] })
      const refused = yield* Effect.flip(change({ type: "message", from: "a", group: "g" }))
      assert.include(refused.message, "a is no member of g")
      yield* change({ type: "createGroup", group: "g", members: ["a"] })
      yield* change({ type: "message", from: "a", group: "g" })
      assert.deepStrictEqual((yield* lists)["a"], ["b", "g"])
    }).pipe(provide)
  )

  it.effect("groups come and go, users come", () =>
    Effect.gen(function* () {
      const { change } = yield* Emulator.Emulator
      yield* change({ type: "createGroup", group: "h", members: ["a", "c"] })
      assert.deepStrictEqual(yield* lists, { a: ["b", "g", "h"], b: ["g"], c: ["h"] })
      yield* change({ type: "disband", group: "g" })
      assert.deepStrictEqual(yield* lists, { a: ["b", "h"], b: [], c: ["h"] })
      yield* change({ type: "register", userId: "d" })
      assert.deepStrictEqual((yield* page({ FromUserId: "d" })).List, [])
    }).pipe(provide)
  )

  it.effect.each<readonly [WorldChange.WorldChange, string]>([
    [{ type: "message", from: "x", group: "g" }, "x is not registered"],
    [{ type: "message", from: "c", group: "g" }, "c is no member of g"],
    [{ type: "message", from: "a" }, "to a user or to a group"],
    [{ type: "message", from: "a", to: "a" }, "themselves"],
    [{ type: "createGroup", group: "h", members: ["a", "x"] }, "x is not registered"],
    [{ type: "disband", group: "h" }, "there is no group h"],
    [{ type: "kick", group: "g", userId: "c" }, "c is no member of g"],
    [{ type: "kick", group: "g", userId: "x" }, "x is not registered"]
  ])("%j makes no sense, and changes nothing", ([wrong, problem]) =>
    Effect.gen(function* () {
      const emulator = yield* Emulator.Emulator
      const error = yield* Effect.flip(emulator.change(wrong))
      assert.strictEqual(error._tag, "ChangeRefused")
      assert.include(error.message, problem)
      assert.strictEqual(yield* emulator.world.get, world)
    }).pipe(provide)
  )

  it("a disbanded group stays so", () => {
    const gone = Result.getOrThrow(WorldChange.apply(world, { type: "disband", group: "g" }, 0))
    assert.deepStrictEqual(gone.disbanded, ["g"])
    for (const again of [
      { type: "disband", group: "g" },
      { type: "createGroup", group: "g", members: [] }
    ] as const) {
      assert.isTrue(Result.isFailure(WorldChange.apply(gone, again, 0)))
    }
  })

  const change = Schema.Union([
    Schema.Struct({ type: Schema.Literal("message"), from: one(people), to: one([...people, "x"]) }),
    Schema.Struct({ type: Schema.Literal("message"), from: one(people), group: one(["g", "h"]) }),
    Schema.Struct({ type: Schema.Literal("createGroup"), group: one(["g", "h"]), members: Schema.Array(one(people)) }),
    Schema.Struct({ type: Schema.Literal("disband"), group: one(["g", "h"]) }),
    Schema.Struct({ type: Schema.Literal("kick"), group: one(["g", "h"]), userId: one(people) })
  ])

  it.prop("whatever happens, the world is one", { changes: Schema.Array(change) }, ({ changes }) => {
    const isWorld = Schema.is(World.World)
    const decode = Schema.decodeUnknownSync(WorldChange.WorldChange)
    changes.reduce((before, json, i) => {
      const next = WorldChange.apply(before, decode(json), i)
      if (Result.isFailure(next)) return before
      const after = next.success
      assert.isTrue(isWorld(after))
      const listed = after.users.flatMap((user) => user.conversations.map(({ ConvId }) => ConvId))
      for (const group of after.disbanded ?? []) assert.notInclude(listed, group)
      // Who was kicked out of a group that is still there sees it.
      for (const user of after.users) {
        for (const group of user.kickedFrom ?? []) {
          const gone = after.disbanded?.includes(group) === true
          assert.strictEqual(
            user.conversations.some(({ ConvId }) => ConvId === group),
            !gone
          )
        }
      }
      return after
    }, world)
  })
})

describe("generate", () => {
  it.each([1, 2, "demo"])("seed %s: some peers unregistered, groups disbanded, users kicked out", (seed) => {
    const world = World.generate({ seed, users: 200 })
    const registered = new Set<string>(world.users.map(({ userId }) => userId))
    const listed = new Set(world.users.flatMap((user) => user.conversations.map(({ ConvId }) => ConvId)))
    assert.isTrue([...listed].some((id) => id.startsWith("user-") && !registered.has(id)))
    assert.isAbove(world.disbanded?.length ?? 0, 5)
    for (const group of world.disbanded ?? []) assert.isFalse(listed.has(group), group)
    const kicked = world.users.filter(({ kickedFrom }) => kickedFrom !== undefined)
    assert.isAbove(kicked.length, 10)
    assert.isBelow(kicked.length, 50)
    for (const user of kicked) {
      const ids = user.conversations.map(({ ConvId }) => ConvId)
      for (const group of user.kickedFrom ?? []) assert.include(ids, group, "the conversation stays")
    }
  })
})

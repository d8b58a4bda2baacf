import { Emulator, World } from "@effect-zim/emulator"
import { UserId } from "@effect-zim/protocol"
import { ServerSecret } from "@effect-zim/signing"
import { assert, describe, it } from "@effect/vitest"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import { inspect } from "node:util"

const canary = "canary-9193cc662a4c0ec1"
const file = `{"apps":[{"appId":12345,"serverSecret":"${canary}"}],"users":[{"userId":"u1","conversations":[{"ConvId":"conv1","ConvType":2,"UpdateTime":1708254395000}]}]}`

describe("a world file", () => {
  it.effect("is read as it is documented", () =>
    Effect.gen(function* () {
      const world = yield* World.parse(file)
      assert.deepStrictEqual(
        world.apps.map((app) => [app.appId, Redacted.value(app.serverSecret)]),
        [[12345, canary]]
      )
      assert.deepStrictEqual(world.users, [
        { userId: UserId.make("u1"), conversations: [{ ConvId: "conv1", ConvType: 2, UpdateTime: 1708254395000 }] }
      ])
      assert.notInclude(inspect(world, { depth: Infinity }) + JSON.stringify(world), canary)
    })
  )

  const withUser = (user: unknown) => ({ apps: [{ appId: 1, serverSecret: canary }], users: [user] })
  const entry = { ConvId: "c", ConvType: 2, UpdateTime: 1 }

  it.effect.each([
    ["users", { apps: [] }],
    ["apps", { users: [] }],
    [`["apps"][0]["appId"]`, { apps: [{ appId: "12345", serverSecret: canary }], users: [] }],
    [`["apps"][0]["appId"]`, { apps: [{ appId: -1, serverSecret: canary }], users: [] }],
    [`["apps"][0]["serverSecret"]`, { apps: [{ appId: 1 }], users: [] }],
    [`["apps"][0]["serverSecret"]`, { apps: [{ appId: 1, serverSecret: [canary] }], users: [] }],
    [`["apps"][0]["serverSecret"]`, { apps: [{ appId: 1, serverSecret: ` ${canary}` }], users: [] }],
    [`["apps"][0]["serverSecret"]`, { apps: [{ appId: 1, serverSecret: "" }], users: [] }],
    [
      `["apps"][1]["appId"]`,
      {
        apps: [
          { appId: 1, serverSecret: canary },
          { appId: 1, serverSecret: `${canary}2` }
        ],
        users: []
      }
    ],
    [`["users"][0]["userId"]`, withUser({ userId: "it's" })],
    [
      `["users"][0]["conversations"][1]["UpdateTime"]`,
      withUser({ userId: "u", conversations: [entry, { ConvId: "c" }] })
    ],
    [`["users"][0]["conversations"][1]["ConvId"]`, withUser({ userId: "u", conversations: [entry, entry] })],
    [
      `["users"][1]["userId"]`,
      { apps: [{ appId: 1, serverSecret: canary }], users: [{ userId: "u" }, { userId: "u" }] }
    ]
  ] as const)("an error names %s and shows no secret", ([path, json]) =>
    Effect.gen(function* () {
      const exit = yield* Effect.exit(World.parse(JSON.stringify(json)))
      const error = yield* Effect.flip(World.parse(JSON.stringify(json)))
      assert.strictEqual(error._tag, "WorldUnreadable")
      assert.include(error.message, path)
      const shown = [error.message, JSON.stringify(error), inspect(error, { depth: Infinity, showHidden: true })]
      if (exit._tag === "Failure") shown.push(Cause.pretty(exit.cause), inspect(exit, { depth: Infinity }))
      for (const text of shown) assert.notInclude(text, canary)
    })
  )

  it.effect.prop(
    "broken anywhere, it is an error that shows no secret",
    { cut: Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: file.length - 1 })) },
    ({ cut }) =>
      Effect.gen(function* () {
        for (const text of [file.slice(0, cut), `${file.slice(0, cut)}}${file.slice(cut)}`]) {
          const read = yield* Effect.result(World.parse(text))
          if (read._tag === "Success") continue
          assert.notInclude(read.failure.message + inspect(read, { depth: Infinity, showHidden: true }), "canary")
          assert.match(read.failure.message, /^this is no world: /)
        }
      })
  )

  it.effect("the place of a syntax error is named", () =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(World.parse(`{"apps":[],\n"users":[] "x"}`))
      assert.strictEqual(error.message, "this is no world: it is not valid JSON, see position 23 (line 2 column 12)")
    })
  )

  it("made in code, it throws on what is wrong", () => {
    assert.throws(() => World.make({ apps: [{ appId: -1, serverSecret: "x" }], users: [] }))
    assert.throws(() => World.make({ apps: [], users: [{ userId: "" }] }))
  })
})

describe("generate", () => {
  const plain = (world: World.World) => ({
    users: world.users,
    secrets: world.apps.map((app) => Redacted.value(app.serverSecret))
  })

  it.prop(
    "gives the same world for the same seed, another for another; it conforms to the schema",
    { seed: Schema.Int, users: Schema.Int.check(Schema.isBetween({ minimum: 5, maximum: 30 })) },
    ({ seed, users }) => {
      const world = World.generate({ seed, users })
      assert.strictEqual(world.users.length, users)
      assert.deepStrictEqual(plain(World.generate({ seed, users })), plain(world))
      const other = plain(World.generate({ seed: seed + 1, users }))
      assert.notDeepEqual(other.users, world.users)
      assert.notDeepEqual(other.secrets, plain(world).secrets)
      assert.isTrue(Schema.is(World.World)(world))
    }
  )

  it.each([1, 2, "demo"])("seed %s: long-tailed lists, both kinds, some equal times", (seed) => {
    const { users } = World.generate({ seed, users: 200 })
    const lengths = users.map(({ conversations }) => conversations.length)
    assert.isTrue(lengths.includes(0))
    assert.isAbove(Math.max(...lengths), 1000)
    const median = lengths.toSorted((a, b) => a - b)[100] ?? 0
    assert.isAbove(median, 5)
    assert.isBelow(median, 60)
    const all = users.flatMap(({ conversations }) => conversations)
    const share = (of: number): number => of / all.length
    const groups = share(all.filter(({ ConvType }) => ConvType === 2).length)
    assert.isAbove(groups, 0.3)
    assert.isBelow(groups, 0.5)
    const equal = users.map(
      (user) => user.conversations.length - new Set(user.conversations.map((c) => c.UpdateTime)).size
    )
    assert.isAbove(share(equal.reduce((a, b) => a + b)), 0.02)
    const self = users.flatMap((user) => user.conversations.filter(({ ConvId }) => ConvId === String(user.userId)))
    assert.deepStrictEqual(self, [])
  })

  it("takes app, secret and time from outside", () => {
    const world = World.generate({ seed: 1, users: 30, appId: 7, serverSecret: ServerSecret.make(canary), now: 1e12 })
    assert.deepStrictEqual(plain(world).secrets, [canary])
    assert.strictEqual(world.apps[0]?.appId, 7)
    const times = world.users.flatMap(({ conversations }) => conversations.map((c) => c.UpdateTime))
    assert.isAtMost(Math.max(...times), 1e12)
  })

  it("unregistered ids are legal and not in the world", () => {
    const world = World.register(World.generate({ seed: 1, users: 3 }), UserId.make("stranger-1"))
    assert.deepStrictEqual(World.unregistered(world, 2), [UserId.make("stranger-2"), UserId.make("stranger-3")])
  })
})

describe("changes", () => {
  const world = World.make({
    apps: [],
    users: [
      {
        userId: "a",
        conversations: [
          { ConvId: "x", UpdateTime: 1 },
          { ConvId: "x", ConvType: 2, UpdateTime: 2 }
        ]
      },
      { userId: "b", conversations: [{ ConvId: "x", ConvType: 2, UpdateTime: 3 }] }
    ]
  })
  const lists = (changed: World.World) =>
    changed.users.map(({ conversations }) => conversations.map((c) => c.UpdateTime))

  it("leave the world they start from as it is", () => {
    assert.deepStrictEqual(lists(World.putConversation(world, "a", { ConvId: "x", UpdateTime: 9 })), [[2, 9], [3]])
    assert.deepStrictEqual(lists(World.putConversation(world, "b", { ConvId: "y", UpdateTime: 9 })), [
      [1, 2],
      [3, 9]
    ])
    assert.deepStrictEqual(lists(World.putConversation(world, "nobody", { ConvId: "y", UpdateTime: 9 })), [[1, 2], [3]])
    assert.deepStrictEqual(lists(World.removeConversation(world, { ConvId: "x", ConvType: 2 })), [[1], []])
    assert.deepStrictEqual(lists(World.removeConversation(world, { ConvId: "x" })), [[2], [3]])
    assert.deepStrictEqual(lists(World.register(world, UserId.make("c"))), [[1, 2], [3], []])
    assert.deepStrictEqual(lists(World.register(world, UserId.make("a"))), [[1, 2], [3]])
    assert.deepStrictEqual(lists(world), [[1, 2], [3]])
  })

  it("throw on a conversation that no answer could hold", () => {
    for (const UpdateTime of [1.5, NaN, Infinity, 8.64e15 + 1, 2 ** 60]) {
      assert.throws(() => World.putConversation(world, "a", { ConvId: "y", UpdateTime }), /at \["UpdateTime"\]/)
    }
    assert.throws(() => World.putConversation("a", { ConvId: "y", ConvType: 0.5, UpdateTime: 1 })(world), /"ConvType"/)
    assert.throws(() => World.putConversation(world, "nobody", { ConvId: "y", UpdateTime: 0.5 }), /"UpdateTime"/)
  })

  it.effect("one that is refused leaves the emulator as it was", () =>
    Effect.gen(function* () {
      const { change, world: kept } = yield* Emulator.Emulator
      const exit = yield* Effect.exit(kept.update(World.putConversation("a", { ConvId: "y", UpdateTime: 1.5 })))
      assert.isTrue(Exit.isFailure(exit))
      assert.deepStrictEqual(lists(yield* kept.get), lists(world))
      yield* change({ type: "message", from: "a", to: "b", time: 9 })
      assert.deepStrictEqual(lists(yield* kept.get), [
        [1, 2, 9],
        [3, 9]
      ])
    }).pipe(Effect.provide(Emulator.layer({ world })))
  )
})

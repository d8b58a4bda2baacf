import { Emulator, ServiceQuota, World } from "@effect-zim/emulator"
import type { HttpExchange, DocumentationReading } from "@effect-zim/emulator"
import type { QueryConversationList } from "@effect-zim/protocol"
import { Conversation, UserId } from "@effect-zim/protocol"
import { assert, describe, it } from "@effect/vitest"
import * as Arbitrary from "effect/Arbitrary"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { codeOf, groups, page, parts, send, textOf, worldOf } from "./support.ts"

const provide = (
  lists: Readonly<Record<string, ReadonlyArray<Conversation.Wire>>>,
  reading?: Partial<DocumentationReading.DocumentationReading>
) => Effect.provide(Emulator.layer({ world: worldOf(lists), quota: ServiceQuota.unlimited, reading }))

/** Reads a list to its end, the page sizes taken in turn. */
const readAll = Effect.fnUntraced(function* (
  userId: string,
  sizes: ReadonlyArray<number>,
  between: Effect.Effect<void> = Effect.void
): Effect.fn.Return<
  { readonly pages: ReadonlyArray<ReadonlyArray<Conversation.Wire>>; readonly cursors: ReadonlyArray<number | bigint> },
  HttpExchange.ConnectionLost,
  Emulator.Emulator
> {
  const pages: Array<ReadonlyArray<Conversation.Wire>> = []
  const cursors: Array<number | bigint> = []
  let next: number | bigint = 0
  do {
    const answer: QueryConversationList.Payload = yield* page({
      FromUserId: userId,
      Limit: sizes[pages.length % sizes.length],
      Next: next
    })
    pages.push(answer.List ?? [])
    next = answer.Next
    if (next !== 0) cursors.push(next)
    yield* between
  } while (next !== 0)
  return { pages, cursors }
})

const keyOf = (wire: Conversation.Wire): string => Conversation.key(new Conversation.Conversation(wire))
const identity = (wire: Conversation.Wire): string => `${keyOf(wire)} ${wire.UpdateTime}`

/** A list with many equal times; an id can name a peer and a group. */
const listOf = (length: number, times: number, step: number): ReadonlyArray<Conversation.Wire> =>
  Array.from({ length }, (_, i) => ({
    ConvId: `c${Math.floor(i / 2)}`,
    ConvType: (i % 2) * 2,
    UpdateTime: 1_700_000_000_000 + ((i * step) % times)
  }))

const upTo = (minimum: number, maximum: number) => Schema.Int.check(Schema.isBetween({ minimum, maximum }))
const lists = Arbitrary.map(
  Arbitrary.all({
    length: Arbitrary.schema(Schema.Union([upTo(0, 40), upTo(990, 1300)])),
    times: Arbitrary.schema(upTo(1, 2000)),
    step: Arbitrary.schema(upTo(1, 997))
  }),
  ({ length, step, times }) => listOf(length, times, step)
)
const sizes = Arbitrary.schema(Schema.NonEmptyArray(upTo(20, 500)))

describe("a list that does not change", () => {
  it.effect.prop(
    "comes whole: the latest 1000, ascending by time, each once",
    { list: lists, sizes },
    ({ list, sizes }) =>
      Effect.gen(function* () {
        const { pages } = yield* readAll("u", sizes)
        const read = pages.flat()
        const oldestFirst = list.toSorted((a, b) => a.UpdateTime - b.UpdateTime)
        assert.deepStrictEqual(
          read.map(({ UpdateTime }) => UpdateTime),
          oldestFirst.slice(-1000).map(({ UpdateTime }) => UpdateTime)
        )
        assert.strictEqual(new Set(read.map(keyOf)).size, read.length)
        const known = new Set(list.map(identity))
        for (const entry of read) assert.isTrue(known.has(identity(entry)))
        // Nothing outside the 1000 is later than anything inside.
        const kept = new Set(read.map(identity))
        const first = read[0]?.UpdateTime ?? Infinity
        for (const entry of list) assert.isTrue(kept.has(identity(entry)) || entry.UpdateTime <= first)
        // Every page but the last is full.
        pages.slice(0, -1).forEach((entries, i) => assert.strictEqual(entries.length, sizes[i % sizes.length]))
      }).pipe(provide({ u: list }))
  )

  it.effect.prop(
    "with the order only within pages: the same entries, the latest page first",
    { list: lists, sizes },
    ({ list, sizes }) =>
      Effect.gen(function* () {
        const { pages } = yield* readAll("u", sizes)
        const across = yield* Effect.provide(
          readAll("u", sizes),
          Emulator.layer({ world: worldOf({ u: list }), quota: ServiceQuota.unlimited })
        )
        assert.deepStrictEqual(pages.toReversed().flat().map(identity), across.pages.flat().map(identity))
      }).pipe(provide({ u: list }, { order: "WithinPages" }))
  )

  it.effect("the documentation's example: 250 conversations, 100 at a time", () =>
    Effect.gen(function* () {
      const first = yield* page({ FromUserId: "u", Limit: 100, Next: 0 })
      const second = yield* page({ FromUserId: "u", Limit: 100, Next: first.Next })
      const third = yield* page({ FromUserId: "u", Limit: 100, Next: second.Next })
      assert.deepStrictEqual(
        [first, second, third].map(({ List }) => List?.map(({ ConvId }) => ConvId)),
        [groups(100), groups(200).slice(100), groups(250).slice(200)].map((part) => part.map(({ ConvId }) => ConvId))
      )
      assert.strictEqual(third.Next, 0)
    }).pipe(provide({ u: groups(250) }))
  )

  it.effect("a page asked for again is the same page, with the same Next", () =>
    Effect.gen(function* () {
      const first = yield* page({ FromUserId: "u", Limit: 3 })
      assert.deepStrictEqual(yield* page({ FromUserId: "u", Limit: 3 }), first)
      const second = { FromUserId: "u", Limit: 3, Next: first.Next }
      assert.deepStrictEqual(yield* page(second), yield* page(second))
    }).pipe(provide({ u: groups(10) }))
  )

  it.effect("a list of exactly the page size is complete at once", () =>
    Effect.gen(function* () {
      assert.strictEqual((yield* page({ FromUserId: "u", Limit: 10 })).Next, 0)
    }).pipe(provide({ u: groups(10) }))
  )
})

describe("cursors", () => {
  const everyCursor = Effect.map(readAll("u", [1]), ({ cursors }) => cursors)

  it.effect("are no offsets, differ, and half of them are beyond 2^53 and cannot be a double", () =>
    Effect.gen(function* () {
      const cursors = yield* everyCursor
      assert.strictEqual(cursors.length, 299)
      assert.strictEqual(new Set(cursors).size, 299)
      for (const cursor of cursors) assert.isAbove(Number(cursor), 2 ** 40)
      for (const cursor of cursors) assert.isTrue(BigInt(cursor) < 2n ** 63n)
      const beyond = cursors.filter((cursor) => typeof cursor === "bigint")
      assert.isAbove(beyond.length, 100)
      assert.isBelow(beyond.length, 200)
      for (const cursor of beyond) assert.notStrictEqual(BigInt(Number(cursor)), cursor)
      const sorted = cursors.toSorted((a, b) => (a < b ? -1 : 1))
      assert.notDeepEqual(cursors, sorted)
    }).pipe(provide({ u: groups(300) }))
  )

  it.effect.prop("altered, rounded or another user's get 660000002", { by: upTo(-1000, 1000) }, ({ by }) =>
    Effect.gen(function* () {
      for (const cursor of yield* everyCursor) {
        const right = BigInt(cursor)
        const code = (userId: string, next: bigint) => codeOf({ FromUserId: userId, Next: next })
        assert.strictEqual(yield* code("u", right), 0)
        assert.strictEqual(yield* code("u", right + BigInt(by)), by === 0 ? 0 : 660000002)
        assert.strictEqual(yield* code("other", right), 660000002)
        const rounded = BigInt(Number(cursor))
        assert.strictEqual(yield* code("u", rounded), rounded === right ? 0 : 660000002)
      }
    }).pipe(provide({ u: groups(20), other: groups(20) }))
  )

  it.effect("are the same for the same seed, and others for another", () =>
    Effect.gen(function* () {
      const withSeed = (seed: number) =>
        Effect.provide(
          everyCursor,
          Emulator.layer({ world: worldOf({ u: groups(30) }), seed, quota: ServiceQuota.unlimited })
        )
      assert.deepStrictEqual(yield* withSeed(1), yield* withSeed(1))
      assert.notDeepEqual(yield* withSeed(1), yield* withSeed(2))
    })
  )
})

describe("a list that changes while it is read", () => {
  it.effect.prop(
    "every conversation that stays as it is comes exactly once",
    { moves: Schema.Array(upTo(0, 59)), size: upTo(1, 40) },
    ({ moves, size }) =>
      Effect.gen(function* () {
        const emulator = yield* Emulator.Emulator
        const moved = new Set<string>()
        let time = 1_800_000_000_000
        const queue = [...moves]
        const change = Effect.suspend(() => {
          const number = queue.shift()
          if (number === undefined) return Effect.void
          const wire = { ConvId: `g${number + 1}`, ConvType: 2, UpdateTime: ++time }
          moved.add(wire.ConvId)
          return emulator.world.update(
            number % 3 === 0 ? World.removeConversation(wire) : World.putConversation("u", wire)
          )
        })
        const { pages } = yield* readAll("u", [size], change)
        const read = pages.flat().map(({ ConvId }) => ConvId)
        for (const { ConvId } of groups(50)) {
          if (!moved.has(ConvId)) assert.strictEqual(read.filter((id) => id === ConvId).length, 1)
        }
      }).pipe(provide({ u: groups(50) }))
  )

  it.effect("a new message moves its conversation to the end, so that it can come twice", () =>
    Effect.gen(function* () {
      const emulator = yield* Emulator.Emulator
      const first = yield* page({ FromUserId: "u", Limit: 2 })
      yield* emulator.world.update(
        World.putConversation("u", { ConvId: "g1", ConvType: 2, UpdateTime: 1_800_000_000_000 })
      )
      const rest = yield* page({ FromUserId: "u", Next: first.Next })
      assert.deepStrictEqual(
        [first, rest].map(({ List }) => List?.map(({ ConvId }) => ConvId)),
        [
          ["g1", "g2"],
          ["g3", "g4", "g1"]
        ]
      )
    }).pipe(provide({ u: groups(4) }))
  )

  it.effect("a disbanded group is gone, also where a cursor pointed at it; a new user is registered", () =>
    Effect.gen(function* () {
      const emulator = yield* Emulator.Emulator
      const first = yield* page({ FromUserId: "u", Limit: 2 })
      yield* emulator.world.update(World.removeConversation({ ConvId: "g2", ConvType: 2 }))
      const rest = yield* page({ FromUserId: "u", Next: first.Next })
      assert.deepStrictEqual(
        rest.List?.map(({ ConvId }) => ConvId),
        ["g3", "g4"]
      )
      assert.strictEqual(rest.TotalCount, 3)
      assert.strictEqual(yield* codeOf({ FromUserId: "new" }), 660500002)
      yield* emulator.world.update(World.register(UserId.make("new")))
      assert.strictEqual(yield* codeOf({ FromUserId: "new" }), 0)
      yield* emulator.world.set(worldOf({ other: [] }))
      assert.strictEqual(yield* codeOf({ FromUserId: "u" }), 660500002)
    }).pipe(provide({ u: groups(4) }))
  )
})

describe("what is in an answer", () => {
  const peers = Array.from({ length: 100 }, (_, i) => ({ ConvId: `peer-${i}`, ConvType: 0, UpdateTime: i }))

  it.effect("the type is left out for some one-to-one conversations, always the same, and for no group", () =>
    Effect.gen(function* () {
      const { List } = yield* page({ FromUserId: "u", Limit: 500 })
      const untyped = (List ?? []).filter((entry) => !("ConvType" in entry))
      assert.isAbove(untyped.length, 20)
      assert.isBelow(untyped.length, 80)
      for (const { ConvId } of untyped) assert.match(ConvId, /^peer-/)
      const again = yield* page({ FromUserId: "twin", Limit: 500 })
      assert.deepStrictEqual(again.List, List)
    }).pipe(provide({ u: [...peers, ...groups(100)], twin: [...groups(100).toReversed(), ...peers] }))
  )

  it.effect("types that nobody documented pass through", () =>
    Effect.gen(function* () {
      const { List } = yield* page({ FromUserId: "u" })
      assert.deepStrictEqual(
        List?.map(({ ConvType }) => ConvType),
        [1, 3]
      )
    }).pipe(
      provide({
        u: [
          { ConvId: "room", ConvType: 1, UpdateTime: 1 },
          { ConvId: "community", ConvType: 3, UpdateTime: 2 }
        ]
      })
    )
  )

  it.effect.each([
    [{}, 1200, `"TotalCount":0,"Next":0,"List":[]`],
    [{ emptyList: "Null", totalCount: "Capped" }, 1000, `"TotalCount":0,"Next":0,"List":null`],
    [{ emptyList: "Absent", totalCount: "Absent" }, undefined, `"Next":0`]
  ] as const)("where the documentation is silent: %j", ([reading, total, empty]) =>
    Effect.gen(function* () {
      assert.strictEqual((yield* page({ FromUserId: "u" })).TotalCount, total)
      assert.include(textOf(yield* send(yield* parts({ FromUserId: "none" }))), `,${empty}}`)
    }).pipe(provide({ u: groups(1200), none: [] }, reading))
  )
})

import { Conversations, RetryPolicy } from "@effect-zim/client"
import { Emulator, Fault, ServiceQuota, World } from "@effect-zim/emulator"
import { Conversation } from "@effect-zim/protocol"
import { assert, describe, it } from "@effect/vitest"
import * as Arbitrary from "effect/Arbitrary"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as Emulated from "./emulated.ts"
import * as FakeService from "./fakeService.ts"

const { entry, page } = FakeService

const between = (minimum: number, maximum: number) => Schema.Int.check(Schema.isBetween({ minimum, maximum }))

const snapshotOf = (...pages: ReadonlyArray<FakeService.Reply>) =>
  Effect.provide(Conversations.snapshot("user-42"), FakeService.clientOf(FakeService.answering(...pages).layer))

const shown = (snapshot: Conversations.Snapshot) =>
  snapshot.conversations.map(({ id, typeCode, updatedAtMillis }) => `${typeCode}:${id}@${updatedAtMillis}`)

describe("snapshot", () => {
  it.effect("of an empty list", () =>
    Effect.gen(function* () {
      for (const reply of [
        page([]),
        FakeService.envelope({ Next: 0, List: null, TotalCount: 0 }),
        FakeService.envelope({ Next: 0, TotalCount: null }),
        FakeService.envelope({ Next: 0 })
      ]) {
        const snapshot = yield* snapshotOf(reply)
        assert.deepStrictEqual(snapshot, { userId: "user-42", conversations: [], verdict: "Complete" })
      }
    })
  )

  it.effect("keeps the newest of what came twice, and sorts by time", () =>
    Effect.gen(function* () {
      const snapshot = yield* snapshotOf(
        page([entry("a", 10), entry("b", 30), entry("c", 20)], 1, 4),
        page([entry("a", 40), entry("b", 5), entry("d", 20)], 0, 4)
      )
      assert.deepStrictEqual(shown(snapshot), ["2:c@20", "2:d@20", "2:b@30", "2:a@40"])
      assert.strictEqual(snapshot.verdict, "ChangedWhileReading")
    })
  )

  it.effect("tells a peer from a group of the same id, and takes a type left out for one-to-one", () =>
    Effect.gen(function* () {
      const snapshot = yield* snapshotOf(
        page([entry("a", 1, 2), entry("a", 2, "absent"), entry("a", 3, 3)], 1, 3),
        page([entry("a", 4, 0)], 0, 3)
      )
      assert.deepStrictEqual(shown(snapshot), ["2:a@1", "3:a@3", "0:a@4"])
      assert.strictEqual(snapshot.verdict, "ChangedWhileReading")
    })
  )

  it.effect.each([
    ["one page", "Complete", [[["a", "b"], 2]]],
    [
      "two pages",
      "Complete",
      [
        [["a"], 2],
        [["b"], 2]
      ]
    ],
    [
      "no counts",
      "Complete",
      [
        [["a"], undefined],
        [["b"], undefined]
      ]
    ],
    [
      "a count on one page only",
      "Complete",
      [
        [["a"], undefined],
        [["b"], 2]
      ]
    ],
    [
      "fewer than counted",
      "ChangedWhileReading",
      [
        [["a"], 3],
        [["b"], 3]
      ]
    ],
    [
      "more than counted",
      "ChangedWhileReading",
      [
        [["a"], 1],
        [["b"], 1]
      ]
    ],
    [
      "a count that changes",
      "ChangedWhileReading",
      [
        [["a"], 2],
        [["b"], 1]
      ]
    ],
    [
      "a count that changes and fits in the end",
      "ChangedWhileReading",
      [
        [["a"], 1],
        [["b"], 2]
      ]
    ],
    [
      "an entry twice",
      "ChangedWhileReading",
      [
        [["a"], 1],
        [["a"], 1]
      ]
    ],
    [
      "an entry twice, no counts",
      "ChangedWhileReading",
      [
        [["a"], undefined],
        [["a", "b"], undefined]
      ]
    ]
  ] as ReadonlyArray<
    readonly [string, Conversations.Verdict, ReadonlyArray<readonly [ReadonlyArray<string>, number | undefined]>]
  >)("verdict: %s is %s", ([, verdict, pages]) =>
    Effect.gen(function* () {
      const replies = pages.map(([ids, total], i) =>
        FakeService.envelope({
          Next: i === pages.length - 1 ? 0 : i + 1,
          List: ids.map((id, j) => entry(id, i * 10 + j)),
          ...(total === undefined ? {} : { TotalCount: total })
        })
      )
      assert.strictEqual((yield* snapshotOf(...replies)).verdict, verdict)
    })
  )

  it.effect.each([
    [999, "All", "Complete"],
    [1000, "All", "AtCap"],
    [1000, "Absent", "AtCap"],
    [1001, "All", "AtCap"],
    [1001, "Capped", "AtCap"],
    [1001, "Absent", "AtCap"],
    [2500, "All", "AtCap"]
  ] as const)("verdict: %i conversations, counted %s, is %s", ([length, totalCount, verdict]) =>
    Effect.gen(function* () {
      const list = FakeService.entries(length)
      const emulated = Emulated.make({ world: Emulated.worldOf(list), reading: { totalCount } })
      const snapshot = yield* Effect.provide(Conversations.snapshot("user-42"), emulated.layer)
      assert.strictEqual(snapshot.verdict, verdict)
      Emulated.assertLatest(snapshot.conversations, list)
      Emulated.assertAscending(snapshot.conversations)
      assert.strictEqual(emulated.sent.length, 2)
    })
  )

  // ---- the list changes while it is read ----

  const Change = Schema.Struct({
    kind: Schema.Literals(["NewMessage", "NewConversation", "Removed"]),
    /** When, in milliseconds: every call takes a second. */
    at: between(0, 6000),
    which: between(0, 24)
  })

  it.effect.prop(
    "what did not change is there, once and as it is; and a complete one is the list as it was at some moment",
    {
      length: between(0, 25),
      pageSize: between(1, 12),
      order: Schema.Literals(["AcrossPages", "WithinPages"]),
      changes: Arbitrary.array(Arbitrary.schema(Change), { maxLength: 5 })
    },
    ({ changes, length, order, pageSize }) =>
      Effect.gen(function* () {
        const list = FakeService.entries(length)
        const emulated = Emulated.make({
          world: Emulated.worldOf(list),
          reading: { order },
          faults: [Fault.latency("1 second")]
        })
        const touched = new Set<string>()
        const moments: Array<ReadonlyArray<Conversation.Wire>> = [list]
        const snapshot = yield* Effect.gen(function* () {
          const { world } = yield* Emulator.Emulator
          const change = ({ at, kind, which }: typeof Change.Type, index: number) =>
            Effect.gen(function* () {
              yield* Effect.sleep(at)
              const time = 1_800_000_000_000 + at * 10 + index
              const known = list[which]
              const changed = kind === "NewConversation" || known === undefined ? entry(`new${index}`, time) : known
              touched.add(Conversation.key(new Conversation.Conversation(changed)))
              yield* world.update(
                kind === "Removed"
                  ? World.removeConversation(changed)
                  : World.putConversation("user-42", { ...changed, UpdateTime: time })
              )
              moments.push((yield* world.get).users[0]?.conversations ?? [])
            })
          const [snapshot] = yield* Effect.all(
            [Conversations.snapshot("user-42", { pageSize }), ...changes.map(change)],
            { concurrency: "unbounded" }
          )
          return snapshot
        }).pipe(Effect.provide(emulated.layer), FakeService.inTime({ step: 60_000 }))

        Emulated.assertAscending(snapshot.conversations)
        const keys = snapshot.conversations.map(Conversation.key)
        assert.strictEqual(new Set(keys).size, keys.length)
        const states = (entries: ReadonlyArray<Conversation.Wire>) =>
          entries
            .map((wire) => new Conversation.Conversation(wire))
            .map((it) => `${Conversation.key(it)}@${it.updatedAtMillis}`)
        const read = new Set(states(snapshot.conversations.map(({ raw }) => raw)))
        // Nothing is made up, and whoever was left alone is there.
        const everything = new Set(moments.flatMap(states))
        for (const state of read) assert.isTrue(everything.has(state), state)
        for (const wire of list) {
          const conversation = new Conversation.Conversation(wire)
          if (!touched.has(Conversation.key(conversation))) assert.isTrue(read.has(states([wire])[0] ?? ""))
        }
        if (touched.size === 0) assert.strictEqual(snapshot.verdict, "Complete")
        if (snapshot.verdict === "Complete") {
          const isMoment = moments.some(
            (moment) => moment.length === read.size && states(moment).every((state) => read.has(state))
          )
          assert.isTrue(isMoment, "complete, but the list was never like that")
        }
      }),
    { arbitrary: { seed: 41, runs: 400 } }
  )

  it.effect("notices what a new message does to the list while it is read", () =>
    Effect.gen(function* () {
      const emulated = Emulated.make({
        world: Emulated.worldOf(FakeService.entries(20)),
        faults: [Fault.latency("1 second")],
        quota: ServiceQuota.unlimited
      })
      const snapshot = yield* Effect.gen(function* () {
        const { world } = yield* Emulator.Emulator
        const message = World.putConversation("user-42", entry("c0", 1_800_000_000_000, "absent"))
        const later = Effect.delay(world.update(message), "1500 millis")
        return (yield* Effect.all([Conversations.snapshot("user-42", { pageSize: 5 }), later], { concurrency: 2 }))[0]
      }).pipe(Effect.provide(emulated.layer), FakeService.inTime())
      assert.strictEqual(snapshot.verdict, "ChangedWhileReading")
      assert.strictEqual(snapshot.conversations.length, 20)
      assert.strictEqual(snapshot.conversations.at(-1)?.id, "c0")
      assert.strictEqual(snapshot.conversations.at(-1)?.updatedAtMillis, 1_800_000_000_000)
    })
  )

  it.effect("fails where reading fails", () =>
    Effect.gen(function* () {
      const error = yield* snapshotOf(page([entry("a", 1)], 1, 2), FakeService.code(660500002)).pipe(
        RetryPolicy.provide(RetryPolicy.none),
        Effect.flip
      )
      assert.strictEqual(error._tag, "UserNotRegistered")
    })
  )
})

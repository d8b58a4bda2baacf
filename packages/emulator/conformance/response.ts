/** Section 1 of the contract: the answer, and the list. */
import { Fault } from "@effect-zim/emulator"
import { UserId } from "@effect-zim/protocol"
import { Effect, Schema } from "effect"
import { deepStrictEqual, equal, match, ok } from "node:assert/strict"
import { ask, Envelope, me, page, pages, someone, steer } from "./Call.ts"
import { fact, idOf, open } from "./Case.ts"
import { Target } from "./Target.ts"

const isAscending = (times: ReadonlyArray<number>) => times.every((time, i) => i === 0 || (times[i - 1] ?? 0) <= time)

const decodeEnvelope = Schema.decodeUnknownEffect(Envelope)

/** A success and an error, each with its three fields. */
const bothAnswers = Effect.gen(function* () {
  const answers = [yield* ask(yield* me), yield* ask({})]
  return yield* Effect.forEach(answers, ({ json }) => decodeEnvelope(json))
})

export const response = [
  fact(
    "top-level",
    "HTTP 200 with these fields at top level.",
    Effect.gen(function* () {
      const { userId: FromUserId } = yield* someone(1)
      const { json, status } = yield* ask({ FromUserId })
      equal(status, 200)
      const missing = ["Code", "Message", "RequestId", "Next", "TotalCount", "List"].filter((name) => !(name in json))
      deepStrictEqual(missing, [])
    })
  ),
  fact(
    "code",
    "Always there. 0 is success, anything else is a return code",
    Effect.map(bothAnswers, (answers) =>
      deepStrictEqual(
        answers.map(({ Code }) => Code),
        [0, 660000002]
      )
    )
  ),
  fact(
    "message",
    "Always there. Says in words what the code says.",
    Effect.map(bothAnswers, (answers) => equal(new Set(answers.map(({ Message }) => Message)).size, 2))
  ),
  fact(
    "request-id",
    "Always there. Give it to the vendor's support.",
    Effect.map(bothAnswers, (answers) => equal(new Set(answers.map(({ RequestId }) => RequestId)).size, 2))
  ),
  fact(
    "next-zero",
    "0: this page completes the list. Anything else: there is more, send it back.",
    Effect.gen(function* () {
      const { length, userId } = yield* someone(4)
      const all = yield* pages(userId, Math.max(2, Math.ceil(length / 4)))
      ok(all.length > 1)
      equal(new Set(all.flatMap(({ entries }) => entries.map(idOf))).size, length)
    })
  ),
  open(
    "next-large",
    "May be larger than 2^53",
    true,
    Effect.gen(function* () {
      const { emulator } = yield* Target
      // Of sixteen cursors none would be large once in 65,000 times.
      const { userId } = yield* someone(emulator._tag === "Some" ? 250 : 3)
      const all = emulator._tag === "Some" ? yield* pages(userId, 15) : [yield* page({ FromUserId: userId, Limit: 2 })]
      return all.some(({ next }) => BigInt(next) > 2n ** 53n && BigInt(next) % 2n === 1n)
    })
  ),
  fact(
    "next-always",
    "`Next`: missing in a success",
    Effect.gen(function* () {
      const { userId } = yield* someone(0)
      match((yield* ask({ FromUserId: userId })).next ?? "", /^[0-9]+$/)
    })
  ),
  fact(
    "next-cycle",
    "Only as a fault: `Fault.cyclingCursor`.",
    Effect.gen(function* () {
      const emulator = yield* steer
      yield* emulator.faults.set([Fault.cyclingCursor(2)])
      const cursors: Array<string> = []
      for (let Next = "0"; cursors.length < 5;) {
        Next = (yield* page({ FromUserId: "few", Limit: 1, Next })).next
        cursors.push(Next)
      }
      ok(new Set(cursors).size < cursors.length)
    })
  ),
  fact(
    "total-count",
    "How many conversations the user has.",
    Effect.gen(function* () {
      const { length, userId: FromUserId } = yield* someone(0)
      const { total } = yield* page({ FromUserId })
      ok(total === length || (length === 1000 && total !== undefined && total > 1000), `${total}, not ${length}`)
    })
  ),
  open(
    "total-count-capped",
    "Whether it stops at 1000.",
    { All: 1200, Capped: 1000, Absent: undefined },
    Effect.gen(function* () {
      const { emulator } = yield* Target
      const { userId: FromUserId } = yield* someone(1000)
      if (emulator._tag === "None") return (yield* page({ FromUserId })).total
      const read = Effect.fnUntraced(function* (totalCount: "All" | "Capped" | "Absent") {
        yield* emulator.value.reading.update((reading) => ({ ...reading, totalCount }))
        return (yield* page({ FromUserId })).total
      })
      return { All: yield* read("All"), Capped: yield* read("Capped"), Absent: yield* read("Absent") }
    })
  ),
  fact(
    "list-order",
    "The conversations of the page, oldest change first.",
    Effect.gen(function* () {
      const { userId: FromUserId } = yield* someone(2)
      ok(isAscending((yield* page({ FromUserId, Limit: 500 })).entries.map(({ UpdateTime }) => UpdateTime)))
    })
  ),
  open(
    "list-order-pages",
    "Whether that order holds from page to page, or only inside a page.",
    { AcrossPages: true, WithinPages: false },
    Effect.gen(function* () {
      const { emulator } = yield* Target
      const { userId } = yield* someone(4)
      const holds = Effect.map(pages(userId, 2), (all) =>
        isAscending(all.flatMap(({ entries }) => entries.map(({ UpdateTime }) => UpdateTime)))
      )
      if (emulator._tag === "None") return yield* holds
      const { reading } = emulator.value
      const across = yield* holds
      yield* reading.update((now) => ({ ...now, order: "WithinPages" as const }))
      return { AcrossPages: across, WithinPages: yield* holds }
    })
  ),
  fact(
    "list-empty",
    "How an empty list looks: `[]`, `null`, or no field.",
    Effect.gen(function* () {
      const emulator = yield* steer
      const looks = Effect.fnUntraced(function* (emptyList: "Empty" | "Null" | "Absent") {
        yield* emulator.reading.update((reading) => ({ ...reading, emptyList }))
        return /"List":(\[\]|null)/.exec((yield* ask({ FromUserId: "nothing" })).text)?.[1]
      })
      equal(yield* looks("Empty"), "[]")
      equal(yield* looks("Null"), "null")
      equal(yield* looks("Absent"), undefined)
    })
  ),
  fact(
    "conv-id",
    "The other user's id, or the group's id.",
    Effect.gen(function* () {
      const { userId: FromUserId } = yield* someone(1)
      for (const { ConvId } of (yield* page({ FromUserId })).entries) ok(ConvId.length > 0)
    })
  ),
  fact(
    "conv-type",
    "Absent or 0: one-to-one. 2: group.",
    Effect.gen(function* () {
      yield* steer
      const types = (yield* page({ FromUserId: "few" })).entries.map(({ ConvId, ConvType }) => [ConvId, ConvType ?? 0])
      deepStrictEqual(types, [
        ["user-1", 0],
        ["user-2", 0],
        ["user-3", 0],
        ["group-4", 2],
        ["group-5", 2]
      ])
      const { text } = yield* page({ FromUserId: "few" })
      // The same answer twice; the field is left out somewhere, and not everywhere.
      equal(text.match(/"ConvType"/g)?.length, (yield* page({ FromUserId: "few" })).text.match(/"ConvType"/g)?.length)
      ok((text.match(/"ConvType"/g)?.length ?? 0) < 5)
    })
  ),
  fact(
    "conv-type-other",
    "Other numbers may come: the client SDK also knows rooms (1) and channels (3).",
    Effect.gen(function* () {
      yield* steer
      const { entries } = yield* page({ FromUserId: "other-types" })
      deepStrictEqual(
        entries.map(({ ConvType }) => ConvType ?? 0),
        [0, 1, 2, 3]
      )
    })
  ),
  fact(
    "update-time",
    "When the conversation last changed, in milliseconds since the epoch.",
    Effect.gen(function* () {
      const { userId: FromUserId } = yield* someone(1)
      for (const { UpdateTime } of (yield* page({ FromUserId })).entries) {
        ok(UpdateTime > Date.UTC(2010) && UpdateTime < Date.now() + 86_400_000, String(UpdateTime))
      }
    })
  ),
  open(
    "no-other-fields",
    "Fields nobody documented",
    [],
    Effect.gen(function* () {
      const { userId: FromUserId } = yield* someone(1)
      const known = new Set([
        "Code",
        "Message",
        "RequestId",
        "Next",
        "TotalCount",
        "List",
        "ConvId",
        "ConvType",
        "UpdateTime"
      ])
      const { text } = yield* ask({ FromUserId })
      const names = Array.from(text.matchAll(/"(\w+)"\s*:/g), ([, name = ""]) => name)
      return [...new Set(names)].filter((name) => !known.has(name))
    })
  )
]

const idsOf = (userId: string, limit = 500) =>
  Effect.map(pages(userId, limit), (all) => all.flatMap(({ entries }) => entries.map(({ ConvId }) => ConvId)))

export const list = [
  fact(
    "latest-1000",
    "Only the latest 1000 conversations are in reach.",
    Effect.gen(function* () {
      const { userId } = yield* someone(1000)
      const ids = yield* idsOf(userId)
      equal(ids.length, 1000)
      const { emulator } = yield* Target
      if (emulator._tag === "Some") deepStrictEqual([ids[0], ids.at(-1)], ["group-201", "group-1200"])
    })
  ),
  fact(
    "kicked",
    "A user who was removed from a group keeps the conversation",
    Effect.gen(function* () {
      const { change } = yield* steer
      yield* change({ type: "createGroup", group: "team", members: ["few", "some"] })
      yield* change({ type: "kick", group: "team", userId: "few" })
      ok((yield* idsOf("few")).includes("team"))
    })
  ),
  fact(
    "disbanded",
    "a disbanded group's conversation disappears.",
    Effect.gen(function* () {
      const { change } = yield* steer
      yield* change({ type: "createGroup", group: "team", members: ["few", "some"] })
      ok((yield* idsOf("few")).includes("team"))
      yield* change({ type: "disband", group: "team" })
      ok(!(yield* idsOf("few")).includes("team"))
    })
  ),
  fact(
    "list-changes",
    "The list can change while it is read. Then an entry may come twice, or be missed, between two pages.",
    Effect.gen(function* () {
      const { change } = yield* steer
      const first = yield* page({ FromUserId: "few", Limit: 3 })
      equal(first.entries[0]?.ConvId, "user-1")
      // It moves to the end, and so comes again; the fourth disappears before it was read.
      yield* change({ type: "message", from: "few", to: UserId.make("user-1") })
      yield* change({ type: "disband", group: "group-4" })
      const rest = yield* page({ FromUserId: "few", Limit: 3, Next: first.next })
      deepStrictEqual(
        rest.entries.map(({ ConvId }) => ConvId),
        ["group-5", "user-1"]
      )
      equal(rest.next, "0")
    })
  ),
  fact(
    "three-calls",
    "A list of 250 conversations, read with a `Limit` of 100, takes three calls.",
    Effect.gen(function* () {
      yield* steer
      const all = yield* pages("some", 100)
      deepStrictEqual(
        all.map(({ entries }) => [entries[0]?.ConvId, entries.at(-1)?.ConvId]),
        [
          ["group-1", "group-100"],
          ["group-101", "group-200"],
          ["group-201", "group-250"]
        ]
      )
      deepStrictEqual(
        all.map(({ next }) => next === "0"),
        [false, false, true]
      )
    })
  )
]

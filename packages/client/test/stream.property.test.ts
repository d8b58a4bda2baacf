import { ClientError, Conversations, RetryPolicy, Timeout } from "@effect-zim/client"
import { Emulator, Fault, Journal, ServiceQuota } from "@effect-zim/emulator"
import type { Conversation } from "@effect-zim/protocol"
import { assert, describe, it } from "@effect/vitest"
import * as Arbitrary from "effect/Arbitrary"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/testing/TestClock"
import * as Emulated from "./emulated.ts"
import * as FakeService from "./fakeService.ts"

const between = (minimum: number, maximum: number) => Schema.Int.check(Schema.isBetween({ minimum, maximum }))

// ---- worlds ----

const Entry = Schema.Struct({
  type: Schema.Literals(["absent", 0, 1, 2, 3, 99]),
  // Few times, so that many entries share one.
  time: between(1_700_000_000_000, 1_700_000_000_020)
})
const smallList = Arbitrary.map(
  Arbitrary.array(Arbitrary.schema(Entry), { maxLength: 40 }),
  (entries): ReadonlyArray<Conversation.Wire> => {
    // Every third shares its id with the one before: the type tells them apart.
    const list = entries.map(({ time, type }, i) => FakeService.entry(`c${i - (i % 3 === 2 ? 1 : 0)}`, time, type))
    return [...new Map(list.map((wire) => [`${wire.ConvType ?? 0}:${wire.ConvId}`, wire])).values()]
  }
)

const reading = Schema.Struct({
  emptyList: Schema.Literals(["Empty", "Null", "Absent"]),
  totalCount: Schema.Literals(["All", "Capped", "Absent"]),
  order: Schema.Literals(["AcrossPages", "AcrossPages", "WithinPages"]),
  nonceReuse: Schema.Literals(["Accept", "Reject"])
})

// ---- what goes wrong on the way, and passes ----

const troubles = {
  rateLimited: Fault.returnCode(660300005),
  throttled: Fault.returnCode(7),
  busy: Fault.returnCode(1),
  general: Fault.returnCode(660000001),
  processing: Fault.returnCode(660000003),
  queryFailed: Fault.returnCode(660800053),
  database: Fault.returnCode(105001),
  gateway: Fault.returnCode(100000015),
  reset: Fault.connectionReset,
  answerLost: Fault.answerLost,
  truncated: Fault.truncatedBody,
  hang: Fault.hang,
  hangingBody: Fault.hangingBody,
  html429: Fault.httpStatus(429),
  html502: Fault.httpStatus(502),
  html503: Fault.httpStatus(503),
  later: Fault.retryAfter("7 seconds"),
  closed: Fault.retryAfter("20 seconds", { status: 503, as: "date" }),
  notJson: Fault.notJson,
  empty: Fault.emptyBody,
  slow: Fault.latency("9 seconds"),
  tooSlow: Fault.latency("11 seconds"),
  slowBody: Fault.slowBody({ bytes: 1, every: "200 millis" }),
  contentType: Fault.wrongContentType
}
const Trouble = Schema.Literals([
  "none",
  "rateLimited",
  "throttled",
  "busy",
  "general",
  "processing",
  "queryFailed",
  "database",
  "gateway",
  "reset",
  "answerLost",
  "truncated",
  "hang",
  "hangingBody",
  "html429",
  "html502",
  "html503",
  "later",
  "closed",
  "notJson",
  "empty",
  "slow",
  "tooSlow",
  "slowBody",
  "contentType"
])

/** Trouble for the first calls, one after the other; then there is none. */
const faultsOf = (names: ReadonlyArray<typeof Trouble.Type>): ReadonlyArray<Fault.Fault> =>
  names.flatMap((name, i) => (name === "none" ? [] : [Fault.when(troubles[name], Fault.nth(i + 1))]))

/** Patient beyond any trouble here. */
const endless = RetryPolicy.backoff({ base: "500 millis", cap: "30 seconds" })
const patient = <A, E, R>(self: Effect.Effect<A, E, R>) =>
  self.pipe(
    RetryPolicy.provide({
      ...RetryPolicy.patient,
      rateLimit: endless,
      transient: endless,
      bounded: endless,
      transport: endless
    }),
    Effect.provideService(Timeout.Deadline, Duration.hours(2))
  )

/** Any time: signatures carry it. */
const anyTime = between(1_500_000_000_000, 2_000_000_000_000)

const inTime = { limit: 24 * 3_600_000, step: 60_000 }

interface Case {
  readonly list: ReadonlyArray<Conversation.Wire>
  readonly reading: typeof reading.Type
  readonly trouble: ReadonlyArray<typeof Trouble.Type>
  readonly pageSize: number
  readonly now: number
}

/** The property: complete, exactly once, in order, freshly signed, within the quota. */
const holds = Effect.fnUntraced(function* ({ list, now, pageSize, reading, trouble }: Case) {
  yield* TestClock.setTime(now)
  const emulated = Emulated.make({ world: Emulated.worldOf(list), faults: faultsOf(trouble), reading, seed: now })
  const [read, entries] = yield* Effect.gen(function* () {
    const { journal } = yield* Emulator.Emulator
    const read = yield* patient(Stream.runCollect(Conversations.stream("user-42", { pageSize })))
    return [read, yield* journal.entries] as const
  }).pipe(Effect.provide(emulated.layer), FakeService.inTime(inTime))

  Emulated.assertLatest(read, list)
  if (reading.order === "AcrossPages") Emulated.assertAscending(read)
  Emulated.assertFreshlySigned(emulated.sent)
  assert.strictEqual(entries.length, emulated.sent.length)
  assert.strictEqual(Journal.nonceReuses(entries), 0)
  for (const { signatureAge, faults, code } of entries) {
    assert.isTrue(signatureAge === undefined || (signatureAge >= 0 && signatureAge < 2), `${signatureAge} s old`)
    assert.isTrue(signatureAge !== undefined || code === undefined)
    if (code === 660300005) assert.deepStrictEqual(faults, ["returnCode 660300005"], "over the quota")
  }
  for (const { limit } of entries) assert.isTrue(limit !== undefined && limit >= 1 && limit <= 500)
  // One call per page, and one more for each trouble that a call met.
  const size = pageSize <= 0 ? 100 : Math.min(pageSize, 500)
  const pages = Math.max(1, Math.ceil(Math.min(list.length, 1000) / size))
  assert.isAtMost(entries.length, pages + trouble.length)
})

describe("stream", () => {
  it.effect.prop(
    "yields the latest conversations exactly once, in order, through any trouble that ends",
    {
      list: smallList,
      reading,
      trouble: Arbitrary.array(Arbitrary.schema(Trouble), { maxLength: 12 }),
      pageSize: between(-3, 45),
      now: anyTime
    },
    holds,
    { arbitrary: { seed: 11, runs: 200 } }
  )

  it.effect.prop(
    "the same with lists around and beyond 1000, and any page size",
    {
      length: Schema.Union([between(0, 2500), Schema.Literals([499, 500, 501, 999, 1000, 1001, 1500])]),
      reading,
      trouble: Arbitrary.array(Arbitrary.schema(Trouble), { maxLength: 6 }),
      pageSize: Schema.Union([Schema.Int, between(1, 600), Schema.Literals([0, -1, 1, 7, 499, 500, 501])]),
      now: anyTime
    },
    ({ length, ...rest }) =>
      holds({
        ...rest,
        list: Array.from({ length }, (_, i) =>
          FakeService.entry(`c${i}`, 1_700_000_000_000 + Math.floor((i * 7919) % 1009), i % 3 === 0 ? "absent" : 2)
        )
      }),
    { arbitrary: { seed: 12, runs: 40 } }
  )

  it.effect.prop(
    "resumes from the cursor of every page with exactly the rest",
    { list: smallList, reading, pageSize: between(1, 15) },
    ({ list, pageSize, reading }) =>
      Effect.gen(function* () {
        const emulated = Emulated.make({ world: Emulated.worldOf(list), reading, quota: ServiceQuota.unlimited })
        yield* Effect.gen(function* () {
          const pages = yield* Stream.runCollect(Conversations.pages("user-42", { pageSize }))
          const rest = (from: number) => pages.slice(from).flatMap((page) => page.conversations)
          assert.isTrue(pages.every((page, i) => Option.isNone(page.next) === (i === pages.length - 1)))
          Emulated.assertLatest(rest(0), list)
          for (const [i, { next }] of pages.entries()) {
            if (Option.isNone(next)) continue
            const stream = Conversations.stream("user-42", { pageSize, from: next.value })
            assert.deepStrictEqual(
              (yield* Stream.runCollect(stream)).map(({ raw }) => raw),
              rest(i + 1).map(({ raw }) => raw)
            )
          }
        }).pipe(Effect.provide(emulated.layer), FakeService.inTime(inTime))
      }),
    { arbitrary: { seed: 13, runs: 60 } }
  )

  it.effect.prop(
    "takes pages of any length, empty ones in mid-list too, and stops at the end only",
    [Arbitrary.array(Arbitrary.schema(between(0, 4)), { minLength: 1, maxLength: 12 }), between(1, 500)],
    ([lengths, pageSize]) =>
      Effect.gen(function* () {
        const total = lengths.reduce((sum, length) => sum + length, 0)
        const all = FakeService.entries(total)
        const pages = lengths.map((length, i) => {
          const start = lengths.slice(0, i).reduce((sum, length) => sum + length, 0)
          const next = i === lengths.length - 1 ? 0 : 2n ** 62n + BigInt(i)
          return FakeService.page(all.slice(start, start + length), next, total)
        })
        const service = FakeService.answering(...pages)
        const read = yield* Stream.runCollect(Conversations.stream("user-42", { pageSize })).pipe(
          Effect.provide(FakeService.clientOf(service.layer))
        )
        assert.deepStrictEqual(
          read.map(({ raw }) => raw),
          all
        )
        assert.strictEqual(service.sent.length, lengths.length)
        for (const sent of service.sent) assert.strictEqual(FakeService.asked(sent).Limit, pageSize)
      }),
    { arbitrary: { seed: 14, runs: 100 } }
  )

  it.effect.prop(
    "asks for no page before it is needed",
    [between(1, 60), between(1, 20)],
    ([wanted, pageSize]) =>
      Effect.gen(function* () {
        const service = FakeService.make(FakeService.serving(FakeService.entries(60)))
        const read = yield* Conversations.stream("user-42", { pageSize }).pipe(
          Stream.take(wanted),
          Stream.runCollect,
          Effect.provide(FakeService.clientOf(service.layer)),
          FakeService.inTime()
        )
        assert.strictEqual(read.length, wanted)
        assert.strictEqual(service.sent.length, Math.ceil(wanted / pageSize))
      }),
    { arbitrary: { seed: 15, runs: 50 } }
  )

  it.effect("asks for 500 at a time unless told otherwise", () =>
    Effect.gen(function* () {
      const service = FakeService.make(FakeService.serving(FakeService.entries(1000)))
      const read = yield* Stream.runCollect(Conversations.stream("user-42")).pipe(
        Effect.provide(FakeService.clientOf(service.layer))
      )
      assert.strictEqual(read.length, 1000)
      assert.deepStrictEqual(
        service.sent.map((sent) => FakeService.asked(sent).Limit),
        [500, 500]
      )
    })
  )

  it.effect.each([1.5, 0.1, NaN, 499.9])("a page size of %d is refused before anything is sent", (pageSize) =>
    Effect.gen(function* () {
      const service = FakeService.answering(FakeService.page([]))
      const error = yield* Stream.runDrain(Conversations.stream("user-42", { pageSize })).pipe(
        Effect.flip,
        Effect.provide(FakeService.clientOf(service.layer))
      )
      assert.instanceOf(error, ClientError.RequestInvalid)
      assert.include(error.message, "pageSize")
      assert.strictEqual(service.sent.length, 0)
    })
  )

  it.effect.each([
    [Infinity, 500],
    [-Infinity, 100],
    [2 ** 60, 500],
    [-0, 100]
  ] as const)("a page size of %d is corrected to %d", ([pageSize, limit]) =>
    Effect.gen(function* () {
      const service = FakeService.answering(FakeService.page([]))
      yield* Effect.provide(Conversations.page("user-42", { pageSize }), FakeService.clientOf(service.layer))
      assert.deepStrictEqual(
        service.sent.map((sent) => FakeService.asked(sent).Limit),
        [limit]
      )
    })
  )

  it.effect("a stream run twice reads twice, from the beginning", () =>
    Effect.gen(function* () {
      const service = FakeService.make(FakeService.serving(FakeService.entries(7)))
      const stream = Conversations.stream("user-42", { pageSize: 3 })
      const [first, second] = yield* Effect.all([Stream.runCollect(stream), Stream.runCollect(stream)]).pipe(
        Effect.provide(FakeService.clientOf(service.layer))
      )
      assert.deepStrictEqual(
        first.map(({ raw }) => raw),
        second.map(({ raw }) => raw)
      )
      assert.strictEqual(service.sent.length, 6)
    })
  )

  it.effect("a failure that stays comes after the pages before it, and they come once", () =>
    Effect.gen(function* () {
      const emulated = Emulated.make({
        world: Emulated.worldOf(FakeService.entries(30)),
        faults: [Fault.when(Fault.returnCode(660800053), Fault.page(3))]
      })
      const read: Array<string> = []
      const error = yield* Conversations.stream("user-42", { pageSize: 10 }).pipe(
        Stream.runForEach((conversation) => Effect.sync(() => void read.push(conversation.id))),
        Effect.flip,
        Effect.provide(emulated.layer),
        FakeService.inTime()
      )
      assert.strictEqual(error._tag, "QueryFailed")
      assert.deepStrictEqual(
        read,
        FakeService.entries(20).map(({ ConvId }) => ConvId)
      )
    })
  )
})

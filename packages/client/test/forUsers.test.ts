import { ClientError, Conversations, Quota, RetryPolicy } from "@effect-zim/client"
import { Emulator, Fault, Journal, World } from "@effect-zim/emulator"
import { ServiceError } from "@effect-zim/protocol"
import { assert, describe, it } from "@effect/vitest"
import * as Arbitrary from "effect/Arbitrary"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/testing/TestClock"
import * as Emulated from "./emulated.ts"
import * as FakeService from "./fakeService.ts"

const between = (minimum: number, maximum: number) => Schema.Int.check(Schema.isBetween({ minimum, maximum }))

/** A service that takes this long for each user, by the number in the user's id; knows how many it serves at a time. */
const slowService = (latencyOf: (user: number) => number) => {
  const load = { now: 0, most: 0 }
  const service = FakeService.make((sent) => {
    const id = FakeService.asked(sent).FromUserId
    return Effect.gen(function* () {
      load.now++
      load.most = Math.max(load.most, load.now)
      yield* Effect.sleep(latencyOf(Number(id.slice(5))))
      return FakeService.page([FakeService.entry(`of ${id}`, 1)])
    }).pipe(Effect.ensuring(Effect.sync(() => load.now--)))
  })
  return { service, load }
}

const users = (count: number) => Array.from({ length: count }, (_, i) => `user-${i}`)

describe("forUsers", () => {
  it.effect.prop(
    "gives each record of the caller's back, with what became of its user",
    { ids: Arbitrary.array(Arbitrary.schema(Schema.Literals(["user-1", "user-2", "it's nobody"])), { maxLength: 12 }) },
    ({ ids }) =>
      Effect.gen(function* () {
        const { service } = slowService(() => 10)
        const accounts = ids.map((chatId, row) => ({ row, chatId }))
        const results = yield* Conversations.forUsers(Stream.fromIterable(accounts), {
          userId: ({ chatId }) => chatId,
          ordered: true
        }).pipe(Stream.runCollect, Effect.provide(FakeService.clientOf(service.layer)), FakeService.inTime())
        assert.deepStrictEqual(
          results.map(({ user, userId }) => [user, userId]),
          accounts.map((account) => [account, account.chatId])
        )
        for (const { result, userId } of results) {
          if (Result.isSuccess(result)) assert.strictEqual(result.success.userId, userId)
          else assert.deepStrictEqual([userId, result.failure._tag], ["it's nobody", "RequestInvalid"])
        }
      }),
    { arbitrary: { seed: 52, runs: 30 } }
  )

  it.effect.prop(
    "yields one result for each user, whoever fails",
    {
      ids: Arbitrary.array(
        Arbitrary.schema(Schema.Literals(["user-1", "user-2", "user-3", "user-4", "stranger-1", "it's nobody", ""])),
        { maxLength: 25 }
      ),
      concurrency: between(1, 8),
      ordered: Schema.Boolean,
      pageSize: between(1, 500)
    },
    ({ concurrency, ids, ordered, pageSize }) =>
      Effect.gen(function* () {
        const generated = World.generate({ seed: 7, users: 4 })
        const world = { ...generated, apps: Emulated.worldOf([]).apps }
        const emulated = Emulated.make({ world, faults: [Fault.latencyBetween("10 millis", "900 millis")] })
        const results = yield* Stream.fromIterable(ids).pipe(
          Conversations.forUsers({ concurrency, ordered, pageSize }),
          Stream.runCollect,
          Effect.provide(emulated.layer),
          FakeService.inTime({ step: 60_000, limit: 3_600_000 })
        )
        const returned = results.map(({ userId }) => userId)
        assert.deepStrictEqual(ordered ? returned : returned.toSorted(), ordered ? ids : ids.toSorted())
        for (const { result, userId } of results) {
          if (Result.isSuccess(result)) {
            assert.strictEqual(result.success.userId, userId)
            const list = world.users.find((user) => user.userId === userId)?.conversations ?? assert.fail(userId)
            Emulated.assertLatest(result.success.conversations, list)
          } else if (userId === "stranger-1") {
            assert.instanceOf(result.failure, ServiceError.UserNotRegistered)
            assert.strictEqual(result.failure.userId, userId)
          } else {
            assert.include(["it's nobody", ""], userId)
            assert.instanceOf(result.failure, ClientError.RequestInvalid)
          }
        }
      }),
    { arbitrary: { seed: 51, runs: 60 } }
  )

  it.effect.each([
    [undefined, 16],
    [1, 1],
    [3, 3],
    [40, 20]
  ] as const)("with concurrency %s has at most %i requests under way", ([concurrency, expected]) =>
    Effect.gen(function* () {
      const { load, service } = slowService(() => 3000)
      const results = yield* Stream.fromIterable(users(50)).pipe(
        Conversations.forUsers(concurrency === undefined ? undefined : { concurrency }),
        Stream.runCollect,
        Effect.provide(FakeService.clientOf(service.layer)),
        FakeService.inTime()
      )
      assert.strictEqual(results.length, 50)
      assert.strictEqual(load.most, expected)
      assert.strictEqual(load.now, 0)
    })
  )

  it.effect("hands over results as they are done, or in order", () =>
    Effect.gen(function* () {
      for (const ordered of [false, true]) {
        const { service } = slowService((user) => 5000 - user * 1000)
        const results = yield* Stream.fromIterable(users(5)).pipe(
          Conversations.forUsers({ concurrency: 5, ordered }),
          Stream.runCollect,
          Effect.provide(FakeService.clientOf(service.layer)),
          FakeService.inTime()
        )
        const ids = results.map(({ userId }) => userId)
        assert.deepStrictEqual(ids, ordered ? users(5) : users(5).toReversed())
      }
    })
  )

  it.effect("ends with the error of the stream of users", () =>
    Effect.gen(function* () {
      const service = FakeService.answering(FakeService.page([]))
      const read: Array<string> = []
      const error = yield* Stream.concat(Stream.make("user-1"), Stream.fail("no more users")).pipe(
        Conversations.forUsers({ concurrency: 1 }),
        Stream.runForEach(({ userId }) => Effect.sync(() => void read.push(userId))),
        Effect.flip,
        Effect.provide(FakeService.clientOf(service.layer)),
        FakeService.inTime()
      )
      assert.strictEqual(error, "no more users")
    })
  )

  it.effect("of no users calls nobody", () =>
    Effect.gen(function* () {
      const service = FakeService.answering(FakeService.page([]))
      const results = yield* Stream.empty.pipe(
        Conversations.forUsers(),
        Stream.runCollect,
        Effect.provide(FakeService.clientOf(service.layer))
      )
      assert.deepStrictEqual(results, [])
      assert.strictEqual(service.sent.length, 0)
    })
  )

  it.effect("takes no more users than it is asked for", () =>
    Effect.gen(function* () {
      let taken = 0
      const { service } = slowService(() => 1000)
      const endless = Stream.fromEffectRepeat(Effect.sync(() => `user-${taken++}`)).pipe(Stream.rechunk(1))
      const results = yield* endless.pipe(
        Conversations.forUsers({ concurrency: 4 }),
        Stream.take(10),
        Stream.runCollect,
        Effect.provide(FakeService.clientOf(service.layer)),
        FakeService.inTime()
      )
      assert.strictEqual(results.length, 10)
      assert.isAtMost(taken, 40)
    })
  )

  it.effect("interrupted, aborts what is under way and gives all permits back", () =>
    Effect.gen(function* () {
      const service = FakeService.answering(() => Effect.never)
      const layer = FakeService.clientOf(service.layer).pipe(Layer.provideMerge(Quota.layer({ limit: 5 })))
      yield* Effect.gen(function* () {
        const fiber = yield* Stream.fromIterable(users(100)).pipe(
          Conversations.forUsers({ concurrency: 10 }),
          Stream.runDrain,
          Effect.forkChild({ startImmediately: true })
        )
        yield* TestClock.adjust("100 millis")
        assert.strictEqual(service.sent.length, 5)
        yield* Fiber.interrupt(fiber)
        for (const { signal } of service.sent) assert.isTrue(signal.aborted)
        const { state } = yield* Quota.Quota
        assert.deepStrictEqual(
          (yield* state).map(({ inUse, waiting }) => [inUse, waiting]),
          [[0, 0]]
        )
        yield* TestClock.adjust("10 minutes")
        assert.strictEqual(service.sent.length, 5)
      }).pipe(Effect.provide(layer))
    })
  )

  it.effect("uses up the quota and is never rejected", () =>
    Effect.gen(function* () {
      const world = World.make({
        apps: [FakeService.app],
        users: users(100).map((userId) => ({ userId, conversations: FakeService.entries(600) }))
      })
      const emulated = Emulated.make({ world, faults: [Fault.latency("40 millis")] })
      yield* Effect.gen(function* () {
        const { journal } = yield* Emulator.Emulator
        const results = yield* Stream.fromIterable(users(100)).pipe(Conversations.forUsers(), Stream.runCollect)
        assert.isTrue(results.every(({ result }) => Result.isSuccess(result)))
        const entries = yield* journal.entries
        assert.strictEqual(entries.length, 200)
        assert.isFalse(entries.some(Journal.isRateLimited))
        assert.strictEqual(Journal.peak(entries, "1 second"), 20)
        const seconds = ((entries.at(-1)?.time ?? 0) - (entries[0]?.time ?? 0)) / 1000
        assert.isBelow(seconds, 200 / 20 + 1)
        assert.strictEqual(Journal.nonceReuses(entries), 0)
      }).pipe(
        RetryPolicy.provide(RetryPolicy.none),
        Effect.provide(emulated.layer),
        FakeService.inTime({ step: 60_000 })
      )
    })
  )
})

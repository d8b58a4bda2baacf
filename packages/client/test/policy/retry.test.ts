/** Retries: fresh every time, spread at random, paid for out of one budget, and never multiplied. */
import {
  CircuitBreaker,
  ClientError,
  Conversations,
  Quota,
  RetryBudget,
  RetryPolicy,
  Timeout,
  ZimClient
} from "@effect-zim/client"
import { QueryConversationList } from "@effect-zim/protocol"
import { assert, describe, it } from "@effect/vitest"
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Random from "effect/Random"
import * as Schedule from "effect/Schedule"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/testing/TestClock"
import { setFlagsFromString } from "node:v8"
import { runInNewContext } from "node:vm"
import * as Emulated from "../emulated.ts"
import * as FakeService from "../fakeService.ts"
import { html, layer, onlyRetries, page, read, reset, times } from "./support.ts"

const busy = FakeService.code(1)
const transientTimes = (count: number): RetryPolicy.RetryPolicy => ({
  ...RetryPolicy.standard,
  transient: RetryPolicy.backoff({ base: "1 second", cap: "1 second", times: count })
})

const fixedRandom: typeof Random.Random.Service = { nextDoubleUnsafe: () => 0.5, nextIntUnsafe: () => 1 }

describe("a call in detail", () => {
  it.effect("says which answer it was, how many requests it sent, and how long it took", () =>
    Effect.gen(function* () {
      const service = FakeService.answering(busy, busy, FakeService.page(FakeService.entries(2)))
      const detailed = yield* ZimClient.executeDetailed(QueryConversationList.operation, { userId: "user-42" }).pipe(
        RetryPolicy.provide(transientTimes(4)),
        Effect.provideService(Random.Random, fixedRandom),
        Effect.provide(layer(service, onlyRetries())),
        FakeService.inTime({ step: 100 })
      )
      assert.strictEqual(detailed.value.conversations.length, 2)
      assert.strictEqual(detailed.requestId, "343649807833778782")
      assert.strictEqual(detailed.value.requestId, detailed.requestId)
      assert.strictEqual(detailed.attempts, 3)
      const [first = 0, , last = 0] = times(service)
      assert.strictEqual(Duration.toMillis(detailed.elapsed), last - first)
    })
  )
})

describe("every retry", () => {
  it.effect(
    "has a new permit, nonce and signature, and the time of its own second, after ten minutes in the queue",
    () =>
      Effect.gen(function* () {
        yield* TestClock.setTime(1_700_000_000_000)
        const service = FakeService.answering(busy)
        const error = yield* read.pipe(
          RetryPolicy.provide(transientTimes(4)),
          Effect.provideService(Timeout.Deadline, Duration.hours(2)),
          Effect.flip,
          Effect.provide(layer(service, Quota.layer({ limit: 1, window: "10 minutes" }))),
          FakeService.inTime({ limit: 7_200_000 })
        )
        const minutes = times(service).map((time) => Math.round(time / 60_000))
        assert.deepStrictEqual(minutes, [0, 10, 20, 30, 40])
        Emulated.assertFreshlySigned(service.sent)
        const signatures = new Set(service.sent.map(({ url }) => url.searchParams.get("Signature")))
        assert.strictEqual(signatures.size, 5)
        if (error._tag !== "ServiceFailed") return assert.fail(error._tag)
        assert.strictEqual(error.attempts, 5)
        assert.strictEqual(Math.round(Duration.toMinutes(error.elapsed)), 40)
      })
  )
})

/** Collects garbage: all of it, at once. */
const collect = Effect.sync(() => {
  setFlagsFromString("--expose-gc")
  runInNewContext("gc()")
})

describe("a call that is repeated for long", () => {
  it.effect.each([-3_600_000, 3_600_000])(
    "goes on for as long as its schedule says, though the clock is set %i ms",
    (by) =>
      Effect.gen(function* () {
        const clock = yield* Clock.Clock
        const service = FakeService.make(() => Effect.succeed(busy))
        const shown = () => clock.currentTimeMillisUnsafe() + (service.sent.length > 2 ? by : 0)
        const nineSeconds = Schedule.spaced("1 second").pipe(Schedule.upTo({ duration: "9.5 seconds" }))
        yield* read.pipe(
          Effect.flip,
          RetryPolicy.provide({ ...RetryPolicy.standard, transient: nineSeconds }),
          Effect.provide(layer(service, onlyRetries())),
          Effect.provideService(Clock.Clock, {
            ...clock,
            currentTimeMillisUnsafe: shown,
            currentTimeMillis: Effect.sync(shown)
          }),
          FakeService.inTime()
        )
        assert.strictEqual(service.sent.length, 1 + 10)
      })
  )

  it.effect("remembers none of its attempts but the last", () =>
    Effect.gen(function* () {
      const failures: Array<WeakRef<RetryPolicy.Failure>> = []
      const noting = Schedule.spaced("1 second").pipe(
        Schedule.setInputType<RetryPolicy.Failure>(),
        Schedule.tap(({ input }) => Effect.sync(() => void failures.push(new WeakRef(input))))
      )
      yield* read.pipe(
        RetryPolicy.provide({ ...RetryPolicy.standard, transient: noting }),
        Effect.provide(layer(FakeService.answering(busy), onlyRetries())),
        Effect.forkScoped({ startImmediately: true })
      )
      for (let second = 0; second < 20; second++) {
        yield* FakeService.settle
        yield* TestClock.adjust("1 second")
      }
      yield* FakeService.settle
      yield* collect
      assert.isAbove(failures.length, 10)
      const kept = failures.slice(0, 10).filter((failure) => failure.deref() !== undefined)
      assert.strictEqual(kept.length, 0)
    })
  )
})

describe("back-off", () => {
  const delays = (schedule: Schedule.Schedule<unknown>, count: number) =>
    Effect.gen(function* () {
      const step = yield* Schedule.toStep(schedule)
      return yield* Effect.forEach(Array.from({ length: count }), () =>
        Effect.map(step(0, undefined), ([, delay]) => Duration.toMillis(delay))
      )
    })

  it.effect("is spread evenly between nothing and the bound: full jitter", () =>
    Effect.gen(function* () {
      const samples = 5000
      const bounds = [100, 200, 400, 800, 1000, 1000]
      const runs = yield* Effect.forEach(Array.from({ length: samples }), () =>
        delays(RetryPolicy.backoff({ base: 100, cap: 1000 }), bounds.length)
      ).pipe(Random.withSeed("jitter"))
      for (const [n, bound] of bounds.entries()) {
        const nth = runs.map((run) => (run[n] ?? -1) / bound)
        for (let decile = 0; decile < 10; decile++) {
          const share = nth.filter((at) => at >= decile / 10 && at < (decile + 1) / 10).length / samples
          assert.closeTo(share, 0.1, 0.02, `retry ${n + 1}, decile ${decile}`)
        }
        assert.isTrue(
          nth.every((at) => at >= 0 && at < 1),
          `retry ${n + 1} out of bounds`
        )
      }
    })
  )

  it.effect("is the same for the same seed, and another for another", () =>
    Effect.gen(function* () {
      const of = (seed: string) => delays(RetryPolicy.backoff({ base: 100, cap: 1000 }), 5).pipe(Random.withSeed(seed))
      assert.deepStrictEqual(yield* of("a"), yield* of("a"))
      assert.notDeepEqual(yield* of("a"), yield* of("b"))
    })
  )
})

describe("the budget", () => {
  const callers = 1000
  const outages = [
    ["HTTP 503", html(503), 5],
    ["busy", busy, 5],
    ["connections refused", reset, 10],
    ["no answer at all", (() => Effect.never) as FakeService.Answer, 10]
  ] as const

  it.effect.each(outages)("bounds a total outage for 1000 callers: %s", ([, answer, cost]) =>
    Effect.gen(function* () {
      const service = FakeService.answering(answer)
      yield* Effect.all(
        Array.from({ length: callers }, () => Effect.exit(read)),
        { concurrency: "unbounded", discard: true }
      ).pipe(Effect.provide(layer(service, onlyRetries())), FakeService.inTime())
      assert.isAtMost(service.sent.length, callers + 500 / cost)
      assert.isAtLeast(service.sent.length, callers + 500 / cost - 1, "the budget was not used")
    })
  )

  it.effect("bounds it with the default quota and breaker too", () =>
    Effect.gen(function* () {
      const service = FakeService.answering(html(503))
      yield* Effect.all(
        Array.from({ length: callers }, () => Effect.exit(read)),
        { concurrency: "unbounded", discard: true }
      ).pipe(Effect.provide(FakeService.clientOf(service.layer)), FakeService.inTime())
      assert.isAtMost(service.sent.length, 100, "the breaker keeps the rest back")
    })
  )

  it.effect.prop(
    "holds whatever it is made of",
    {
      callers: Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 60 })),
      capacity: Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 100 })),
      retry: Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 20 }))
    },
    ({ callers, capacity, retry }) =>
      Effect.gen(function* () {
        const service = FakeService.answering(busy)
        yield* Effect.all(
          Array.from({ length: callers }, () => Effect.exit(read)),
          { concurrency: "unbounded", discard: true }
        ).pipe(Effect.provide(layer(service, onlyRetries({ capacity, retry }))), FakeService.inTime())
        assert.strictEqual(service.sent.length, callers + Math.min(4 * callers, Math.floor(capacity / retry)))
      }),
    { arbitrary: { seed: 51, runs: 60 } }
  )

  const leftAfter = (answers: ReadonlyArray<FakeService.Reply | FakeService.Answer>, calls = 1) =>
    Effect.gen(function* () {
      const budget = yield* RetryBudget.RetryBudget
      yield* Effect.forEach(Array.from({ length: calls }), () => Effect.exit(read), { discard: true })
      return yield* budget.left
    }).pipe(
      Effect.provide(layer(FakeService.answering(...answers), onlyRetries({ capacity: 50 }))),
      FakeService.inTime()
    )

  it.effect("spends for retries, more for those after no answer, and gets that back from one that succeeds", () =>
    Effect.gen(function* () {
      assert.strictEqual(yield* leftAfter([busy]), 50 - 4 * 5)
      assert.strictEqual(yield* leftAfter([reset]), 50 - 3 * 10)
      assert.strictEqual(yield* leftAfter([busy, page]), 50)
      assert.strictEqual(yield* leftAfter([busy, busy, page]), 45, "the last retry's cost comes back")
      // Three calls that succeed at once bring one token each; more than the capacity is not kept.
      assert.strictEqual(yield* leftAfter([busy, busy, busy, busy, busy, page], 1 + 3), 50 - 20 + 3)
      assert.strictEqual(yield* leftAfter([page], 3), 50)
    })
  )

  it.effect("never holds more than its capacity", () =>
    Effect.gen(function* () {
      const budget = yield* RetryBudget.make({ capacity: 10 })
      assert.isTrue(yield* budget.spend(3))
      yield* budget.refill(5)
      assert.strictEqual(yield* budget.left, 10)
      assert.isFalse(yield* budget.spend(11))
      assert.isTrue(yield* budget.spend(10))
    })
  )

  it.effect("asks nothing for rejections: the quota holds those back", () =>
    Effect.gen(function* () {
      assert.strictEqual(yield* leftAfter([FakeService.code(660300005)]), 50)
      assert.strictEqual(yield* leftAfter([html(429)]), 50)
    })
  )

  it.effect("asks nothing for what was not sent, and that is repeated whatever it does", () =>
    Effect.gen(function* () {
      const budget = yield* RetryBudget.make({ capacity: 50 })
      const broken: Quota.Quota["Service"] = {
        withPermit: ({ description }) =>
          Effect.fail(
            new ClientError.QuotaUnavailable({
              ...description,
              reason: { _tag: "NoAnswer" },
              problem: "away",
              cause: "away"
            })
          ),
        state: Effect.succeed([])
      }
      const service = FakeService.answering(page)
      const { operation } = QueryConversationList
      for (const kind of ["Read", "Write"] as const) {
        const call = ZimClient.execute({ ...operation, kind }, { userId: "user-42" })
        const [took, error] = yield* Effect.timed(Effect.flip(call)).pipe(
          Quota.provide(broken),
          Effect.provideService(RetryBudget.RetryBudget, budget),
          Effect.provideService(Random.Random, fixedRandom),
          Effect.provide(layer(service, CircuitBreaker.layerNone)),
          FakeService.inTime()
        )
        assert.strictEqual(error._tag, "QuotaUnavailable")
        assert.strictEqual(Math.round(Duration.toMillis(took)), 350, "three retries: half of 100, 200 and 400 ms")
      }
      assert.strictEqual(yield* budget.left, 50)
      assert.strictEqual(service.sent.length, 0)
    })
  )

  it.effect("can be done without by a policy that says so", () =>
    Effect.gen(function* () {
      const attemptsOf = (policy: RetryPolicy.RetryPolicy) =>
        Effect.gen(function* () {
          const service = FakeService.answering(busy)
          yield* Effect.exit(read).pipe(
            RetryPolicy.provide(policy),
            Effect.provide(layer(service, onlyRetries({ capacity: 0 }))),
            FakeService.inTime()
          )
          return service.sent.length
        })
      assert.strictEqual(yield* attemptsOf(RetryPolicy.standard), 1)
      assert.strictEqual(yield* attemptsOf({ ...RetryPolicy.standard, usesBudget: false }), 5)
      assert.isAbove(yield* attemptsOf(RetryPolicy.patient), 3)
    })
  )

  it.effect("is shared by the clients on one layer, and may be a call's own", () =>
    Effect.gen(function* () {
      const service = FakeService.answering(busy)
      yield* Effect.gen(function* () {
        const own = yield* RetryBudget.make({ capacity: 10 })
        yield* Effect.exit(Effect.provideService(read, RetryBudget.RetryBudget, own))
        assert.strictEqual(yield* own.left, 0)
        assert.strictEqual(yield* (yield* RetryBudget.RetryBudget).left, 500)
      }).pipe(Effect.provide(layer(service, onlyRetries())), FakeService.inTime())
      assert.strictEqual(service.sent.length, 3)
    })
  )
})

describe("a call that is given up", () => {
  const giveUp = (answer: FakeService.Reply | FakeService.Answer, policy: RetryPolicy.RetryPolicy) =>
    read.pipe(
      RetryPolicy.provide(policy),
      Effect.flip,
      Effect.provide(layer(FakeService.answering(answer), onlyRetries())),
      FakeService.inTime()
    )
  const spaced: RetryPolicy.RetryPolicy = {
    ...RetryPolicy.standard,
    transient: Schedule.upTo(Schedule.spaced("3 seconds"), { times: 2 }),
    transport: Schedule.upTo(Schedule.spaced("3 seconds"), { times: 2 })
  }

  it.effect("says how many attempts were made and how long it took, and is the last attempt's error", () =>
    Effect.gen(function* () {
      const failed = yield* giveUp(busy, spaced)
      if (failed._tag !== "ServiceFailed") return assert.fail(failed._tag)
      assert.deepStrictEqual([failed.attempts, Duration.toMillis(failed.elapsed), failed.code], [3, 6000, 1])
      assert.include(failed.message, "3 attempts")
      const lost = yield* giveUp(reset, spaced)
      if (lost._tag !== "TransportFailed") return assert.fail(lost._tag)
      assert.deepStrictEqual([lost.attempts, Duration.toMillis(lost.elapsed)], [3, 6000])
      assert.strictEqual(lost.systemCode, "ECONNRESET")
    })
  )

  it.effect("by its deadline carries what the last attempt failed with", () =>
    Effect.gen(function* () {
      const error = yield* giveUp(busy, { ...RetryPolicy.patient, transient: Schedule.spaced("50 seconds") })
      assert.instanceOf(error, ClientError.DeadlineExceeded)
      assert.deepStrictEqual(error.needed, Duration.seconds(50))
      assert.strictEqual(error.attempts, 3)
      assert.strictEqual(Duration.toMillis(error.elapsed), 100_000, "fails when it knows, not when the time is up")
      assert.propertyVal(error.cause, "_tag", "ServiceFailed")
    })
  )
})

describe("policies within policies", () => {
  it.effect("do not multiply: the innermost one counts, around calls and streams", () =>
    Effect.gen(function* () {
      const attemptsOf = (effect: Effect.Effect<unknown, unknown, ZimClient.ZimClient>, onLayer = Layer.empty) =>
        Effect.gen(function* () {
          const service = FakeService.answering(busy)
          const policies = Layer.merge(onlyRetries(), onLayer)
          yield* Effect.exit(effect).pipe(Effect.provide(layer(service, policies)), FakeService.inTime())
          return service.sent.length
        })
      const layered = Layer.succeed(RetryPolicy.Current, transientTimes(2))
      const nested = read.pipe(RetryPolicy.provide(transientTimes(3)), RetryPolicy.provide(transientTimes(3)))
      assert.strictEqual(yield* attemptsOf(nested, layered), 1 + 3)
      const stream = Stream.runDrain(Conversations.stream("user-42")).pipe(RetryPolicy.provide(transientTimes(2)))
      assert.strictEqual(yield* attemptsOf(stream, layered), 1 + 2)
      const snapshot = Conversations.snapshot("user-42").pipe(RetryPolicy.provide(transientTimes(1)))
      assert.strictEqual(yield* attemptsOf(snapshot, layered), 1 + 1)
      const users = Stream.make("user-42").pipe(Conversations.forUsers(), Stream.runDrain)
      assert.strictEqual(yield* attemptsOf(users, layered), 1 + 2)
    })
  )

  it.effect("of each kind: one that is replaced leaves the others as they are", () =>
    Effect.gen(function* () {
      const service = FakeService.answering(FakeService.text(""), FakeService.text(""), reset, busy)
      yield* Effect.exit(read).pipe(
        RetryPolicy.provide({ ...RetryPolicy.none, bounded: RetryPolicy.standard.bounded }),
        Effect.provide(layer(service, Layer.mergeAll(CircuitBreaker.layerNone))),
        FakeService.inTime()
      )
      assert.strictEqual(service.sent.length, 3, "the lost connection ends it")
    })
  )
})

/** What known clients get wrong, each as a test that they would fail. */
import { Conversations, Quota, RetryPolicy, ServerClock, Timeout, type ZimClient } from "@effect-zim/client"
import { Emulator, Journal, ServiceQuota, World } from "@effect-zim/emulator"
import { assert, describe, it } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as Random from "effect/Random"
import * as References from "effect/References"
import * as Schedule from "effect/Schedule"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/testing/TestClock"
import * as Tracer from "effect/Tracer"
import { inspect } from "node:util"
import * as Emulated from "../emulated.ts"
import * as FakeService from "../fakeService.ts"
import { layer, noQuota, onlyRetries, page, read, reset, times } from "./support.ts"

const busy = FakeService.code(1)
const tooFast = FakeService.code(660300005)
const run = <A, E>(service: FakeService.FakeService, effect: Effect.Effect<A, E, ZimClient.ZimClient>) =>
  effect.pipe(Effect.provide(layer(service, onlyRetries())), FakeService.inTime())
const ids = Stream.map((conversation: { readonly id: string }) => conversation.id)

/** An emulator with this many users of 120 conversations each, and a client of it. */
const emulated = (users: number, options: Partial<Emulator.Options> = {}) =>
  Emulated.make({
    world: World.make({
      apps: [FakeService.app],
      users: Array.from({ length: users }, (_, i) => ({
        userId: `user-${i}`,
        conversations: FakeService.entries(120)
      }))
    }),
    ...options
  })

describe("policies that know only HTTP status (Effect's HTTP client)", () => {
  it.effect("a rejection with status 200 is retried all the same, and pauses everybody", () =>
    Effect.gen(function* () {
      const service = FakeService.answering(tooFast, page)
      yield* read.pipe(Effect.provide(FakeService.clientOf(service.layer)), FakeService.inTime())
      assert.strictEqual(service.sent.length, 2)
      assert.isAtLeast(times(service)[1] ?? 0, 1000)
    })
  )

  it.effect("a failure with status 200 is one, and the service's own success counts only with its code", () =>
    Effect.gen(function* () {
      const refused = FakeService.answering(FakeService.code(660500002))
      assert.strictEqual((yield* run(refused, Effect.flip(read)))._tag, "UserNotRegistered")
      const portal = FakeService.answering(FakeService.text("<h1>Welcome</h1>", { contentType: "text/html" }))
      assert.strictEqual((yield* run(portal, Effect.flip(read)))._tag, "ResponseUnreadable")
    })
  )

  it.effect("two retries are two: `retryTransient({ times: 2 })` can send nine requests", () =>
    Effect.gen(function* () {
      const service = FakeService.answering(busy, reset)
      const twice: RetryPolicy.RetryPolicy = {
        ...RetryPolicy.standard,
        transient: Schedule.recurs(2),
        transport: Schedule.recurs(0)
      }
      yield* run(service, Effect.exit(RetryPolicy.provide(read, twice)))
      assert.strictEqual(service.sent.length, 2)
      const outage = FakeService.answering(busy)
      yield* run(outage, Effect.exit(RetryPolicy.provide(read, twice)))
      assert.strictEqual(outage.sent.length, 3)
    })
  )

  it.effect("a request that waited in a queue is signed when it is sent, with a nonce of its own", () =>
    Effect.gen(function* () {
      yield* TestClock.setTime(1_700_000_000_000)
      const service = FakeService.answering(page)
      yield* Effect.all([read, read, read], { concurrency: "unbounded" }).pipe(
        Effect.provideService(Timeout.Deadline, Duration.hours(1)),
        Effect.provide(layer(service, Quota.layer({ limit: 1, window: "11 minutes" }))),
        FakeService.inTime({ limit: 3_600_000 })
      )
      Emulated.assertFreshlySigned(service.sent)
      assert.isAtLeast(times(service)[2] ?? 0, 22 * 60_000)
    })
  )

  it.effect("no more than 20 calls in any second: token bucket and fixed window let 39 through", () =>
    Effect.gen(function* () {
      const service = FakeService.answering(page)
      const twentyFive = Effect.all(
        Array.from({ length: 25 }, () => read),
        { concurrency: "unbounded" }
      )
      yield* Effect.all([twentyFive, Effect.delay(twentyFive, "950 millis")], { concurrency: 2 }).pipe(
        Effect.provide(FakeService.clientOf(service.layer)),
        FakeService.inTime()
      )
      const sent = times(service)
      const most = Math.max(...sent.map((from) => sent.filter((at) => at >= from && at < from + 1000).length))
      assert.deepStrictEqual([sent.length, most], [50, 20])
    })
  )

  it.effect("a waiter that is interrupted keeps no reservation", () =>
    Effect.gen(function* () {
      const service = FakeService.answering(page)
      yield* Effect.gen(function* () {
        yield* read
        const waiters = yield* Effect.forEach(Array.from({ length: 50 }), () =>
          Effect.forkChild(read, { startImmediately: true })
        )
        yield* Effect.forEach(waiters, Fiber.interrupt)
        yield* read
      }).pipe(Effect.provide(layer(service, Quota.layer({ limit: 1, window: "5 seconds" }))), FakeService.inTime())
      assert.deepStrictEqual(times(service).map(Math.round), [0, 5000])
    })
  )
})

describe("distilled", () => {
  it("types its operations `any`", () => {
    type IsAny<T> = 0 extends 1 & T ? true : false
    const isAny: [
      IsAny<Effect.Success<typeof read>>,
      IsAny<Effect.Error<typeof read>>,
      IsAny<Effect.Services<typeof read>>
    ] = [false, false, false]
    assert.notInclude(isAny, true)
  })

  it.effect("exports retry policies that its core never reads: here each kind of each policy decides", () =>
    Effect.gen(function* () {
      const answers = {
        rateLimit: tooFast,
        transient: busy,
        bounded: FakeService.code(660800053),
        transport: reset
      } as const
      for (const [kind, answer] of Object.entries(answers)) {
        for (const count of [0, 1, 3]) {
          const service = FakeService.answering(answer)
          const policy = { ...RetryPolicy.none, [kind]: Schedule.recurs(count) }
          yield* run(service, Effect.exit(RetryPolicy.provide(read, policy)))
          assert.strictEqual(service.sent.length, 1 + count, kind)
        }
      }
    })
  )

  it.effect("pages until null, which never comes where the list ends with 0", () =>
    Effect.gen(function* () {
      const service = FakeService.make(FakeService.serving(FakeService.entries(250)))
      const pages = yield* run(service, Stream.runCollect(Conversations.pages("user-42", { pageSize: 100 })))
      assert.deepStrictEqual(
        pages.map(({ conversations }) => conversations.length),
        [100, 100, 50]
      )
      assert.strictEqual(service.sent.length, 3)
    })
  )

  it.effect("has a cap on its back-off that ignores its argument", () =>
    Effect.gen(function* () {
      const service = FakeService.answering(busy)
      const transient = RetryPolicy.backoff({ base: "1 second", cap: "300 millis", times: 20 })
      const policy = { ...RetryPolicy.standard, transient, usesBudget: false }
      yield* run(service, Random.withSeed(Effect.exit(RetryPolicy.provide(read, policy)), "cap"))
      const sent = times(service)
      const gaps = sent.slice(1).map((at, i) => at - (sent[i] ?? 0))
      assert.strictEqual(gaps.length, 20)
      assert.isAtMost(Math.max(...gaps), 300)
      assert.isAbove(Math.max(...gaps), 200)
    })
  )

  it.effect("has no quota of its own", () =>
    Effect.gen(function* () {
      const { layer } = emulated(100, { quota: ServiceQuota.sliding() })
      const codes = yield* Effect.gen(function* () {
        yield* Effect.forEach(
          Array.from({ length: 100 }, (_, i) => i),
          (i) => Conversations.page(`user-${i}`),
          { concurrency: "unbounded", discard: true }
        ).pipe(RetryPolicy.provide(RetryPolicy.none))
        const { journal } = yield* Emulator.Emulator
        return (yield* journal.entries).filter(Journal.isRateLimited)
      }).pipe(Effect.provide(layer), FakeService.inTime())
      assert.deepStrictEqual(codes, [])
    })
  )

  it.effect("has no timeouts", () =>
    Effect.gen(function* () {
      const service = FakeService.answering(() => Effect.never)
      const [took, error] = yield* run(service, Effect.timed(Effect.flip(read)))
      assert.strictEqual(error._tag, "AttemptTimedOut")
      assert.isAtMost(Duration.toMinutes(took), 2)
    })
  )

  it.effect("has no clock correction", () =>
    Effect.gen(function* () {
      yield* TestClock.setTime(1_700_000_000_000)
      const { layer, sent } = emulated(1, { clockOffset: "15 minutes" })
      const conversations = yield* Stream.runCollect(Conversations.stream("user-0", { pageSize: 50 })).pipe(
        Effect.provide(layer),
        FakeService.inTime()
      )
      assert.deepStrictEqual([conversations.length, sent.length], [120, 3 + 1])
    })
  )

  it.effect("has no spans", () =>
    Effect.gen(function* () {
      const names: Array<string> = []
      const tracer = Tracer.make({
        span: (options) => {
          names.push(options.name)
          return new Tracer.NativeSpan(options)
        }
      })
      yield* run(FakeService.answering(busy, page), Effect.withTracer(read, tracer))
      assert.deepStrictEqual(names, ["zim QueryConversationList", "POST", "POST"])
    })
  )

  it.effect("cannot be tested against without the real service", () =>
    Effect.gen(function* () {
      const { layer } = emulated(1)
      const snapshot = yield* Conversations.snapshot("user-0").pipe(Effect.provide(layer))
      assert.deepStrictEqual([snapshot.conversations.length, snapshot.verdict], [120, "Complete"])
    })
  )
})

describe("effect-aws", () => {
  it.effect("hides its retries in a promise: here TestClock moves them, and one call has its own", () =>
    Effect.gen(function* () {
      const service = FakeService.answering(busy, busy, page)
      const policy = { ...RetryPolicy.standard, transient: Schedule.spaced("1 day") }
      yield* Effect.gen(function* () {
        const fiber = yield* Effect.forkChild(
          read.pipe(RetryPolicy.provide(policy), Effect.provideService(Timeout.Deadline, Duration.weeks(1))),
          { startImmediately: true }
        )
        yield* FakeService.settle
        assert.strictEqual(service.sent.length, 1)
        yield* TestClock.adjust("1 day")
        yield* FakeService.settle
        assert.strictEqual(service.sent.length, 2)
        yield* TestClock.adjust("1 day")
        yield* Fiber.join(fiber)
      }).pipe(Effect.provide(layer(service, onlyRetries())))
      assert.deepStrictEqual(times(service), [0, 86_400_000, 172_800_000])
    })
  )

  it.effect("has streams of pages only", () =>
    Effect.gen(function* () {
      const service = FakeService.make(FakeService.serving(FakeService.entries(7)))
      const stream = Conversations.stream("user-42", { pageSize: 3 }).pipe(Stream.take(4), ids)
      assert.deepStrictEqual(yield* run(service, Stream.runCollect(stream)), ["c0", "c1", "c2", "c3"])
      assert.strictEqual(service.sent.length, 2, "the third page was not asked for")
    })
  )
})

describe("the AWS SDK's core", () => {
  it.effect("goes on with a back-off that was aborted", () =>
    Effect.gen(function* () {
      const service = FakeService.answering(busy)
      const policy = { ...RetryPolicy.standard, transient: Schedule.spaced("1 minute") }
      yield* Effect.gen(function* () {
        const fiber = yield* Effect.forkChild(RetryPolicy.provide(read, policy), { startImmediately: true })
        yield* FakeService.settle
        const [took] = yield* Effect.timed(Fiber.interrupt(fiber))
        assert.strictEqual(Duration.toMillis(took), 0)
        yield* TestClock.adjust("1 hour")
      }).pipe(Effect.provide(layer(service, onlyRetries())))
      assert.strictEqual(service.sent.length, 1)
    })
  )

  it.effect(
    "has no request timeout by default: here a hanging attempt ends after ten seconds, its socket with it",
    () =>
      Effect.gen(function* () {
        const service = FakeService.answering(() => Effect.never)
        const [took] = yield* run(service, Effect.timed(Effect.exit(RetryPolicy.provide(read, RetryPolicy.none))))
        assert.strictEqual(Duration.toSeconds(took), 10)
        assert.isTrue(service.sent[0]?.signal.aborted)
      })
  )

  it.effect("is throttled while paging, in adaptive mode too", () =>
    Effect.gen(function* () {
      const { layer } = emulated(30, { quota: ServiceQuota.sliding() })
      const entries = yield* Effect.gen(function* () {
        const users = Stream.fromIterable(Array.from({ length: 30 }, (_, i) => `user-${i}`))
        const results = yield* users.pipe(Conversations.forUsers({ pageSize: 30 }), Stream.runCollect)
        for (const { result } of results) assert.strictEqual(result._tag, "Success")
        return yield* (yield* Emulator.Emulator).journal.entries
      }).pipe(Effect.provide(layer), FakeService.inTime())
      assert.deepStrictEqual([entries.length, entries.filter(Journal.isRateLimited).length], [30 * 4, 0])
      assert.strictEqual(Journal.peak(entries, "1 second"), 20)
    })
  )

  it.effect("has no total deadline: waits, attempts and back-offs together take as long as they take", () =>
    Effect.gen(function* () {
      for (const answer of [busy, tooFast, reset, (() => Effect.never) as FakeService.Answer]) {
        const service = FakeService.answering(answer)
        const [took, error] = yield* read.pipe(
          RetryPolicy.provide(RetryPolicy.patient),
          Effect.provideService(Timeout.Deadline, Duration.seconds(45)),
          Effect.flip,
          Effect.timed,
          Effect.provide(FakeService.clientOf(service.layer)),
          FakeService.inTime()
        )
        assert.strictEqual(error._tag, "DeadlineExceeded")
        assert.isAtMost(Duration.toMillis(took), 45_000)
      }
    })
  )
})

describe("the SDKs of Stainless", () => {
  it.effect("log full URLs, which are credentials here", () =>
    Effect.gen(function* () {
      const logs: Array<unknown> = []
      const logger = Logger.make(
        (options) => void logs.push(options.message, options.fiber.getRef(References.CurrentLogAnnotations))
      )
      const service = FakeService.answering(busy, reset, (sent) =>
        FakeService.transportError(sent, new Error(sent.url.href))
      )
      yield* run(service, Effect.exit(read)).pipe(
        Effect.provideService(Logger.CurrentLoggers, new Set([logger])),
        Effect.provideService(References.MinimumLogLevel, "All")
      )
      assert.isAtLeast(logs.length, 4)
      const shown = inspect(logs, { depth: 9 })
      assert.notMatch(shown, /Signature(?:Nonce)?=(?!<redacted>)|\?Action/)
      for (const { url } of service.sent) {
        for (const name of ["Signature", "SignatureNonce"]) {
          assert.notInclude(shown, url.searchParams.get(name) ?? assert.fail(name))
        }
      }
    })
  )

  it.effect("stop at the first empty page", () =>
    Effect.gen(function* () {
      const service = FakeService.answering(
        FakeService.page([FakeService.entry("a", 1)], 5, 2),
        FakeService.page([], 6, 2),
        FakeService.page([FakeService.entry("b", 2)], 0, 2)
      )
      assert.deepStrictEqual(yield* run(service, Stream.runCollect(ids(Conversations.stream("user-42")))), ["a", "b"])
    })
  )

  it.effect("have no rate limit", () =>
    Effect.gen(function* () {
      const service = FakeService.answering(page)
      yield* Effect.all(
        Array.from({ length: 61 }, () => read),
        { concurrency: "unbounded" }
      ).pipe(Effect.provide(FakeService.clientOf(service.layer)), FakeService.inTime())
      assert.isAtLeast(times(service)[60] ?? 0, 3000)
    })
  )

  it.effect("cannot resume: here the cursor of a page goes on in another run", () =>
    Effect.gen(function* () {
      const answer = FakeService.serving(FakeService.entries(10))
      const first = FakeService.make((sent, index) =>
        index === 2 ? Effect.succeed(FakeService.code(2)) : answer(sent, index)
      )
      const saved = yield* run(
        first,
        Conversations.pages("user-42", { pageSize: 3 }).pipe(
          Stream.takeUntil((_, index) => index === 1),
          Stream.runLast
        )
      )
      const next = saved._tag === "Some" && saved.value.next._tag === "Some" ? saved.value.next.value : undefined
      const rest = Conversations.stream("user-42", { pageSize: 3, from: next })
      assert.deepStrictEqual(yield* run(FakeService.make(answer), Stream.runCollect(ids(rest))), [
        "c6",
        "c7",
        "c8",
        "c9"
      ])
    })
  )
})

describe("all of them", () => {
  it.effect("multiply an outage by their retries: here a budget bounds it", () =>
    Effect.gen(function* () {
      const service = FakeService.answering(busy)
      yield* run(
        service,
        Effect.all(
          Array.from({ length: 500 }, () => Effect.exit(read)),
          { concurrency: "unbounded" }
        )
      )
      assert.isAtMost(service.sent.length, 500 + 100)
    })
  )

  it.effect("believe the date of whoever answers", () =>
    Effect.gen(function* () {
      const proxy = new Response("<h1>502</h1>", { status: 502, headers: { date: new Date(900_000).toUTCString() } })
      const offset = Effect.flatMap(ServerClock.ServerClock, (clock) => clock.offset)
      const learned = Effect.andThen(Effect.exit(RetryPolicy.provide(read, RetryPolicy.none)), offset)
      const policies = Layer.merge(noQuota, ServerClock.layer)
      assert.strictEqual(yield* learned.pipe(Effect.provide(layer(FakeService.answering(proxy), policies))), 0)
    })
  )
})

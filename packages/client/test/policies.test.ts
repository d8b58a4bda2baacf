import { ClientError, Conversations, Quota, ResponseLimit, RetryPolicy, Timeout, ZimClient } from "@effect-zim/client"
import { QueryConversationList } from "@effect-zim/protocol"
import { assert, describe, it } from "@effect/vitest"
import * as Arbitrary from "effect/Arbitrary"
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/testing/TestClock"
import * as Emulated from "./emulated.ts"
import * as FakeService from "./fakeService.ts"

const { operation } = QueryConversationList
const read = ZimClient.execute(operation, { userId: "user-42" })
const page = FakeService.page([FakeService.entry("a", 1)])
const between = (minimum: number, maximum: number) => Schema.Int.check(Schema.isBetween({ minimum, maximum }))

/** Times between the requests, in milliseconds. */
const gaps = (service: FakeService.FakeService): ReadonlyArray<number> =>
  service.sent.slice(1).map((sent, i) => sent.time - (service.sent[i]?.time ?? 0))

describe("every attempt", () => {
  it.effect("has a nonce, a timestamp and a signature of its own", () =>
    Effect.gen(function* () {
      yield* TestClock.setTime(1_700_000_000_000)
      const service = FakeService.answering(FakeService.code(1))
      const slow = RetryPolicy.backoff({ base: "40 seconds", cap: "40 seconds", times: 5 })
      yield* read.pipe(
        RetryPolicy.provide({ ...RetryPolicy.standard, transient: slow }),
        Effect.provideService(Timeout.Deadline, Duration.hours(1)),
        Effect.flip,
        Effect.provide(FakeService.clientOf(service.layer)),
        FakeService.inTime()
      )
      assert.strictEqual(service.sent.length, 6)
      Emulated.assertFreshlySigned(service.sent)
      const signatures = service.sent.map(({ url }) => url.searchParams.get("Signature"))
      assert.strictEqual(new Set(signatures).size, 6)
    })
  )

  it.effect("has a permit of its own, and is signed after waiting for it", () =>
    Effect.gen(function* () {
      yield* TestClock.setTime(1_700_000_000_000)
      const service = FakeService.answering(FakeService.text(""))
      const client = FakeService.clientOf(service.layer).pipe(
        Layer.provide(Quota.layer({ limit: 1, window: "20 seconds" }))
      )
      yield* Effect.flip(read).pipe(Effect.provide(client), FakeService.inTime())
      assert.deepStrictEqual(gaps(service).map(Math.floor), [20_000, 20_000])
      Emulated.assertFreshlySigned(service.sent)
    })
  )

  it.effect("is one POST with all parameters and a JSON body, to the one place", () =>
    Effect.gen(function* () {
      const service = FakeService.answering(FakeService.code(1))
      yield* Effect.flip(read).pipe(Effect.provide(FakeService.clientOf(service.layer)), FakeService.inTime())
      for (const { body, headers, method, url } of service.sent) {
        assert.strictEqual(method, "POST")
        assert.strictEqual(`${url.origin}${url.pathname}`, "http://127.0.0.1:1/")
        assert.deepStrictEqual(
          [...url.searchParams.keys()],
          ["Action", "AppId", "SignatureNonce", "Timestamp", "SignatureVersion", "Signature"]
        )
        assert.strictEqual(body, `{"FromUserId":"user-42","Limit":500,"Next":0}`)
        assert.strictEqual(headers["content-type"], "application/json")
        assert.strictEqual(headers["accept"], "application/json")
        for (const name of ["traceparent", "tracestate", "b3", "baggage"]) assert.notProperty(headers, name)
      }
    }).pipe(Effect.withSpan("around"))
  )
})

describe("time", () => {
  it.effect.prop(
    "an attempt ends by its timeout, a call by its deadline, whatever the service does",
    {
      attempt: between(100, 20_000),
      deadline: between(100, 60_000),
      latencies: Arbitrary.array(Arbitrary.schema(between(0, 40_000)), { minLength: 1, maxLength: 8 }),
      policy: Schema.Literals(["standard", "patient"]),
      outcome: Schema.Literals(["busy", "rateLimited", "reset", "page"])
    },
    ({ attempt, deadline, latencies, outcome, policy }) =>
      Effect.gen(function* () {
        const service = FakeService.make((sent, i) =>
          Effect.delay(
            outcome === "reset"
              ? FakeService.transportError(sent)
              : Effect.succeed(outcome === "page" ? page : FakeService.code(outcome === "busy" ? 1 : 660300005)),
            latencies[i % latencies.length] ?? 0
          )
        )
        const start = yield* Clock.currentTimeMillis
        const [exit, end] = yield* Effect.exit(read).pipe(
          RetryPolicy.provide(RetryPolicy[policy]),
          Effect.provideService(Timeout.Attempt, Duration.millis(attempt)),
          Effect.provideService(Timeout.Deadline, Duration.millis(deadline)),
          Effect.zipWith(Clock.currentTimeMillis, (exit, end) => [exit, end] as const),
          Effect.provide(FakeService.clientOf(service.layer)),
          FakeService.inTime()
        )
        // To the microsecond: jittered delays are fractions, and a sum of them has the last bit wrong.
        assert.isAtMost(end - start, deadline + 0.001)
        const first = latencies[0] ?? 0
        if (outcome === "page" && first < attempt && first < deadline) assert.strictEqual(exit._tag, "Success")
        if (outcome !== "page") assert.strictEqual(exit._tag, "Failure")
      }),
    { arbitrary: { seed: 32, runs: 150 } }
  )

  it.effect("waiting for the quota counts towards the deadline, not towards the attempt", () =>
    Effect.gen(function* () {
      const service = FakeService.answering(page)
      const client = FakeService.clientOf(service.layer).pipe(
        Layer.provide(Quota.layer({ limit: 1, window: "30 seconds" }))
      )
      yield* Effect.gen(function* () {
        yield* read
        const patient = yield* Effect.forkChild(Effect.provideService(read, Timeout.Attempt, Duration.seconds(1)), {
          startImmediately: true
        })
        const start = yield* Clock.currentTimeMillis
        const error = yield* Effect.flip(Effect.provideService(read, Timeout.Deadline, Duration.seconds(20)))
        assert.instanceOf(error, ClientError.DeadlineExceeded)
        assert.strictEqual(error.attempts, 0)
        assert.isAtMost((yield* Clock.currentTimeMillis) - start, 20_000)
        yield* Fiber.join(patient)
      }).pipe(Effect.provide(client), FakeService.inTime())
      assert.deepStrictEqual(gaps(service), [30_000])
    })
  )

  it.effect("a timeout aborts the request", () =>
    Effect.gen(function* () {
      const hanging = FakeService.chunks(Stream.never)
      for (const answer of [() => Effect.never, hanging]) {
        const service = FakeService.answering(answer)
        yield* Effect.flip(read).pipe(Effect.provide(FakeService.clientOf(service.layer)), FakeService.inTime())
        assert.strictEqual(service.sent.length, 4)
        for (const { signal } of service.sent) assert.isTrue(signal.aborted)
      }
    })
  )
})

describe("interruption", () => {
  it.effect("aborts the request, takes effect at once, and nothing is sent after it", () =>
    Effect.gen(function* () {
      const answers: ReadonlyArray<FakeService.Reply | FakeService.Answer> = [
        () => Effect.never,
        FakeService.chunks(Stream.never),
        FakeService.chunks(Stream.concat(Stream.succeed(Uint8Array.of(0x7b)), Stream.never)),
        new Response(new ReadableStream())
      ]
      for (const answer of answers) {
        const service = FakeService.answering(answer)
        const fiber = yield* Effect.forkChild(Effect.provide(read, FakeService.clientOf(service.layer)), {
          startImmediately: true
        })
        yield* FakeService.settle
        assert.strictEqual(service.sent.length, 1)
        assert.isFalse(service.sent[0]?.signal.aborted)
        yield* Fiber.interrupt(fiber)
        assert.isTrue(service.sent[0]?.signal.aborted)
        yield* TestClock.adjust("10 minutes")
        assert.strictEqual(service.sent.length, 1)
      }
    })
  )

  it.effect("ends back-off and waiting for the quota at once", () =>
    Effect.gen(function* () {
      const service = FakeService.answering(FakeService.code(1))
      const client = FakeService.clientOf(service.layer).pipe(
        Layer.provide(Quota.layer({ limit: 1, window: "1 minute" }))
      )
      const fiber = yield* Effect.forkChild(Effect.provide(Effect.all([read, read], { concurrency: 2 }), client), {
        startImmediately: true
      })
      yield* FakeService.settle
      yield* Fiber.interrupt(fiber)
      yield* TestClock.adjust("10 minutes")
      assert.strictEqual(service.sent.length, 1)
    })
  )

  /** The most of these times in any window of this length. */
  const peak = (times: ReadonlyArray<number>, window: number): number =>
    times.reduce(
      (most, start) => Math.max(most, times.filter((time) => time >= start && time < start + window).length),
      0
    )

  const Caller = Schema.Struct({
    startsAt: between(0, 3000),
    /** How long its request takes; -1: the connection is lost. */
    latency: between(-1, 1500),
    /** When it is interrupted, after its start; beyond 4 s: never. */
    interruptedAfter: between(0, 6000)
  })

  it.effect.prop(
    "no schedule of interruptions leaks a permit, or lets more than the limit through",
    { limit: between(1, 6), callers: Arbitrary.array(Arbitrary.schema(Caller), { maxLength: 30 }) },
    ({ callers, limit }) =>
      Effect.gen(function* () {
        let isOver = false
        const service = FakeService.make((sent, i) => {
          const latency = isOver ? 0 : (callers[i]?.latency ?? 0)
          return latency < 0 ? FakeService.transportError(sent) : Effect.delay(Effect.succeed(page), latency)
        })
        yield* Effect.gen(function* () {
          yield* Effect.forEach(
            callers,
            ({ interruptedAfter, startsAt }) =>
              Effect.gen(function* () {
                yield* Effect.sleep(startsAt)
                const fiber = yield* Effect.forkChild(Effect.exit(read), { startImmediately: true })
                if (interruptedAfter > 4000) {
                  yield* Fiber.join(fiber)
                } else {
                  yield* Effect.sleep(interruptedAfter)
                  yield* Fiber.interrupt(fiber)
                }
              }),
            { concurrency: "unbounded" }
          )
          // Whatever is still out, answered or abandoned, is back by now.
          yield* Effect.sleep("1 minute")
          const quota = yield* Quota.Quota
          for (const { inUse, waiting } of yield* quota.state) {
            assert.strictEqual(inUse, 0)
            assert.strictEqual(waiting, 0)
          }
          isOver = true
          const before = service.sent.length
          const now = yield* Clock.currentTimeMillis
          yield* Effect.all(
            Array.from({ length: limit }, () => read),
            { concurrency: "unbounded" }
          )
          assert.strictEqual(service.sent.length - before, limit)
          for (const { time } of service.sent.slice(before)) assert.strictEqual(time, now, "a permit is missing")
        }).pipe(
          RetryPolicy.provide(RetryPolicy.none),
          Effect.provide(
            FakeService.clientOf(service.layer).pipe(Layer.provideMerge(Quota.layer({ limit, window: "1 second" })))
          ),
          FakeService.inTime()
        )
        const times = service.sent.map(({ time }) => time)
        assert.isAtMost(peak(times, 1000), limit)
        Emulated.assertFreshlySigned(service.sent)
      }),
    { arbitrary: { seed: 33, runs: 150 } }
  )
})

describe("which policy is in force", () => {
  const attemptsOf = (
    effect: Effect.Effect<unknown, unknown, ZimClient.ZimClient>,
    policies: Layer.Layer<never> = Layer.empty
  ) =>
    Effect.gen(function* () {
      const service = FakeService.answering(FakeService.code(1))
      yield* Effect.exit(effect).pipe(
        Effect.provide(Layer.provide(FakeService.clientOf(service.layer), policies)),
        FakeService.inTime()
      )
      return service.sent.length
    })
  const times = (times: number): RetryPolicy.RetryPolicy => ({
    ...RetryPolicy.standard,
    transient: RetryPolicy.backoff({ base: "1 second", cap: "1 second", times })
  })
  const onLayer = Layer.succeed(RetryPolicy.Current, times(1))

  it.effect("one around the call, else the layer's, else the default", () =>
    Effect.gen(function* () {
      assert.strictEqual(yield* attemptsOf(read), 5)
      assert.strictEqual(yield* attemptsOf(read, onLayer), 2)
      assert.strictEqual(yield* attemptsOf(read.pipe(RetryPolicy.provide(times(2)))), 3)
      assert.strictEqual(yield* attemptsOf(read.pipe(RetryPolicy.provide(times(2))), onLayer), 3)
      assert.strictEqual(yield* attemptsOf(RetryPolicy.provide(read, RetryPolicy.none), onLayer), 1)
    })
  )

  it.effect("the innermost one, around a stream too", () =>
    Effect.gen(function* () {
      const nested = read.pipe(RetryPolicy.provide(times(2)), RetryPolicy.provide(times(3)))
      assert.strictEqual(yield* attemptsOf(nested, onLayer), 3)
      const stream = Stream.runDrain(Conversations.stream("user-42")).pipe(RetryPolicy.provide(times(3)))
      assert.strictEqual(yield* attemptsOf(stream, onLayer), 4)
    })
  )

  it.effect("one call's is not the next one's", () =>
    Effect.gen(function* () {
      const both = Effect.andThen(Effect.exit(read.pipe(RetryPolicy.provide(RetryPolicy.none))), Effect.exit(read))
      assert.strictEqual(yield* attemptsOf(both, onLayer), 1 + 2)
    })
  )

  it.effect("of timeouts", () =>
    Effect.gen(function* () {
      const endedAfter = (
        effect: Effect.Effect<unknown, unknown, ZimClient.ZimClient>,
        policies: Layer.Layer<never> = Layer.empty
      ) =>
        Effect.gen(function* () {
          const [elapsed] = yield* Effect.timed(Effect.exit(effect))
          return Duration.toMillis(elapsed)
        }).pipe(
          RetryPolicy.provide(RetryPolicy.none),
          Effect.provide(
            Layer.provide(FakeService.clientOf(FakeService.answering(() => Effect.never).layer), policies)
          ),
          FakeService.inTime()
        )
      const attempt = Layer.succeed(Timeout.Attempt, Duration.seconds(4))
      const deadline = Layer.succeed(Timeout.Deadline, Duration.seconds(3))
      assert.strictEqual(yield* endedAfter(read), 10_000)
      assert.strictEqual(yield* endedAfter(read, attempt), 4000)
      assert.strictEqual(yield* endedAfter(read, Layer.merge(attempt, deadline)), 3000)
      const own = read.pipe(Effect.provideService(Timeout.Attempt, Duration.seconds(2)))
      assert.strictEqual(yield* endedAfter(own, Layer.merge(attempt, deadline)), 2000)
      const longer = own.pipe(Effect.provideService(Timeout.Deadline, Duration.seconds(1)))
      assert.strictEqual(yield* endedAfter(longer, Layer.merge(attempt, deadline)), 1000)
    })
  )

  it.effect("of the response limit", () =>
    Effect.gen(function* () {
      const outcome = (effect: typeof read, policies: Layer.Layer<never> = Layer.empty) =>
        Effect.exit(effect).pipe(
          Effect.map((exit) => exit._tag),
          Effect.provide(Layer.provide(FakeService.clientOf(FakeService.answering(page).layer), policies))
        )
      const tiny = Layer.succeed(ResponseLimit, 10)
      assert.strictEqual(yield* outcome(read), "Success")
      assert.strictEqual(yield* outcome(read, tiny), "Failure")
      assert.strictEqual(yield* outcome(Effect.provideService(read, ResponseLimit, 1000), tiny), "Success")
    })
  )

  it.effect("of the quota: clients on one layer share it, a call can have its own", () =>
    Effect.gen(function* () {
      const service = FakeService.answering(page)
      const quota = Quota.layer({ limit: 1, window: "10 seconds" })
      const client = FakeService.client().pipe(Layer.fresh, Layer.provide(service.layer))
      yield* Effect.gen(function* () {
        const shared = yield* Quota.Quota
        const first = yield* Layer.build(client)
        const second = yield* Layer.build(client)
        yield* Effect.provide(read, first)
        yield* Effect.provide(read, second)
        const own = yield* Quota.make({ limit: 5 })
        assert.notStrictEqual(own, shared)
        yield* Effect.provide(Quota.provide(read, own), second)
      }).pipe(Effect.provide(quota), FakeService.inTime())
      assert.deepStrictEqual(gaps(service), [10_000, 0])
    })
  )

  it.effect("20 calls a second unless told otherwise, per app", () =>
    Effect.gen(function* () {
      const service = FakeService.answering(page)
      yield* Effect.all(
        Array.from({ length: 41 }, () => read),
        { concurrency: "unbounded" }
      ).pipe(Effect.provide(FakeService.clientOf(service.layer)), FakeService.inTime())
      const starts = service.sent.map(({ time }) => Math.floor(time / 1000))
      assert.deepStrictEqual(
        [0, 1, 2].map((second) => starts.filter((start) => start === second).length),
        [20, 20, 1]
      )
    })
  )
})

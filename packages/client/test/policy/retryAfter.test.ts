/** How long a gateway wants to be left alone: on the error, in the retry, and for everybody with the same key. */
import { CircuitBreaker, ClientError, Conversations, Quota, RetryPolicy } from "@effect-zim/client"
import * as SharedQuota from "@effect-zim/client/SharedQuota"
import { Fault } from "@effect-zim/emulator"
import { assert, describe, it } from "@effect/vitest"
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import * as TestClock from "effect/testing/TestClock"
import * as Emulated from "../emulated.ts"
import * as FakeService from "../fakeService.ts"
import { between, call, withPermit } from "../quotaOracle.ts"
import { layer, onlyRetries, page, read, times } from "./support.ts"

const envelope = (code: number) => `{"Code":${code},"Message":"","RequestId":"1","TotalCount":0,"Next":0,"List":[]}`

/** What a gateway says, with a return code and without. */
const gateway = (status: number, headers: Record<string, string>, code?: number): FakeService.Reply =>
  HttpServerResponse.text(code === undefined ? "<h1>later</h1>" : envelope(code), { status, headers })

const Status = Schema.Literals([429, 503])
/** No code; one that is repeated, by class; one that nobody documents; and that of a success, which it is not. */
const Code = Schema.UndefinedOr(Schema.Literals([1, 7, 105001, 660300005, 660800053, 424242, 0]))

const once = RetryPolicy.provide(read, RetryPolicy.none)

/** A test that takes its time in steps of this many milliseconds. */
const inSteps = <A, E, R>(effect: Effect.Effect<A, E, R>, step = 500) => FakeService.inTime(effect, { step })

describe("the error", () => {
  it.effect.prop(
    "says how long, with a return code and without",
    { status: Status, code: Code, seconds: between(0, 3600) },
    ({ code, seconds, status }) =>
      Effect.gen(function* () {
        const service = FakeService.answering(gateway(status, { "retry-after": `${seconds}` }, code))
        const error = yield* Effect.flip(once).pipe(Effect.provide(layer(service, onlyRetries())), inSteps)
        assert.deepStrictEqual(ClientError.retryAfter(error), Duration.seconds(seconds))
        assert.isTrue(ClientError.isRetryable(error))
        const json = Schema.fromJsonString(Schema.toCodecJson(ClientError.AnyError))
        const back = yield* Schema.encodeEffect(json)(error).pipe(Effect.flatMap(Schema.decodeEffect(json)))
        assert.deepStrictEqual(ClientError.retryAfter(back), Duration.seconds(seconds))
      }),
    { arbitrary: { runs: 40 } }
  )

  it.effect.prop(
    "says nothing of it where the header is none, or the status another one, whatever bytes",
    { status: Schema.Literals([200, 403, 429, 500, 502, 503]), code: Code, header: Schema.String },
    ({ code, header, status }) =>
      Effect.gen(function* () {
        const other = status !== 429 && status !== 503
        // What no header may hold, an HTTP client refuses itself.
        const value = header.replaceAll(/[^\u0020-\u007e\u00a0-\u00ff]/g, "")
        const service = FakeService.answering(
          gateway(status, { "retry-after": other ? "30" : `${value}x` }, code ?? 424242)
        )
        const exit = yield* Effect.exit(once).pipe(Effect.provide(layer(service, onlyRetries())), inSteps)
        if (exit._tag === "Success") return assert.deepStrictEqual([status, code], [200, 0])
        const error = yield* Effect.flip(exit)
        assert.isUndefined(ClientError.retryAfter(error))
        assert.notProperty(error, "retryAfter")
      }),
    { arbitrary: { runs: 40 } }
  )

  it.effect("counts a date from that of the answer, since the time here may be wrong", () =>
    Effect.gen(function* () {
      yield* TestClock.setTime(Date.UTC(2031, 0))
      const headers = { date: "Sat, 01 Aug 2026 00:00:00 GMT", "retry-after": "Sat, 01 Aug 2026 00:05:00 GMT" }
      const service = FakeService.answering(gateway(503, headers))
      const error = yield* Effect.flip(once).pipe(Effect.provide(layer(service, onlyRetries())), inSteps)
      assert.deepStrictEqual(ClientError.retryAfter(error), Duration.minutes(5))
      // That of a cached answer is an old one.
      yield* TestClock.setTime(Date.UTC(2026, 7, 1, 0, 2))
      const cached = FakeService.answering(gateway(503, { ...headers, age: "120" }))
      const other = yield* Effect.flip(once).pipe(Effect.provide(layer(cached, onlyRetries())), inSteps)
      assert.deepStrictEqual(ClientError.retryAfter(other), Duration.minutes(3))
    })
  )
})

describe("the retry", () => {
  it.effect.prop(
    "waits so long at least, whatever its schedule says",
    { status: Status, code: Code, seconds: between(0, 100) },
    ({ code, seconds, status }) =>
      Effect.gen(function* () {
        const service = FakeService.answering(gateway(status, { "retry-after": `${seconds}` }, code), page)
        yield* read.pipe(Effect.provide(layer(service, onlyRetries())), inSteps)
        const [, second = 0, ...more] = times(service)
        assert.isAtLeast(second, seconds * 1000)
        assert.deepStrictEqual(more, [])
      }),
    { arbitrary: { runs: 40 } }
  )

  it.effect("fails at once where the deadline comes first, and says how long it would have been", () =>
    Effect.gen(function* () {
      const service = FakeService.answering(gateway(503, { "retry-after": "121" }), page)
      const [elapsed, error] = yield* Effect.flip(read).pipe(
        Effect.timed,
        Effect.provide(layer(service, onlyRetries())),
        inSteps
      )
      assert.instanceOf(error, ClientError.DeadlineExceeded)
      assert.deepStrictEqual(error.needed, Duration.seconds(121))
      assert.include(Object(error.cause), { _tag: "ResponseUnreadable", status: 503 })
      assert.strictEqual(Duration.toMillis(elapsed), 0)
      assert.lengthOf(service.sent, 1)
    })
  )
})

describe("the quota", () => {
  it.effect("gives nobody a permit before it is over", () =>
    Effect.gen(function* () {
      const service = FakeService.answering(gateway(429, { "retry-after": "30" }), page)
      const reads = Effect.all([read, read, read], { concurrency: "unbounded" })
      const policies = Layer.provideMerge(Quota.layer({ limit: 10 }), onlyRetries())
      yield* Effect.andThen(Effect.exit(once), reads).pipe(Effect.provide(layer(service, policies)), inSteps)
      const [, ...rest] = times(service)
      assert.lengthOf(rest, 3)
      for (const time of rest) assert.isAtLeast(time, 30_000)
    })
  )

  it.effect("is not paused by a circuit that opened: nobody was asked", () =>
    Effect.gen(function* () {
      const quota = yield* Quota.make({ limit: 10 })
      const open = Layer.succeed(CircuitBreaker.CircuitBreaker, {
        guard: ({ description }, host) =>
          Effect.fail(new ClientError.CircuitOpen({ ...description, host, retryAfter: Duration.seconds(30) })),
        state: () => Effect.succeed("Open")
      })
      const error = yield* Effect.flip(once).pipe(
        Effect.provideService(Quota.Quota, quota),
        Effect.provide(layer(FakeService.answering(), Layer.merge(onlyRetries(), open)))
      )
      assert.strictEqual(error._tag, "CircuitOpen")
      assert.deepStrictEqual((yield* quota.state)[0]?.nextPermit, Duration.zero)
    })
  )

  /** What becomes of callers while the first one, half a second later, is told to wait for 20. */
  const fates = Effect.fnUntraced(function* (quota: Quota.Quota["Service"], other = quota) {
    const told: Array<string> = []
    const ask = (name: string, seconds: number, quota: Quota.Quota["Service"]) =>
      withPermit(
        quota,
        { ...call, deadline: Duration.seconds(seconds) },
        () => Effect.void,
        () => "Answered"
      ).pipe(
        Effect.match({
          onFailure: (error) =>
            error._tag === "DeadlineExceeded"
              ? `needs ${Math.round(Duration.toMillis(error.needed ?? 0))}`
              : error._tag,
          onSuccess: () => "served"
        }),
        Effect.flatMap((fate) => Effect.map(Clock.currentTimeMillis, (now) => told.push(`${now} ${name} ${fate}`))),
        Effect.forkScoped({ startImmediately: true })
      )
    yield* withPermit(
      quota,
      call,
      () => Effect.sleep("500 millis"),
      () => "Answered",
      () => Duration.seconds(20)
    ).pipe(Effect.forkScoped({ startImmediately: true }))
    yield* ask("patient", 60, quota)
    yield* ask("hasty", 19, quota)
    yield* ask("as hasty", 19, quota)
    yield* TestClock.adjust("1 second")
    yield* ask("late", 19, quota)
    yield* ask("elsewhere", 19, other)
    for (let second = 0; second < 60; second++) yield* TestClock.adjust("1 second")
    return told
  })

  it.effect("keeps nobody who has less time, neither who waits already nor who asks", () =>
    Effect.gen(function* () {
      const quota = yield* Quota.make({ limit: 1 })
      assert.deepStrictEqual(yield* fates(quota), [
        "500 hasty needs 21000",
        "500 as hasty needs 21000",
        "1000 late needs 20500",
        "1000 elsewhere needs 20500",
        "20500 patient served"
      ])
    })
  )

  it.effect("tells the other processes of a shared one", () =>
    Effect.gen(function* () {
      const store = yield* SharedQuota.memory
      const quota = yield* SharedQuota.make(store, { limit: 1 })
      const other = yield* SharedQuota.make(store, { limit: 1 })
      const told = yield* fates(quota, other)
      assert.deepStrictEqual(
        told.map((line) => line.replace(/ needs .*/, " refused")),
        [
          "500 hasty refused",
          "500 as hasty refused",
          "1000 late refused",
          "1000 elsewhere refused",
          "20500 patient served"
        ]
      )
    })
  )
})

describe("against the emulator", () => {
  const world = Emulated.worldOf(FakeService.entries(3))

  it.effect.prop(
    "a list comes whole, no sooner than the gateway said",
    {
      seconds: between(0, 90),
      status: Status,
      as: Schema.Literals(["seconds", "date"]),
      code: Schema.UndefinedOr(Schema.Literals([1, 7, 660300005])),
      behind: between(-100_000, 100_000)
    },
    ({ as, behind, code, seconds, status }) =>
      Effect.gen(function* () {
        yield* TestClock.setTime(Date.UTC(2026, 7, 1))
        const fault = Fault.retryAfter(Duration.seconds(seconds), { status, as, ...(code !== undefined && { code }) })
        const emulated = Emulated.make({
          world,
          faults: [Fault.times(fault, 1)],
          // The emulator's clock is not ours.
          clockOffset: Duration.millis(behind)
        })
        const list = yield* Conversations.snapshot("user-42").pipe(Effect.provide(emulated.layer), inSteps)
        assert.lengthOf(list.conversations, 3)
        const [first, second] = emulated.sent
        assert.isAtLeast((second?.time ?? 0) - (first?.time ?? 0), seconds * 1000)
      }),
    { arbitrary: { runs: 40 } }
  )
})

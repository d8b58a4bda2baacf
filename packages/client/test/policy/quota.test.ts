/** The quota: who gets a permit, when, and that none is lost. On TestClock, through the public service. */
import { ClientError, Quota, RetryPolicy, Timeout } from "@effect-zim/client"
import { type Call, DeadlineExceeded } from "@effect-zim/policies"
import { assert, describe, it } from "@effect/vitest"
import * as SharedQuota from "@effect-zim/client/SharedQuota"
import * as Arbitrary from "effect/Arbitrary"
import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Scheduler from "effect/Scheduler"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import * as TestClock from "effect/testing/TestClock"
import * as FakeService from "../fakeService.ts"
import { call, withPermit } from "../quotaOracle.ts"
import { html, layer, noQuota, page, read, times } from "./support.ts"

const within = (patience: number): Call.Options => ({ ...call, deadline: Duration.millis(patience) })

/** Holds a permit for some time. */
const hold = (
  quota: Quota.Quota["Service"],
  millis: number,
  outcome: Quota.Outcome = "Answered",
  onStart: (waited: number) => void = () => undefined,
  asked: Call.Options = call
) =>
  withPermit(
    quota,
    asked,
    (waited) =>
      Effect.andThen(
        Effect.sync(() => onStart(Duration.toMillis(waited))),
        Effect.sleep(millis)
      ),
    () => outcome
  )

const stateOf = (quota: Quota.Quota["Service"]) => Effect.map(quota.state, (states) => states[0])

/** How many of more callers than there are permits get one, and how many of those at once. */
const permitsOf = Effect.fnUntraced(function* (quota: Quota.Quota["Service"], limit: number) {
  const starts: Array<number> = []
  const holders = yield* Effect.forEach(Array.from({ length: 2 * limit }), () =>
    Effect.forkChild(
      withPermit(
        quota,
        call,
        (waited) =>
          Effect.andThen(
            Effect.sync(() => starts.push(Duration.toMillis(waited))),
            Effect.never
          ),
        () => "NotSent"
      ),
      { startImmediately: true }
    )
  )
  yield* TestClock.adjust("1 hour")
  const result = { all: starts.length, atOnce: starts.filter((waited) => waited === 0).length }
  yield* Effect.forEach(holders, Fiber.interrupt, { concurrency: "unbounded" })
  return result
})

// Times lie on a grid, so that much happens in the same instant: an interruption and the grant that it comes too late for.
const onGrid = (maximum: number) => Schema.Literals(Array.from({ length: maximum / 250 + 1 }, (_, n) => n * 250))

const Caller = Schema.Struct({
  startsAt: onGrid(3000),
  latency: onGrid(1500),
  outcome: Schema.Literals(["Answered", "Abandoned", "NotSent", "Rejected"]),
  /** From 4 s: as long as it takes. */
  patience: onGrid(6000),
  /** Beyond 4 s: never. */
  interruptedAfter: onGrid(8000)
})

describe("any schedule of callers, interruptions and outcomes", () => {
  it.effect.prop(
    "loses and leaks no permit, is first come first served, and keeps nobody beyond its patience",
    {
      limit: Schema.Literals([1, 2, 3, 5]),
      callers: Arbitrary.array(Arbitrary.schema(Caller), { maxLength: 40 }),
      rejections: Schema.Boolean
    },
    ({ callers, limit, rejections }) =>
      Effect.gen(function* () {
        const quota = yield* Quota.make({ limit, window: "1 second" })
        /** When each caller, in the order in which they came, got its permit. */
        const grants: Array<number> = []
        let arrivals = 0
        const one = Effect.fnUntraced(function* (caller: (typeof callers)[number]) {
          yield* Effect.sleep(caller.startsAt)
          const isPatient = caller.patience >= 4000
          const outcome = caller.outcome === "Rejected" && !rejections ? "Answered" : caller.outcome
          const arrival = arrivals++
          const askedAt = yield* Clock.currentTimeMillis
          let isStarted = false
          const asking = hold(
            quota,
            caller.latency,
            outcome,
            (waited) => {
              isStarted = true
              grants[arrival] = askedAt + waited
              if (!isPatient) assert.isAtMost(waited, caller.patience)
            },
            isPatient ? call : within(caller.patience)
          )
          const fiber = yield* Effect.forkChild(Effect.result(asking), { startImmediately: true })
          if (caller.interruptedAfter <= 4000) {
            yield* Effect.sleep(caller.interruptedAfter)
            return yield* Fiber.interrupt(fiber)
          }
          const result = yield* Fiber.join(fiber)
          if (result._tag === "Success") return
          assert.instanceOf(result.failure, DeadlineExceeded)
          assert.isFalse(isStarted, "refused with a permit")
          const waited = (yield* Clock.currentTimeMillis) - askedAt
          assert.isAtMost(waited, caller.patience)
          if (waited < caller.patience) {
            assert.strictEqual(waited, 0, "refused neither at once nor when its time was up")
            assert.isAbove(Duration.toMillis(result.failure.needed ?? Duration.zero), caller.patience)
          }
        })
        const all = yield* Effect.forkChild(Effect.forEach(callers, one, { concurrency: "unbounded", discard: true }))
        yield* TestClock.adjust("2 hours")
        yield* Fiber.join(all)

        const inOrder = grants.filter((grant) => grant !== undefined)
        assert.deepStrictEqual(
          inOrder,
          inOrder.toSorted((left, right) => left - right),
          "somebody was overtaken"
        )
        const state = yield* stateOf(quota)
        assert.strictEqual(state?.inUse ?? 0, 0)
        assert.strictEqual(state?.waiting ?? 0, 0)
        const { all: permits, atOnce } = yield* permitsOf(quota, limit)
        assert.strictEqual(permits, limit)
        if (!rejections) assert.strictEqual(atOnce, limit)
      }),
    { arbitrary: { seed: 41, runs: 250 } }
  )
})

describe("interruption", () => {
  const steps = ["while waiting", "at the grant", "in flight"] as const
  it.effect.each(steps)("%s gives everything back", (step) =>
    Effect.gen(function* () {
      const quota = yield* Quota.make({ limit: 1, window: "1 second" })
      const started: Array<string> = []
      const first = yield* Effect.forkChild(hold(quota, 500), { startImmediately: true })
      const second = yield* Effect.forkChild(
        hold(quota, 10_000, "Abandoned", () => started.push("second")),
        { startImmediately: true }
      )
      const third = yield* Effect.forkChild(
        hold(quota, 0, "Answered", () => started.push("third")),
        { startImmediately: true }
      )
      // The first answer comes at 500 ms, its permit comes back at 1500 ms.
      if (step === "at the grant") {
        yield* Effect.forkChild(Effect.andThen(Effect.sleep(1500), Fiber.interrupt(second)))
      } else {
        yield* TestClock.adjust(step === "while waiting" ? 1000 : 2000)
        assert.strictEqual((yield* stateOf(quota))?.waiting, step === "while waiting" ? 2 : 1)
        yield* Fiber.interrupt(second)
        assert.strictEqual((yield* stateOf(quota))?.waiting, 1)
      }
      yield* TestClock.adjust("10 seconds")
      assert.strictEqual(started.at(-1), "third")
      if (step === "while waiting") assert.deepStrictEqual(started, ["third"])
      yield* Fiber.join(first)
      yield* Fiber.join(third)
      assert.deepStrictEqual(yield* permitsOf(quota, 1), { all: 1, atOnce: 1 })
    })
  )

  it.effect("of a hundred waiters costs the next caller nothing", () =>
    Effect.gen(function* () {
      const quota = yield* Quota.make({ limit: 1, window: "1 second" })
      yield* hold(quota, 0)
      const waiters = yield* Effect.forEach(Array.from({ length: 100 }), () => Effect.forkChild(hold(quota, 0)))
      yield* TestClock.adjust("500 millis")
      assert.strictEqual((yield* stateOf(quota))?.waiting, 100)
      yield* Effect.forEach(waiters, Fiber.interrupt)
      let waited = -1
      yield* Effect.forkChild(hold(quota, 0, "Answered", (millis) => (waited = millis)))
      yield* TestClock.adjust("10 seconds")
      assert.strictEqual(waited, 500)
    })
  )
})

describe("a permit that comes back at once", () => {
  it.effect("goes to the first in the queue at once, although it waits for another", () =>
    Effect.gen(function* () {
      const quota = yield* Quota.make({ limit: 2, window: "10 seconds" })
      yield* hold(quota, 0)
      yield* Effect.forkChild(hold(quota, 3000, "NotSent"), { startImmediately: true })
      let waited = -1
      yield* Effect.forkChild(hold(quota, 0, "Answered", (millis) => (waited = millis)))
      yield* TestClock.adjust("1 minute")
      assert.strictEqual(waited, 3000)
    })
  )
})

describe("a long line", () => {
  it.effect("of callers that all send nothing, as when the circuit is open, is through at once", () =>
    Effect.gen(function* () {
      const quota = yield* Quota.make({ limit: 1, window: "1 second" })
      yield* hold(quota, 0)
      let through = 0
      const refused = withPermit(
        quota,
        call,
        () => Effect.sync(() => void through++),
        () => "NotSent"
      )
      const callers = yield* Effect.forEach(Array.from({ length: 5000 }), () => Effect.forkChild(refused))
      yield* TestClock.adjust("1 second")
      // Without any more time going by; on a busy machine the clock does not wait for all of them.
      yield* Fiber.joinAll(callers)
      assert.strictEqual(through, 5000)
    })
  )
})

describe("a caller whose time is short", () => {
  it.effect("is refused at once, and told what it would have needed", () =>
    Effect.gen(function* () {
      const quota = yield* Quota.make({ limit: 2, window: "10 seconds" })
      yield* hold(quota, 0)
      yield* hold(quota, 0)
      yield* TestClock.adjust("4 seconds")
      const [took, error] = yield* Effect.timed(Effect.flip(hold(quota, 0, "Answered", undefined, within(5999))))
      assert.instanceOf(error, DeadlineExceeded)
      assert.deepStrictEqual([Duration.toMillis(took), Duration.toMillis(error.needed ?? Duration.zero)], [0, 6000])
      const fiber = yield* Effect.forkChild(Effect.exit(hold(quota, 0, "Answered", undefined, within(6001))))
      yield* TestClock.adjust("6 seconds")
      assert.strictEqual((yield* Fiber.join(fiber))._tag, "Success")
    })
  )

  it.effect("is told so by the call's error", () =>
    Effect.gen(function* () {
      const service = FakeService.answering(page)
      yield* Effect.gen(function* () {
        yield* read
        const inAHurry = Effect.provideService(read, Timeout.Deadline, Duration.seconds(5))
        const [took, error] = yield* Effect.timed(Effect.flip(inAHurry))
        assert.instanceOf(error, ClientError.DeadlineExceeded)
        assert.strictEqual(Duration.toMillis(took), 0)
        assert.deepStrictEqual(error.needed, Duration.minutes(1))
        assert.strictEqual(error.attempts, 0)
      }).pipe(Effect.provide(layer(service, Quota.layer({ limit: 1, window: "1 minute" }))))
      assert.strictEqual(service.sent.length, 1)
    })
  )
})

describe("one quota", () => {
  const waits = Effect.fnUntraced(function* (options: Quota.Options, calls: ReadonlyArray<Call.Options>) {
    const quota = yield* Quota.make(options)
    const waited: Array<number> = []
    for (const asked of calls) {
      yield* Effect.forkChild(
        hold(quota, 0, "Answered", (millis) => waited.push(millis), asked),
        { startImmediately: true }
      )
    }
    yield* TestClock.adjust("1 minute")
    return { waited, keys: (yield* quota.state).map(({ key }) => key) }
  })
  const other: Call.Options = { ...call, operation: "QueryGroupList" }
  const elsewhere: Call.Options = { ...call, key: "9" }

  it.effect("for all operations of an app, by default", () =>
    Effect.gen(function* () {
      const { keys, waited } = yield* waits({ limit: 1 }, [call, other, elsewhere])
      assert.deepStrictEqual(
        waited.toSorted((left, right) => left - right),
        [0, 0, 1000]
      )
      assert.deepStrictEqual(keys, ["12345", "9"])
    })
  )

  it.effect("for each operation, where that is asked for", () =>
    Effect.gen(function* () {
      const { keys, waited } = yield* waits({ limit: 1, per: "operation" }, [call, other, elsewhere, other])
      assert.deepStrictEqual(
        waited.toSorted((left, right) => left - right),
        [0, 0, 0, 1000]
      )
      assert.deepStrictEqual(keys, ["12345:QueryConversationList", "12345:QueryGroupList", "9:QueryConversationList"])
    })
  )

  it.effect("is the call's own, where it brings one", () =>
    Effect.gen(function* () {
      const service = FakeService.answering(page)
      yield* Effect.gen(function* () {
        const own = yield* Quota.make({ limit: 1, window: "1 hour" })
        yield* Effect.all([read, Quota.provide(read, own), Quota.provide(own)(read), read], {
          concurrency: "unbounded"
        }).pipe(Effect.provideService(Timeout.Deadline, Duration.hours(2)), FakeService.inTime({ limit: 7_200_000 }))
      }).pipe(Effect.provide(layer(service, noQuota)))
      assert.deepStrictEqual(times(service), [0, 0, 0, 3_600_000])
    })
  )
})

describe("a quota that nobody could keep", () => {
  const cases: ReadonlyArray<readonly [Quota.Options, RegExp]> = [
    ...[0, -1, 2.5, Number.NaN, Infinity].map((limit) => [{ limit }, /limit is a whole number.*1 or more/] as const),
    ...[0, -5, Infinity].map((window) => [{ window }, /window is a finite time/] as const),
    ...[-1, Infinity].map((grace) => [{ grace }, /grace is a finite time/] as const)
  ]
  const refusal = <A>(make: Effect.Effect<A, never, Scope.Scope>) =>
    Effect.map(Effect.exit(Effect.scoped(make)), (exit) =>
      Exit.isFailure(exit) ? Cause.squash(exit.cause) : undefined
    )

  it.effect.each(cases)("is not made: %j", ([options, message]) =>
    Effect.gen(function* () {
      const store = yield* SharedQuota.memory
      for (const error of [yield* refusal(Quota.make(options)), yield* refusal(SharedQuota.make(store, options))]) {
        assert.instanceOf(error, RangeError)
        assert.match(String(error), message)
      }
    })
  )

  it.effect.each([0, -0.5, 1.1, Number.NaN])("is not made: a share of %d", (share) =>
    Effect.gen(function* () {
      const store = yield* SharedQuota.memory
      const error = yield* refusal(SharedQuota.make(store, { whenUnavailable: { share } }))
      assert.match(String(error), /share is above 0, and 1 at most/)
    })
  )
})

describe("a rejection in spite of the quota", () => {
  it.effect("pauses everybody on the AppID, whatever the operation, and nobody else", () =>
    Effect.gen(function* () {
      const quota = yield* Quota.make({ limit: 5, window: "1 second" })
      yield* hold(quota, 0, "Rejected")
      const waited = new Map<string, number>()
      for (const asked of [call, { ...call, operation: "Other" }, { ...call, key: "9" }]) {
        const key = `${asked.key} ${asked.operation}`
        yield* Effect.forkChild(hold(quota, 0, "Answered", (millis) => waited.set(key, millis), asked))
      }
      yield* TestClock.adjust("1 minute")
      assert.isAtLeast(waited.get("12345 QueryConversationList") ?? 0, 1000)
      assert.isAtLeast(waited.get("12345 Other") ?? 0, 1000)
      assert.strictEqual(waited.get("9 QueryConversationList"), 0)
    })
  )

  it.effect("reaches callers through the client, and is not sent into again while it lasts", () =>
    Effect.gen(function* () {
      const service = FakeService.answering(FakeService.code(660300005), page)
      yield* Effect.all([Effect.exit(read), Effect.delay(read, "10 millis")], { concurrency: 2 }).pipe(
        RetryPolicy.provide(RetryPolicy.none),
        Effect.provide(FakeService.clientOf(service.layer)),
        FakeService.inTime()
      )
      assert.strictEqual(service.sent.length, 2)
      assert.isAtLeast(times(service)[1] ?? 0, 1000)
    })
  )

  it.effect("by HTTP status counts as one too; other answers do not", () =>
    Effect.gen(function* () {
      const secondCall = Effect.fnUntraced(function* (answer: FakeService.Reply) {
        const service = FakeService.answering(answer, page)
        yield* Effect.andThen(Effect.exit(read), read).pipe(
          RetryPolicy.provide(RetryPolicy.none),
          Effect.provide(layer(service, Quota.layer())),
          FakeService.inTime()
        )
        return times(service)[1] ?? 0
      })
      assert.isAtLeast(yield* secondCall(html(429)), 1000)
      assert.strictEqual(yield* secondCall(FakeService.code(1)), 0)
      assert.strictEqual(yield* secondCall(FakeService.code(660500002)), 0)
    })
  )

  it.effect("spreads calls out, more so when it goes on, and bursts come back when it does not", () =>
    Effect.gen(function* () {
      const quota = yield* Quota.make({ limit: 10, window: "1 second" })
      const spacing = Effect.map(stateOf(quota), (state) => Duration.toMillis(state?.spacing ?? 0))
      const rejected = Effect.gen(function* () {
        yield* Effect.forkChild(hold(quota, 10, "Rejected"))
        yield* TestClock.adjust("5 seconds")
        return yield* spacing
      })
      assert.strictEqual(yield* spacing, 0)
      const once = yield* rejected
      assert.isAbove(once, 0)
      assert.isAbove(yield* rejected, once)
      let calls = 0
      while ((yield* spacing) > 0 && calls < 20_000) {
        yield* Effect.forkChild(hold(quota, 10))
        yield* TestClock.adjust("2 seconds")
        calls++
      }
      assert.strictEqual(yield* spacing, 0, "never recovered")
      yield* TestClock.adjust("1 minute")
      assert.deepStrictEqual(yield* permitsOf(quota, 10), { all: 10, atOnce: 10 })
    })
  )
})

describe("what a quota is doing", () => {
  it.effect("can be seen: permits in use, callers in the queue, the next permit", () =>
    Effect.gen(function* () {
      const service = FakeService.make(() => Effect.delay(Effect.succeed(page), 500))
      yield* Effect.gen(function* () {
        const quota = yield* Quota.Quota
        assert.deepStrictEqual(yield* quota.state, [])
        const fibers = yield* Effect.forEach(Array.from({ length: 5 }), () =>
          Effect.forkChild(read, { startImmediately: true })
        )
        const seen = Effect.map(stateOf(quota), (state) => [state?.inUse, state?.waiting])
        assert.deepStrictEqual(yield* seen, [2, 3])
        yield* TestClock.adjust("500 millis")
        yield* FakeService.settle
        assert.deepStrictEqual(yield* seen, [0, 3])
        assert.deepStrictEqual((yield* stateOf(quota))?.nextPermit, Duration.seconds(1))
        yield* TestClock.adjust("1 second")
        yield* FakeService.settle
        assert.deepStrictEqual(yield* seen, [2, 1])
        yield* FakeService.inTime(Effect.forEach(fibers, Fiber.join))
        assert.deepStrictEqual(yield* seen, [0, 0])
      }).pipe(Effect.provide(layer(service, Quota.layer({ limit: 2 }))))
    })
  )
})

/** A scheduler that makes a fiber wait before its nth step, until it may go on. */
const heldAt = (n: number) => {
  const held: Array<() => void> = []
  let isHeld = true
  let steps = 0
  const scheduler = new Scheduler.MixedScheduler("async", (run) => {
    if (isHeld) held.push(run)
    else setImmediate(run)
    return () => undefined
  })
  return {
    scheduler: {
      executionMode: "async",
      makeDispatcher: () => scheduler.makeDispatcher(),
      shouldYield: () => ++steps === n
    } satisfies Scheduler.Scheduler,
    isOver: () => steps < n,
    goOn: () => {
      isHeld = false
      for (const run of held) run()
    }
  }
}

describe("a permit that comes back while the next caller is held up", () => {
  const quotas = {
    "in this process": Quota.make({ limit: 1 }),
    shared: Effect.flatMap(SharedQuota.memory, (store) => SharedQuota.make(store, { limit: 1 }))
  } satisfies Record<string, Effect.Effect<Quota.Quota["Service"], never, Scope.Scope>>

  it.effect.each(Object.entries(quotas))("is not overlooked, at whichever step it is: %s", ([, make]) =>
    Effect.gen(function* () {
      for (let step = 1; ; step++) {
        const quota = yield* make
        const holder = yield* Effect.forkChild(
          withPermit(
            quota,
            call,
            () => Effect.never,
            () => "NotSent"
          ),
          { startImmediately: true }
        )
        yield* FakeService.settle
        const { goOn, isOver, scheduler } = heldAt(step)
        const next = yield* Effect.forkChild(
          Effect.provideService(hold(quota, 0, "NotSent"), Scheduler.Scheduler, scheduler),
          { startImmediately: true }
        )
        yield* FakeService.settle
        yield* Fiber.interrupt(holder)
        yield* FakeService.settle
        goOn()
        for (let i = 0; i < 10 && next.pollUnsafe() === undefined; i++) {
          yield* TestClock.adjust("1 second")
          yield* FakeService.settle
        }
        assert.isDefined(next.pollUnsafe(), `never gets it, held up at step ${step}`)
        if (isOver()) break
      }
    })
  )
})

/** The shared quota over the store in memory, on the test's clock. */
import { ClientError, type Quota, RetryPolicy, ZimClient } from "@effect-zim/client"
import * as SharedQuota from "@effect-zim/client/SharedQuota"
import { DeadlineExceeded, QuotaUnavailable } from "@effect-zim/policies"
import { QueryConversationList } from "@effect-zim/protocol"
import { assert, describe, it } from "@effect/vitest"
import * as Arbitrary from "effect/Arbitrary"
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Random from "effect/Random"
import * as Schema from "effect/Schema"
import * as Scope from "effect/Scope"
import * as TestClock from "effect/testing/TestClock"
import * as FakeService from "./fakeService.ts"
import { between, call, outcomeOf, peak, service, withPermit } from "./quotaOracle.ts"

/** A store that can be away: then it refuses, or answers only when it is back. */
const unreliable = (reliable: SharedQuota.Store, latency: number) => {
  let store = reliable
  let isAway: "no" | "refuses" | "hangs" = "no"
  const waiting = new Set<() => void>()
  const reach = <A>(use: (store: SharedQuota.Store) => Effect.Effect<A, SharedQuota.StoreUnavailable>) =>
    Effect.suspend((): Effect.Effect<A, SharedQuota.StoreUnavailable> => {
      if (isAway === "refuses")
        return Effect.fail(new SharedQuota.StoreUnavailable({ cause: new Error("ECONNREFUSED") }))
      const there = Effect.callback<void>((resume) => {
        if (isAway === "no") resume(Effect.void)
        else waiting.add(() => resume(Effect.void))
      })
      const way = Effect.sleep(latency / 2)
      // What is under way is not called back where the caller stops waiting.
      return Effect.uninterruptible(
        Effect.andThen(
          Effect.andThen(there, way),
          Effect.ensuring(
            Effect.suspend(() => use(store)),
            way
          )
        )
      ).pipe(Effect.forkDetach({ startImmediately: true }), Effect.flatMap(Fiber.join))
    })
  return {
    store: {
      acquire: (ask) => reach((store) => store.acquire(ask)),
      release: (lease) => reach((store) => store.release(lease)),
      pause: (pause) => reach((store) => store.pause(pause))
    } satisfies SharedQuota.Store,
    leave: (how: "refuses" | "hangs") => (isAway = how),
    comeBack: (other?: SharedQuota.Store) => {
      store = other ?? store
      isAway = "no"
      for (const resume of waiting) resume()
      waiting.clear()
    }
  }
}

/** A process, whose last messages reach the store although nobody moves the clock any more. */
const makeQuota = (store: SharedQuota.Store, options?: SharedQuota.Options) =>
  Effect.flatMap(
    Effect.acquireRelease(Scope.make(), (scope) =>
      Effect.all([Scope.close(scope, Exit.void), TestClock.adjust("5 seconds")], { concurrency: "unbounded" })
    ),
    (scope) => Scope.provide(SharedQuota.make(store, options), scope)
  )

/** Calls one after the other, for ever, whatever they end with. */
const callForEver = <E>(quota: Quota.Quota["Service"], request: Effect.Effect<void, E>) =>
  Effect.forever(
    Effect.catch(
      withPermit(quota, call, () => request, outcomeOf),
      () => Effect.sleep("100 millis")
    )
  )

/** Runs this for a while of the test's time. */
const running = <A, E, R>(self: Effect.Effect<A, E, R>, duration: Duration.Input, seed: number) =>
  self.pipe(Effect.timeoutOption(duration), Random.withSeed(seed), FakeService.inTime({ step: 1000 }))

describe("several processes over one store", () => {
  it.effect.prop(
    "never let more than the limit arrive in any window, and use nearly all of it",
    {
      processes: between(1, 5),
      callers: between(5, 12),
      roundTrip: between(0, 300),
      jitter: between(0, 80),
      latency: between(0, 5),
      seed: between(0, 1e6)
    },
    ({ callers, jitter, latency, processes, roundTrip, seed }) =>
      Effect.gen(function* () {
        const { arrivals, request } = service(roundTrip, jitter)
        const { store } = unreliable(yield* SharedQuota.memory, latency)
        const quotas = yield* Effect.replicateEffect(makeQuota(store), processes)
        yield* running(
          Effect.forEach(
            quotas.flatMap((quota) => Array.from({ length: callers }, () => quota)),
            (quota) => callForEver(quota, request),
            { concurrency: "unbounded" }
          ),
          "20 seconds",
          seed
        )
        assert.isAtMost(peak(arrivals, 1000), 20)
        const cycle = 1000 + roundTrip + jitter + 2 * latency + 10
        const expected = Math.min(20, processes * callers) * (20_000 / cycle)
        assert.isAtLeast(arrivals.length, 0.9 * expected)
      }),
    { arbitrary: { seed: 51, runs: 15 } }
  )

  it.effect("win the smallest round trip back, as one process does", () =>
    Effect.gen(function* () {
      const { arrivals, request } = service(100, 10)
      const { store } = unreliable(yield* SharedQuota.memory, 1)
      const quotas = yield* Effect.replicateEffect(makeQuota(store), 4)
      yield* running(
        Effect.forEach(
          quotas.flatMap((quota) => Array.from({ length: 10 }, () => quota)),
          (quota) => callForEver(quota, request),
          { concurrency: "unbounded" }
        ),
        "5 minutes",
        1
      )
      assert.isAtMost(peak(arrivals, 1000), 20)
      assert.isAtLeast(arrivals.length, 300 * 20 * 0.94)
    })
  )

  it.effect("a process that is far away does not make up for one that is near", () =>
    Effect.gen(function* () {
      const far = service(300, 0)
      const near = service(0, 0)
      const { store } = unreliable(yield* SharedQuota.memory, 1)
      const [first, second] = [yield* makeQuota(store), yield* makeQuota(store)]
      yield* running(
        Effect.forEach(
          Array.from({ length: 40 }, (_, i) => i),
          (i) => (i % 2 === 0 ? callForEver(first, far.request) : callForEver(second, near.request)),
          { concurrency: "unbounded" }
        ),
        "2 minutes",
        1
      )
      const arrivals = [...far.arrivals, ...near.arrivals].toSorted((a, b) => a - b)
      assert.isAtLeast(far.arrivals.length, 100)
      assert.isAtMost(peak(arrivals, 1000), 20)
    })
  )

  it.effect("count a call that was given up as long as it may still arrive", () =>
    Effect.gen(function* () {
      const { arrivals, request } = service(100, 1900)
      const { store } = unreliable(yield* SharedQuota.memory, 1)
      const quotas = yield* Effect.replicateEffect(makeQuota(store), 2)
      const impatient = Effect.timeoutOption(request, "200 millis")
      yield* running(
        Effect.forEach(
          quotas.flatMap((quota) => Array.from({ length: 20 }, () => quota)),
          (quota) =>
            Effect.forever(
              Effect.ignore(
                withPermit(
                  quota,
                  call,
                  () => impatient,
                  () => "Abandoned"
                )
              )
            ),
          { concurrency: "unbounded" }
        ),
        "2 minutes",
        1
      )
      assert.isAtLeast(arrivals.length, 500)
      assert.isAtMost(peak(arrivals, 1000), 20)
    })
  )

  it.effect("give the permits of a process that crashed back, after the lease", () =>
    Effect.gen(function* () {
      const { store } = unreliable(yield* SharedQuota.memory, 0)
      const away = unreliable(store, 0)
      const crashing = yield* makeQuota(away.store, { limit: 2 })
      const other = yield* makeQuota(store, { limit: 2 })
      const hanging = { ...call, attemptTimeout: Duration.seconds(30) }
      yield* Effect.forEach(
        [1, 2],
        () => Effect.forkScoped(withPermit(crashing, hanging, () => Effect.never, outcomeOf)),
        { discard: true }
      )
      yield* FakeService.settle
      away.leave("hangs")
      const start = yield* Clock.currentTimeMillis
      yield* FakeService.inTime(
        withPermit(other, call, () => Effect.void, outcomeOf),
        { step: 10 }
      )
      const waited = (yield* Clock.currentTimeMillis) - start
      // The attempt's time, the window and the grace.
      assert.isAtLeast(waited, 33_000)
      assert.isAtMost(waited, 33_000 + 1050)
      away.comeBack()
    })
  )

  it.effect("a process that has ended gives no permit, and says so to who waits and who comes later", () =>
    Effect.gen(function* () {
      const scope = yield* Scope.make()
      const quota = yield* Scope.provide(SharedQuota.make(yield* SharedQuota.memory, { limit: 1 }), scope)
      const take = withPermit(quota, call, () => Effect.void, outcomeOf)
      yield* take
      const waiting = yield* Effect.forkScoped(Effect.flip(take), { startImmediately: true })
      yield* Scope.close(scope, Exit.void)
      for (const error of [Fiber.join(waiting), Effect.flip(take)]) {
        assert.instanceOf(yield* FakeService.inTime(error), QuotaUnavailable)
      }
    })
  )

  it.effect("all pause when the service rejects a call of one, and slow down alike", () =>
    Effect.gen(function* () {
      const { store } = unreliable(yield* SharedQuota.memory, 1)
      const [one, other] = [yield* makeQuota(store), yield* makeQuota(store)]
      const grants: Array<number> = []
      const take = (quota: Quota.Quota["Service"], outcome: Quota.Outcome) =>
        withPermit(
          quota,
          call,
          () => Effect.map(Clock.currentTimeMillis, (now) => void grants.push(now)),
          () => outcome
        )
      const times = yield* Effect.gen(function* () {
        yield* take(one, "Rejected")
        yield* Effect.sleep(5)
        yield* Effect.forEach([1, 2, 3, 4], () => take(other, "Answered"), { concurrency: "unbounded" })
        return grants
      }).pipe(FakeService.inTime({ step: 1 }))
      const [rejected = 0, first = 0, ...rest] = times
      assert.isAtLeast(first - rejected, 1000)
      assert.isAtMost(first - rejected, 1020)
      for (const [i, time] of rest.entries()) assert.isAtLeast(time - (times[i + 1] ?? 0), 45)
      const [state] = yield* other.state
      assert.isAtLeast(Duration.toMillis(state?.spacing ?? Duration.zero), 45)
    })
  )

  it.effect("all wait as long as one was told, although the store did not hear of it at first", () =>
    Effect.gen(function* () {
      const { comeBack, leave, store } = unreliable(yield* SharedQuota.memory, 1)
      const options = { whenUnavailable: { share: 1 / 2 } } as const
      const [one, other] = [yield* makeQuota(store, options), yield* makeQuota(store, options)]
      const grants: Array<number> = []
      const take = (quota: Quota.Quota["Service"], wait?: Duration.Duration) =>
        withPermit(
          quota,
          call,
          () => Effect.map(Clock.currentTimeMillis, (now) => void grants.push(now)),
          () => "Answered",
          () => wait
        )
      yield* Effect.gen(function* () {
        yield* Effect.all([take(one), take(other)], { concurrency: "unbounded" })
        leave("refuses")
        // Each goes on by itself.
        yield* Effect.sleep("20 seconds")
        yield* take(one, Duration.minutes(2))
        yield* Effect.sleep("5 seconds")
        comeBack()
        yield* Effect.sleep("20 seconds")
        yield* Effect.all([take(one), take(other)], { concurrency: "unbounded" })
      }).pipe(FakeService.inTime({ step: 100 }))
      const [, , told = 0, ...rest] = grants
      assert.lengthOf(rest, 2)
      for (const time of rest) assert.isAtLeast(time - told, 120_000)
    })
  )
})

describe("within a process", () => {
  it.effect.prop(
    "callers are served in order, and no schedule of interruptions leaks a permit",
    {
      limit: between(1, 6),
      latency: between(0, 50),
      callers: Arbitrary.array(
        Arbitrary.schema(
          Schema.Struct({
            startsAt: between(0, 3000),
            lasts: between(0, 1500),
            // Beyond 4 s: never.
            interruptedAfter: between(0, 6000)
          })
        ),
        { minLength: 1, maxLength: 30 }
      )
    },
    ({ callers, latency, limit }) =>
      Effect.gen(function* () {
        const { store } = unreliable(yield* SharedQuota.memory, latency)
        const quota = yield* makeQuota(store, { limit, grace: "500 millis" })
        const arrivals: Array<number> = []
        const served: Array<number> = []
        const began = new Map<number, number>()
        yield* Effect.gen(function* () {
          yield* Effect.forEach(
            callers,
            ({ interruptedAfter, lasts, startsAt }, i) =>
              Effect.gen(function* () {
                yield* Effect.sleep(startsAt)
                began.set(i, startsAt)
                const attempt = Effect.flatMap(Clock.currentTimeMillis, (now) => {
                  arrivals.push(now)
                  served.push(i)
                  return Effect.sleep(lasts)
                })
                const fiber = yield* Effect.forkChild(
                  withPermit(quota, call, () => attempt, outcomeOf),
                  { startImmediately: true }
                )
                if (interruptedAfter > 4000) {
                  yield* Fiber.join(fiber)
                } else {
                  yield* Effect.sleep(interruptedAfter)
                  const [duration] = yield* Effect.timed(Fiber.interrupt(fiber))
                  assert.strictEqual(Duration.toMillis(duration), 0, "interruption takes effect at once")
                }
              }),
            { concurrency: "unbounded" }
          )
          // Whatever is still out is back by now, long before a lease ends by itself.
          yield* Effect.sleep("2 seconds")
          const [state] = yield* quota.state
          assert.strictEqual(state?.inUse, 0)
          assert.strictEqual(state?.waiting, 0)
          const now = yield* Clock.currentTimeMillis
          yield* Effect.forEach(
            Array.from({ length: limit }, () => quota),
            (quota) => withPermit(quota, call, () => Effect.void, outcomeOf),
            { concurrency: "unbounded" }
          )
          assert.isAtMost((yield* Clock.currentTimeMillis) - now, limit * latency + 1, "a permit is missing")
        }).pipe(FakeService.inTime({ step: 50 }))
        assert.isAtMost(peak(arrivals, 1000), limit)
        const order = served.map((i) => began.get(i) ?? 0)
        assert.deepStrictEqual(
          order,
          order.toSorted((a, b) => a - b)
        )
      }),
    { arbitrary: { seed: 52, runs: 60 } }
  )

  it.effect("a caller that cannot wait as long as it has to is told at once; another one when its time is over", () =>
    Effect.gen(function* () {
      const store = yield* SharedQuota.memory
      const [one, other] = [
        yield* makeQuota(store, { limit: 1, window: "10 seconds" }),
        yield* makeQuota(store, { limit: 1, window: "10 seconds" })
      ]
      yield* withPermit(one, call, () => Effect.void, outcomeOf)
      const patient = yield* Effect.forkScoped(withPermit(other, call, () => Effect.void, outcomeOf))
      yield* FakeService.settle
      // The process knows by now what the store has said.
      const [took, error] = yield* Effect.timed(
        Effect.flip(withPermit(other, { ...call, deadline: Duration.seconds(3) }, () => Effect.void, outcomeOf))
      )
      assert.strictEqual(Duration.toMillis(took), 0)
      assert.instanceOf(error, DeadlineExceeded)
      assert.isAtLeast(Duration.toMillis(error.needed ?? Duration.zero), 9990)
      const late = Effect.flip(
        withPermit(other, { ...call, deadline: Duration.seconds(15) }, () => Effect.never, outcomeOf)
      )
      assert.instanceOf(yield* FakeService.inTime(late, { step: 100 }), DeadlineExceeded)
      yield* Fiber.join(patient)
    })
  )
})

describe("while the store is away", () => {
  it.effect("all callers fail at once with what a person should do, and nothing is sent", () =>
    Effect.gen(function* () {
      const { comeBack, leave, store } = unreliable(yield* SharedQuota.memory, 1)
      const fake = FakeService.answering(FakeService.page([]))
      const client = FakeService.clientOf(fake.layer).pipe(Layer.provide(SharedQuota.layer(store)))
      const read = ZimClient.execute(QueryConversationList.operation, { userId: "user-42" }).pipe(
        RetryPolicy.provide(RetryPolicy.none)
      )
      yield* Effect.gen(function* () {
        for (const how of ["refuses", "hangs"] as const) {
          leave(how)
          const before = fake.sent.length
          const [took, exits] = yield* Effect.timed(
            Effect.forEach(Array.from({ length: 50 }), () => Effect.flip(read), { concurrency: "unbounded" })
          )
          for (const error of exits) {
            assert.instanceOf(error, ClientError.QuotaUnavailable)
            assert.include(ClientError.advice(error), "store")
          }
          // The time that the store has, for all of them together; once more for each retry of the policy.
          assert.isAtMost(Duration.toMillis(took), 1000)
          assert.strictEqual(fake.sent.length, before)
          comeBack()
          yield* Effect.sleep("10 millis")
          yield* read
          assert.strictEqual(fake.sent.length, before + 1)
        }
      }).pipe(Effect.provide(client), FakeService.inTime({ step: 10 }))
    })
  )

  it.effect("a permit that comes too late for its caller is given back", () =>
    Effect.gen(function* () {
      const { comeBack, leave, store } = unreliable(yield* SharedQuota.memory, 0)
      const quota = yield* makeQuota(store, { limit: 3 })
      yield* Effect.gen(function* () {
        leave("hangs")
        for (let i = 0; i < 10; i++) {
          const error = yield* Effect.flip(withPermit(quota, call, () => Effect.void, outcomeOf))
          assert.instanceOf(error, QuotaUnavailable)
          yield* Effect.sleep(1)
        }
        comeBack()
        yield* Effect.sleep(1)
        const now = yield* Clock.currentTimeMillis
        yield* Effect.forEach([1, 2, 3], () => withPermit(quota, call, () => Effect.void, outcomeOf))
        assert.strictEqual(yield* Clock.currentTimeMillis, now, "a permit is missing")
      }).pipe(FakeService.inTime({ step: 10 }))
    })
  )

  const Outage = Schema.Struct({
    after: between(500, 12_000),
    lasts: between(10, 15_000),
    how: Schema.Literals(["refuses", "hangs"]),
    isEmptied: Schema.Boolean
  })

  it.effect.prop(
    "never more than the limit arrive in any window, whenever it goes and returns, with its memory or without",
    {
      outages: Arbitrary.array(Arbitrary.schema(Outage), { minLength: 1, maxLength: 4 }),
      processes: between(1, 5),
      policy: Schema.Literals(["fail", "share"]),
      pauses: between(0, 4000),
      roundTrip: between(0, 300),
      seed: between(0, 1e6)
    },
    ({ outages, pauses, policy, processes, roundTrip, seed }) =>
      Effect.gen(function* () {
        const { arrivals, request } = service(roundTrip, 50)
        const away = unreliable(yield* SharedQuota.memory, 2)
        const whenUnavailable = policy === "fail" ? policy : { share: 1 / processes }
        const process = Effect.gen(function* () {
          const quota = yield* SharedQuota.make(away.store, { whenUnavailable })
          // Busy, and then again idle for a while: a process that asks nothing notices nothing.
          const rest = Effect.flatMap(Random.next, (random) => Effect.sleep(random * pauses))
          yield* Effect.forEach(Array.from({ length: 20 }), () => callForEver(quota, Effect.andThen(request, rest)), {
            concurrency: "unbounded"
          })
        })
        // Processes come and go: one of them now and then starts anew.
        const restarting = Effect.forever(Effect.scoped(Effect.timeoutOption(process, "17 seconds")))
        const weather = Effect.gen(function* () {
          for (const { after, how, isEmptied, lasts } of outages) {
            yield* Effect.sleep(after)
            away.leave(how)
            yield* Effect.sleep(lasts)
            away.comeBack(isEmptied ? yield* SharedQuota.memory : undefined)
          }
          yield* Effect.sleep("20 seconds")
        })
        yield* running(
          Effect.raceFirst(
            weather,
            Effect.all([...Array.from({ length: processes - 1 }, () => Effect.scoped(process)), restarting], {
              concurrency: "unbounded",
              discard: true
            })
          ),
          "10 minutes",
          seed
        )
        assert.isAtMost(peak(arrivals, 1000), 20)
        const end = yield* Clock.currentTimeMillis
        assert.isAtLeast(arrivals.filter((time) => time > end - 10_000).length, 20, "it goes on afterwards")
      }),
    { arbitrary: { seed: 53, runs: 20 } }
  )

  it.effect("a process that starts as the store comes back waits for those that are still on their own", () =>
    Effect.gen(function* () {
      const { arrivals, request } = service(0, 0)
      const away = unreliable(yield* SharedQuota.memory, 1)
      const busy = Effect.flatMap(
        Effect.suspend(() => SharedQuota.make(away.store, { whenUnavailable: { share: 0.5 } })),
        (quota) =>
          Effect.forEach(Array.from({ length: 20 }), () => callForEver(quota, request), { concurrency: "unbounded" })
      )
      const weather = Effect.gen(function* () {
        yield* Effect.sleep("8 seconds")
        away.leave("refuses")
        yield* Effect.sleep("9300 millis")
        away.comeBack()
        yield* Effect.scoped(busy)
      })
      yield* running(Effect.raceFirst(weather, Effect.scoped(busy)), "40 seconds", 1)
      assert.isAtLeast(arrivals.length, 500)
      assert.isAtMost(peak(arrivals, 1000), 20)
    })
  )

  it.effect("a process goes on with its share, and not with more, until the store is back", () =>
    Effect.gen(function* () {
      const { arrivals, request } = service(10, 0)
      const away = unreliable(yield* SharedQuota.memory, 1)
      const quota = yield* makeQuota(away.store, { whenUnavailable: { share: 0.26 } })
      const fiber = yield* Effect.forkScoped(
        Effect.forEach(Array.from({ length: 40 }), () => callForEver(quota, request), { concurrency: "unbounded" })
      )
      const during = (seconds: number) =>
        Effect.gen(function* () {
          const before = arrivals.length
          for (let i = 0; i < seconds * 10; i++) yield* Effect.andThen(TestClock.adjust(100), FakeService.settle)
          return arrivals.length - before
        })
      yield* during(5)
      assert.isAtLeast(yield* during(20), 380)
      away.leave("hangs")
      yield* during(6)
      const share = yield* during(20)
      assert.isAtMost(share, 5 * 20)
      assert.isAtLeast(share, 5 * 19)
      away.comeBack()
      yield* during(7)
      assert.isAtLeast(yield* during(20), 380)
      assert.isAtMost(peak(arrivals, 1000), 20)
      yield* Fiber.interrupt(fiber)
    })
  )
})

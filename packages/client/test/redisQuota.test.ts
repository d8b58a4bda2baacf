/** The quota over a real Redis, with a connection for each process: nothing here depends on how busy the machine is. */
import { ClientError, Quota, RetryPolicy, ZimClient } from "@effect-zim/client"
import * as RedisQuota from "@effect-zim/client/RedisQuota"
import { QueryConversationList } from "@effect-zim/protocol"
import * as NodeRedis from "@effect/platform-node/NodeRedis"
import { assert, describe, it } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as Redis from "effect/persistence/Redis"
import * as Random from "effect/Random"
import * as FakeService from "./fakeService.ts"
import { call, outcomeOf, peak, withPermit } from "./quotaOracle.ts"
import * as RedisServer from "./redisServer.ts"

const window = 200
// A Redis that is there may be slow to answer, on a busy machine. Where it is away, waiting is in vain.
const options = { limit: 5, window, grace: 400, timeout: 10_000 } satisfies RedisQuota.Options
const impatient = { ...options, timeout: 200 }

/** A process: its own connection, its own quota. */
const processOf = Effect.fnUntraced(function* (server: RedisServer.RedisServer, given?: RedisQuota.Options) {
  const context = yield* Layer.build(
    RedisQuota.layer({ ...options, ...given }).pipe(Layer.provideMerge(RedisServer.connection(server)))
  )
  return {
    quota: Context.get(context, Quota.Quota),
    send: Context.get(context, Redis.Redis).send,
    /** Cuts the connection for good: nothing reaches Redis any more. */
    crash: Effect.sync(() => Context.get(context, NodeRedis.NodeRedis).client.destroy())
  }
})

/** A service next door: counts the calls at once, by a clock of its own. */
const service = () => {
  const arrivals: Array<number> = []
  return { arrivals, request: Effect.sync(() => void arrivals.push(performance.now())) }
}

/** The warnings that Redis is gone belong here. */
const quiet = Logger.layer([])

const eventually = <R>(holds: Effect.Effect<boolean, unknown, R>, what: string): Effect.Effect<void, Error, R> =>
  Effect.gen(function* () {
    for (let i = 0; i < 1500; i++) {
      if (yield* Effect.orElseSucceed(holds, () => false)) return
      yield* Effect.sleep("10 millis")
    }
    return yield* Effect.fail(new Error(`never happened: ${what}`))
  })

const callForEver = (quota: Quota.Quota["Service"], request: Effect.Effect<void>) =>
  Effect.forever(
    Effect.catch(
      withPermit(quota, call, () => request, outcomeOf),
      () => Effect.sleep("10 millis")
    )
  )

const busy = (quota: Quota.Quota["Service"], request: Effect.Effect<void>) =>
  Effect.forkScoped(
    Effect.forEach(Array.from({ length: 8 }), () => callForEver(quota, request), { concurrency: "unbounded" })
  )

const leases = "quota:{12345}:leases"
const state = "quota:{12345}:state"

// They wait more than they work, and each has a Redis of its own.
describe.concurrent("a quota over Redis", () => {
  it.live("lets no more than the limit arrive in any window, from all processes together", () =>
    Effect.gen(function* () {
      const server = yield* RedisServer.make()
      const { arrivals, request } = service()
      const processes = yield* Effect.replicateEffect(processOf(server), 4)
      for (const { quota } of processes) yield* busy(quota, request)
      yield* eventually(
        Effect.sync(() => arrivals.length >= 100),
        "100 calls"
      )
      assert.isAtMost(peak(arrivals, window), 5)
    })
  )

  it.live("serves the callers of a process in order, and loses no permit to interruptions", () =>
    Effect.gen(function* () {
      const server = yield* RedisServer.make()
      const [one, other] = [yield* processOf(server), yield* processOf(server)]
      const { arrivals, request } = service()
      const served: Array<number> = []
      const hanging = Effect.andThen(request, Effect.never)
      const fibers = yield* Effect.forEach(
        Array.from({ length: 60 }, (_, i) => i),
        (i) =>
          Effect.forkScoped(
            withPermit(
              one.quota,
              call,
              () =>
                Effect.andThen(
                  Effect.sync(() => void served.push(i)),
                  i % 5 === 0 ? hanging : request
                ),
              outcomeOf
            ),
            { startImmediately: true }
          )
      )
      yield* Effect.forEach(
        fibers,
        (fiber, i) =>
          Effect.gen(function* () {
            if (i % 5 === 0) {
              yield* eventually(
                Effect.sync(() => served.includes(i)),
                "the call hangs"
              )
            } else if (i % 3 !== 0) {
              return yield* Fiber.join(fiber)
            } else {
              // In the middle of anything: while it waits, while Redis is asked, while it is under way.
              yield* Effect.sleep((yield* Random.next) * 500)
            }
            yield* Fiber.interrupt(fiber)
          }),
        { concurrency: "unbounded" }
      )
      assert.deepStrictEqual(
        served,
        served.toSorted((a, b) => a - b)
      )
      assert.isAtMost(peak(arrivals, window), 5)
      // Long before a lease ends by itself: that is after the attempt's 10 seconds.
      yield* eventually(
        Effect.gen(function* () {
          const now = (yield* one.send<readonly [string, string]>("TIME"))[0]
          return Number(yield* one.send("ZCOUNT", leases, `${Number(now) * 1000 + 1000}`, "1e300")) === 0
        }),
        "all permits are back"
      )
      assert.strictEqual((yield* one.quota.state)[0]?.inUse, 0)
      yield* Effect.forEach(Array.from({ length: 5 }), () => withPermit(other.quota, call, () => request, outcomeOf))
    })
  )

  it.live("gives the permits of a crashed process to others, after the lease", () =>
    Effect.gen(function* () {
      const server = yield* RedisServer.make()
      const [crashing, other] = [yield* processOf(server), yield* processOf(server)]
      const lasting = { ...call, attemptTimeout: Duration.seconds(5) }
      const { arrivals, request } = service()
      yield* Effect.forEach(Array.from({ length: 5 }), () =>
        Effect.forkScoped(withPermit(crashing.quota, lasting, () => Effect.andThen(request, Effect.never), outcomeOf))
      )
      yield* eventually(
        Effect.sync(() => arrivals.length === 5),
        "all permits are out"
      )
      yield* crashing.crash
      const rows = yield* other.send<ReadonlyArray<unknown>>("ZRANGE", leases, "0", "4", "WITHSCORES")
      const ends = rows.flat().at(1)
      const taken = Number(yield* other.send("HGET", state, "lastGrant"))
      // A lease lasts for the attempt, the window and the grace. The last one, on a busy machine, begins much later.
      assert.closeTo(Number(rows.flat().at(9)) - taken, 5000 + window + 400, 1)
      yield* withPermit(other.quota, call, () => request, outcomeOf)
      assert.isAtLeast(Number(yield* other.send("HGET", state, "lastGrant")), Number(ends))
    })
  )

  it.live("pauses all processes when the service rejects a call of one", () =>
    Effect.gen(function* () {
      const server = yield* RedisServer.make()
      const [one, other] = [yield* processOf(server, { window: 500 }), yield* processOf(server, { window: 500 })]
      const { arrivals, request } = service()
      yield* withPermit(
        one.quota,
        call,
        () => request,
        () => "Rejected"
      )
      // Its end is told in the background.
      yield* eventually(
        Effect.map(one.send("HGET", state, "rejectedAt"), (at) => at !== null),
        "Redis knows"
      )
      yield* Effect.forEach([1, 2, 3], () => withPermit(other.quota, call, () => request, outcomeOf))
      const [rejected = 0, first = 0] = arrivals
      assert.isAtLeast(first - rejected, 500)
      // A fifth of the window apart, or a little more.
      const [{ spacing } = { spacing: Duration.zero }] = yield* other.quota.state
      assert.isAtLeast(Duration.toMillis(spacing), 100)
    })
  )

  it.live("gives its last permits back when it is closed", () =>
    Effect.gen(function* () {
      const server = yield* RedisServer.make()
      const { request } = service()
      const other = yield* processOf(server, { window: 100 })
      yield* Effect.scoped(
        Effect.gen(function* () {
          const { quota } = yield* processOf(server, { window: 100 })
          for (let i = 0; i < 5; i++) yield* withPermit(quota, call, () => request, outcomeOf)
        })
      )
      const [seconds] = yield* other.send<readonly [string, string]>("TIME")
      // Nothing is left for as long as an attempt may last.
      assert.strictEqual(Number(yield* other.send("ZCOUNT", leases, `${Number(seconds) * 1000 + 3000}`, "1e300")), 0)
    })
  )

  it.live("fails, without sending, while Redis is gone, and goes on when it is back", () =>
    Effect.gen(function* () {
      const server = yield* RedisServer.make()
      const context = yield* Layer.build(
        RedisQuota.layer(impatient).pipe(Layer.provide(RedisServer.connection(server)))
      )
      const fake = FakeService.answering(FakeService.page([]))
      const client = FakeService.clientOf(fake.layer).pipe(Layer.provide(Layer.succeedContext(context)))
      const read = ZimClient.execute(QueryConversationList.operation, { userId: "user-42" }).pipe(
        RetryPolicy.provide(RetryPolicy.none)
      )
      yield* Effect.gen(function* () {
        yield* eventually(Effect.as(read, true), "it works")
        for (const [leave, comeBack] of [
          [server.stop, server.start],
          [server.freeze, server.thaw]
        ] as const) {
          yield* leave
          const before = fake.sent.length
          const error = yield* Effect.flip(read)
          assert.instanceOf(error, ClientError.QuotaUnavailable)
          assert.notInclude(JSON.stringify(error) + String(error), FakeService.app.serverSecret)
          assert.strictEqual(fake.sent.length, before)
          yield* comeBack
          yield* eventually(Effect.as(read, true), "it works again")
        }
      }).pipe(Effect.provide(client))
    }).pipe(Effect.provide(quiet))
  )

  for (const whenUnavailable of ["fail", { share: 0.5 }] as const) {
    const policy = whenUnavailable === "fail" ? "fail" : "share"
    it.live(`keeps the limit while Redis is stopped, started and frozen, with "${policy}"`, () =>
      Effect.gen(function* () {
        const server = yield* RedisServer.make()
        const { arrivals, request } = service()
        const settings = { ...impatient, limit: 6, whenUnavailable }
        const [one, other] = [yield* processOf(server, settings), yield* processOf(server, settings)]
        yield* busy(one.quota, request)
        yield* busy(other.quota, request)
        const more = (count: number) =>
          Effect.suspend(() => {
            const before = arrivals.length
            return eventually(
              Effect.sync(() => arrivals.length >= before + count),
              `${count} more calls`
            )
          })
        yield* more(15)
        for (const [leave, comeBack] of [
          [server.stop, server.start],
          [server.freeze, server.thaw]
        ] as const) {
          yield* leave
          if (policy === "share") yield* more(15)
          else yield* Effect.sleep("1 second")
          yield* comeBack
          // Redis has given out permits again.
          yield* eventually(
            Effect.map(other.send("ZCARD", leases), (count) => Number(count) >= 3),
            "both are back"
          )
          yield* more(15)
        }
        assert.isAtMost(peak(arrivals, window), 6)
      }).pipe(Effect.provide(quiet))
    )
  }
})

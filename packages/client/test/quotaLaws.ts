/**
 * What a quota over a store that processes share promises, with a connection for each process: nothing here depends on
 * how busy the machine is.
 */
import { ClientError, Quota, RetryPolicy, ZimClient } from "@effect-zim/client"
import type * as SharedQuota from "@effect-zim/client/SharedQuota"
import { QueryConversationList } from "@effect-zim/protocol"
import { assert, describe, it } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as Random from "effect/Random"
import type * as Scope from "effect/Scope"
import * as FakeService from "./fakeService.ts"
import { call, outcomeOf, peak, withPermit } from "./quotaOracle.ts"

const window = 200
// A store that is there may be slow to answer, on a busy machine. Where it is away, waiting is in vain.
const options = { limit: 5, window, grace: 400, timeout: 10_000 } satisfies SharedQuota.Options
const impatient = { ...options, timeout: 200 }

/** A server of the test's own. */
export interface Server {
  /** Ends it at once. */
  readonly stop: Effect.Effect<void>
  readonly start: Effect.Effect<void, Error>
  /** Connections stay, but nothing is answered. */
  readonly freeze: Effect.Effect<void>
  readonly thaw: Effect.Effect<void>
}

/** A process: its own connection, its own quota; and what is in the store, of the key of `call`. */
export interface Process {
  readonly quota: Quota.Quota["Service"]
  /** Cuts the connection for good: nothing reaches the store any more. */
  readonly crash: Effect.Effect<void>
  /** The store's clock, and, by it, when each lease ends, ascending, the last grant and the last rejection, or -1. */
  readonly now: Effect.Effect<number, unknown>
  readonly leases: Effect.Effect<ReadonlyArray<number>, unknown>
  readonly lastGrant: Effect.Effect<number, unknown>
  readonly rejectedAt: Effect.Effect<number, unknown>
}

/** A store, and its server. */
export interface Backend<S extends Server> {
  readonly name: string
  readonly server: Effect.Effect<S, Error, Scope.Scope>
  readonly processOf: (server: S, options: SharedQuota.Options) => Effect.Effect<Process, unknown, Scope.Scope>
}

/** A service next door: counts the calls at once, by a clock of its own. */
const service = () => {
  const arrivals: Array<number> = []
  return { arrivals, request: Effect.sync(() => void arrivals.push(performance.now())) }
}

/** The warnings that the store is gone belong here. */
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

/** How many of these leases end later than in so many milliseconds. */
const outFor = (process: Process, millis: number) =>
  Effect.map(
    Effect.all([process.leases, process.now]),
    ([leases, now]) => leases.filter((end) => end > now + millis).length
  )

// They wait more than they work, and each has a server of its own.
export const quotaLaws = <S extends Server>({ name, processOf: process, server }: Backend<S>) =>
  describe.concurrent(`a quota over ${name}`, () => {
    const processOf = (host: S, given?: SharedQuota.Options) => process(host, { ...options, ...given })

    it.live("lets no more than the limit arrive in any window, from all processes together", () =>
      Effect.gen(function* () {
        const host = yield* server
        const { arrivals, request } = service()
        const processes = yield* Effect.replicateEffect(processOf(host), 4)
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
        const host = yield* server
        const [one, other] = [yield* processOf(host), yield* processOf(host)]
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
                // In the middle of anything: while it waits, while the store is asked, while it is under way.
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
          Effect.map(outFor(one, 1000), (count) => count === 0),
          "all permits are back"
        )
        assert.strictEqual((yield* one.quota.state)[0]?.inUse, 0)
        yield* Effect.forEach(Array.from({ length: 5 }), () => withPermit(other.quota, call, () => request, outcomeOf))
      })
    )

    it.live("gives the permits of a crashed process to others, after the lease", () =>
      Effect.gen(function* () {
        const host = yield* server
        const [crashing, other] = [yield* processOf(host), yield* processOf(host)]
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
        const ends = yield* other.leases
        const taken = yield* other.lastGrant
        // A lease lasts for the attempt, the window and the grace. The last one, on a busy machine, begins much later.
        assert.closeTo((ends[4] ?? 0) - taken, 5000 + window + 400, 1)
        yield* withPermit(other.quota, call, () => request, outcomeOf)
        assert.isAtLeast(yield* other.lastGrant, ends[0] ?? Infinity)
      })
    )

    it.live("pauses all processes when the service rejects a call of one", () =>
      Effect.gen(function* () {
        const host = yield* server
        const [one, other] = [yield* processOf(host, { window: 500 }), yield* processOf(host, { window: 500 })]
        const { arrivals, request } = service()
        yield* withPermit(
          one.quota,
          call,
          () => request,
          () => "Rejected"
        )
        // Its end is told in the background.
        yield* eventually(
          Effect.map(one.rejectedAt, (at) => at > 0),
          "the store knows"
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
        const host = yield* server
        const { request } = service()
        const other = yield* processOf(host, { window: 100 })
        yield* Effect.scoped(
          Effect.gen(function* () {
            const { quota } = yield* processOf(host, { window: 100 })
            for (let i = 0; i < 5; i++) yield* withPermit(quota, call, () => request, outcomeOf)
          })
        )
        // Nothing is left for as long as an attempt may last.
        assert.strictEqual(yield* outFor(other, 3000), 0)
      })
    )

    it.live("fails, without sending, while the store is gone, and goes on when it is back", () =>
      Effect.gen(function* () {
        const host = yield* server
        const { quota } = yield* processOf(host, impatient)
        const fake = FakeService.answering(FakeService.page([]))
        const client = FakeService.clientOf(fake.layer).pipe(Layer.provide(Layer.succeed(Quota.Quota, quota)))
        const read = ZimClient.execute(QueryConversationList.operation, { userId: "user-42" }).pipe(
          RetryPolicy.provide(RetryPolicy.none)
        )
        yield* Effect.gen(function* () {
          yield* eventually(Effect.as(read, true), "it works")
          for (const [leave, comeBack] of [
            [host.stop, host.start],
            [host.freeze, host.thaw]
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
      it.live(`keeps the limit while the store is stopped, started and frozen, with "${policy}"`, () =>
        Effect.gen(function* () {
          const host = yield* server
          const { arrivals, request } = service()
          const settings = { ...impatient, limit: 6, whenUnavailable }
          const [one, other] = [yield* processOf(host, settings), yield* processOf(host, settings)]
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
            [host.stop, host.start],
            [host.freeze, host.thaw]
          ] as const) {
            yield* leave
            if (policy === "share") yield* more(15)
            else yield* Effect.sleep("1 second")
            yield* comeBack
            let back = Infinity
            yield* eventually(
              Effect.map(other.now, (now) => (back = now) > 0),
              "the store answers"
            )
            yield* eventually(
              Effect.map(other.lastGrant, (at) => at > back),
              "it gives out permits again"
            )
            yield* more(15)
          }
          assert.isAtMost(peak(arrivals, window), 6)
        }).pipe(Effect.provide(quiet))
      )
    }
  })

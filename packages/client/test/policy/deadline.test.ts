/** Time: nothing takes longer than it may, and interruption reaches the socket at once, wherever the call is. */
import { ClientError, Quota, RetryPolicy, Timeout } from "@effect-zim/client"
import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
import { assert, describe, it } from "@effect/vitest"
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Schedule from "effect/Schedule"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/testing/TestClock"
import * as Http from "node:http"
import * as FakeService from "../fakeService.ts"
import { layer, noQuota, onlyRetries, page, read } from "./support.ts"

const busy = FakeService.code(1)
const ending = Effect.fnUntraced(function* (
  answers: ReadonlyArray<FakeService.Reply | FakeService.Answer>,
  effect: typeof read = read,
  policies: Layer.Layer<never> = onlyRetries()
) {
  const service = FakeService.answering(...answers)
  const [took, error] = yield* effect.pipe(
    Effect.flip,
    Effect.timed,
    Effect.provide(layer(service, policies)),
    FakeService.inTime()
  )
  return { error, took: Duration.toMillis(took), sent: service.sent }
})

describe("the attempt's timeout", () => {
  const once = read.pipe(
    RetryPolicy.provide(RetryPolicy.none),
    Effect.provideService(Timeout.Attempt, Duration.seconds(4))
  )
  const drip = Stream.fromSchedule(Schedule.spaced("1 second")).pipe(Stream.map(() => Uint8Array.of(0x20)))
  const slow = [
    ["headers that do not come", (() => Effect.never) as FakeService.Answer],
    ["headers that come too late", (() => Effect.delay(Effect.succeed(page), "5 seconds")) as FakeService.Answer],
    ["a body that does not come", FakeService.chunks(Stream.never)],
    ["a body that comes byte by byte", FakeService.chunks(drip)],
    ["a body of an announced length that does not come", FakeService.chunks(Stream.never, { "content-length": "100" })]
  ] as const

  it.effect.each(slow)("ends %s, and the request", ([, answer]) =>
    Effect.gen(function* () {
      const { error, sent, took } = yield* ending([answer], once)
      assert.instanceOf(error, ClientError.AttemptTimedOut)
      assert.strictEqual(took, 4000)
      assert.deepStrictEqual(error.timeout, Duration.seconds(4))
      assert.isTrue(sent[0]?.signal.aborted)
    })
  )
})

describe("the deadline", () => {
  it.effect("is ten seconds for an attempt and two minutes for a call, unless told otherwise", () =>
    Effect.gen(function* () {
      const { error, took } = yield* ending([() => Effect.never], RetryPolicy.provide(read, RetryPolicy.none))
      assert.deepStrictEqual([error._tag, took], ["AttemptTimedOut", 10_000])
      const patient = yield* ending([() => Effect.never], RetryPolicy.provide(read, RetryPolicy.patient))
      assert.strictEqual(patient.error._tag, "DeadlineExceeded")
      assert.isAtMost(patient.took, 120_000)
    })
  )

  it.effect("includes the wait for the quota and the back-off", () =>
    Effect.gen(function* () {
      const policy = { ...RetryPolicy.standard, transient: Schedule.spaced("10 seconds") }
      const effect = read.pipe(
        RetryPolicy.provide(policy),
        Effect.provideService(Timeout.Deadline, Duration.seconds(55))
      )
      // 0 s, back-off to 10 s, permit at 20 s, back-off to 30 s, permit at 40 s, back-off to 50 s: no permit in time.
      const { error, sent, took } = yield* ending([busy], effect, Quota.layer({ limit: 1, window: "20 seconds" }))
      assert.instanceOf(error, ClientError.DeadlineExceeded)
      assert.strictEqual(sent.length, 3)
      assert.strictEqual(took, 50_000)
      assert.deepStrictEqual(error.needed, Duration.seconds(10))
      assert.propertyVal(error.cause, "_tag", "ServiceFailed")
    })
  )

  it.effect("ends an attempt that has more time than the call", () =>
    Effect.gen(function* () {
      const effect = Effect.provideService(read, Timeout.Deadline, Duration.seconds(3))
      const { error, sent, took } = yield* ending([() => Effect.never], effect)
      assert.instanceOf(error, ClientError.DeadlineExceeded)
      assert.deepStrictEqual([took, error.attempts, sent.length], [3000, 1, 1])
      assert.isTrue(sent[0]?.signal.aborted)
    })
  )

  it.effect("fails at once where a back-off does not fit, and says what it needed", () =>
    Effect.gen(function* () {
      const effect = read.pipe(
        RetryPolicy.provide({ ...RetryPolicy.standard, transient: Schedule.spaced("1 hour") }),
        Effect.provideService(Timeout.Deadline, Duration.minutes(1))
      )
      const { error, sent, took } = yield* ending([busy], effect)
      assert.instanceOf(error, ClientError.DeadlineExceeded)
      assert.deepStrictEqual([took, sent.length], [0, 1])
      assert.deepStrictEqual(error.needed, Duration.hours(1))
      assert.include(error.message, "1h")
    })
  )

  it.effect("leaves no time: nothing is sent", () =>
    Effect.gen(function* () {
      for (const deadline of [Duration.zero, Duration.millis(-1)]) {
        const effect = Effect.provideService(read, Timeout.Deadline, deadline)
        const { error, sent, took } = yield* ending([page], effect)
        assert.deepStrictEqual([error._tag, took, sent.length], ["DeadlineExceeded", 0, 0])
      }
    })
  )

  it.effect("leaves no time: the permit is back at once, since nothing was sent", () =>
    Effect.gen(function* () {
      const service = FakeService.answering(page)
      const late = Effect.flip(Effect.provideService(read, Timeout.Deadline, Duration.zero))
      const took = yield* Effect.andThen(late, Effect.timed(read)).pipe(
        Effect.map(([took]) => Duration.toMillis(took)),
        Effect.provide(layer(service, Quota.layer({ limit: 1 }))),
        FakeService.inTime()
      )
      assert.deepStrictEqual([took, service.sent.length], [0, 1])
    })
  )
})

describe("two calls of a client", () => {
  it.effect("each end in time, though a third begins as a first one ends", () =>
    Effect.gen(function* () {
      const ended = (seconds: number) =>
        read.pipe(
          RetryPolicy.provide(RetryPolicy.none),
          Effect.provideService(Timeout.Attempt, Duration.seconds(seconds)),
          Effect.flip,
          Effect.andThen(Effect.map(Clock.currentTimeMillis, (millis) => millis / 1000))
        )
      const service = FakeService.answering(() => Effect.never)
      const times = yield* Effect.all([Effect.andThen(ended(1), ended(10)), ended(3)], { concurrency: 2 }).pipe(
        Effect.provide(layer(service, onlyRetries())),
        FakeService.inTime({ step: 1000 })
      )
      assert.deepStrictEqual(times, [11, 3])
    })
  )
})

/** A clock that tells how many sleep by it. */
const countingSleepers = Effect.map(Clock.Clock, (clock) => {
  const sleepers = { count: 0 }
  const counting: Clock.Clock = {
    currentTimeMillisUnsafe: () => clock.currentTimeMillisUnsafe(),
    currentTimeMillis: clock.currentTimeMillis,
    currentTimeNanosUnsafe: () => clock.currentTimeNanosUnsafe(),
    currentTimeNanos: clock.currentTimeNanos,
    monotonicTimeNanosUnsafe: () => clock.monotonicTimeNanosUnsafe(),
    monotonicTimeNanos: clock.monotonicTimeNanos,
    sleep: (duration) =>
      Effect.suspend(() => {
        sleepers.count++
        return Effect.ensuring(
          clock.sleep(duration),
          Effect.sync(() => sleepers.count--)
        )
      })
  }
  return { clock: counting, sleepers }
})

describe("a client whose scope is closed", () => {
  const once = RetryPolicy.provide(read, RetryPolicy.none)
  const open = (service: FakeService.FakeService, scope: Scope.Scope) =>
    Layer.buildWithScope(Layer.provide(FakeService.clientOf(service.layer), noQuota), scope)

  it.effect("keeps calls to their time all the same, those under way and later ones", () =>
    Effect.gen(function* () {
      const { clock, sleepers } = yield* countingSleepers
      const scope = yield* Scope.make()
      const service = FakeService.answering(() => Effect.never)
      const client = yield* open(service, scope)
      const call = once.pipe(
        Effect.provide(client),
        Effect.provideService(Clock.Clock, clock),
        Effect.flip,
        Effect.timed
      )
      const underWay = yield* Effect.forkChild(call, { startImmediately: true })
      yield* TestClock.adjust("4 seconds")
      yield* Scope.close(scope, Exit.void)
      const errors = [yield* FakeService.inTime(Fiber.join(underWay)), yield* FakeService.inTime(call)]
      for (const [took, error] of errors) {
        assert.instanceOf(error, ClientError.AttemptTimedOut)
        assert.strictEqual(Duration.toMillis(took), 10_000)
      }
      assert.strictEqual(sleepers.count, 0)
    })
  )

  it.effect("leaves no timer behind", () =>
    Effect.gen(function* () {
      const { clock, sleepers } = yield* countingSleepers
      const scope = yield* Scope.make()
      const service = FakeService.make(() => Effect.as(FakeService.settle, page))
      const client = yield* open(service, scope)
      const call = once.pipe(Effect.provide(client), Effect.provideService(Clock.Clock, clock))
      yield* call
      assert.strictEqual(sleepers.count, 1)
      yield* Effect.forkChild(Effect.andThen(FakeService.settle, call))
      yield* Scope.close(scope, Exit.void)
      assert.strictEqual(sleepers.count, 0)
      yield* call
      assert.strictEqual(sleepers.count, 0)
    })
  )
})

/** A server that never ends what it begins, and tells when its sockets are closed. */
const listen = (respond: (response: Http.ServerResponse) => void) =>
  Effect.acquireRelease(
    Effect.callback<{
      readonly url: string
      readonly seen: { requests: number; open: number }
      readonly server: Http.Server
    }>((resume) => {
      const seen = { requests: 0, open: 0 }
      const server = Http.createServer((request, response) => {
        request.resume().on("end", () => {
          seen.requests++
          respond(response)
        })
      })
      server.on("connection", (socket) => {
        seen.open++
        socket.on("close", () => seen.open--)
      })
      server.listen(0, "127.0.0.1", () => {
        const address = server.address()
        const port = typeof address === "object" && address !== null ? address.port : 0
        resume(Effect.succeed({ url: `http://127.0.0.1:${port}`, seen, server }))
      })
    }),
    ({ server }) =>
      Effect.sync(() => {
        server.closeAllConnections()
        server.close()
      })
  )

const eventually = (holds: () => boolean, what: string) =>
  Effect.gen(function* () {
    for (let i = 0; !holds(); i++) {
      if (i > 400) return assert.fail(`not within two seconds: ${what}`)
      yield* Effect.sleep("5 millis")
    }
  })

describe("interruption, over a real socket", () => {
  const answer = JSON.stringify({ Code: 1, Message: "busy", RequestId: "1" })
  const json = { "content-type": "application/json" }
  const steps: Record<string, (response: Http.ServerResponse) => void> = {
    "before the headers": () => undefined,
    "before the body": (response) => {
      response.writeHead(200, json)
      response.flushHeaders()
    },
    "within the body": (response) => {
      response.writeHead(200, json)
      response.write(`{"Code":`)
    },
    "within the body of a known length": (response) => {
      response.writeHead(200, { ...json, "content-length": "1000" })
      response.write(`{"Code":`)
    }
  }

  it.live.each(Object.keys(steps))("%s closes the socket at once", (step) =>
    Effect.gen(function* () {
      const { seen, url } = yield* listen(steps[step] ?? (() => undefined))
      const fiber = yield* Effect.forkChild(Effect.provide(read, FakeService.clientOf(NodeHttpClient.layerUndici, url)))
      yield* eventually(() => seen.requests === 1, "a request")
      yield* Effect.sleep("20 millis")
      const [took] = yield* Effect.timed(Fiber.interrupt(fiber))
      assert.isBelow(Duration.toMillis(took), 1000)
      yield* eventually(() => seen.open === 0, "closed sockets")
      assert.strictEqual(seen.requests, 1)
    })
  )

  it.live("during a back-off, and while waiting for the quota, takes effect at once, and nothing more is sent", () =>
    Effect.gen(function* () {
      const { seen, url } = yield* listen((response) => response.writeHead(200, json).end(answer))
      const policy = { ...RetryPolicy.standard, transient: Schedule.spaced("1 minute") }
      const client = FakeService.clientOf(NodeHttpClient.layerUndici, url).pipe(
        Layer.provide(Quota.layer({ limit: 1, window: "1 minute" }))
      )
      const fiber = yield* Effect.forkChild(
        Effect.all([read, read], { concurrency: 2 }).pipe(RetryPolicy.provide(policy), Effect.provide(client))
      )
      yield* eventually(() => seen.requests === 1, "a request")
      yield* Effect.sleep("50 millis")
      const [took] = yield* Effect.timed(Fiber.interrupt(fiber))
      assert.isBelow(Duration.toMillis(took), 1000)
      assert.strictEqual(seen.requests, 1)
    })
  )
})

/** The circuit breaker: what opens it, what does not, how it closes again; and turning to another region meanwhile. */
import { CircuitBreaker, ClientError, Quota, RetryPolicy, Timeout, ZimClient } from "@effect-zim/client"
import { Call } from "@effect-zim/policies"
import { assert, describe, it } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as Schedule from "effect/Schedule"
import * as TestClock from "effect/testing/TestClock"
import * as FakeService from "../fakeService.ts"
import { html, layer, noQuota, page, read, reset } from "./support.ts"

const host = "127.0.0.1:1"
const policies = (options?: CircuitBreaker.Options) => Layer.merge(noQuota, CircuitBreaker.layer(options))
const once = RetryPolicy.provide(read, RetryPolicy.none)
const tagOf = (exit: Exit.Exit<unknown, { readonly _tag: string }>): string => {
  const error = Exit.findErrorOption(exit)
  return error._tag === "Some" ? error.value._tag : exit._tag
}
const state = Effect.flatMap(CircuitBreaker.CircuitBreaker, (breaker) => breaker.state(host))

/** Makes calls one after the other: what became of each. */
const calls = (count: number) =>
  Effect.forEach(Array.from({ length: count }), () => Effect.map(Effect.exit(once), tagOf))

describe("the circuit", () => {
  const outages = [
    ["HTTP 500", html(500), /500/],
    ["HTTP 502", html(502), /502/],
    ["HTTP 503", html(503), /503/],
    ["busy", FakeService.code(1), /^1 /],
    ["a processing error", FakeService.code(660000003), /^660000003 /],
    ["a gateway error", FakeService.code(100000015), /^100000015 /],
    ["lost connections", reset, /^no answer: /],
    ["no answer in time", (() => Effect.never) as FakeService.Answer, /no complete answer within/]
  ] as const

  it.effect.each(outages)("is opened by %s: further calls fail at once, unsent", ([, answer, why]) =>
    Effect.gen(function* () {
      const service = FakeService.answering(answer)
      yield* Effect.gen(function* () {
        const attempts = yield* calls(20)
        assert.notInclude(attempts, "CircuitOpen")
        assert.strictEqual(yield* state, "Open")
        const [took, error] = yield* Effect.timed(Effect.flip(once))
        assert.instanceOf(error, ClientError.CircuitOpen)
        assert.deepStrictEqual([error.host, Duration.toMillis(took), error.attempts], [host, 0, 0])
        assert.isAtMost(Duration.toMillis(error.retryAfter), 1000)
        // Who meets an open circuit learns what is the matter, and nothing of the call that found out.
        assert.match(error.lastFailure ?? "", why)
        assert.notInclude(error.lastFailure, "attempt")
        assert.include(error.message, `${host} keeps failing, last: ${error.lastFailure}; next try in`)
        assert.strictEqual(service.sent.length, 20)
      }).pipe(Effect.provide(layer(service, policies())), FakeService.inTime())
    })
  )

  const healthy = [
    ["rejections", FakeService.code(660300005)],
    ["system-wide rejections", FakeService.code(7)],
    ["HTTP 429", html(429)],
    ["bad requests", FakeService.code(660000002)],
    ["unregistered users", FakeService.code(660500002)],
    ["wrong signatures", FakeService.code(100000005)],
    ["a plan that lacks the service", FakeService.code(100000017)],
    ["failed queries", FakeService.code(660800053)],
    ["unknown codes", FakeService.code(987654321)],
    ["pages of a proxy", FakeService.text("<html>")],
    ["HTTP 404", html(404)]
  ] as const

  it.effect.each(healthy)("is never opened by %s", ([, answer]) =>
    Effect.gen(function* () {
      const service = FakeService.answering(answer)
      yield* Effect.gen(function* () {
        assert.notInclude(yield* calls(200), "CircuitOpen")
        assert.strictEqual(yield* state, "Closed")
      }).pipe(
        Effect.provide(layer(service, Layer.merge(policies(), Quota.layer({ limit: 1000 })))),
        FakeService.inTime()
      )
      assert.strictEqual(service.sent.length, 200)
    })
  )

  it.effect("is never opened by callers that give up, or that have no time", () =>
    Effect.gen(function* () {
      const service = FakeService.answering(() => Effect.never)
      yield* Effect.gen(function* () {
        for (let i = 0; i < 100; i++) {
          const fiber = yield* Effect.forkChild(once, { startImmediately: true })
          yield* FakeService.settle
          yield* Fiber.interrupt(fiber)
        }
        assert.strictEqual(yield* state, "Closed")
        const inAHurry = Effect.provideService(once, Timeout.Deadline, Duration.millis(10))
        const late = yield* Effect.forEach(Array.from({ length: 100 }), () => Effect.exit(inAHurry))
        assert.deepStrictEqual(new Set(late.map(tagOf)), new Set(["DeadlineExceeded"]))
        assert.strictEqual(yield* state, "Closed")
      }).pipe(Effect.provide(layer(service, policies())), FakeService.inTime())
      assert.strictEqual(service.sent.length, 200)
    })
  )

  it.effect("opens when half of the last forty calls fail, not before there are twenty", () =>
    Effect.gen(function* () {
      const opened = (isIll: (index: number) => boolean, count: number) =>
        Effect.gen(function* () {
          const service = FakeService.make((_, index) => Effect.succeed(isIll(index) ? html(503) : page))
          return yield* Effect.andThen(calls(count), state).pipe(Effect.provide(layer(service, policies())))
        })
      assert.strictEqual(yield* opened(() => true, 19), "Closed")
      assert.strictEqual(yield* opened(() => true, 20), "Open")
      assert.strictEqual(yield* opened((i) => i % 2 === 0, 60), "Open")
      assert.strictEqual(yield* opened((i) => i % 3 === 0, 300), "Closed")
      assert.strictEqual(yield* opened((i) => i >= 100, 119), "Closed")
      assert.strictEqual(yield* opened((i) => i >= 100, 120), "Open")
    })
  )

  it.effect("half open lets one call through to see, and refuses the others meanwhile", () =>
    Effect.gen(function* () {
      let isIll = true
      const service = FakeService.make(() =>
        isIll ? Effect.succeed(html(503)) : Effect.delay(Effect.succeed(page), 500)
      )
      yield* Effect.gen(function* () {
        yield* calls(20)
        yield* TestClock.adjust("1 second")
        isIll = false
        const results = yield* Effect.all(
          Array.from({ length: 10 }, () => Effect.exit(once)),
          { concurrency: "unbounded" }
        )
        const tags = results.map(tagOf)
        assert.strictEqual(tags.filter((tag) => tag === "Success").length, 1)
        assert.strictEqual(tags.filter((tag) => tag === "CircuitOpen").length, 9)
        assert.strictEqual(yield* state, "Closed")
        assert.deepStrictEqual(
          yield* calls(5),
          Array.from({ length: 5 }, () => "Success")
        )
      }).pipe(Effect.provide(layer(service, policies())), FakeService.inTime({ step: 100 }))
      assert.strictEqual(service.sent.length, 20 + 1 + 5)
    })
  )

  it.effect("stays open for longer each time the call that was let through fails", () =>
    Effect.gen(function* () {
      const service = FakeService.answering(html(503))
      yield* Effect.gen(function* () {
        yield* calls(20)
        const waits: Array<number> = []
        for (let i = 0; i < 7; i++) {
          const error = yield* Effect.flip(once)
          if (error._tag !== "CircuitOpen") return assert.fail(error._tag)
          waits.push(Duration.toMillis(error.retryAfter))
          yield* TestClock.adjust(error.retryAfter)
          yield* Effect.exit(once)
        }
        assert.deepStrictEqual(waits, [1000, 2000, 4000, 8000, 16_000, 30_000, 30_000])
      }).pipe(Effect.provide(layer(service, policies())))
      assert.strictEqual(service.sent.length, 20 + 7)
    })
  )

  it.effect("a probe that is interrupted leaves the next call to see", () =>
    Effect.gen(function* () {
      const hanging = Effect.never
      let answer: Effect.Effect<FakeService.Reply> = Effect.succeed(html(503))
      const service = FakeService.make(() => answer)
      yield* Effect.gen(function* () {
        yield* calls(20)
        yield* TestClock.adjust("1 second")
        answer = hanging
        const fiber = yield* Effect.forkChild(once, { startImmediately: true })
        yield* FakeService.settle
        assert.strictEqual(yield* state, "HalfOpen")
        yield* Fiber.interrupt(fiber)
        answer = Effect.succeed(page)
        assert.deepStrictEqual(yield* calls(1), ["Success"])
        assert.strictEqual(yield* state, "Closed")
      }).pipe(Effect.provide(layer(service, policies())))
    })
  )

  it.effect("a probe that ends without a word leaves another call to see, a minute later", () =>
    Effect.gen(function* () {
      const breaker = yield* CircuitBreaker.make({ minimumCalls: 1 })
      const call = yield* Call.make({ key: "12345", operation: "Any" })
      yield* breaker.guard(call, host, Effect.void, () => "Ill")
      yield* TestClock.adjust("1 second")
      yield* Effect.forkChild(
        breaker.guard(call, host, Effect.never, () => "Unclear"),
        { startImmediately: true }
      )
      const next = breaker.guard(call, host, Effect.void, () => "Well")
      yield* TestClock.adjust("59 seconds")
      assert.strictEqual((yield* Effect.flip(next))._tag, "CircuitOpen")
      yield* TestClock.adjust("1 second")
      yield* next
      assert.strictEqual(yield* breaker.state(host), "Closed")
    })
  )

  it.effect("can be set, and its open time is any schedule", () =>
    Effect.gen(function* () {
      const service = FakeService.answering(html(503))
      const options = { size: 4, minimumCalls: 2, threshold: 1, openDuration: Schedule.spaced("1 minute") }
      yield* Effect.gen(function* () {
        yield* calls(2)
        const error = yield* Effect.flip(once)
        if (error._tag !== "CircuitOpen") return assert.fail(error._tag)
        assert.deepStrictEqual(error.retryAfter, Duration.minutes(1))
      }).pipe(Effect.provide(layer(service, policies(options))))
    })
  )

  it.effect("is not shared by breakers that are made apart", () =>
    Effect.gen(function* () {
      const service = FakeService.answering(html(503))
      yield* Effect.gen(function* () {
        const own = yield* CircuitBreaker.make({ minimumCalls: 1, size: 1 })
        yield* Effect.exit(Effect.provideService(once, CircuitBreaker.CircuitBreaker, own))
        assert.strictEqual(yield* own.state(host), "Open")
        assert.strictEqual(yield* state, "Closed")
      }).pipe(Effect.provide(layer(service, policies())), Effect.scoped)
    })
  )
})

describe("while the circuit is open", () => {
  it.effect("the standard policy fails at once, the patient one waits until it closes", () =>
    Effect.gen(function* () {
      const recoversAt = 40_000
      const service = FakeService.make((sent) => Effect.succeed(sent.time < recoversAt ? html(503) : page))
      yield* Effect.gen(function* () {
        yield* calls(20)
        const [took, standard] = yield* Effect.timed(Effect.exit(read))
        assert.deepStrictEqual([tagOf(standard), Duration.toMillis(took)], ["CircuitOpen", 0])
        const [waited, patient] = yield* Effect.timed(Effect.exit(RetryPolicy.provide(read, RetryPolicy.patient)))
        assert.strictEqual(tagOf(patient), "Success")
        assert.isAtLeast(Duration.toMillis(waited), recoversAt)
        // It asked at most as often as the breaker let it.
        assert.isAtMost(service.sent.length, 20 + 8)
      }).pipe(Effect.provide(layer(service, policies())), FakeService.inTime())
    })
  )
})

describe("fail-over", () => {
  const hosts = { primary: "zim-api.zego.im", fra: "zim-api-fra.zego.im", sgp: "zim-api-sgp.zego.im" }
  const clientOf = (service: FakeService.FakeService, failover: ReadonlyArray<"fra" | "sgp"> = ["fra", "sgp"]) =>
    Layer.orDie(
      ZimClient.layer({
        appId: FakeService.app.appId,
        serverSecret: Redacted.make(FakeService.app.serverSecret),
        failover
      })
    ).pipe(Layer.provide(service.layer))
  const asked = (service: FakeService.FakeService) => service.sent.map(({ url }) => url.host)

  it.effect("turns to the next region when one fails, each attempt signed anew, and to the first one first", () =>
    Effect.gen(function* () {
      const service = FakeService.make((sent) => Effect.succeed(sent.url.host === hosts.sgp ? page : html(503)))
      yield* Effect.andThen(read, read).pipe(Effect.provide(clientOf(service)), FakeService.inTime())
      assert.deepStrictEqual(asked(service), [hosts.primary, hosts.fra, hosts.sgp, hosts.primary, hosts.fra, hosts.sgp])
      const nonces = new Set(service.sent.map(({ url }) => url.searchParams.get("SignatureNonce")))
      assert.strictEqual(nonces.size, 6)
    })
  )

  it.effect("is not turned to for what the service says of the request, nor without being asked for", () =>
    Effect.gen(function* () {
      for (const answer of [FakeService.code(660500002), FakeService.code(660300005), FakeService.code(660000002)]) {
        const service = FakeService.answering(answer)
        yield* Effect.exit(read).pipe(Effect.provide(clientOf(service)), FakeService.inTime())
        assert.deepStrictEqual(new Set(asked(service)), new Set([hosts.primary]))
      }
      const service = FakeService.answering(html(503))
      yield* Effect.exit(read).pipe(Effect.provide(clientOf(service, [])), FakeService.inTime())
      assert.deepStrictEqual(new Set(asked(service)), new Set([hosts.primary]))
    })
  )

  it.effect("leaves out a region whose circuit is open, without an attempt, and comes back when it is well", () =>
    Effect.gen(function* () {
      let isDown = true
      const service = FakeService.make((sent) =>
        Effect.succeed(isDown && sent.url.host === hosts.primary ? html(503) : page)
      )
      yield* Effect.gen(function* () {
        for (let i = 0; i < 20; i++) yield* read
        const before = service.sent.length
        for (let i = 0; i < 5; i++) yield* read
        assert.deepStrictEqual(
          asked(service).slice(before),
          Array.from({ length: 5 }, () => hosts.fra)
        )
        isDown = false
        yield* Effect.sleep("1 minute")
        const after = service.sent.length
        yield* read
        yield* read
        assert.deepStrictEqual(asked(service).slice(after), [hosts.primary, hosts.primary])
      }).pipe(Effect.provide(clientOf(service).pipe(Layer.provide(noQuota))), FakeService.inTime())
    })
  )

  it.effect("fails at once when all circuits are open", () =>
    Effect.gen(function* () {
      const service = FakeService.answering(html(503))
      yield* Effect.gen(function* () {
        assert.notInclude(yield* calls(60), "CircuitOpen")
        const error = yield* Effect.flip(read)
        assert.instanceOf(error, ClientError.CircuitOpen)
        assert.strictEqual(error.host, hosts.sgp)
      }).pipe(Effect.provide(clientOf(service).pipe(Layer.provide(noQuota))))
      for (const host of Object.values(hosts)) {
        assert.strictEqual(asked(service).filter((asked) => asked === host).length, 20)
      }
    })
  )

  it.effect("stays within one quota: it is the app's, whatever the region", () =>
    Effect.gen(function* () {
      const service = FakeService.make((sent) => Effect.succeed(sent.url.host === hosts.primary ? html(503) : page))
      const eager = { ...RetryPolicy.standard, transient: Schedule.recurs(1) }
      yield* Effect.all(
        Array.from({ length: 15 }, () => RetryPolicy.provide(read, eager)),
        { concurrency: "unbounded" }
      ).pipe(Effect.provide(clientOf(service)), FakeService.inTime())
      const times = service.sent.map(({ time }) => time)
      const most = Math.max(...times.map((from) => times.filter((time) => time >= from && time < from + 1000).length))
      assert.strictEqual(times.length, 30)
      assert.strictEqual(most, 20)
    })
  )
})

/** The service's clock: learned, followed both ways and back, and never from an answer that is not the service's. */
import { Conversations, Quota, RetryPolicy, ServerClock } from "@effect-zim/client"
import { Emulator } from "@effect-zim/emulator"
import { assert, describe, it } from "@effect/vitest"
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/testing/TestClock"
import * as Emulated from "../emulated.ts"
import * as FakeService from "../fakeService.ts"
import { layer, read } from "./support.ts"

const now = 1_700_000_000_000
const minutes = Schema.Int.check(Schema.isBetween({ minimum: -24 * 60 + 1, maximum: 24 * 60 - 1 }))

/** An answer that says that it was made at this time. */
const dated = (at: number | string, code = 0, headers: Record<string, string> = {}, status = 200) =>
  HttpServerResponse.text(
    JSON.stringify({ Code: code, Message: "", RequestId: "1", TotalCount: 0, Next: 0, List: [] }),
    {
      status,
      contentType: "application/json",
      headers: { date: typeof at === "string" ? at : new Date(at).toUTCString(), ...headers }
    }
  )

/** A client whose clock can be looked at, and how often it warned. */
const withClock = <A, E>(
  service: FakeService.FakeService,
  effect: (
    clock: ServerClock.ServerClock["Service"],
    logs: ReadonlyArray<string>
  ) => Effect.Effect<A, E, Layer.Success<ReturnType<typeof FakeService.clientOf>>>
) =>
  Effect.gen(function* () {
    yield* TestClock.setTime(now)
    const logs: Array<string> = []
    const logger = Logger.make(({ logLevel, message }) => void logs.push(`${logLevel} ${JSON.stringify(message)}`))
    return yield* Effect.flatMap(ServerClock.ServerClock, (clock) => effect(clock, logs)).pipe(
      Effect.provide(layer(service, ServerClock.layer)),
      Effect.provideService(Logger.CurrentLoggers, new Set([logger])),
      FakeService.inTime()
    )
  })

describe("a service whose clock is off", () => {
  const list = FakeService.entries(900)
  const streamed = Effect.fnUntraced(function* (clockOffset: Duration.Input, step?: Duration.Input) {
    yield* TestClock.setTime(now)
    const emulated = Emulated.make({ world: Emulated.worldOf(list), clockOffset })
    return yield* Effect.gen(function* () {
      const emulator = yield* Emulator.Emulator
      let pages = 0
      const read = yield* Conversations.pages("user-42", { pageSize: 100 }).pipe(
        Stream.tap(() =>
          ++pages === 4 && step !== undefined ? emulator.clockOffset.set(Duration.fromInputUnsafe(step)) : Effect.void
        ),
        Stream.runCollect
      )
      assert.strictEqual(read.flatMap((page) => page.conversations).length, 900)
      return emulated.sent.length
    }).pipe(RetryPolicy.provide(RetryPolicy.none), Effect.provide(emulated.layer), FakeService.inTime())
  })

  it.effect.each([15, -15, 9, -9, 23 * 60, -23 * 60])("by %i minutes costs one call at most", (offset) =>
    Effect.gen(function* () {
      assert.isAtMost(yield* streamed(Duration.minutes(offset)), 9 + (Math.abs(offset) > 10 ? 1 : 0))
    })
  )

  it.effect.prop(
    "and steps while a list is read, costs one call at most for each step",
    { before: minutes, after: minutes },
    ({ after, before }) =>
      Effect.gen(function* () {
        assert.isAtMost(yield* streamed(Duration.minutes(before), Duration.minutes(after)), 9 + 2)
      }),
    { arbitrary: { seed: 61, runs: 25 } }
  )

  it.effect("and is set right again, costs one call, and is forgotten", () =>
    Effect.gen(function* () {
      assert.strictEqual(yield* streamed(Duration.minutes(15), Duration.zero), 9 + 2)
    })
  )

  it.effect("by more than a day is not believed: the error says what is wrong", () =>
    Effect.gen(function* () {
      yield* TestClock.setTime(now)
      const emulated = Emulated.make({ world: Emulated.worldOf(list), clockOffset: "25 hours" })
      const error = yield* read.pipe(Effect.flip, Effect.provide(emulated.layer), FakeService.inTime())
      assert.strictEqual(error._tag, "SignatureExpired")
      assert.strictEqual(emulated.sent.length, 1)
    })
  )
})

describe("a refused signature", () => {
  const attemptsOf = (code: number, serverIsAhead: number) =>
    Effect.gen(function* () {
      const service = FakeService.make((sent) => Effect.succeed(dated(sent.time + serverIsAhead, code)))
      const attempts = yield* withClock(service, () =>
        Effect.gen(function* () {
          const error = yield* Effect.flip(read)
          return "attempts" in error ? error.attempts : 0
        })
      )
      assert.strictEqual(attempts, service.sent.length)
      Emulated.assertFreshlySigned(service.sent.slice(0, 1))
      return attempts
    })

  it.effect("is signed once more where the clock is known to be off, and else not", () =>
    Effect.gen(function* () {
      for (const code of [100000004, 100000005]) {
        assert.strictEqual(yield* attemptsOf(code, 900_000), 2, `code ${code}, 15 minutes ahead`)
        assert.strictEqual(yield* attemptsOf(code, -900_000), 2, `code ${code}, 15 minutes behind`)
        assert.strictEqual(yield* attemptsOf(code, 0), 1, `code ${code}, no difference`)
        assert.strictEqual(yield* attemptsOf(code, 1000), 1, `code ${code}, a second: noise`)
      }
    })
  )

  it.effect("is signed anew three times at most, though every answer tells another time", () =>
    Effect.gen(function* () {
      const service = FakeService.make((sent, index) =>
        Effect.succeed(dated(sent.time + (index % 2 === 0 ? 900_000 : -900_000), 100000004))
      )
      const error = yield* withClock(service, () => Effect.flip(read))
      assert.strictEqual(error._tag, "SignatureExpired")
      assert.isAtMost(service.sent.length, 1 + 3)
    })
  )

  it.effect("for another reason than the time never is", () =>
    Effect.gen(function* () {
      for (const code of [3, 100000009, 100000001]) assert.strictEqual(yield* attemptsOf(code, 900_000), 1)
    })
  )

  it.effect("is signed with the service's time, under a permit and a nonce of its own", () =>
    Effect.gen(function* () {
      yield* TestClock.setTime(now)
      const emulated = Emulated.make({ world: Emulated.worldOf([]), clockOffset: "15 minutes" })
      yield* read.pipe(
        Effect.provide(emulated.layer.pipe(Layer.provide(Quota.layer({ limit: 1, window: "10 seconds" })))),
        FakeService.inTime()
      )
      const [first, second] = emulated.sent
      assert.strictEqual(emulated.sent.length, 2)
      assert.isAtLeast((second?.time ?? 0) - (first?.time ?? 0), 10_000)
      const stamps = emulated.sent.map(({ url }) => Number(url.searchParams.get("Timestamp")))
      assert.closeTo((stamps[1] ?? 0) - (stamps[0] ?? 0), 910, 2)
      assert.strictEqual(new Set(emulated.sent.map(({ url }) => url.searchParams.get("SignatureNonce"))).size, 2)
    })
  )
})

describe("an answer", () => {
  const off = 900_000
  const refused = FakeService.code(100000004)
  /** Whether its date is what is tried when a signature is refused, with an answer that has no date. */
  const learns = (answer: FakeService.Answer | FakeService.Reply) => {
    const service = FakeService.answering(answer, refused)
    return withClock(service, (clock) =>
      Effect.gen(function* () {
        yield* Effect.exit(RetryPolicy.provide(read, RetryPolicy.none))
        assert.strictEqual(yield* clock.offset, 0, "nothing was refused")
        yield* Effect.exit(RetryPolicy.provide(read, RetryPolicy.none))
        return service.sent.length === 3
      })
    )
  }

  it.effect("of the service proposes its time, whatever it says", () =>
    Effect.gen(function* () {
      assert.isTrue(yield* learns(dated(now + off)))
      assert.isTrue(yield* learns(dated(now + off, 660300005)))
      assert.isTrue(yield* learns(dated(now + off, 1, {}, 500)))
    })
  )

  it.effect("out of a cache, a slow one, a proxy's, one without a date or with a wrong one tells nothing", () =>
    Effect.gen(function* () {
      assert.isFalse(yield* learns(dated(now + off, 0, { age: "900" })), "cached")
      assert.isFalse(yield* learns(() => Effect.delay(Effect.succeed(dated(now + off)), "6 seconds")), "slow")
      const proxy = HttpServerResponse.text("<h1>502</h1>", {
        status: 502,
        contentType: "text/html",
        headers: { date: new Date(now + off).toUTCString() }
      })
      assert.isFalse(yield* learns(proxy), "a proxy's")
      const portal = HttpServerResponse.text("<h1>Log in</h1>", {
        headers: { date: new Date(now + off).toUTCString() }
      })
      assert.isFalse(yield* learns(portal), "a captive portal's")
      assert.isFalse(yield* learns(FakeService.page([])), "no date")
      assert.isFalse(yield* learns(dated("yesterday, or so")), "no date that can be read")
      assert.isFalse(yield* learns(dated(now + 25 * 3_600_000)), "more than a day")
      assert.isFalse(yield* learns(dated(now - 25 * 3_600_000)), "more than a day")
    })
  )

  it.effect.prop(
    "that takes its time shifts what is learned by half of it at most",
    {
      latency: Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 5000 })),
      offset: minutes,
      share: Schema.Literals([0, 0.5, 1])
    },
    ({ latency, offset, share }) =>
      Effect.gen(function* () {
        const millis = offset * 60_000
        const service = FakeService.make((sent) =>
          Effect.delay(Effect.succeed(dated(sent.time + latency * share + millis, 100000004)), latency)
        )
        const learned = yield* withClock(service, (clock) =>
          Effect.andThen(Effect.exit(RetryPolicy.provide(read, RetryPolicy.none)), clock.offset)
        )
        // A `Date` has whole seconds; a difference of up to 5 seconds is not followed.
        if (millis === 0) assert.isAtMost(Math.abs(learned), 5000)
        else assert.isAtMost(Math.abs(learned - millis), latency / 2 + 501)
      }),
    { arbitrary: { seed: 62, runs: 60 } }
  )
})

describe("the warning", () => {
  it.effect("comes once, long before it hurts, again only after it was right, and holds nothing secret", () =>
    Effect.gen(function* () {
      let offset = 60_000
      const service = FakeService.make((sent) => Effect.succeed(dated(sent.time + offset)))
      const logs = yield* withClock(service, (_, logs) =>
        Effect.gen(function* () {
          const counts: Array<number> = []
          for (const next of [60_000, 180_000, 200_000, 590_000, 0, -180_000, -200_000]) {
            offset = next
            // Most of the latest fifteen dates say so.
            yield* Effect.repeat(read, { times: 7 })
            counts.push(logs.length)
          }
          assert.deepStrictEqual(counts, [0, 1, 1, 1, 1, 2, 2])
          return logs
        })
      )
      assert.match(logs[0] ?? "", /^Warn .*are dated 3m.* ahead of this machine's clock/)
      assert.match(logs[1] ?? "", /^Warn .*are dated 3m.* behind this machine's clock/)
      const secrets = service.sent.flatMap(({ url }) => [
        url.searchParams.get("Signature") ?? "?",
        url.searchParams.get("SignatureNonce") ?? "?"
      ])
      for (const secret of [FakeService.app.serverSecret, ...secrets]) assert.notInclude(logs.join(), secret)
    })
  )

  it.effect("says to set the clock once the service has refused its time and accepted another", () =>
    Effect.gen(function* () {
      const off = 900_000
      const service = FakeService.make((sent, index) =>
        Effect.succeed(dated(sent.time + off, index === 0 ? 100000004 : 0))
      )
      const logs = yield* withClock(service, (_, logs) => Effect.as(read, logs))
      assert.lengthOf(logs, 1)
      assert.match(logs[0] ?? "", /^Warn .*clock is 15m.* behind the service's.*set the clock/)
    })
  )

  it.effect("says nothing of a date that what was accepted shows to be wrong", () =>
    Effect.gen(function* () {
      const service = FakeService.make((sent) => Effect.succeed(dated(sent.time + 3_600_000)))
      assert.lengthOf(yield* withClock(service, (_, logs) => Effect.as(Effect.andThen(read, read), logs)), 0)
    })
  )
})

describe("a clock of one's own", () => {
  it.effect("fixed: nothing is learned, requests are signed with it", () =>
    Effect.gen(function* () {
      yield* TestClock.setTime(now)
      const service = FakeService.make((sent) => Effect.succeed(dated(sent.time + 900_000)))
      yield* Effect.andThen(read, read).pipe(
        Effect.provide(layer(service, ServerClock.layerFixed("-2 minutes"))),
        FakeService.inTime()
      )
      for (const { time, url } of service.sent) {
        assert.strictEqual(Number(url.searchParams.get("Timestamp")), Math.floor(time / 1000) - 120)
      }
    })
  )

  it.effect("for one call", () =>
    Effect.gen(function* () {
      yield* TestClock.setTime(now)
      const service = FakeService.answering(dated(now))
      const fixed: ServerClock.ServerClock["Service"] = { offset: Effect.succeed(60_000), observe: () => Effect.void }
      const own = Effect.provideService(read, ServerClock.ServerClock, fixed)
      yield* Effect.andThen(own, read).pipe(Effect.provide(FakeService.clientOf(service.layer)))
      const stamps = service.sent.map(({ url }) => Number(url.searchParams.get("Timestamp")) - now / 1000)
      assert.deepStrictEqual(stamps, [60, 0])
      assert.strictEqual(yield* Clock.currentTimeMillis, now)
    })
  )
})

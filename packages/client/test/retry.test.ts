import { CircuitBreaker, ClientError, RetryPolicy, Timeout, ZimClient } from "@effect-zim/client"
import { QueryConversationList } from "@effect-zim/protocol"
import type { Operation } from "@effect-zim/protocol"
import { assert, describe, it } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Random from "effect/Random"
import * as Schedule from "effect/Schedule"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import * as FakeService from "./fakeService.ts"

const { operation } = QueryConversationList
const read = ZimClient.execute(operation, { userId: "user-42" })
const page = FakeService.page([FakeService.entry("a", 1)])
const between = (minimum: number, maximum: number) => Schema.Int.check(Schema.isBetween({ minimum, maximum }))

const html = (status: number) => FakeService.text(`<h1>${status}</h1>`, { status, contentType: "text/html" })
const reset: FakeService.Answer = (sent) => FakeService.transportError(sent)

/** Times between the requests, in milliseconds. */
const gaps = (service: FakeService.FakeService): ReadonlyArray<number> =>
  service.sent.slice(1).map((sent, i) => sent.time - (service.sent[i]?.time ?? 0))

describe("retries", () => {
  const table: ReadonlyArray<readonly [string, number, FakeService.Reply | FakeService.Answer]> = [
    ...[660300005, 7].map((code) => [`code ${code}`, 8, FakeService.code(code)] as const),
    ...[1, 660000001, 660000003].map((code) => [`code ${code}`, 4, FakeService.code(code)] as const),
    ...[660800053, 105001, 100000010, 100000011, 100000012, 100000015].map(
      (code) => [`code ${code}`, 2, FakeService.code(code)] as const
    ),
    ...[
      2, 3, 100000000, 100000001, 100000002, 100000003, 100000004, 100000005, 100000006, 100000007, 100000008,
      100000009, 100000013, 100000014, 100000016, 100000017, 660000002, 660000012, 660000028, 660500002, 123456789
    ].map((code) => [`code ${code}`, 0, FakeService.code(code)] as const),
    ["HTTP 429", 8, html(429)],
    ...[408, 500, 502, 503, 504].map((status) => [`HTTP ${status}`, 4, html(status)] as const),
    ...[400, 401, 403, 404, 413, 302].map((status) => [`HTTP ${status}`, 0, html(status)] as const),
    ["no JSON", 2, FakeService.text("<html>")],
    ["an empty body", 2, FakeService.text("")],
    ["another shape", 0, FakeService.text(`{"Code":0}`)],
    ["a lost connection", 3, reset],
    ["a body cut off", 3, FakeService.chunks(Stream.fail(new Error("terminated")))],
    ["no answer in time", 3, () => Effect.never]
  ]

  it.effect.each(table)("of the standard policy: %s, %i times", ([, times, answer]) =>
    Effect.gen(function* () {
      const service = FakeService.answering(answer)
      const error = yield* read.pipe(
        Effect.flip,
        Effect.provide(FakeService.clientOf(service.layer)),
        FakeService.inTime()
      )
      assert.strictEqual(service.sent.length, 1 + times)
      if (!("attempts" in error)) return assert.fail(error.message)
      assert.strictEqual(error.attempts, 1 + times)
    })
  )

  it.effect.each(table)("of no policy: %s, never", ([, , answer]) =>
    Effect.gen(function* () {
      const service = FakeService.answering(answer)
      yield* read.pipe(
        RetryPolicy.provide(RetryPolicy.none),
        Effect.flip,
        Effect.provide(FakeService.clientOf(service.layer)),
        FakeService.inTime()
      )
      assert.strictEqual(service.sent.length, 1)
    })
  )

  it.effect.each(table)("end with the first answer: %s", ([, times, answer]) =>
    Effect.gen(function* () {
      const service = FakeService.answering(answer, page)
      const outcome = yield* read.pipe(
        Effect.exit,
        Effect.provide(FakeService.clientOf(service.layer)),
        FakeService.inTime()
      )
      assert.strictEqual(outcome._tag, times > 0 ? "Success" : "Failure")
      assert.strictEqual(service.sent.length, times > 0 ? 2 : 1)
    })
  )

  it.effect("each kind keeps its own count", () =>
    Effect.gen(function* () {
      const busy = FakeService.code(1)
      const service = FakeService.answering(reset, busy, reset, busy, reset, busy, FakeService.text(""), busy, page)
      yield* read.pipe(Effect.provide(FakeService.clientOf(service.layer)), FakeService.inTime())
      assert.strictEqual(service.sent.length, 9)
    })
  )

  it.effect("of a patient policy go on until the deadline", () =>
    Effect.gen(function* () {
      const service = FakeService.answering(FakeService.code(1))
      const error = yield* read.pipe(
        RetryPolicy.provide(RetryPolicy.patient),
        Effect.provideService(Timeout.Deadline, Duration.minutes(30)),
        Effect.flip,
        Effect.provide(Layer.provide(FakeService.clientOf(service.layer), CircuitBreaker.layerNone)),
        FakeService.inTime({ limit: 3_600_000 })
      )
      assert.instanceOf(error, ClientError.DeadlineExceeded)
      assert.isAbove(service.sent.length, 30)
    })
  )

  it.effect("of a custom policy: any schedule", () =>
    Effect.gen(function* () {
      const service = FakeService.answering(FakeService.code(660800053))
      const custom = { ...RetryPolicy.standard, bounded: Schedule.upTo(Schedule.spaced("3 seconds"), { times: 5 }) }
      yield* read.pipe(
        RetryPolicy.provide(custom),
        Effect.flip,
        Effect.provide(FakeService.clientOf(service.layer)),
        FakeService.inTime()
      )
      assert.deepStrictEqual(gaps(service), [3000, 3000, 3000, 3000, 3000])
    })
  )

  it.effect("of a call that changes something: only where it was surely not done", () =>
    Effect.gen(function* () {
      const write: Operation.Operation<QueryConversationList.Types> = { ...operation, kind: "Write" }
      for (const [answer, sent] of [
        [reset, 1],
        [FakeService.code(1), 1],
        [FakeService.text("<html>"), 1],
        [FakeService.code(660300005), 2]
      ] as const) {
        const service = FakeService.answering(answer, page)
        yield* ZimClient.execute(write, { userId: "user-42" }).pipe(
          Effect.exit,
          Effect.provide(FakeService.clientOf(service.layer)),
          FakeService.inTime()
        )
        assert.strictEqual(service.sent.length, sent)
      }
    })
  )

  it.effect.prop(
    "wait a random time, up to a bound that doubles up to the cap",
    { seed: Schema.Int, base: between(50, 2000), cap: between(100, 4000) },
    ({ base, cap, seed }) =>
      Effect.gen(function* () {
        const service = FakeService.answering(FakeService.code(1))
        const transient = RetryPolicy.backoff({ base, cap, times: 6 })
        yield* read.pipe(
          RetryPolicy.provide({ ...RetryPolicy.standard, transient }),
          Random.withSeed(seed),
          Effect.flip,
          Effect.provide(FakeService.clientOf(service.layer)),
          FakeService.inTime()
        )
        assert.strictEqual(service.sent.length, 7)
        for (const [i, gap] of gaps(service).entries()) assert.isAtMost(gap, Math.min(base * 2 ** i, cap) + 1)
      }),
    { arbitrary: { seed: 31, runs: 100 } }
  )

  it.effect("are spread over the whole time, not around its middle", () =>
    Effect.gen(function* () {
      const delays: Array<number> = []
      for (let seed = 0; seed < 60; seed++) {
        const service = FakeService.answering(FakeService.code(1), page)
        const transient = RetryPolicy.backoff({ base: "1 second", cap: "1 second", times: 1 })
        yield* read.pipe(
          RetryPolicy.provide({ ...RetryPolicy.standard, transient }),
          Random.withSeed(seed),
          Effect.provide(Layer.provide(FakeService.clientOf(service.layer), CircuitBreaker.layerNone)),
          FakeService.inTime()
        )
        delays.push(...gaps(service))
      }
      assert.isBelow(Math.min(...delays), 150)
      assert.isAbove(Math.max(...delays), 850)
    })
  )
})

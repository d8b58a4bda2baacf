/** Numbers that would switch a policy off without a word. */
import { CircuitBreaker, ResponseLimit, RetryBudget, ServerClock } from "@effect-zim/client"
import { assert, describe, it } from "@effect/vitest"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as FakeService from "../fakeService.ts"
import { page, read } from "./support.ts"

const defectOf = (exit: Exit.Exit<unknown, unknown>): unknown =>
  Exit.isFailure(exit) ? Cause.squash(exit.cause) : assert.fail("it succeeded")

describe("a budget", () => {
  const names = ["capacity", "retry", "timeoutRetry", "success"] as const

  it.effect.each(names.flatMap((name) => [NaN, -1, Infinity].map((value) => [name, value] as const)))(
    "is not made of a %s of %d",
    ([name, value]) =>
      Effect.gen(function* () {
        const defect = defectOf(yield* Effect.exit(RetryBudget.make({ [name]: value })))
        assert.instanceOf(defect, RangeError)
        assert.include(String(defect), `the retry budget's ${name} is a finite number, 0 or more, not ${value}`)
      })
  )

  it.effect("may be empty, and may cost nothing", () =>
    Effect.gen(function* () {
      const budget = yield* RetryBudget.make({ capacity: 0, retry: 0, timeoutRetry: 0.5, success: 0 })
      assert.deepStrictEqual(budget.costs, { retry: 0, timeoutRetry: 0.5, success: 0 })
      assert.strictEqual(yield* budget.left, 0)
      assert.isFalse(yield* budget.spend(0.5))
    })
  )
})

describe("a breaker", () => {
  const calls = "is a whole number of calls"
  const wrong = [
    [{ threshold: NaN }, "threshold is a number from 0 to 1, not NaN"],
    [{ threshold: 1.1 }, "threshold is a number from 0 to 1, not 1.1"],
    [{ threshold: -0.1 }, "threshold is a number from 0 to 1, not -0.1"],
    [{ size: 0 }, `size ${calls}, 1 or more, not 0`],
    [{ size: 2.5 }, `size ${calls}, 1 or more, not 2.5`],
    [{ minimumCalls: 0 }, `minimumCalls ${calls}, from 1 to its size, 40, not 0`],
    [{ minimumCalls: 41 }, `minimumCalls ${calls}, from 1 to its size, 40, not 41`],
    [{ minimumCalls: 1.5 }, `minimumCalls ${calls}, from 1 to its size, 40, not 1.5`],
    [{ size: 10 }, `minimumCalls ${calls}, from 1 to its size, 10, not 20`]
  ] as const

  it.effect.each(wrong)("is not made of %j", ([options, problem]) =>
    Effect.gen(function* () {
      const defect = defectOf(yield* Effect.exit(CircuitBreaker.make(options)))
      assert.instanceOf(defect, RangeError)
      assert.strictEqual(defect.message, `the breaker's ${problem}`)
    })
  )
})

describe("a fixed offset of the service's clock", () => {
  it.effect.each([Infinity, -Infinity])("is not %d", (offset) =>
    Effect.gen(function* () {
      const defect = defectOf(yield* Effect.exit(Effect.scoped(Layer.build(ServerClock.layerFixed(offset)))))
      assert.instanceOf(defect, RangeError)
      assert.include(String(defect), `the fixed offset is a finite time, not ${offset}`)
    })
  )
})

describe("a limit of an answer's size", () => {
  it.effect.each([NaN, -1, -Infinity])("of %d lets nothing be sent", (limit) =>
    Effect.gen(function* () {
      const service = FakeService.answering(page)
      const around = read.pipe(
        Effect.provideService(ResponseLimit, limit),
        Effect.provide(FakeService.clientOf(service.layer))
      )
      const inside = Effect.provide(
        read,
        FakeService.clientOf(service.layer).pipe(Layer.provide(Layer.succeed(ResponseLimit, limit)))
      )
      for (const call of [around, inside]) {
        const defect = defectOf(yield* Effect.exit(call))
        assert.instanceOf(defect, RangeError)
        assert.include(String(defect), `ResponseLimit is a number of bytes, 0 or more, not ${limit}`)
      }
      assert.strictEqual(service.sent.length, 0)
    })
  )

  it.effect("may be none", () =>
    Effect.gen(function* () {
      const service = FakeService.answering(page)
      const answer = yield* read.pipe(
        Effect.provideService(ResponseLimit, Infinity),
        Effect.provide(FakeService.clientOf(service.layer))
      )
      assert.strictEqual(answer.conversations.length, 1)
    })
  )
})

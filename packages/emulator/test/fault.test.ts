import { Emulator, Fault, ServiceQuota } from "@effect-zim/emulator"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as TestClock from "effect/testing/TestClock"
import { ask, codeOf, groups, page, parts, send, worldOf } from "./support.ts"

const world = worldOf({ u1: groups(10), u2: groups(10) })
const provide = (faults: ReadonlyArray<Fault.Fault>, options?: Partial<Emulator.Options>) =>
  Effect.provide(Emulator.layer({ world, quota: ServiceQuota.unlimited, faults, ...options }))

const u1 = { FromUserId: "u1", Limit: 4 }
const u2 = { FromUserId: "u2", Limit: 4 }

/** The codes of these calls, one after another. */
const codes = (bodies: ReadonlyArray<unknown>) => Effect.forEach(bodies, codeOf)
const busy = Fault.returnCode(1)
const times = <A>(count: number, value: A): ReadonlyArray<A> => Array.from({ length: count }, () => value)

/** Which of so many equal calls a fault happens to, from 1. */
const hits = (fault: Fault.Fault, count: number, options?: Partial<Emulator.Options>) =>
  Effect.map(codes(times(count, u1)), (answered) => answered.flatMap((code, i) => (code === 0 ? [] : [i + 1]))).pipe(
    provide([fault], options)
  )

describe("which calls", () => {
  it.effect("all, without a condition", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* hits(busy, 3), [1, 2, 3])
    })
  )

  it.effect("nth, every, times", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* hits(Fault.when(busy, Fault.nth(2)), 5), [2])
      assert.deepStrictEqual(yield* hits(busy.pipe(Fault.when(Fault.every(3))), 10), [3, 6, 9])
      assert.deepStrictEqual(yield* hits(busy.pipe(Fault.when(Fault.every(3)), Fault.times(2)), 10), [3, 6])
      assert.deepStrictEqual(yield* hits(Fault.times(busy, 2), 4), [1, 2])
    })
  )

  it.effect("and, or, not", () =>
    Effect.gen(function* () {
      const both = Fault.every(2).pipe(Fault.and(Fault.every(2)))
      assert.deepStrictEqual(yield* hits(Fault.when(busy, both), 8), [4, 8])
      const either = Fault.every(2).pipe(Fault.or(Fault.every(3)))
      assert.deepStrictEqual(yield* hits(Fault.when(busy, either), 8), [2, 3, 4, 6, 8])
      assert.deepStrictEqual(yield* hits(Fault.when(busy, Fault.not(Fault.every(2))), 5), [1, 3, 5])
    })
  )

  it.effect("of one user, and counted among those", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* codes([u2, u1, u2, u1, u1, u1]), [0, 0, 0, 1, 0, 1])
    }).pipe(provide([busy.pipe(Fault.when(Fault.user("u1")), Fault.when(Fault.every(2)))]))
  )

  it.effect("for one page, by number or cursor; for one attempt at each page", () =>
    Effect.gen(function* () {
      const emulator = yield* Emulator.Emulator
      const first = yield* page(u1)
      const second = { ...u1, Next: first.Next }
      const third = { ...u1, Next: (yield* page(second)).Next }
      yield* emulator.faults.set([Fault.when(busy, Fault.page(2))])
      assert.deepStrictEqual(yield* codes([u1, second, third, second]), [0, 1, 0, 1])
      yield* emulator.faults.set([Fault.when(busy, Fault.cursor(String(third.Next)))])
      assert.deepStrictEqual(yield* codes([u1, second, third]), [0, 0, 1])
      yield* emulator.faults.set([Fault.when(busy, Fault.attempt(2))])
      assert.deepStrictEqual(yield* codes([u1, second, u1, u2, second, u1, u2]), [0, 0, 1, 0, 1, 0, 1])
    }).pipe(provide([]))
  )

  it.effect("by a cursor no longer than the protocol has them: what counts by it stays small", () => {
    const seen: Array<string | undefined> = []
    return Effect.gen(function* () {
      yield* codes([
        { ...u1, Next: 10n ** 308n - 1n },
        { ...u1, Next: 10n ** 308n }
      ])
      assert.deepStrictEqual(seen, ["9".repeat(308), undefined])
    }).pipe(
      provide([
        Fault.when(
          busy,
          Fault.where(({ cursor }) => seen.push(cursor) === 0)
        )
      ])
    )
  })

  it.effect("by a predicate of the call", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* codes([u1, { ...u1, Limit: 5 }, u2]), [0, 1, 0])
    }).pipe(
      provide([
        Fault.when(
          busy,
          Fault.where((call) => call.limit === 5 && call.appId === 12345)
        )
      ])
    )
  )

  it.effect.prop(
    "by probability: the same ones for the same seed, about that share of them",
    { seed: Schema.Int, share: Schema.Finite.check(Schema.isBetween({ minimum: 0, maximum: 1 })) },
    ({ seed, share }) =>
      Effect.gen(function* () {
        const fault = Fault.when(busy, Fault.probability(share))
        const hit = yield* hits(fault, 60, { seed })
        assert.deepStrictEqual(yield* hits(fault, 60, { seed }), hit)
        assert.approximately(hit.length, 60 * share, 25)
      })
  )

  it.effect("other ones for another seed and for another fault", () =>
    Effect.gen(function* () {
      const fault = Fault.when(busy, Fault.probability(0.5))
      assert.notDeepEqual(yield* hits(fault, 100, { seed: 1 }), yield* hits(fault, 100, { seed: 2 }))
      const two = yield* codes(times(100, u1)).pipe(
        provide([fault, Fault.when(Fault.returnCode(2), Fault.probability(0.5))])
      )
      assert.isTrue(two.includes(0) && two.includes(1) && two.includes(2))
    })
  )

  it.effect("setting them starts all counts anew", () =>
    Effect.gen(function* () {
      const { faults } = yield* Emulator.Emulator
      const set = [Fault.times(busy, 1)]
      yield* faults.set(set)
      assert.deepStrictEqual(yield* codes([u1, u1]), [1, 0])
      yield* faults.set(set)
      assert.deepStrictEqual(yield* codes([u1, u1]), [1, 0])
      yield* faults.update(() => [])
      assert.deepStrictEqual(yield* faults.get, [])
    }).pipe(provide([]))
  )
})

describe("returnCode", () => {
  it.effect("has the documented message or its own, and does not count against the quota", () =>
    Effect.gen(function* () {
      const answers = yield* Effect.all(times(3, ask(u1)))
      assert.deepStrictEqual(
        answers.map(({ code, message }) => [code, message]),
        [
          [660800053, "Querying the conversation list failed"],
          [424242, "Only here"],
          [0, "success"]
        ]
      )
    }).pipe(
      provide(
        [
          Fault.when(Fault.returnCode(660800053), Fault.nth(1)),
          Fault.when(Fault.returnCode(424242, "Only here"), Fault.nth(2))
        ],
        { quota: ServiceQuota.sliding({ limit: 1 }) }
      )
    )
  )

  it.effect("does not hide that the signature is wrong", () =>
    Effect.gen(function* () {
      const sent = yield* parts(u1)
      const reply = yield* send({ ...sent, query: { ...sent.query, Signature: "x" } })
      assert.include(reply.body, `"Code":100000005`)
    }).pipe(provide([busy]))
  )
})

describe("latency", () => {
  it.effect("holds the answer up, and is counted when the call arrives", () =>
    Effect.gen(function* () {
      const emulator = yield* Emulator.Emulator
      const fiber = yield* Effect.forkChild(codeOf(u1))
      yield* TestClock.adjust("2999 millis")
      assert.isUndefined(fiber.pollUnsafe())
      assert.strictEqual((yield* emulator.journal.entries)[0]?.time, 0)
      yield* TestClock.adjust("1 millis")
      assert.strictEqual(yield* Fiber.join(fiber), 0)
    }).pipe(provide([Fault.latency("1 second"), Fault.latency("2 seconds")]))
  )

  it.effect("on the request: the call is processed late, so its signature can expire on the way", () =>
    Effect.gen(function* () {
      const emulator = yield* Emulator.Emulator
      const fiber = yield* Effect.forkChild(codeOf(u1))
      yield* TestClock.adjust("601 seconds")
      assert.strictEqual(yield* Fiber.join(fiber), 100000004)
      const [entry] = yield* emulator.journal.entries
      assert.strictEqual(entry?.time, 601_000)
      assert.strictEqual(entry?.signatureAge, 601)
    }).pipe(provide([Fault.latency("601 seconds", { on: "request" })]))
  )

  it.effect("from a range stays in it, and is the same for the same seed", () =>
    Effect.gen(function* () {
      const elapsed = Effect.gen(function* () {
        const fibers = yield* Effect.forEach(times(20, u1), (body) => Effect.forkChild(codeOf(body)))
        const done: Array<number> = []
        for (let i = 1; i <= 30; i++) {
          yield* TestClock.adjust("1 millis")
          done.push(fibers.filter((fiber) => fiber.pollUnsafe() !== undefined).length)
        }
        return done
      }).pipe(provide([Fault.latencyBetween("10 millis", "20 millis")]))
      const done = yield* elapsed
      assert.strictEqual(done[8], 0)
      assert.strictEqual(done[20], 20)
      assert.isAbove(new Set(done).size, 4)
      assert.deepStrictEqual(yield* elapsed, done)
    })
  )
})

describe("lost connections", () => {
  const lost = Effect.map(Effect.result(ask(u1)), (result) => Result.isFailure(result) && result.failure._tag)

  it.effect("connectionReset comes before processing, answerLost after", () =>
    Effect.gen(function* () {
      const { journal } = yield* Emulator.Emulator
      assert.strictEqual(yield* lost, "ConnectionLost")
      assert.strictEqual(yield* lost, "ConnectionLost")
      // Only the second one took the one place in the quota.
      assert.strictEqual(yield* codeOf(u1), 660300005)
      assert.deepStrictEqual(
        (yield* journal.entries).map(({ code, faults, status }) => ({ code, faults, status })),
        [
          { code: undefined, faults: ["connectionReset"], status: undefined },
          { code: 0, faults: ["answerLost"], status: undefined },
          { code: 660300005, faults: [], status: 200 }
        ]
      )
    }).pipe(
      provide([Fault.when(Fault.connectionReset, Fault.nth(1)), Fault.when(Fault.answerLost, Fault.nth(2))], {
        quota: ServiceQuota.sliding({ limit: 1 })
      })
    )
  )

  it.effect("hang never answers, and can be interrupted", () =>
    Effect.gen(function* () {
      const fiber = yield* Effect.forkChild(codeOf(u1))
      yield* TestClock.adjust("30 days")
      assert.isUndefined(fiber.pollUnsafe())
      yield* Fiber.interrupt(fiber)
    }).pipe(provide([Fault.hang]))
  )
})

describe("cursors gone wrong", () => {
  it.effect.each([971503777289036701n, 5, "abc"])("nextCursor(%s)", (next) =>
    Effect.gen(function* () {
      const { body } = yield* ask(u1)
      assert.deepInclude(body, { Next: next })
      if (typeof next !== "string") assert.strictEqual(yield* codeOf({ ...u1, Next: next }), 660000002)
    }).pipe(provide([Fault.nextCursor(next)]))
  )

  it.effect.each([1, 2, 3])("cyclingCursor(%s) leads in a circle of that length, on any list", (length) =>
    Effect.gen(function* () {
      const seen: Array<number | bigint> = []
      let next: number | bigint = 0
      for (let i = 0; i < 10; i++) {
        const answer: { readonly Next: number | bigint } = yield* page({ FromUserId: "u1", Next: next })
        next = answer.Next
        seen.push(next)
      }
      assert.strictEqual(new Set(seen).size, length)
      seen.forEach((cursor, i) => assert.strictEqual(cursor, seen[i % length]))
      assert.isFalse(seen.includes(0))
    }).pipe(provide([Fault.cyclingCursor(length)]))
  )
})

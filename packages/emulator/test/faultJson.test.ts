import { Emulator, Fault, FaultJson, ServiceQuota } from "@effect-zim/emulator"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as TestClock from "effect/testing/TestClock"
import { inspect } from "node:util"
import { ask, groups, page, payloadOf, worldOf } from "./support.ts"

const world = worldOf({ u1: groups(20), u2: groups(20) })
const provide = (faults: ReadonlyArray<Fault.Fault>) =>
  Effect.provide(Emulator.layer({ world, quota: ServiceQuota.unlimited, faults }))

const call = (index: number): Fault.Call => ({
  index,
  time: 0,
  appId: index % 2,
  action: "QueryConversationList",
  userId: `u${index % 3}`,
  limit: undefined,
  cursor: String(index % 4),
  page: (index % 4) + 1
})

/** Which of 40 different calls a fault happens to. */
const hits = (fault: Fault.Fault): ReadonlyArray<number> => {
  const started = fault.conditions.map((condition, i) => condition.start(`seed/${i}`))
  return Array.from({ length: 40 }, (_, i) => i).filter((i) => started.every((holds) => holds(call(i))))
}

const json = (fault: Fault.Fault): FaultJson.Json =>
  JSON.parse(JSON.stringify(Option.getOrThrow(FaultJson.encode(fault))))

describe("a fault as JSON", () => {
  it.prop(
    "comes back: the same JSON, the same words, the same calls",
    { spec: FaultJson.FaultJson },
    ({ spec }) => {
      // What is finer than JSON's milliseconds is lost the first time.
      const fault = FaultJson.make(json(FaultJson.fromSpec(spec)))
      const back = FaultJson.make(json(fault))
      assert.deepStrictEqual(json(back), json(fault))
      assert.strictEqual(String(back), String(fault))
      assert.strictEqual(back.name, fault.name)
      assert.deepStrictEqual(hits(back), hits(fault))
    },
    { arbitrary: { runs: 300 } }
  )

  it("has every fault there is", () => {
    const names = FaultJson.FaultJson.members.map(({ fields }) => fields.type.literal)
    const others = new Set(["Fault", "Condition", "describe", "when", "times", "rewrite", "where", "first"])
    for (const name of ["user", "app", "page", "cursor", "nth", "every", "attempt", "probability"]) others.add(name)
    for (const name of ["and", "or", "not"]) others.add(name)
    assert.sameMembers(
      Object.keys(Fault).filter((name) => !others.has(name)),
      names
    )
  })

  it.each(
    [
      Fault.user("u1", "u2"),
      Fault.app(1),
      Fault.page(2),
      Fault.cursor("3"),
      Fault.nth(7),
      Fault.first(3),
      Fault.every(4),
      Fault.attempt(2),
      Fault.probability(0.4),
      Fault.not(Fault.app(1)),
      Fault.or(Fault.page(1), Fault.every(5)),
      Fault.and(Fault.page(1), Fault.every(2)),
      Fault.or(Fault.and(Fault.app(1), Fault.not(Fault.page(2))), Fault.probability(0.2))
    ].map((condition) => Fault.when(Fault.when(Fault.hang, condition), Fault.first(6)))
  )("%s happens to the same calls when it comes from JSON", (fault) => {
    assert.deepStrictEqual(hits(FaultJson.make(json(fault))), hits(fault))
    assert.isAbove(hits(fault).length, 0)
  })

  it("all of no conditions holds, one of none does not", () => {
    assert.strictEqual(hits(FaultJson.make({ type: "hang", when: [{ and: [] }] })).length, 40)
    assert.strictEqual(hits(FaultJson.make({ type: "hang", when: [{ or: [] }] })).length, 0)
  })

  it("none where a value is in it that JSON does not take", () => {
    for (const fault of [
      Fault.redirect("/caf\u00e9"),
      Fault.rawBody("", "text/caf\u00e9"),
      Fault.nextCursor(10n ** 309n)
    ]) {
      assert.isTrue(Option.isNone(FaultJson.encode(fault)), String(fault))
    }
  })

  it("none where a function is in it", () => {
    const odd = Fault.where((call) => call.index % 2 === 1)
    for (const fault of [
      Fault.rewrite("mine", (reply) => reply),
      Fault.when(Fault.hang, odd),
      Fault.when(Fault.hang, Fault.not(odd)),
      Fault.when(Fault.hang, Fault.or(Fault.page(1), odd))
    ]) {
      assert.isTrue(Option.isNone(FaultJson.encode(fault)), String(fault))
    }
  })

  it.effect.each([
    ["[{]", "it is not valid JSON"],
    ["null", "Expected a fault whose type is one of returnCode, latency"],
    [`{"type":"hang","wen":[]}`, `Expected no excess property\n  at [0]["wen"]`],
    [`[{"type":"hang"},{"type":"hung"}]`, "at [1]"],
    [`{"type":"hang","when":[{"pge":1}]}`, `at [0]["when"][0]["pge"]`],
    [`{"type":"hang","when":[{"page":1,"nth":2}]}`, "a condition with one key: user, app, page"],
    [`{"type":"hang","when":[{}]}`, "a condition with one key"],
    [`{"type":"hang","when":[{"or":[{"every":0}]}]}`, `["or"][0]["every"]`],
    [`{"type":"hang","when":[{"probability":1.1}]}`, `["probability"]`],
    [`{"type":"latency","duration":-1}`, "a duration from 0 to 300 years"],
    [`{"type":"latency","duration":"soon"}`, `["duration"]`],
    [`{"type":"latency","duration":"Infinity"}`, "a duration from 0 to 300 years"],
    [`{"type":"slowBody","bytes":0,"every":1}`, `["bytes"]`],
    [`{"type":"httpStatus","status":99}`, `["status"]`],
    [`{"type":"redirect","location":"a\\r\\nSet-Cookie: b"}`, "printable ASCII"]
  ] as const)("%s is refused, and why", ([text, problem]) =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(FaultJson.parse(text))
      assert.strictEqual(error._tag, "FaultsUnreadable")
      assert.include(error.message, problem)
    })
  )
})

describe("a fault in words", () => {
  it.each([
    [Fault.hang, "hang"],
    [Fault.returnCode(1), "returnCode(code: 1)"],
    [
      Fault.connectionReset.pipe(Fault.when(Fault.user("a", "b")), Fault.when(Fault.page(2)), Fault.times(2)),
      "connectionReset when user a or b, page 2, at most 2 times"
    ],
    [
      Fault.latencyLogNormal("30 millis", 1, { on: "request" }).pipe(Fault.when(Fault.probability(0.3))),
      `latencyLogNormal(median: 30ms, sigma: 1, on: "request") when with probability 0.3`
    ],
    [
      Fault.notJson.pipe(
        Fault.when(Fault.or(Fault.and(Fault.nth(1), Fault.every(22)), Fault.not(Fault.attempt(3)))),
        Fault.when(Fault.where(() => true))
      ),
      "notJson when ((the 1st call and every 22nd call) or not the 3rd attempt at a page), a function holds"
    ],
    [Fault.rewrite("mine", (reply) => reply), "mine"],
    [Fault.rawBody("x".repeat(100)), `rawBody(text: "${"x".repeat(58)}…, contentType: "application/json")`]
  ] as const)("%s", (fault, words) => {
    assert.strictEqual(Fault.describe(fault), words)
    assert.strictEqual(String(fault), words)
    assert.strictEqual(inspect(fault), words)
    assert.strictEqual(JSON.stringify([fault]), JSON.stringify([words]))
  })
})

describe("new faults", () => {
  /** All pages of u1's list, `limit` at a time. */
  const pages = Effect.fnUntraced(function* (limit: number) {
    const read: Array<{ readonly ids: ReadonlyArray<string>; readonly next: number | bigint }> = []
    let next: number | bigint = 0
    do {
      const envelope = yield* ask({ FromUserId: "u1", Limit: limit, Next: next })
      const payload = payloadOf(envelope)
      next = payload.Next
      read.push({ ids: (payload.List ?? []).map(({ ConvId }) => ConvId), next })
    } while (next !== 0)
    return read
  })
  const all = Array.from({ length: 20 }, (_, i) => `g${i + 1}`)

  it.effect.prop(
    "duplicateEntries: a page begins with the end of the one before; nothing is missing, and the list ends",
    {
      count: Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 9 })),
      limit: Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 25 }))
    },
    ({ count, limit }) =>
      Effect.gen(function* () {
        const read = yield* pages(limit)
        const ids = read.flatMap((one) => one.ids)
        assert.deepStrictEqual([...new Set(ids)], all)
        const again = Math.min(count, limit - 1)
        read.slice(1).forEach(({ ids }, i) => {
          const before = read[i]?.ids ?? []
          assert.deepStrictEqual(ids.slice(0, again), before.slice(before.length - again))
        })
        for (const { ids } of read) assert.isAtMost(ids.length, limit)
      }).pipe(provide([Fault.duplicateEntries(count)]))
  )

  it.effect.prop(
    "missingEntries: so many are left out after every page; none comes twice",
    {
      count: Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 9 })),
      limit: Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 25 }))
    },
    ({ count, limit }) =>
      Effect.gen(function* () {
        const ids = (yield* pages(limit)).flatMap((one) => one.ids)
        const left = all.filter((_, i) => i % (limit + count) < limit)
        assert.deepStrictEqual(ids, left)
      }).pipe(provide([Fault.missingEntries(count)]))
  )

  it.effect("both on chosen pages only", () =>
    Effect.gen(function* () {
      const read = yield* pages(5)
      assert.deepStrictEqual(
        read.map(({ ids }) => ids.join(" ")),
        ["g1 g2 g3 g4 g5", "g4 g5 g6 g7 g8", "g10 g11 g12 g13 g14", "g15 g16 g17 g18 g19", "g20"]
      )
    }).pipe(
      provide([Fault.when(Fault.duplicateEntries(2), Fault.page(2)), Fault.when(Fault.missingEntries(), Fault.page(3))])
    )
  )

  it.effect("largeCursors are odd, beyond 2^53, and right", () =>
    Effect.gen(function* () {
      const read = yield* pages(1)
      assert.deepStrictEqual(
        read.flatMap((one) => one.ids),
        all
      )
      for (const { next } of read.slice(0, -1)) {
        assert.typeOf(next, "bigint")
        assert.isTrue(BigInt(next) > 2n ** 53n && BigInt(next) % 2n === 1n)
        assert.notStrictEqual(BigInt(Number(next)), next)
      }
      assert.strictEqual(read.at(-1)?.next, 0)
    }).pipe(provide([Fault.largeCursors]))
  )

  it.effect("of one app", () =>
    Effect.gen(function* () {
      assert.strictEqual((yield* ask({ FromUserId: "u1" })).code, 1)
    }).pipe(provide([Fault.when(Fault.returnCode(1), Fault.app(12345)), Fault.when(Fault.returnCode(2), Fault.app(1))]))
  )
})

describe("latency distributions", () => {
  /** How long 400 calls take, ascending. */
  const latencies = (fault: Fault.Fault) =>
    Effect.gen(function* () {
      const waits: Array<number> = []
      for (let i = 0; i < 400; i++) {
        const started = yield* Effect.clockWith((clock) => Effect.succeed(clock.currentTimeMillisUnsafe()))
        yield* page({ FromUserId: "u1", Limit: 1 }).pipe(
          Effect.tap(() =>
            Effect.clockWith((clock) => Effect.sync(() => waits.push(clock.currentTimeMillisUnsafe() - started)))
          ),
          Effect.raceFirst(Effect.forever(TestClock.adjust("1 millis")))
        )
      }
      return waits.toSorted((a, b) => a - b)
    }).pipe(provide([fault]))
  const mean = (values: ReadonlyArray<number>) => values.reduce((a, b) => a + b) / values.length

  it.effect("normal: around its mean", () =>
    Effect.gen(function* () {
      const waits = yield* latencies(Fault.latencyNormal("50 millis", "10 millis"))
      assert.approximately(mean(waits), 50, 3)
      assert.approximately(waits[63] ?? 0, 40, 4)
    })
  )

  it.effect("log-normal: half below the median, a long tail", () =>
    Effect.gen(function* () {
      const waits = yield* latencies(Fault.latencyLogNormal("20 millis", 1))
      assert.approximately(waits[200] ?? 0, 20, 4)
      assert.isAbove(waits[392] ?? 0, 80)
    })
  )

  it.effect("exponential: its mean, and most below it", () =>
    Effect.gen(function* () {
      const waits = yield* latencies(Fault.latencyExponential("40 millis"))
      assert.approximately(mean(waits), 40, 8)
      assert.isBelow(waits[200] ?? 0, 34)
    })
  )

  it.effect("Pareto: never below its minimum, and no day is exceeded", () =>
    Effect.gen(function* () {
      const waits = yield* latencies(Fault.latencyPareto("10 millis", 2))
      assert.isAtLeast(waits[0] ?? 0, 10)
      assert.approximately(waits[200] ?? 0, 14, 2)
      assert.isAbove(waits[396] ?? 0, 60)
    })
  )
})

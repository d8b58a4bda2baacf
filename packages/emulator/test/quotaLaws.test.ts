import { Emulator, ServiceQuota, World } from "@effect-zim/emulator"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Schema from "effect/Schema"
import * as TestClock from "effect/testing/TestClock"
import { appId, codeOf, envelopeOf, groups, parts, secret, send, worldOf } from "./support.ts"

const upTo = (minimum: number, maximum: number) => Schema.Int.check(Schema.isBetween({ minimum, maximum }))
const arrivals = Schema.Array(Schema.Union([upTo(0, 0), upTo(0, 40), upTo(300, 1100), upTo(900, 5000)]))
const timesOf = (gaps: ReadonlyArray<number>): ReadonlyArray<number> => {
  let time = 1_700_000_000_000
  return gaps.map((gap) => (time += gap))
}

/** When the calls that pass are processed. */
const processed = (quota: ServiceQuota.ServiceQuota, times: ReadonlyArray<number>): ReadonlyArray<number> => {
  const meter = ServiceQuota.meter(quota)
  return times.flatMap((time) => {
    const { admitted, delay } = meter.take(time)
    return admitted ? [time + delay] : []
  })
}

/** The most of these times in any window of this length, which includes its start and not its end. */
const most = (times: ReadonlyArray<number>, length: number): number =>
  Math.max(0, ...times.map((start) => times.filter((time) => time >= start && time - start < length).length))

const limits = upTo(1, 8)
const windows = Schema.Literals([100, 1000, 1500])
const law = { gaps: arrivals, limit: limits, window: windows }

describe("what each model lets through", () => {
  it.prop("sliding: at most limit in any window; after a quiet one, limit at once", law, ({ gaps, limit, window }) => {
    for (const countRejected of [false, true]) {
      const quota = ServiceQuota.sliding({ limit, window, countRejected })
      const times = timesOf(gaps)
      assert.isAtMost(most(processed(quota, times), window), limit)
      const later = (times.at(-1) ?? 0) + window
      const meter = ServiceQuota.meter(quota)
      for (const time of times) meter.take(time)
      const again = Array.from({ length: limit + 1 }, () => meter.admit(later))
      assert.deepStrictEqual(
        again,
        again.map((_, i) => i < limit)
      )
    }
  })

  it.prop("sliding, counting rejections, lets through no more", law, ({ gaps, limit, window }) => {
    const times = timesOf(gaps)
    const counting = processed(ServiceQuota.sliding({ limit, window, countRejected: true }), times)
    assert.isAtMost(counting.length, processed(ServiceQuota.sliding({ limit, window }), times).length)
  })

  it.prop("fixed: at most limit in each of its windows, twice that in any", law, ({ gaps, limit, window }) => {
    const passed = processed(ServiceQuota.fixed({ limit, window }), timesOf(gaps))
    const byWindow = Map.groupBy(passed, (time) => Math.floor(time / window))
    for (const calls of byWindow.values()) assert.isAtMost(calls.length, limit)
    assert.isAtMost(most(passed, window), 2 * limit)
    const unaligned = processed(ServiceQuota.fixed({ limit, window, aligned: false }), timesOf(gaps))
    assert.isAtMost(most(unaligned, window), 2 * limit)
    // The first window starts with the first call, wherever the epoch's would.
    assert.isAtMost(unaligned.filter((time) => time < (unaligned[0] ?? 0) + window).length, limit)
  })

  it.prop(
    "token bucket: in any time at most the burst and what has been filled in, and no less when asked often",
    { ...law, burst: upTo(1, 12) },
    ({ burst, gaps, limit, window }) => {
      const quota = ServiceQuota.tokenBucket({ limit, window, burst })
      const passed = processed(quota, timesOf(gaps))
      for (const length of [1, 50, window, 3 * window]) {
        assert.isAtMost(most(passed, length), burst + Math.floor(((length - 1) * limit) / window))
      }
      const second = Array.from({ length: 3 * window }, (_, i) => 1_700_000_000_000 + i)
      assert.strictEqual(processed(quota, second).length, burst + Math.floor(((3 * window - 1) * limit) / window))
    }
  )

  it.prop(
    "leaky: processed evenly, none waits longer than the queue is, none is turned away while it has room",
    { ...law, queue: upTo(0, 5) },
    ({ gaps, limit, queue, window }) => {
      const interval = window / limit
      const meter = ServiceQuota.meter(ServiceQuota.leaky({ limit, window, queue }))
      let last = -Infinity
      // From 0 on, so that fractions of a millisecond are exact enough to be compared.
      for (const time of timesOf(gaps).map((time) => time - 1_700_000_000_000)) {
        const before = meter.state(time)
        const { admitted, delay } = meter.take(time)
        assert.strictEqual(admitted, before.available > 0)
        assert.strictEqual(admitted, Math.ceil((last + interval - time - 1e-6) / interval) <= queue)
        if (!admitted) continue
        assert.isAtMost(delay, queue * interval + 1e-6)
        assert.isAtLeast(time + delay - last, interval - 1e-6)
        last = time + delay
      }
    }
  )

  it.prop(
    "every gauge tells the truth: so many pass now, and the next one passes after its wait",
    {
      gaps: arrivals,
      limit: limits,
      window: windows,
      model: Schema.Literals(["sliding", "counting", "fixed", "unaligned", "tokenBucket", "leaky", "queue"])
    },
    ({ gaps, limit, model, window }) => {
      const quota = {
        sliding: ServiceQuota.sliding({ limit, window }),
        counting: ServiceQuota.sliding({ limit, window, countRejected: true }),
        fixed: ServiceQuota.fixed({ limit, window }),
        unaligned: ServiceQuota.fixed({ limit, window, aligned: false }),
        tokenBucket: ServiceQuota.tokenBucket({ limit, window, burst: 3 }),
        leaky: ServiceQuota.leaky({ limit, window }),
        queue: ServiceQuota.leaky({ limit, window, queue: 2 })
      }[model]
      const replay = (): ServiceQuota.Meter => {
        const meter = ServiceQuota.meter(quota)
        for (const time of timesOf(gaps)) meter.take(time)
        return meter
      }
      const now = (timesOf(gaps).at(-1) ?? 1_700_000_000_000) + 7
      const { available, wait } = replay().state(now)
      const meter = replay()
      const passed = Array.from({ length: available + 3 }, () => meter.admit(now)).filter(Boolean).length
      assert.strictEqual(passed, available)
      if (available > 0) return assert.strictEqual(wait, 0)
      assert.isDefined(wait)
      assert.isTrue(replay().admit(now + Math.ceil(wait ?? 0)))
      assert.isFalse(replay().admit(now + Math.ceil(wait ?? 0) - 1))
    }
  )

  it("nothing passes a limit of 0, everything an unlimited quota", () => {
    for (const quota of [ServiceQuota.sliding, ServiceQuota.fixed, ServiceQuota.tokenBucket, ServiceQuota.leaky].map(
      (make) => make({ limit: 0 })
    )) {
      const meter = ServiceQuota.meter(quota)
      assert.isFalse(meter.admit(0) || meter.admit(5000), quota.model)
      assert.deepInclude(meter.state(9000), { available: 0, wait: undefined }, quota.model)
    }
    assert.deepStrictEqual(ServiceQuota.meter(ServiceQuota.unlimited).state(0), {
      used: 0,
      available: Infinity,
      wait: 0
    })
  })
})

describe("as JSON", () => {
  const decode = Schema.decodeUnknownSync(ServiceQuota.ServiceQuota)
  const encode = Schema.encodeSync(ServiceQuota.ServiceQuota)

  it.prop("every quota comes back the same", { quota: ServiceQuota.ServiceQuota }, ({ quota }) => {
    // What is finer than JSON's milliseconds is lost the first time.
    const once = decode(JSON.parse(JSON.stringify(encode(quota))))
    assert.deepStrictEqual(decode(JSON.parse(JSON.stringify(encode(once)))), once)
    assert.strictEqual(ServiceQuota.describe(once).split(" ")[0], ServiceQuota.describe(quota).split(" ")[0])
    assert.deepStrictEqual(encode(once), encode(quota))
  })

  it("everything but the model has a default", () => {
    assert.deepStrictEqual(decode({ model: "Sliding" }), ServiceQuota.sliding())
    assert.deepStrictEqual(decode({ model: "Fixed", window: "2 seconds" }), ServiceQuota.fixed({ window: "2 seconds" }))
    assert.deepStrictEqual(decode({ model: "TokenBucket", limit: 5 }), ServiceQuota.tokenBucket({ limit: 5 }))
    assert.deepStrictEqual(decode({ model: "Leaky" }), ServiceQuota.leaky())
    assert.deepStrictEqual(decode({ model: "Unlimited" }), ServiceQuota.unlimited)
  })

  it.each([
    {},
    { model: "Soft" },
    { model: "Sliding", limit: -1 },
    { model: "Fixed", window: 0 },
    { model: "Leaky", queue: 0.5 }
  ])("%j is refused", (json) => {
    assert.throws(() => decode(json))
  })

  it("described in one line", () => {
    assert.deepStrictEqual(
      [
        ServiceQuota.sliding({ countRejected: true }),
        ServiceQuota.fixed({ aligned: false, per: "Action" }),
        ServiceQuota.tokenBucket({ limit: 5 }),
        ServiceQuota.leaky({ queue: 3, window: "1 minute" }),
        ServiceQuota.unlimited
      ].map(ServiceQuota.describe),
      [
        "Sliding: 20 per 1s, rejected calls count, per App",
        "Fixed: 20 per 1s, from the first call, per Action",
        "TokenBucket: 5 per 1s, burst 5, per App",
        "Leaky: 20 per 1m, queue 3, per App",
        "Unlimited"
      ]
    )
  })
})

describe("in the emulator", () => {
  const provide = (options: Partial<Emulator.Options>) =>
    Effect.provide(Emulator.layer({ world: worldOf({ u1: groups(1) }), ...options }))
  const call = codeOf({ FromUserId: "u1" })

  it.effect("a leaky bucket's queue delays calls, and answers them all in their turn", () =>
    Effect.gen(function* () {
      const { gauges } = yield* Emulator.Emulator
      const fibers = yield* Effect.forEach(Array.from({ length: 5 }), () => Effect.forkChild(call))
      yield* TestClock.adjust(0)
      const [gauge] = yield* gauges
      assert.deepInclude(gauge, { appId, used: 4, available: 0 })
      const done: Array<number> = []
      for (let i = 0; i < 4; i++) {
        done.push(fibers.filter((fiber) => fiber.pollUnsafe() !== undefined).length)
        yield* TestClock.adjust("100 millis")
      }
      assert.deepStrictEqual(done, [2, 3, 4, 5])
      assert.deepStrictEqual(yield* Effect.forEach(fibers, Fiber.join), [0, 0, 0, 0, 660300005])
    }).pipe(provide({ quota: ServiceQuota.leaky({ limit: 10, queue: 3 }) }))
  )

  it.effect("a call given up in the queue is in the journal, for it was counted", () =>
    Effect.gen(function* () {
      const { journal } = yield* Emulator.Emulator
      yield* call
      const fiber = yield* Effect.forkChild(call)
      yield* TestClock.adjust(0)
      yield* Fiber.interrupt(fiber)
      const entries = yield* journal.entries
      assert.deepInclude(entries[1], { code: undefined, reason: "the client went away in the queue" })
    }).pipe(provide({ quota: ServiceQuota.leaky({ limit: 1, queue: 1 }) }))
  )

  it.effect("an app may have a quota of its own; gauges show each app's", () =>
    Effect.gen(function* () {
      const { gauges } = yield* Emulator.Emulator
      const as = (id: number) =>
        Effect.map(Effect.flatMap(parts({ FromUserId: "u1" }, { appId: id }), send), (reply) => envelopeOf(reply).code)
      assert.deepStrictEqual(yield* Effect.forEach([1, 1, 1, 2, 2, 2], as), [0, 0, 660300005, 0, 660300005, 660300005])
      assert.deepStrictEqual(
        (yield* gauges).map(({ action, appId, available, used, wait }) => [appId, action, used, available, wait]),
        [
          [1, undefined, 2, 0, 1000],
          [2, "QueryConversationList", 1, 0, 60_000]
        ]
      )
    }).pipe(
      provide({
        quota: ServiceQuota.sliding({ limit: 2 }),
        world: World.make({
          apps: [
            { appId: 1, serverSecret: secret },
            { appId: 2, serverSecret: secret, quota: { model: "Fixed", limit: 1, window: "1 minute", per: "Action" } }
          ],
          users: [{ userId: "u1" }]
        })
      })
    )
  )
})

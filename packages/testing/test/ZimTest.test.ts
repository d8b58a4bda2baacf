import { Conversations, RetryPolicy, ZimClient } from "@effect-zim/client"
import { Emulator, Fault, World } from "@effect-zim/emulator"
import { FaultSchedule, ZimTest } from "@effect-zim/testing"
import { assert, describe, it } from "@effect/vitest"
import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Random from "effect/Random"
import * as Schema from "effect/Schema"

const world = World.generate({ seed: 1, users: 5 })
const millis = Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 100_000_000 }))

const problemOf = <A, E>(exit: Exit.Exit<A, E>): string =>
  Exit.isFailure(exit) && Cause.hasDies(exit.cause) ? String(Cause.squash(exit.cause)) : assert.fail("it did not die")

describe("inVirtualTime", () => {
  it.effect.prop(
    "ends at the moment when the effect ends, not later",
    [Schema.Array(millis).check(Schema.isMaxLength(20)), Schema.Array(millis).check(Schema.isMaxLength(5))],
    ([parallel, sequential]) =>
      Effect.gen(function* () {
        const woken: Array<number> = []
        const sleep = (time: number) => Effect.andThen(Effect.sleep(time), Clock.currentTimeMillis)
        const program = Effect.gen(function* () {
          yield* Effect.forEach(parallel, (time) => Effect.map(sleep(time), (now) => void woken.push(now)), {
            concurrency: "unbounded"
          })
          yield* Effect.forEach(sequential, (time) => sleep(time))
          return yield* Clock.currentTimeMillis
        })
        const ended = yield* ZimTest.inVirtualTime(program, { limit: "1000 days" })
        assert.strictEqual(ended, Math.max(0, ...parallel) + sequential.reduce((sum, time) => sum + time, 0))
        assert.strictEqual(yield* Clock.currentTimeMillis, ended)
        assert.deepStrictEqual(
          woken,
          parallel.toSorted((a, b) => a - b)
        )
      }),
    { arbitrary: { seed: 1 } }
  )

  it.effect("waits for promises while time stands still", () =>
    Effect.gen(function* () {
      const chain = Effect.promise(() =>
        Array.from({ length: 1000 }).reduce<Promise<unknown>>(
          (promise) => promise.then(() => undefined),
          Promise.resolve()
        )
      )
      const timed = Effect.timeout(Effect.andThen(Effect.sleep("1 second"), chain), "1001 millis")
      assert.isTrue(Exit.isSuccess(yield* Effect.exit(ZimTest.inVirtualTime(Effect.andThen(chain, timed)))))
    })
  )

  it.effect("passes results, errors and defects on", () =>
    Effect.gen(function* () {
      assert.strictEqual(yield* ZimTest.inVirtualTime(Effect.delay(Effect.succeed(1), "1 hour")), 1)
      assert.strictEqual(yield* Effect.flip(ZimTest.inVirtualTime(Effect.delay(Effect.fail("no"), "1 hour"))), "no")
      assert.strictEqual(problemOf(yield* Effect.exit(ZimTest.inVirtualTime(Effect.die("oops")))), "oops")
    })
  )

  it.effect("wakes those who fell asleep outside, and those whom an earlier effect left", () =>
    Effect.gen(function* () {
      const outside = yield* Effect.forkChild(Effect.sleep("1 minute"), { startImmediately: true })
      yield* ZimTest.inVirtualTime(Fiber.join(outside))
      const left = yield* ZimTest.inVirtualTime(Effect.forkDetach(Effect.sleep("1 hour"), { startImmediately: true }))
      yield* ZimTest.inVirtualTime(Fiber.join(left))
    })
  )

  it.effect.each([
    ["sleeps too long", Effect.sleep("25 hours"), /not done after 1d of virtual time/],
    ["never wakes", Effect.never, /waits for something that never happens/],
    [
      "waits for nobody",
      Effect.flatMap(Deferred.make<void>(), Deferred.await),
      /waits for something that never happens/
    ],
    ["is busy for ever", Effect.forever(Effect.yieldNow), /busy for ever, while no time passes/]
  ] as const)("an effect that %s dies with the reason", ([, effect, reason]) =>
    Effect.gen(function* () {
      assert.match(problemOf(yield* Effect.exit(ZimTest.inVirtualTime(effect))), reason)
    })
  )

  it.live("says that it needs a test clock", () =>
    Effect.gen(function* () {
      assert.match(problemOf(yield* Effect.exit(ZimTest.inVirtualTime(Effect.void))), /no TestClock: use it.effect/)
    })
  )
})

describe("layer", () => {
  it.effect("is a client of the world's app, with faults and short pages by the schedule", () =>
    Effect.gen(function* () {
      assert.strictEqual((yield* ZimClient.ZimClient).appId, world.apps[0]?.appId)
      const page = Conversations.page("user-1", { pageSize: 5 })
      assert.strictEqual((yield* page).conversations.length, 5)
      assert.strictEqual((yield* page).conversations.length, 1)
      assert.strictEqual((yield* page).conversations.length, 5)
      const { journal } = yield* Emulator.Emulator
      assert.deepStrictEqual(
        (yield* journal.entries).map(({ code }) => code),
        [0, 0, 660300005, 0]
      )
    }).pipe(
      ZimTest.inVirtualTime(),
      Effect.provide(
        ZimTest.layer(
          world,
          FaultSchedule.make([
            { userId: "user-1", call: 2, trouble: "page of 1" },
            { userId: "user-1", call: 3, trouble: "660300005" }
          ])
        )
      )
    )
  )

  it.effect("troubles happen to the calls that they name, however many", () =>
    Effect.gen(function* () {
      const codes = (line: Omit<FaultSchedule.Line, "userId" | "trouble">) =>
        Effect.gen(function* () {
          const emulator = yield* Emulator.Emulator
          yield* Effect.forEach([1, 2, 3, 4, 5], () =>
            Effect.ignore(RetryPolicy.provide(Conversations.page("user-2"), RetryPolicy.none))
          )
          return (yield* emulator.journal.entries).map(({ code }) => code)
        }).pipe(Effect.provide(ZimTest.layer(world, FaultSchedule.make([{ ...line, userId: "user-2", trouble: "1" }]))))
      assert.deepStrictEqual(yield* codes({ call: 2 }), [0, 1, 0, 0, 0])
      assert.deepStrictEqual(yield* codes({ call: 2, times: 3 }), [0, 1, 1, 1, 0])
      assert.deepStrictEqual(yield* codes({ call: 4, times: Infinity }), [0, 0, 0, 1, 1])
      assert.deepStrictEqual(yield* codes({ call: 3, times: 50_000 }), [0, 0, 1, 1, 1])
      assert.deepStrictEqual(yield* codes({ call: 50_000, times: Infinity }), [0, 0, 0, 0, 0])
    })
  )

  it.effect("dies where there is nobody to sign for", () =>
    Effect.gen(function* () {
      const exit = yield* Effect.exit(ZimTest.run(Effect.void, { apps: [], users: [] }))
      assert.match(problemOf(exit), /the world has no app/)
    })
  )
})

describe("run", () => {
  it.live("gives the same for the same seed, jitter and all", () =>
    Effect.gen(function* () {
      const program = Effect.gen(function* () {
        yield* Effect.exit(Conversations.snapshot("user-2"))
        const { journal } = yield* Emulator.Emulator
        return [yield* journal.entries, yield* Random.next, yield* Clock.currentTimeMillis]
      })
      const faults = [Fault.returnCode(1).pipe(Fault.when(Fault.probability(0.5))), Fault.latencyBetween(1, 500)]
      const run = (seed: number) => ZimTest.run(program, world, faults, { seed })
      const first = yield* run(1)
      assert.deepStrictEqual(yield* run(1), first)
      assert.notDeepEqual(yield* run(2), first)
    })
  )
})

/** The circuits beside those of Effect's `CircuitBreaker`, which say when they are right. */
import { Call as Calls, CircuitBreaker as Ours } from "@effect-zim/policies"
import { assert, describe, it } from "@effect/vitest"
import * as Arbitrary from "effect/Arbitrary"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as CircuitBreaker from "effect/persistence/CircuitBreaker"
import * as Schedule from "effect/Schedule"
import * as Schema from "effect/Schema"
import * as TestClock from "effect/testing/TestClock"

const host = "zim-api.zego.im"

const outcomes: Record<Ours.Health, CircuitBreaker.Outcome> = {
  Well: CircuitBreaker.success,
  Ill: CircuitBreaker.failure(),
  Unclear: CircuitBreaker.ignored
}

const Call = Schema.Struct({
  /** Milliseconds after the call before it. */
  pause: Schema.Literals([0, 1, 10, 100, 400, 1000, 5000, 3_600_000]),
  latency: Schema.Literals([0, 1, 50, 300, 2000]),
  health: Schema.Literals(["Well", "Ill", "Ill", "Ill", "Unclear"]),
  isInterrupted: Schema.Literals([false, false, false, true])
})
type Call = typeof Call.Type

const Limits = Schema.Struct({
  threshold: Schema.Literals([0, 0.3, 0.5, 1]),
  size: Schema.Literals([1, 2, 5, 8]),
  minimumCalls: Schema.Literals([1, 2, 5])
})

/** What a circuit did with each of the calls: made it, or refused it for so long. */
type Fate = "made" | "refused while another one looks" | number

const both = Effect.fnUntraced(function* (
  limits: typeof Limits.Type,
  openDuration: Schedule.Schedule<unknown, number>
) {
  const options = { ...limits, minimumCalls: Math.min(limits.minimumCalls, limits.size) }
  const ours = yield* Ours.make({ ...options, openDuration })
  const theirs = yield* CircuitBreaker.make({ tripPolicy: CircuitBreaker.rate(options), openDuration })
  return {
    ours: ({ health, latency }: Call) =>
      Calls.make({ key: "account", operation: "any" }).pipe(
        Effect.flatMap((call) =>
          ours.guard(call, host, Effect.sleep(latency), (exit) => (exit._tag === "Success" ? health : "Unclear"))
        ),
        Effect.as<Fate>("made"),
        Effect.catchTag("CircuitOpen", ({ retryAfter }) => Effect.succeed<Fate>(Duration.toMillis(retryAfter)))
      ),
    theirs: ({ health, latency }: Call) =>
      theirs.execute(Effect.sleep(latency), { key: host, classify: () => outcomes[health] }).pipe(
        Effect.as<Fate>("made"),
        Effect.catchTag("CircuitBreakerError", ({ reason }) =>
          Effect.succeed<Fate>(
            reason._tag === "CircuitOpen" ? Duration.toMillis(reason.retryAfter) : "refused while another one looks"
          )
        )
      ),
    stateOfOurs: ours.state(host),
    stateOfTheirs: Effect.map(theirs.state(host), ({ _tag }) => _tag)
  }
})

describe("any schedule of calls", () => {
  it.effect.prop(
    "goes through, is refused and opens the circuit as with Effect's CircuitBreaker",
    { limits: Limits, calls: Arbitrary.array(Arbitrary.schema(Call), { minLength: 1, maxLength: 60 }) },
    ({ calls, limits }) =>
      Effect.gen(function* () {
        const { ours, stateOfOurs, stateOfTheirs, theirs } = yield* both(
          limits,
          Schedule.min([Schedule.exponential("1 second"), Schedule.spaced("10 seconds")])
        )
        const fates: Array<readonly [Fate | undefined, Fate | undefined]> = []
        const one = Effect.fnUntraced(function* (call: Call, index: number) {
          const fibers = [
            yield* Effect.forkChild(ours(call), { startImmediately: true }),
            yield* Effect.forkChild(theirs(call), { startImmediately: true })
          ] as const
          if (call.isInterrupted) yield* Effect.forkChild(Effect.delay(Fiber.interruptAll(fibers), 25))
          const [our, their] = [yield* Fiber.await(fibers[0]), yield* Fiber.await(fibers[1])]
          const fateOf = (exit: typeof our) => (exit._tag === "Success" ? exit.value : undefined)
          fates[index] = [fateOf(our), fateOf(their)]
        })
        let index = 0
        for (const call of calls) {
          yield* TestClock.adjust(call.pause)
          yield* Effect.forkChild(one(call, index++), { startImmediately: true })
          assert.strictEqual(yield* stateOfOurs, yield* stateOfTheirs)
        }
        yield* TestClock.adjust("1 minute")
        for (const [our, their] of fates) {
          // Ours says 1 second where nobody knows.
          if (their === "refused while another one looks") assert.strictEqual(our, 1000)
          else assert.strictEqual(our, their)
        }
        assert.strictEqual(fates.length, calls.length)
        assert.strictEqual(yield* stateOfOurs, yield* stateOfTheirs)
      }).pipe(Effect.provide(CircuitBreaker.layerStoreMemory())),
    { arbitrary: { seed: 15, runs: 400 } }
  )
})

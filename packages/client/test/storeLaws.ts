/** What a store of a shared quota answers, and that it does as the one in memory. */
import * as SharedQuota from "@effect-zim/client/SharedQuota"
import { assert, describe, it } from "@effect/vitest"
import * as Arbitrary from "effect/Arbitrary"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import * as TestClock from "effect/testing/TestClock"
import { between } from "./quotaOracle.ts"

export const minute = 60_000
export const limits = { limit: 2, window: 60 * minute, grace: 30 * minute }

export const ask = (lease: string, given?: Partial<SharedQuota.Ask>): SharedQuota.Ask => ({
  key: "12345",
  limits,
  lease,
  hold: 100 * minute,
  allowance: 0,
  spacing: 0,
  isKnown: false,
  ...given
})

export const giveBack = (lease: string, given?: Partial<SharedQuota.Return>): SharedQuota.Return => ({
  key: "12345",
  limits,
  lease,
  ago: 0,
  delay: limits.window,
  allowance: 0,
  rejected: undefined,
  ...given
})

export const near = (actual: number, expected: number, what: string) => assert.closeTo(actual, expected, 30_000, what)

export const assertWait = (answer: SharedQuota.Reply, millis: number) => {
  assert.strictEqual(answer._tag, "Wait")
  if (answer._tag === "Wait") near(answer.millis, millis, "wait")
}

/** A store that does not know that its server has just been started, and what is in it of the key of `ask`. */
export interface Kept {
  readonly store: SharedQuota.Store
  /** Empties it. */
  readonly forget: Effect.Effect<unknown, unknown>
  /** What everybody said of late. */
  readonly everybodyHasSaid: (allowance: number) => Effect.Effect<unknown, unknown>
  /** The last time that it knows, and sets it. */
  readonly now: Effect.Effect<number, unknown>
  readonly setNow: (now: number) => Effect.Effect<unknown, unknown>
  /** Another store, which knows its server's age. */
  readonly informed: Effect.Effect<SharedQuota.Store, unknown, Scope.Scope>
}

const Acquire = Schema.Struct({
  op: Schema.Literal("acquire"),
  hold: between(1, 200),
  allowance: between(0, 40),
  host: Schema.Literals(["", "", "", "", "", "", "", "fra"]),
  spacing: Schema.Literals([0, 0, 0, 0, 10]),
  isKnown: Schema.Literals([false, false, false, true])
})
const Release = Schema.Struct({
  op: Schema.Literal("release"),
  which: between(0, 9),
  ago: between(0, 120),
  delay: Schema.Literals([0, 60, 90]),
  allowance: between(0, 40),
  isRejected: Schema.Literals([false, false, false, false, false, true]),
  isRepeated: Schema.Boolean
})
const Pause = Schema.Struct({ op: Schema.Literal("pause"), minutes: Schema.Literals([0, 0, 0, 0, 20]) })
const Step = Schema.Union([Acquire, Acquire, Release, Pause])

/** With so many random schedules. */
export const storeLaws = (name: string, count: number, make: Effect.Effect<Kept, unknown, Scope.Scope>) =>
  describe(`a store in ${name}`, () => {
    it.effect("answer as the store in memory does, whatever is done to them", () =>
      Effect.gen(function* () {
        yield* TestClock.setTime(1e12)
        const { forget, store: kept } = yield* make
        const schedules = yield* Arbitrary.sampleEffect(
          Arbitrary.all({
            limit: Arbitrary.schema(between(1, 5)),
            steps: Arbitrary.array(Arbitrary.schema(Step), { minLength: 20, maxLength: 40 })
          }),
          { count, seed: 61 }
        )
        let answers = 0
        let grants = 0
        let rejections = 0
        for (const { limit, steps } of schedules) {
          yield* forget
          const memory = yield* SharedQuota.memory
          const own = { limits: { ...limits, limit } }
          const leases: Array<{ readonly name: string; readonly ats: readonly [number, number] }> = []
          for (const [i, step] of steps.entries()) {
            if (step.op === "pause") {
              const pause = { key: "12345", ...own, millis: step.minutes * minute }
              yield* Effect.andThen(kept.pause(pause), memory.pause(pause))
            } else if (step.op === "acquire") {
              const { allowance, hold, host, isKnown, spacing } = step
              const question = ask(`lease-${i}`, {
                ...own,
                hold: hold * minute,
                allowance: allowance * minute,
                host,
                spacing: spacing * minute,
                isKnown
              })
              const [one, other] = [yield* kept.acquire(question), yield* memory.acquire(question)]
              answers++
              if (one._tag === "Granted") grants++
              assert.strictEqual(one._tag, other._tag)
              if (one._tag === "Wait" && other._tag === "Wait") near(one.millis, other.millis, "wait")
              if (one._tag === "Granted" && other._tag === "Granted") {
                leases.push({ name: question.lease, ats: [one.at, other.at] })
              }
              assert.strictEqual(one.rejection?.spacing, other.rejection?.spacing)
              near(one.rejection?.ago ?? 0, other.rejection?.ago ?? 0, "rejection")
            } else {
              const lease = leases[step.which % Math.max(1, leases.length)]
              if (lease === undefined) continue
              leases.splice(leases.indexOf(lease), 1)
              if (step.isRejected) rejections++
              for (const [store, at] of [
                [kept, lease.ats[0]],
                [memory, lease.ats[1]]
              ] as const) {
                const end = giveBack(lease.name, {
                  ...own,
                  ago: step.ago * minute,
                  delay: step.delay === 0 ? undefined : step.delay * minute,
                  allowance: step.allowance * minute,
                  rejected: step.isRejected ? { grantedAt: at, spacing: i + 0.25 } : undefined
                })
                yield* store.release(end)
                // As after an answer that was lost.
                if (step.isRepeated) yield* store.release(end)
              }
            }
          }
        }
        assert.isAtLeast(grants, count)
        assert.isAtLeast(answers - grants, 2 * count)
        assert.isAtLeast(rejections, count / 10)
      })
    )

    it.live("give out as many leases as the limit, and say how long there will be none", () =>
      Effect.gen(function* () {
        const { store } = yield* make
        assert.strictEqual((yield* store.acquire(ask("a")))._tag, "Granted")
        assert.strictEqual((yield* store.acquire(ask("b")))._tag, "Granted")
        // Whatever is under way may be answered now, and counts for a window from then.
        assertWait(yield* store.acquire(ask("c")), limits.window)
        yield* store.release(giveBack("a", { ago: 20 * minute }))
        assertWait(yield* store.acquire(ask("c")), 40 * minute)
        yield* store.release(giveBack("b", { delay: undefined }))
        assert.strictEqual((yield* store.acquire(ask("c")))._tag, "Granted")
        assertWait(yield* store.acquire(ask("d")), 40 * minute)
      })
    )

    it.live("let a permit come back sooner only where everybody of late is as far away", () =>
      Effect.gen(function* () {
        const { everybodyHasSaid, store } = yield* make
        const one = { limits: { ...limits, limit: 1 } }
        yield* store.acquire(ask("a", one))
        yield* store.release(giveBack("a", { ...one, allowance: 10 * minute }))
        assertWait(yield* store.acquire(ask("b", { ...one, allowance: 40 * minute })), 60 * minute)
        yield* everybodyHasSaid(4 * minute)
        assertWait(yield* store.acquire(ask("b", { ...one, allowance: 40 * minute })), 56 * minute)
        yield* everybodyHasSaid(40 * minute)
        assertWait(yield* store.acquire(ask("b", { ...one, allowance: 40 * minute })), 50 * minute)
        // One that has not learned yet sets the pace for all, or it would never get a permit to learn with.
        assertWait(yield* store.acquire(ask("c", one)), 60 * minute)
        assertWait(yield* store.acquire(ask("b", { ...one, allowance: 40 * minute })), 60 * minute)
        yield* everybodyHasSaid(40 * minute)
        yield* store.release(giveBack("a", { ...one, allowance: 10 * minute, ago: 55 * minute }))
        assert.strictEqual((yield* store.acquire(ask("b", { ...one, allowance: 40 * minute })))._tag, "Granted")
      })
    )

    it.live("take the permit of a process that never came back after its time, by the server's clock", () =>
      Effect.gen(function* () {
        const { store } = yield* make
        const short = { limits: { limit: 1, window: 20, grace: 10 }, hold: 300 }
        const first = yield* store.acquire(ask("a", short))
        const again: Effect.Effect<SharedQuota.Reply, unknown> = Effect.flatMap(
          store.acquire(ask("b", short)),
          (answer) =>
            answer._tag === "Granted" ? Effect.succeed(answer) : Effect.andThen(Effect.sleep(answer.millis), again)
        )
        const second = yield* again
        assert.strictEqual(first._tag, "Granted")
        if (first._tag === "Granted" && second._tag === "Granted") assert.isAtLeast(second.at - first.at, 300)
      })
    )

    it.live("wait until what was lost is over: when emptied, when restarted, when the clock was set back", () =>
      Effect.gen(function* () {
        const { forget, informed, now, setNow, store } = yield* make
        assert.strictEqual((yield* store.acquire(ask("a")))._tag, "Granted")
        yield* forget
        assertWait(yield* store.acquire(ask("b", { isKnown: true })), 90 * minute)
        assertWait(yield* store.acquire(ask("b")), 90 * minute)
        // What is left of what was lost does not hide the loss.
        yield* forget
        yield* store.release(giveBack("a"))
        assertWait(yield* store.acquire(ask("b", { isKnown: true })), 90 * minute)

        yield* forget
        assert.strictEqual((yield* store.acquire(ask("a")))._tag, "Granted")
        const before = yield* now
        // By a little: time stands still, and nothing is lost.
        yield* setNow(before + 5 * minute)
        assert.strictEqual((yield* store.acquire(ask("b")))._tag, "Granted")
        assertWait(yield* store.acquire(ask("c")), limits.window)
        yield* setNow(before + 100 * minute)
        assertWait(yield* store.acquire(ask("c")), 90 * minute)

        // A server that has just been started may have known something before.
        assertWait(yield* (yield* informed).acquire(ask("a")), 90 * minute)
      })
    )
  })

/** Every number and duration that a client takes: refused by name, or meaningful, and never a hang. */
import {
  CircuitBreaker,
  Conversations,
  Quota,
  RetryBudget,
  RetryPolicy,
  ServerClock,
  Timeout
} from "@effect-zim/client"
import * as SharedQuota from "@effect-zim/client/SharedQuota"
import { assert, describe, it } from "@effect/vitest"
import * as Cause from "effect/Cause"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Stream from "effect/Stream"
import * as FakeService from "../fakeService.ts"
import { noQuota, page, read } from "./support.ts"

/** The options that may be numbers, durations among them: one that is new and not tried below does not compile. */
type Numbers<Options> = {
  [Key in keyof Options]-?: number extends Options[Key] ? Key : never
}[keyof Options]
type Table<Options> = Record<Numbers<Options>, ReadonlyArray<number>>

const notCounts = [NaN, 0, -1, 0.5, Infinity]
const notSpans = [NaN, 0, -1, Infinity, -Infinity]
const quota: Table<Quota.Options> = { limit: notCounts, window: notSpans, grace: [-1, Infinity] }
const shared: Table<SharedQuota.Options> = { ...quota, timeout: notSpans }
const breaker: Table<CircuitBreaker.Options> = { threshold: [NaN, -1, 1.5], size: notCounts, minimumCalls: notCounts }
const budget: Table<RetryBudget.Options> = {
  capacity: [NaN, -1, Infinity],
  retry: [NaN, -1, Infinity],
  timeoutRetry: [NaN, -1, Infinity],
  success: [NaN, -1, Infinity]
}
const backoff: Table<Parameters<typeof RetryPolicy.backoff>[0]> = {
  base: [-1, -Infinity],
  cap: [-1, -Infinity],
  times: [NaN, -1, -Infinity]
}
const forUsers: Table<Omit<Conversations.ForUsersOptions, "pageSize">> = { concurrency: [NaN, 0, -1, -Infinity] }

type Make = (options: object) => Effect.Effect<unknown, unknown>
const store = SharedQuota.make
const users = Stream.make("a", "b")
const client = FakeService.clientOf(FakeService.answering(page).layer).pipe(Layer.provide(noQuota))
const makes: ReadonlyArray<readonly [what: string, options: Record<string, ReadonlyArray<number>>, make: Make]> = [
  ["quota", quota, (options) => Effect.scoped(Quota.make(options))],
  ["shared quota", shared, (options) => Effect.scoped(Effect.flatMap(SharedQuota.memory, (at) => store(at, options)))],
  ["breaker", breaker, (options) => CircuitBreaker.make(options)],
  ["retry budget", budget, (options) => RetryBudget.make(options)],
  ["back-off", backoff, (options) => Effect.sync(() => RetryPolicy.backoff({ base: 1, cap: 1, ...options }))],
  ["forUsers", forUsers, (options) => Effect.provide(Stream.runDrain(Conversations.forUsers(users, options)), client)],
  [
    "share",
    { share: [NaN, 0, -1, 1.5, Infinity] },
    (share) =>
      Effect.scoped(Effect.flatMap(SharedQuota.memory, (at) => store(at, { whenUnavailable: { share: 0, ...share } })))
  ],
  [
    "fixed offset",
    { offset: [Infinity, -Infinity] },
    (options) => Effect.scoped(Layer.build(ServerClock.layerFixed(Object.values(options)[0])))
  ]
]

describe("a number that is none", () => {
  for (const [what, options, make] of makes) {
    for (const [name, values] of Object.entries(options)) {
      it.effect.each(values)(`is no ${name} of a ${what}: %d`, (value) =>
        Effect.gen(function* () {
          const exit = yield* Effect.exit(make({ [name]: value }))
          const defect = Exit.isFailure(exit) ? Cause.squash(exit.cause) : undefined
          assert.instanceOf(defect, RangeError)
          assert.match(defect.message, new RegExp(`${name}|${what}`))
        })
      )
    }
  }

  it.effect.each([NaN, 0.5])("is no pageSize: %d", (pageSize) =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(Effect.provide(Conversations.page("user-42", { pageSize }), client))
      assert.strictEqual(error._tag, "RequestInvalid")
      assert.include(error.message, "pageSize")
    })
  )

  const times = [NaN, 0, -1, 0.5, 1e300, Infinity, -Infinity]
  it.effect.each(times)("ends a call that nobody answers by one of its times, whatever the other is: %d", (time) =>
    Effect.gen(function* () {
      const silent = FakeService.clientOf(FakeService.answering(() => Effect.never).layer).pipe(Layer.provide(noQuota))
      const hanging = Effect.provide(Effect.flip(RetryPolicy.provide(read, RetryPolicy.none)), silent)
      const ends = Effect.gen(function* () {
        assert.include(
          ["AttemptTimedOut", "DeadlineExceeded"],
          (yield* Effect.provideService(hanging, Timeout.Attempt, Duration.fromInputUnsafe(time)))._tag
        )
        assert.include(
          ["AttemptTimedOut", "DeadlineExceeded"],
          (yield* Effect.provideService(hanging, Timeout.Deadline, Duration.fromInputUnsafe(time)))._tag
        )
      })
      yield* FakeService.inTime(ends)
    })
  )
})

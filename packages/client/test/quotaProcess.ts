/**
 * A process with a shared quota: makes a call, says how it ended, and ends itself when it is told to. A call that failed
 * it makes again: on a busy machine the first one may be too late.
 */
import { Conversations, type Quota, RetryPolicy } from "@effect-zim/client"
import type * as SharedQuota from "@effect-zim/client/SharedQuota"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Runtime from "effect/Runtime"
import { once } from "node:events"
import * as FakeService from "./fakeService.ts"

/** The options that the second word says: `fail` or `share`. */
export const options: SharedQuota.Options = process.argv[3] === "share" ? { whenUnavailable: { share: 1 / 2 } } : {}

const call = Effect.gen(function* () {
  const result = yield* Effect.result(RetryPolicy.provide(Conversations.page("user-42"), RetryPolicy.none))
  process.stdout.write(result._tag === "Success" ? "done\n" : `${result.failure.message}\n`)
  return result._tag === "Success"
})

const calls = Effect.andThen(Effect.repeat(call, { until: (isDone) => isDone }), Effect.never)

const program = Effect.raceFirst(
  calls,
  Effect.promise(() => once(process.stdin, "data"))
)

/** With another teardown, if its own would leave the process to what is still open. */
export const run = (quota: Layer.Layer<Quota.Quota>, options?: { readonly teardown: Runtime.Teardown }) =>
  program.pipe(
    Effect.provide(FakeService.clientOf(FakeService.answering(FakeService.page([])).layer).pipe(Layer.provide(quota))),
    Effect.tap(() => Effect.sync(() => process.stdin.destroy())),
    (program) => NodeRuntime.runMain(program, options)
  )

/** This workspace's policies, all of them with their defaults, over a simulated wire. */
import { CircuitBreaker, Meaning, Policies, Quota, RetryBudget, ServerClock } from "@effect-zim/policies"
import * as SharedQuota from "@effect-zim/policies/SharedQuota"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Random from "effect/Random"
import type * as Scope from "effect/Scope"
import type { Contestant, Process } from "./Contestant.ts"
import { limit, window } from "./ServiceModels.ts"

class Rejected extends Data.TaggedError("Rejected")<{}> {}

/** A process that calls under the policies, with this quota. */
const processWith =
  (makeQuota: Effect.Effect<Quota.Quota["Service"], never, Scope.Scope>): Process =>
  (wire) =>
    Effect.gen(function* () {
      const policies = yield* Policies.make({
        key: "1",
        hosts: [{ host: "simulated" }],
        meaningOf: () => Meaning.answered("rateLimit")
      }).pipe(
        Effect.provideService(Quota.Quota, yield* makeQuota),
        // Within one process clients of a key would share these.
        Effect.provideService(RetryBudget.RetryBudget, yield* RetryBudget.make()),
        Effect.provideService(ServerClock.ServerClock, yield* ServerClock.make),
        Effect.provideService(CircuitBreaker.CircuitBreaker, yield* CircuitBreaker.make())
      )
      const call = policies.execute("call", () =>
        Effect.flatMap(wire.send, (answer) => (answer === "Accepted" ? Effect.void : Effect.fail(new Rejected())))
      )
      return Effect.isSuccess(call)
    })

/** A quota in each process, for its part of the limit. */
export const separate = (name: string, share: number): Contestant => ({
  name,
  start: Effect.succeed(processWith(Quota.make({ limit: limit / share, window })))
})

/** The way to the store of a shared quota, and back: another host of the same network. */
const toStore = Effect.flatMap(Random.nextBetween(0.2, 0.8), Effect.sleep)

const remote = (store: SharedQuota.Store): SharedQuota.Store => {
  const thereAndBack = <A, E>(self: Effect.Effect<A, E>) => Effect.tap(Effect.andThen(toStore, self), () => toStore)
  return {
    acquire: (ask) => thereAndBack(store.acquire(ask)),
    release: (lease) => thereAndBack(store.release(lease)),
    pause: (pause) => thereAndBack(store.pause(pause))
  }
}

/** One quota for all processes, in a store that each of them reaches within a millisecond. */
export const shared = (name: string): Contestant => ({
  name,
  start: Effect.map(SharedQuota.memory, (store) => processWith(SharedQuota.make(remote(store), { limit, window })))
})

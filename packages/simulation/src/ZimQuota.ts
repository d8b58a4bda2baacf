/** This workspace's client: the real one, over a simulated wire. */
import { CircuitBreaker, Quota, RetryBudget, ServerClock, ZimClient } from "@effect-zim/client"
import * as SharedQuota from "@effect-zim/client/SharedQuota"
import { QueryConversationList } from "@effect-zim/protocol"
import * as Effect from "effect/Effect"
import * as HttpClient from "effect/http/HttpClient"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Random from "effect/Random"
import * as Redacted from "effect/Redacted"
import type * as Scope from "effect/Scope"
import type { Contestant, Process } from "./Contestant.ts"
import { limit, window } from "./Server.ts"
import type { Answer, Wire } from "./Wire.ts"

const envelope = (fields: object): HttpServerResponse.HttpServerResponse =>
  HttpServerResponse.jsonUnsafe({ Message: "", RequestId: "1", ...fields })

const answers: Record<Answer, HttpServerResponse.HttpServerResponse> = {
  Accepted: envelope({ Code: 0, TotalCount: 0, Next: 0, List: [] }),
  Rejected: envelope({ Code: 660300005 })
}

const httpOf = (wire: Wire): HttpClient.HttpClient =>
  HttpClient.make((request) =>
    Effect.map(wire.send, (answer) => HttpServerResponse.toClientResponse(answers[answer], { request }))
  )

/** A process with the client's own policies, all of them the defaults, but for this quota. */
const processWith =
  (makeQuota: Effect.Effect<Quota.Quota["Service"], never, Scope.Scope>): Process =>
  (wire) =>
    Effect.gen(function* () {
      const quota = yield* makeQuota
      const client = yield* ZimClient.make({
        appId: 1,
        serverSecret: Redacted.make("0123456789abcdef0123456789abcdef"),
        baseUrl: "http://127.0.0.1:1"
      }).pipe(
        Effect.provideService(HttpClient.HttpClient, httpOf(wire)),
        Effect.provideService(Quota.Quota, quota),
        // Within one process clients of an app would share these.
        Effect.provideService(RetryBudget.RetryBudget, yield* RetryBudget.make()),
        Effect.provideService(ServerClock.ServerClock, yield* ServerClock.make),
        Effect.provideService(CircuitBreaker.CircuitBreaker, yield* CircuitBreaker.make()),
        Effect.orDie
      )
      return Effect.match(client.execute(QueryConversationList.operation, { userId: "user" }), {
        onFailure: () => false,
        onSuccess: () => true
      })
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

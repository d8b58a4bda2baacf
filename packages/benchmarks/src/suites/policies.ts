/** What the policies cost: the client with all of them against the bare attempt, over HTTP that answers at once. */
import * as ZimClient from "@effect-zim/client/ZimClient"
import { Call } from "@effect-zim/policies"
import { AppId, QueryConversationList } from "@effect-zim/protocol"
import * as Context from "effect/Context"
import { identity } from "effect/Function"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as HttpClient from "effect/http/HttpClient"
import * as HttpClientResponse from "effect/http/HttpClientResponse"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
// Nobody else may look into the client; its attempt without policies is what is compared here.
import { CallTelemetry } from "../../../client/dist/internal/callTelemetry.js"
import * as SignedRequest from "../../../client/dist/internal/signedRequest.js"
import * as Contestant from "../Contestant.ts"
import * as Measure from "../Measure.ts"
import * as Results from "../Results.ts"
import * as SampleAnswers from "../SampleAnswers.ts"
import type { Suite } from "../Suite.ts"
import * as OurClient from "./network/OurClient.ts"

const { operation } = QueryConversationList
const input = { userId: "user-42" }
const app = { appId: 12345, serverSecret: Redacted.make("9193cc662a4c0ec135ec71fb57194b38") }
const concurrency = 16

const body = SampleAnswers.page([])
const http = HttpClient.make((request) =>
  Effect.sync(() =>
    HttpClientResponse.fromWeb(request, new Response(body, { headers: { "content-length": String(body.length) } }))
  )
)

/** The attempt alone: sign, send, decode. No policy, no telemetry. */
const attempt = Effect.gen(function* () {
  const request = yield* operation.make(input)
  return yield* SignedRequest.send(
    {
      http,
      identity: { appId: AppId.make(app.appId), serverSecret: app.serverSecret },
      endpoint: { root: "http://127.0.0.1:1/", host: "127.0.0.1:1" },
      serverClock: { offset: Effect.succeed(0), observe: () => Effect.void },
      clockOffset: 0,
      responseLimit: 8 * 1024 * 1024,
      call: yield* Call.make({ key: "12345", operation: operation.action, deadline: Duration.minutes(2) }),
      telemetry: new CallTelemetry(Context.empty(), identity)
    },
    operation,
    { request }
  )
}).pipe(Effect.provideService(HttpClient.TracerDisabledWhen, () => true))

/** The client with its defaults, but a quota that nobody has to wait for. */
const client = ZimClient.layer({ ...app, baseUrl: "http://127.0.0.1:1" }).pipe(
  Layer.provide(OurClient.lifted),
  Layer.provide(Layer.succeed(HttpClient.HttpClient, http))
)

const run = Effect.gen(function* () {
  yield* Measure.announce("calls with and without policies")
  const series = yield* Measure.sideBySide(
    [
      Contestant.effect({ name: "bare attempt", role: "limit", concurrency }, attempt),
      Contestant.effect({ name: "all policies", role: "ours", concurrency }, ZimClient.execute(operation, input))
    ],
    { rounds: 41, sample: 60, warmUp: 2000 }
  )
  const cost = Measure.difference(Measure.find(series, "all policies"), Measure.find(series, "bare attempt"))
  return [
    Results.costTable({
      title: `A call that is answered at once, ${concurrency} at a time`,
      series,
      unit: "call",
      goals: [
        { text: "CPU of all policies per call", reached: cost.middle, bound: { atMost: 25 }, format: "micros" } as const
      ]
    })
  ]
}).pipe(Effect.provide(client))

export const policies: Suite = {
  name: "policies",
  title: "What the policies cost for each call",
  about: `The bare attempt signs, sends and decodes. The client does the same with deadline, retry, quota, breaker, attempt
timeout, server clock and telemetry, all of them idle: every call succeeds at the first attempt.`,
  run
}

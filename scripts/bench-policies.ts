/**
 * What the policies cost: CPU per call of the client against the bare attempt (sign, send, decode), in one process, in
 * turns, over an HTTP client that answers at once. The machine's noise hits both; medians and their difference count.
 *
 *     npm run bench:policies
 */
import { Quota, ZimClient } from "@effect-zim/client"
import { AppId, QueryConversationList } from "@effect-zim/protocol"
import { Clock, Duration, Effect, Layer, Redacted } from "effect"
import { HttpClient, HttpClientResponse } from "effect/http"
import * as CallState from "../packages/client/src/internal/call.ts"
import * as Transport from "../packages/client/src/internal/transport.ts"

const { operation } = QueryConversationList
const input = { userId: "user-42" }
const app = { appId: 12345, serverSecret: Redacted.make("9193cc662a4c0ec135ec71fb57194b38") }
const target = 25

const body = `{"Code":0,"Message":"success","RequestId":"343649807833778782","TotalCount":0,"Next":0,"List":[]}`
const http = HttpClient.make((request) =>
  Effect.sync(() =>
    HttpClientResponse.fromWeb(request, new Response(body, { headers: { "content-length": String(body.length) } }))
  )
)

/** The attempt alone: no policy, no telemetry. */
const bare = Effect.gen(function* () {
  const request = yield* operation.make(input)
  const attempt: Transport.Attempt = {
    http,
    identity: { appId: AppId.make(app.appId), serverSecret: app.serverSecret },
    endpoint: { root: "http://127.0.0.1:1/", host: "127.0.0.1:1" },
    serverClock: { offset: Effect.succeed(0), observe: () => Effect.void },
    responseLimit: 8 * 1024 * 1024,
    call: CallState.start(operation.action, yield* Clock.Clock, Duration.minutes(2)),
    span: undefined
  }
  return yield* Transport.attempt(attempt, operation, request)
}).pipe(Effect.provideService(HttpClient.TracerDisabledWhen, () => true))

/** The client with its defaults, but a quota that nobody has to wait for. */
const client = ZimClient.layer({ ...app, baseUrl: "http://127.0.0.1:1" }).pipe(
  Layer.provide(Quota.layer({ limit: 1_000_000, window: "1 milli" })),
  Layer.provide(Layer.succeed(HttpClient.HttpClient, http))
)

const callsPerRound = 4000
const rounds = 31
const warmUpRounds = 4

/** CPU per call, in microseconds. */
const measure = (call: Effect.Effect<unknown, unknown, ZimClient.ZimClient>) =>
  Effect.gen(function* () {
    const before = process.cpuUsage()
    yield* Effect.forEach(Array.from({ length: callsPerRound }), () => call, { concurrency: 16, discard: true })
    const { system, user } = process.cpuUsage(before)
    return (user + system) / callsPerRound
  })

const median = (values: ReadonlyArray<number>): number =>
  values.toSorted((left, right) => left - right)[values.length >> 1] ?? Number.NaN

const program = Effect.gen(function* () {
  const full = ZimClient.execute(operation, input)
  const measured: Array<{ readonly bare: number; readonly full: number }> = []
  for (let round = -warmUpRounds; round < rounds; round++) {
    const pair = { bare: yield* measure(bare), full: yield* measure(full) }
    if (round >= 0) measured.push(pair)
  }
  const cost = median(measured.map((pair) => pair.full - pair.bare))
  const of = (pick: (pair: (typeof measured)[number]) => number) => median(measured.map(pick)).toFixed(1)
  yield* Effect.sync(() =>
    process.stdout.write(
      `CPU per call, medians of ${rounds} rounds of ${callsPerRound} calls, in microseconds
  bare attempt  ${of((pair) => pair.bare)}
  full client   ${of((pair) => pair.full)}   ${of((pair) => (10 * pair.full) / pair.bare)} tenths of the bare attempt
  policies      ${cost.toFixed(1)}   target: under ${target}
`
    )
  )
  if (cost >= target) process.exitCode = 1
})

await Effect.runPromise(Effect.provide(program, client))

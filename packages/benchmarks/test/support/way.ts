/**
 * Lists the modules of these packages that run a function while a client that is warm reads one page over a socket, and
 * prints them as JSON. A program of its own: it watches its engine.
 */
import { ZimClient } from "@effect-zim/client"
import * as Conversations from "@effect-zim/client/Conversations"
import * as AnsweringServer from "@effect-zim/benchmarks/suites/network/AnsweringServer"
import * as SampleAnswers from "@effect-zim/benchmarks/SampleAnswers"
import { UndiciHttpClient } from "@effect-zim/node"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import { Session } from "node:inspector/promises"

const Coverage = Schema.Struct({
  result: Schema.Array(
    Schema.Struct({
      url: Schema.String,
      functions: Schema.Array(Schema.Struct({ ranges: Schema.NonEmptyArray(Schema.Struct({ count: Schema.Int })) }))
    })
  )
})

const session = new Session()
session.connect()
await session.post("Profiler.enable")
await session.post("Profiler.startPreciseCoverage", { callCount: true, detailed: false })

/** What has run since it was asked last. */
const run = Effect.promise(() => session.post("Profiler.takePreciseCoverage")).pipe(
  Effect.flatMap(Schema.decodeUnknownEffect(Coverage)),
  Effect.map(({ result }) =>
    result.flatMap(({ functions, url }) => {
      const [, module] = /\/packages\/(?!benchmarks\/)(.*)\.ts$/.exec(url) ?? []
      return module !== undefined && functions.some(({ ranges: [whole] }) => whole.count > 0) ? [module] : []
    })
  )
)

const page = Effect.suspend(() => Stream.runDrain(Conversations.stream("user-42")))

const way = Effect.gen(function* () {
  const url = yield* AnsweringServer.start({ answers: { 0: SampleAnswers.page(SampleAnswers.entries(100)) }, delay: 0 })
  const client = ZimClient.layer({
    appId: 12345,
    serverSecret: Redacted.make("9193cc662a4c0ec135ec71fb57194b38"),
    baseUrl: url
  }).pipe(Layer.provide(UndiciHttpClient.layer))
  return yield* Effect.provide(
    Effect.gen(function* () {
      yield* page
      yield* page
      yield* run
      yield* page
      return yield* run
    }),
    client
  )
}).pipe(Effect.scoped)

process.stdout.write(JSON.stringify(await Effect.runPromise(way)))
session.disconnect()

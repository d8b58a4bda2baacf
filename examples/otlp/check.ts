/**
 * A collector on a free port, and what it gets of a report during which one call is rejected and made again: each span in
 * its place, a metric, and nothing that is secret.
 */
import * as AdminApi from "@effect-zim/emulator/AdminApi"
import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import { Config, ConfigProvider, Console, Effect, Layer, References, Schema } from "effect"
import { FetchHttpClient, HttpRouter, HttpServer, HttpServerRequest, HttpServerResponse } from "effect/http"
import * as assert from "node:assert/strict"
import { createServer } from "node:http"
import { report } from "./src/report.ts"
import { services } from "./src/services.ts"

const Span = Schema.Struct({ name: Schema.String, spanId: Schema.String, parentSpanId: Schema.optional(Schema.String) })
const Scoped = Schema.Struct({ scopeSpans: Schema.Array(Schema.Struct({ spans: Schema.Array(Span) })) })
const decode = Schema.decodeEffect(Schema.fromJsonString(Schema.Struct({ resourceSpans: Schema.Array(Scoped) })))

/** What has arrived, by the path of its signal. */
const received: Record<string, Array<string>> = { "/v1/traces": [], "/v1/metrics": [], "/v1/logs": [] }

const collector = HttpRouter.serve(
  HttpRouter.add(
    "POST",
    "/v1/*",
    Effect.gen(function* () {
      const request = yield* HttpServerRequest.HttpServerRequest
      received[request.url]?.push(yield* request.text)
      return HttpServerResponse.jsonUnsafe({})
    })
  ),
  { disableLogger: true }
).pipe(Layer.provideMerge(NodeHttpServer.layer(createServer, { port: 0, host: "127.0.0.1" })))

const program = Effect.gen(function* () {
  const emulator = yield* AdminApi.client(yield* Config.String("EMULATOR_ADMIN_URL"))
  yield* emulator.putFaults({ payload: [{ type: "returnCode", code: 1, when: [{ user: ["user-3"] }, { times: 1 }] }] })

  const endpoint = yield* HttpServer.addressFormattedWith(Effect.succeed)
  const configuration = ConfigProvider.layerAdd(ConfigProvider.fromUnknown({ OTEL_EXPORTER_OTLP_ENDPOINT: endpoint }))
  const userIds = ["user-1", "user-2", "user-3", "user-4"]
  yield* report(userIds).pipe(Effect.provide(services.pipe(Layer.provide(configuration))))

  const traces = yield* Effect.forEach(received["/v1/traces"] ?? [], (body) => decode(body))
  const spans = traces.flatMap(({ resourceSpans }) =>
    resourceSpans.flatMap(({ scopeSpans }) => scopeSpans.flatMap(({ spans }) => spans))
  )
  const nameOf = (id: string | undefined) => spans.find(({ spanId }) => spanId === id)?.name ?? "none"
  const counts = Object.groupBy(spans, ({ name, parentSpanId }) => `${nameOf(parentSpanId)} > ${name}`)
  const { calls, rateLimited } = yield* emulator.getStats({ query: {} })
  for (const [name, some = []] of Object.entries(counts)) yield* Console.log(`${some.length} x ${name}`)
  assert.equal(counts["report > report.user"]?.length, userIds.length)
  assert.equal(counts["zim QueryConversationList > POST"]?.length, calls)
  assert.equal(counts["report.user > zim QueryConversationList"]?.length, calls - 1)
  assert.equal(rateLimited, 0)

  const all = Object.values(received).flat().join("\n")
  assert.match(all, /"zim.client.attempts"/)
  assert.doesNotMatch(all, /Signature|SignatureNonce/)
  assert.ok(!all.includes(yield* Config.String("ZIM_SERVER_SECRET")))
  yield* Console.log(`no secret and no signature in ${all.length} characters`)
})

program.pipe(
  Effect.provide([collector, FetchHttpClient.layer]),
  Effect.provideService(References.MinimumLogLevel, "Warn"),
  NodeRuntime.runMain
)

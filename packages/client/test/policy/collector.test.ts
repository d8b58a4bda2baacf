/** What an OpenTelemetry collector receives, over a real socket: metrics with units, and no credential. */
import { RetryPolicy, Telemetry } from "@effect-zim/client"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as FetchHttpClient from "effect/http/FetchHttpClient"
import * as Layer from "effect/Layer"
import * as Metric from "effect/Metric"
import * as Otlp from "effect/observability/Otlp"
import * as References from "effect/References"
import * as Schedule from "effect/Schedule"
import * as Schema from "effect/Schema"
import * as Http from "node:http"
import * as FakeService from "../fakeService.ts"
import { layer, onlyRetries, page, read } from "./support.ts"

interface Collector {
  readonly url: string
  /** All bodies, by path. */
  readonly received: ReadonlyMap<string, ReadonlyArray<string>>
}

const collector = Effect.acquireRelease(
  Effect.callback<Collector & { readonly close: Effect.Effect<void> }>((resume) => {
    const received = new Map<string, Array<string>>()
    const server = Http.createServer((request, response) => {
      const chunks: Array<Buffer> = []
      request.on("data", (chunk: Buffer) => void chunks.push(chunk))
      request.on("end", () => {
        const path = request.url ?? ""
        received.set(path, [...(received.get(path) ?? []), Buffer.concat(chunks).toString()])
        response.end("{}")
      })
    })
    server.listen(0, "127.0.0.1", () => {
      const address = server.address()
      const port = typeof address === "object" && address !== null ? address.port : 0
      const close = Effect.callback<void>((closed) => {
        server.closeAllConnections()
        server.close(() => closed(Effect.void))
      })
      resume(Effect.succeed({ url: `http://127.0.0.1:${port}`, received, close }))
    })
  }),
  ({ close }) => close
)

const Attributes = Schema.Array(
  Schema.Struct({ key: Schema.String, value: Schema.Struct({ stringValue: Schema.optionalKey(Schema.String) }) })
)
const Points = Schema.Struct({ dataPoints: Schema.Array(Schema.Struct({ attributes: Attributes })) })
const decodeMetrics = Schema.decodeUnknownSync(
  Schema.fromJsonString(
    Schema.Struct({
      resourceMetrics: Schema.Tuple([
        Schema.Struct({
          scopeMetrics: Schema.Tuple([
            Schema.Struct({
              metrics: Schema.Array(
                Schema.Struct({
                  name: Schema.String,
                  unit: Schema.String,
                  histogram: Schema.optionalKey(Points),
                  sum: Schema.optionalKey(Points),
                  gauge: Schema.optionalKey(Points)
                })
              )
            })
          ])
        })
      ])
    })
  )
)

/** What a service sends back that knows no discretion. */
const echo = ({ url }: FakeService.Sent) => `${url.href} ${FakeService.app.serverSecret}`
const answers: ReadonlyArray<FakeService.Answer> = [
  (sent) => Effect.succeed(FakeService.code(1, echo(sent), echo(sent))),
  (sent) => Effect.succeed(FakeService.text(echo(sent), { status: 503, contentType: "text/html" })),
  (sent) => Effect.succeed(FakeService.text(echo(sent))),
  (sent) => FakeService.transportError(sent, new Error(echo(sent))),
  () => Effect.succeed(page)
]

const atOnce: RetryPolicy.RetryPolicy = {
  ...RetryPolicy.standard,
  transient: Schedule.recurs(5),
  bounded: Schedule.recurs(5),
  transport: Schedule.recurs(5)
}

/** Calls, and all that the collector has received when their program ends. */
const collected = Effect.gen(function* () {
  const { received, url } = yield* collector
  const service = FakeService.answering(...answers)
  const otlp = Otlp.layerJson({ baseUrl: url, resource: { serviceName: "backup" }, loggerMergeWithExisting: false })
  yield* RetryPolicy.provide(read, atOnce).pipe(
    Effect.provide(layer(service, onlyRetries())),
    Effect.provideService(References.MinimumLogLevel, "All"),
    Effect.provide(Layer.provide(otlp, FetchHttpClient.layer)),
    Effect.provideService(Metric.MetricRegistry, new Map())
  )
  assert.lengthOf(service.sent, answers.length)
  return { received, sent: service.sent }
})

describe("a collector", () => {
  it.live("receives metrics with their units, and whose they are", () =>
    Effect.gen(function* () {
      const { received } = yield* collected
      const [resource] = decodeMetrics(received.get("/v1/metrics")?.at(-1)).resourceMetrics
      const { metrics } = resource.scopeMetrics[0]
      const units = Object.fromEntries(metrics.map(({ name, unit }) => [name, unit]))
      assert.deepInclude(units, {
        [Telemetry.callDuration.id]: "ms",
        [Telemetry.attemptDuration.id]: "ms",
        [Telemetry.quotaWait.id]: "ms",
        [Telemetry.clockOffset.id]: "ms",
        [Telemetry.calls.id]: "1",
        [Telemetry.attempts.id]: "1"
      })
      const histograms = metrics.flatMap(({ histogram, name }) =>
        histogram === undefined ? [] : [{ name, histogram }]
      )
      assert.sameMembers(
        histograms.map(({ name }) => name),
        [Telemetry.callDuration.id, Telemetry.attemptDuration.id, Telemetry.quotaWait.id]
      )
      for (const { histogram, name } of histograms) {
        const attributes = histogram.dataPoints.map((point) =>
          Object.fromEntries(point.attributes.map(({ key, value }) => [key, value.stringValue]))
        )
        assert.deepStrictEqual(attributes, [{ "zim.action": "QueryConversationList", time_unit: "milliseconds" }], name)
      }
    })
  )

  it.live("receives the wire log, and no credential of any request in anything", () =>
    Effect.gen(function* () {
      const { received, sent } = yield* collected
      assert.sameMembers([...received.keys()], ["/v1/logs", "/v1/metrics", "/v1/traces"])
      const logs = (received.get("/v1/logs") ?? []).join()
      for (const part of ["url.query", "SignatureNonce=<redacted>", "http.response.body", "http.request.body"]) {
        assert.include(logs, part)
      }
      const all = [...received.values()].flat().join().toLowerCase()
      const credentials = sent.flatMap(({ url }) => [
        url.searchParams.get("Signature"),
        url.searchParams.get("SignatureNonce"),
        url.search
      ])
      for (const credential of [FakeService.app.serverSecret, ...credentials]) {
        assert.notInclude(all, credential?.toLowerCase() ?? assert.fail("a request without it"))
      }
    })
  )
})

describe("a program that looks at a metric", () => {
  it.effect("finds each by its action", () =>
    Effect.gen(function* () {
      const action = { "zim.action": "QueryConversationList" }
      yield* read.pipe(Effect.provide(layer(FakeService.answering(page), onlyRetries())), FakeService.inTime())
      const { count } = yield* Metric.value(Metric.withAttributes(Telemetry.attemptDuration, action))
      assert.strictEqual(count, 1)
      const calls = yield* Metric.value(Metric.withAttributes(Telemetry.calls, { outcome: "Success", ...action }))
      assert.strictEqual(calls.count, 1)
    }).pipe(Effect.provideService(Metric.MetricRegistry, new Map()))
  )
})

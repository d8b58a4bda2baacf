/** What the client tells: spans, metrics, logs, and that nothing of it is secret. */
import {
  CircuitBreaker,
  Quota,
  RetryBudget,
  RetryPolicy,
  ServerClock,
  Telemetry,
  Timeout,
  type UntypedOperation,
  ZimClient
} from "@effect-zim/client"
import { assert, describe, it } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Layer from "effect/Layer"
import type * as LogLevel from "effect/LogLevel"
import * as Logger from "effect/Logger"
import * as Metric from "effect/Metric"
import * as Otlp from "effect/observability/Otlp"
import * as PrometheusMetrics from "effect/observability/PrometheusMetrics"
import * as Option from "effect/Option"
import * as References from "effect/References"
import * as Schedule from "effect/Schedule"
import * as TestClock from "effect/testing/TestClock"
import type * as Tracer from "effect/Tracer"
import { inspect } from "node:util"
import * as FakeService from "../fakeService.ts"
import * as SpanRecorder from "../spanRecorder.ts"
import { html, layer, noQuota, onlyRetries, page, read, reset } from "./support.ts"

const busy = FakeService.code(1)
const spaced: RetryPolicy.RetryPolicy = {
  ...RetryPolicy.standard,
  transient: Schedule.upTo(Schedule.spaced("3 seconds"), { times: 2 }),
  transport: Schedule.upTo(Schedule.spaced("3 seconds"), { times: 2 })
}

interface Log {
  readonly level: string
  readonly message: string
  readonly annotations: Readonly<Record<string, unknown>>
}

/** Everything that is told while an effect runs, from this level on. */
const observing = <A, E, R>(effect: Effect.Effect<A, E, R>, level: LogLevel.LogLevel = "Debug") =>
  Effect.gen(function* () {
    const logs: Array<Log> = []
    const registry: Metric.MetricRegistry = new Map()
    const { spans, tracer } = SpanRecorder.make()
    const logger = Logger.make(({ fiber, logLevel, message }) => {
      const annotations = fiber.getRef(References.CurrentLogAnnotations)
      logs.push({ level: logLevel, message: String(message), annotations })
    })
    const exit = yield* Effect.exit(effect).pipe(
      Effect.withTracer(tracer),
      Effect.provideService(Logger.CurrentLoggers, new Set([logger])),
      Effect.provideService(References.MinimumLogLevel, level),
      Effect.provideService(Metric.MetricRegistry, registry)
    )
    const prometheus = yield* Effect.provideService(PrometheusMetrics.format(), Metric.MetricRegistry, registry)
    return { exit, spans, logs, prometheus }
  })

const call = (
  answers: ReadonlyArray<FakeService.Reply | FakeService.Answer>,
  effect: typeof read = RetryPolicy.provide(read, spaced),
  policies: Layer.Layer<never> = onlyRetries(),
  level?: LogLevel.LogLevel
) =>
  observing(
    effect.pipe(Effect.provide(layer(FakeService.answering(...answers), policies)), FakeService.inTime()),
    level
  )

const attributesOf = (span: Tracer.NativeSpan | undefined) => Object.fromEntries(span?.attributes ?? [])
const ended = (span: Tracer.NativeSpan | undefined) =>
  span?.status._tag === "Ended" ? span.status.exit._tag : "not ended"

describe("spans", () => {
  it.effect("one for the call, and in it one for each attempt, after OpenTelemetry's conventions", () =>
    Effect.gen(function* () {
      const { spans } = yield* call([busy, page])
      const [parent, first, second] = spans
      assert.deepStrictEqual(
        spans.map(({ kind, name }) => [name, kind]),
        [
          ["zim QueryConversationList", "internal"],
          ["POST", "client"],
          ["POST", "client"]
        ]
      )
      for (const span of [first, second]) {
        assert.strictEqual(Option.getOrUndefined(span?.parent ?? Option.none())?.spanId, parent?.spanId)
        assert.strictEqual(span?.traceId, parent?.traceId)
      }
      assert.deepStrictEqual(attributesOf(parent), { "zim.action": "QueryConversationList" })
      const shared = {
        "http.request.method": "POST",
        "http.response.status_code": 200,
        "server.address": "127.0.0.1",
        "server.port": 1,
        "url.full": "http://127.0.0.1:1/?Action=QueryConversationList",
        "url.scheme": "http",
        "zim.action": "QueryConversationList",
        "zim.quota.wait_ms": 0,
        "zim.request_id": "343649807833778782"
      }
      assert.deepStrictEqual(attributesOf(first), {
        ...shared,
        "http.request.resend_count": 0,
        "zim.attempt": 1,
        "zim.code": 1,
        "error.type": "ServiceFailed"
      })
      assert.deepStrictEqual(attributesOf(second), {
        ...shared,
        "http.request.resend_count": 1,
        "zim.attempt": 2,
        "zim.code": 0
      })
      assert.deepStrictEqual(spans.map(ended), ["Success", "Failure", "Success"])
    })
  )

  it.effect("end with the error, of whatever kind", () =>
    Effect.gen(function* () {
      const cases = [
        [html(503), { "error.type": "ResponseUnreadable", "http.response.status_code": 503 }],
        [reset, { "error.type": "TransportFailed" }],
        [() => Effect.never, { "error.type": "AttemptTimedOut" }]
      ] as const
      for (const [answer, expected] of cases) {
        const { spans } = yield* call([answer], RetryPolicy.provide(read, RetryPolicy.none))
        assert.deepStrictEqual(spans.map(ended), ["Failure", "Failure"])
        const told = attributesOf(spans[1])
        for (const [key, value] of Object.entries(expected)) assert.strictEqual(told[key], value)
        assert.notProperty(told, "zim.code")
      }
    })
  )

  it.effect("end when the call is interrupted", () =>
    Effect.gen(function* () {
      const { spans } = yield* observing(
        Effect.gen(function* () {
          const fiber = yield* Effect.forkChild(read, { startImmediately: true })
          yield* FakeService.settle
          yield* Fiber.interrupt(fiber)
        }).pipe(
          Effect.provide(
            layer(
              FakeService.answering(() => Effect.never),
              onlyRetries()
            )
          )
        )
      )
      assert.deepStrictEqual(spans.map(ended), ["Failure", "Failure"])
      assert.strictEqual(attributesOf(spans[1])["error.type"], "Interrupted")
    })
  )

  it.effect("show how long an attempt waited for the quota, which is no part of it", () =>
    Effect.gen(function* () {
      const { spans } = yield* call([page], Effect.andThen(read, read), Quota.layer({ limit: 1, window: "7 seconds" }))
      const second = spans.at(-1)
      assert.strictEqual(Math.round(Number(attributesOf(second)["zim.quota.wait_ms"])), 7000)
      assert.isBelow(Number(second?.status._tag === "Ended" ? second.status.endTime - second.startTime : Infinity), 1e6)
    })
  )

  it.effect("are within the caller's", () =>
    Effect.gen(function* () {
      const { spans } = yield* call([page], Effect.withSpan(read, "nightly backup"))
      assert.deepStrictEqual(
        spans.map(({ name }) => name),
        ["nightly backup", "zim QueryConversationList", "POST"]
      )
      assert.strictEqual(new Set(spans.map(({ traceId }) => traceId)).size, 1)
    })
  )

  it.effect("there are none without a tracer", () =>
    Effect.gen(function* () {
      let seen = 0
      const counted = FakeService.make(() =>
        Effect.andThen(
          Effect.map(Effect.option(Effect.currentSpan), (span) => (seen += Option.isSome(span) ? 1 : 0)),
          Effect.succeed(page)
        )
      )
      yield* read.pipe(Effect.provide(layer(counted, noQuota)))
      assert.strictEqual(seen, 0)
    })
  )
})

describe("trace headers", () => {
  const headersOf = (propagate: boolean) =>
    Effect.gen(function* () {
      const service = FakeService.answering(page)
      const { spans } = yield* observing(
        read.pipe(
          Effect.provideService(Telemetry.PropagateTrace, propagate),
          Effect.withSpan("around"),
          Effect.provide(layer(service, noQuota))
        )
      )
      return { headers: service.sent[0]?.headers ?? {}, span: spans.at(-1) }
    })

  it.effect("are not sent to the service, unless asked for", () =>
    Effect.gen(function* () {
      const { headers } = yield* headersOf(false)
      for (const name of ["traceparent", "tracestate", "b3", "baggage"]) assert.notProperty(headers, name)
      const asked = yield* headersOf(true)
      assert.include(asked.headers["traceparent"], asked.span?.spanId)
      assert.include(asked.headers["traceparent"], asked.span?.traceId)
    })
  )
})

describe("metrics", () => {
  const ofAction = `{zim_action="QueryConversationList"}`
  const has = (prometheus: string, line: string) =>
    assert.include(prometheus.split("\n"), line, `not among these:\n${prometheus}`)

  it.effect("count calls and attempts by outcome, and measure them", () =>
    Effect.gen(function* () {
      const { prometheus } = yield* call([busy, FakeService.code(660300005), page])
      has(prometheus, `zim_client_calls{zim_action="QueryConversationList",outcome="Success"} 1`)
      has(prometheus, `zim_client_attempts{zim_action="QueryConversationList",outcome="ServiceFailed"} 1`)
      has(prometheus, `zim_client_attempts{zim_action="QueryConversationList",outcome="RateLimited"} 1`)
      has(prometheus, `zim_client_attempts{zim_action="QueryConversationList",outcome="Success"} 1`)
      has(prometheus, `zim_client_call_duration_count${ofAction} 1`)
      has(prometheus, `zim_client_attempt_duration_count${ofAction} 3`)
      has(prometheus, `zim_client_quota_wait_count${ofAction} 3`)
    })
  )

  it.effect("tell failures, interruptions and times", () =>
    Effect.gen(function* () {
      const hanging = Effect.provideService(read, Timeout.Attempt, Duration.seconds(4))
      const { prometheus } = yield* call([() => Effect.never], RetryPolicy.provide(hanging, RetryPolicy.none))
      has(prometheus, `zim_client_calls{zim_action="QueryConversationList",outcome="AttemptTimedOut"} 1`)
      has(prometheus, `zim_client_call_duration_sum${ofAction} 4000`)
      has(prometheus, `zim_client_attempt_duration_sum${ofAction} 4000`)
      has(prometheus, `zim_client_quota_wait_sum${ofAction} 0`)
      const interrupted = yield* call(
        [() => Effect.never, page],
        Effect.andThen(Effect.timeoutOption(read, "1 second"), read)
      )
      has(interrupted.prometheus, `zim_client_calls{zim_action="QueryConversationList",outcome="Interrupted"} 1`)
    })
  )

  it.effect("show the permits that are out, and all of them back, whatever happens", () =>
    Effect.gen(function* () {
      const inUse: Array<number> = []
      const note = Effect.map(Metric.value(Telemetry.permitsInUse), ({ value }) => void inUse.push(value))
      const answers: ReadonlyArray<FakeService.Reply | FakeService.Answer> = [page, busy, reset, () => Effect.never]
      const service = FakeService.make((sent, i) => {
        const answer = answers[i % answers.length]
        return Effect.andThen(
          note,
          Effect.delay(typeof answer === "function" ? answer(sent, i) : Effect.succeed(answer ?? page), 100)
        )
      })
      yield* observing(
        Effect.gen(function* () {
          const fibers = yield* Effect.forEach(Array.from({ length: 12 }), () =>
            Effect.forkChild(Effect.exit(read), { startImmediately: true })
          )
          yield* TestClock.adjust("50 millis")
          yield* FakeService.settle
          yield* note
          yield* Fiber.interruptAll(fibers.slice(0, 6))
          yield* TestClock.adjust("5 minutes")
          yield* note
        }).pipe(Effect.provide(layer(service, Quota.layer({ limit: 4 }))))
      )
      assert.strictEqual(Math.max(...inUse), 4)
      assert.strictEqual(inUse.at(-1), 0)
    })
  )

  it.effect("do not count a permit that was given back unused", () =>
    Effect.gen(function* () {
      const unlucky: Quota.Quota["Service"] = {
        withPermit: (_call, _attempt, outcomeOf) =>
          Effect.suspend(() => {
            outcomeOf(Exit.interrupt())
            return Effect.interrupt
          }),
        state: Effect.succeed([])
      }
      const { prometheus } = yield* call([page], read, Layer.succeed(Quota.Quota, unlucky))
      has(prometheus, "zim_client_quota_permits_in_use 0")
    })
  )

  it.effect("count a permit of a quota that does not ask how the attempt ended", () =>
    Effect.gen(function* () {
      const generous: Quota.Quota["Service"] = {
        withPermit: (_call, attempt) => attempt(Duration.zero),
        state: Effect.succeed([])
      }
      const { prometheus } = yield* call([page], read, Layer.succeed(Quota.Quota, generous))
      has(prometheus, "zim_client_quota_permits_in_use 0")
    })
  )

  it.effect("show what is left of the retry budget", () =>
    Effect.gen(function* () {
      has((yield* call([page])).prometheus, "policies_retry_budget_left 500")
      has((yield* call([busy])).prometheus, "policies_retry_budget_left 490")
      has((yield* call([reset])).prometheus, "policies_retry_budget_left 480")
      has((yield* call([busy, page])).prometheus, "policies_retry_budget_left 500")
    })
  )

  it.effect("show how far the service's clock is off", () =>
    Effect.gen(function* () {
      const dated = (seconds: number, code = 0): FakeService.Reply =>
        HttpServerResponse.text(`{"Code":${code},"Message":"","RequestId":"1","TotalCount":0,"Next":0,"List":[]}`, {
          contentType: "application/json",
          headers: { date: new Date(seconds * 1000).toUTCString() }
        })
      const offsetAfter = (...answers: ReadonlyArray<FakeService.Reply>) =>
        Effect.gen(function* () {
          yield* TestClock.setTime(0)
          const reads = Effect.andThen(read, read)
          return (yield* call(answers, reads, Layer.merge(noQuota, ServerClock.layer))).prometheus
        })
      has(yield* offsetAfter(page), "policies_clock_offset 0")
      has(yield* offsetAfter(dated(300)), "policies_clock_offset 300500")
      has(yield* offsetAfter(dated(900)), "policies_clock_offset 0")
      has(yield* offsetAfter(dated(900, 100000004), dated(900)), "policies_clock_offset 900500")
    })
  )

  it.effect("show the state of each host's circuit", () =>
    Effect.gen(function* () {
      const stateAfter = (answers: ReadonlyArray<FakeService.Reply>) => {
        const one = RetryPolicy.provide(read, RetryPolicy.none)
        const reads = Effect.gen(function* () {
          for (const _ of answers) {
            yield* Effect.exit(one)
            yield* Effect.sleep("1 second")
          }
          return yield* one
        })
        return Effect.map(
          call([...answers, page], reads, Layer.merge(noQuota, CircuitBreaker.layer({ size: 2, minimumCalls: 2 }))),
          ({ prometheus }) => prometheus
        )
      }
      const line = `policies_circuit_breaker_state{server_address="127.0.0.1:1"}`
      assert.notInclude(yield* stateAfter([page]), "breaker_state ")
      // Two failures open it for a second, and the call after that closes it again.
      has(yield* stateAfter([html(503), html(503)]), `${line} 0`)
      // The call after the first second fails, and the circuit is open for two.
      has(yield* stateAfter([html(503), html(503), html(503)]), `${line} 2`)
    })
  )

  it.effect("show a circuit that is half open", () =>
    Effect.gen(function* () {
      const { prometheus } = yield* observing(
        Effect.gen(function* () {
          yield* Effect.exit(RetryPolicy.provide(read, RetryPolicy.none))
          yield* TestClock.adjust("1 second")
          const fiber = yield* Effect.forkChild(read, { startImmediately: true })
          yield* FakeService.settle
          yield* Fiber.interrupt(fiber)
        }).pipe(
          Effect.provide(
            layer(
              FakeService.answering(html(503), () => Effect.never),
              Layer.merge(noQuota, CircuitBreaker.layer({ size: 1, minimumCalls: 1 }))
            )
          )
        )
      )
      has(prometheus, `policies_circuit_breaker_state{server_address="127.0.0.1:1"} 1`)
    })
  )
})

describe("debug logs", () => {
  const told = (logs: ReadonlyArray<Log>) => logs.map(({ level, message }) => `${level}: ${message}`)

  it.effect("say when a call is made again, why, and when it is given up", () =>
    Effect.gen(function* () {
      const { logs } = yield* call([busy])
      assert.deepStrictEqual(told(logs), [
        "Debug: Trying again in 3s",
        "Debug: Trying again in 3s",
        "Debug: Gave up: the policy allows no more retries"
      ])
      assert.deepStrictEqual(logs[1]?.annotations, {
        "zim.action": "QueryConversationList",
        "zim.attempt": 2,
        "zim.elapsed_ms": 3000,
        "error.type": "ServiceFailed",
        "zim.code": 1,
        "zim.request_id": "343649807833778782"
      })
    })
  )

  it.effect("say why it is given up", () =>
    Effect.gen(function* () {
      const last = (
        answer: FakeService.Reply,
        policy: RetryPolicy.RetryPolicy = spaced,
        policies?: Layer.Layer<never>
      ) => Effect.map(call([answer], RetryPolicy.provide(read, policy), policies), ({ logs }) => told(logs).at(-1))
      assert.strictEqual(yield* last(FakeService.code(2)), "Debug: Gave up: the same call would fail again")
      const long = { ...spaced, transient: Schedule.spaced("1 hour") }
      assert.strictEqual(yield* last(busy, long), "Debug: Gave up: the deadline comes before the next retry")
      const broke = Layer.merge(noQuota, RetryBudget.layer({ capacity: 0 }))
      assert.strictEqual(yield* last(busy, spaced, broke), "Debug: Gave up: the retry budget is empty")
    })
  )

  it.effect("say when a circuit opens", () =>
    Effect.gen(function* () {
      const { logs } = yield* call(
        [html(503)],
        RetryPolicy.provide(read, RetryPolicy.none),
        CircuitBreaker.layer({ size: 1, minimumCalls: 1 })
      )
      assert.include(told(logs), "Debug: The circuit to 127.0.0.1:1 is Open, was Closed")
    })
  )

  it.effect("say nothing of a call that succeeds", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual((yield* call([page])).logs, [])
    })
  )
})

describe("the wire log", () => {
  const logsAt = (level: LogLevel.LogLevel, answers: ReadonlyArray<FakeService.Reply>) =>
    Effect.map(call(answers, RetryPolicy.provide(read, RetryPolicy.none), onlyRetries(), level), ({ logs }) =>
      logs.filter((log) => log.level === "Trace")
    )

  it.effect("says what was sent and what came back, without what signs it", () =>
    Effect.gen(function* () {
      const [request, answer, ...more] = yield* logsAt("Trace", [page])
      assert.deepStrictEqual(more, [])
      const common = { "zim.action": "QueryConversationList", "zim.attempt": 1, "zim.elapsed_ms": 0 }
      assert.deepStrictEqual(request, {
        level: "Trace",
        message: "Request",
        annotations: {
          ...common,
          "http.request.method": "POST",
          "server.address": "127.0.0.1",
          "url.path": "/",
          "url.query":
            "Action=QueryConversationList&AppId=12345&SignatureNonce=<redacted>&Timestamp=0&SignatureVersion=2.0&Signature=<redacted>",
          "http.request.body": `{"FromUserId":"user-42","Limit":500,"Next":0}`
        }
      })
      assert.deepStrictEqual(answer, {
        level: "Trace",
        message: "Answer",
        annotations: {
          ...common,
          "http.response.status_code": 200,
          "http.response.body": `{"Code":0,"Message":"success","RequestId":"343649807833778782","TotalCount":1,"Next":0,"List":[{"ConvId":"a","UpdateTime":1,"ConvType":2}]}`,
          "zim.code": 0,
          "zim.request_id": "343649807833778782"
        }
      })
    })
  )

  it.effect("has what a GET asks for in its query, and no body", () =>
    Effect.gen(function* () {
      const asking = (body: UntypedOperation.Body) =>
        observing(
          ZimClient.call("QueryUserOnlineState", body).pipe(
            Effect.provide(layer(FakeService.answering(FakeService.envelope({})), onlyRetries()))
          ),
          "Trace"
        )
      const signed = "SignatureNonce=<redacted>&Timestamp=0&SignatureVersion=2.0&Signature=<redacted>"
      for (const [body, asked] of [
        [{}, ""],
        [{ UserId: ["ada", FakeService.app.serverSecret] }, "&UserId[]=ada&UserId[]=<redacted>"]
      ] as const) {
        const [request] = (yield* asking(body)).logs
        const { "http.request.method": method, "url.query": query } = request?.annotations ?? {}
        assert.strictEqual(method, "GET")
        assert.strictEqual(
          decodeURIComponent(String(query)),
          `Action=QueryUserOnlineState&AppId=12345&${signed}${asked}`
        )
        assert.notProperty(request?.annotations, "http.request.body")
      }
    })
  )

  it.effect("has every attempt, and answers that are none", () =>
    Effect.gen(function* () {
      for (const answer of [html(502), html(307), FakeService.text(""), FakeService.code(1)]) {
        const logs = yield* logsAt("All", [answer])
        assert.deepStrictEqual(
          logs.map(({ message }) => message),
          ["Request", "Answer"]
        )
        assert.strictEqual(logs[1]?.annotations["http.response.status_code"], answer.status)
      }
      const { logs } = yield* call([busy, reset, page], undefined, undefined, "Trace")
      assert.deepStrictEqual(
        logs
          .map(({ annotations, message }) => `${String(annotations["zim.attempt"])} ${message}`)
          .filter((line) => !/again/.test(line)),
        ["1 Request", "1 Answer", "2 Request", "3 Request", "3 Answer"]
      )
    })
  )

  it.effect("shows no more than the beginning of a body", () =>
    Effect.gen(function* () {
      const [, answer] = yield* logsAt("Trace", [FakeService.text("x".repeat(100_000))])
      assert.strictEqual(answer?.annotations["http.response.body"], `${"x".repeat(200)}…`)
    })
  )

  it.effect.each(["Debug", "Info", "Warn", "None"] as const)("is none at level %s", (level) =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* logsAt(level, [page]), [])
    })
  )
})

describe("an OTLP collector", () => {
  it.effect("gets the spans, the metrics and the logs", () =>
    Effect.gen(function* () {
      const received = new Map<string, string>()
      const collector = FakeService.make((sent) => {
        received.set(sent.url.pathname, sent.body)
        return Effect.succeed(HttpServerResponse.empty())
      })
      const otlp = Otlp.layerJson({ baseUrl: "http://collector:4318", resource: { serviceName: "backup" } })
      yield* read.pipe(
        Effect.provide(layer(FakeService.answering(busy, page), onlyRetries())),
        Effect.provideService(References.MinimumLogLevel, "Debug"),
        Effect.provide(otlp.pipe(Layer.provide(collector.layer))),
        Effect.provideService(Metric.MetricRegistry, new Map()),
        FakeService.inTime()
      )
      assert.deepStrictEqual([...received.keys()].toSorted(), ["/v1/logs", "/v1/metrics", "/v1/traces"])
      for (const text of ["zim QueryConversationList", "POST", "zim.request_id", "http.response.status_code"]) {
        assert.include(received.get("/v1/traces"), text)
      }
      assert.include(received.get("/v1/metrics"), "zim.client.attempt.duration")
      assert.include(received.get("/v1/logs"), "Trying again")
      assert.notMatch([...received.values()].join(), /Signature/)
    })
  )
})

describe("nothing secret", () => {
  it.effect("is in a span, a metric or a log, whatever is sent back", () =>
    Effect.gen(function* () {
      const echo = (sent: FakeService.Sent) => `${sent.url.href} ${FakeService.app.serverSecret}`
      const echoing: ReadonlyArray<FakeService.Answer> = [
        (sent) => Effect.succeed(FakeService.code(1, echo(sent), echo(sent))),
        (sent) => Effect.succeed(FakeService.text(echo(sent), { status: 502, contentType: "text/html" })),
        (sent) => Effect.succeed(FakeService.text(echo(sent))),
        (sent) => FakeService.transportError(sent, Object.assign(new Error(echo(sent)), { code: echo(sent) })),
        (sent) => Effect.succeed(FakeService.code(660300005, echo(sent), echo(sent))),
        (sent) => Effect.succeed(FakeService.code(424242, echo(sent), echo(sent)))
      ]
      const service = FakeService.answering(...echoing)
      const { logs, prometheus, spans } = yield* observing(
        Effect.andThen(Effect.exit(read), Effect.exit(Effect.withSpan(read, "around"))).pipe(
          Effect.provide(layer(service, CircuitBreaker.layer({ size: 1, minimumCalls: 1 }))),
          FakeService.inTime()
        ),
        "All"
      )
      assert.isAtLeast(spans.length, 4)
      const everything = inspect(
        { logs, prometheus, spans },
        { depth: 12, maxStringLength: null, maxArrayLength: null }
      )
      assert.include(everything, "<redacted>")
      for (const { url } of service.sent) {
        for (const name of ["Signature", "SignatureNonce"]) {
          assert.notInclude(everything, url.searchParams.get(name) ?? "?", name)
        }
      }
      assert.notInclude(everything, FakeService.app.serverSecret)
    })
  )
})

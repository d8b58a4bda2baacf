/** A canary: whatever goes wrong, and whatever the other side sends back, no credential is in anything that comes out. */
import { ClientError, Conversations, RetryPolicy, Timeout, ZimClient } from "@effect-zim/client"
import { QueryConversationList, ReturnCode } from "@effect-zim/protocol"
import { assert, describe, it } from "@effect/vitest"
import * as Cause from "effect/Cause"
import * as ConfigProvider from "effect/ConfigProvider"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Formatter from "effect/Formatter"
import * as HttpClientError from "effect/http/HttpClientError"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import type * as LogLevel from "effect/LogLevel"
import * as Metric from "effect/Metric"
import * as References from "effect/References"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import { inspect } from "node:util"
import * as FakeService from "./fakeService.ts"
import * as SpanRecorder from "./spanRecorder.ts"

const isError = Schema.is(ClientError.AnyError)
const encodeError = Schema.encodeSync(Schema.toCodecJson(ClientError.AnyError))

/** Everything that logs, consoles, reports and transports make of a value. */
const renderings = (value: unknown): ReadonlyArray<string> => {
  const texts = [
    String(value),
    JSON.stringify(value, (_key, member: unknown) => (typeof member === "bigint" ? `${member}` : member)) ?? "",
    inspect(value, { depth: 10 }),
    inspect(value, { depth: 10, showHidden: true, getters: true, customInspect: false }),
    Formatter.format(value),
    Formatter.formatJson(value)
  ]
  if (value instanceof Error) texts.push(value.message, value.stack ?? "", inspect({ ...value }, { depth: 10 }))
  if (isError(value)) texts.push(JSON.stringify(encodeError(value)))
  return texts
}

/** Runs a program under a tracer and loggers that see everything; hands over all that came out of it, as text. */
const observe = <A, E>(program: Effect.Effect<A, E>, level: LogLevel.LogLevel = "All") =>
  Effect.gen(function* () {
    const lines: Array<string> = []
    const { spans, tracer } = SpanRecorder.make()
    const keep = (line: unknown) => void lines.push(...renderings(line))
    const loggers = [Logger.formatJson, Logger.formatLogFmt, Logger.formatSimple, Logger.formatStructured].map(
      (logger) => Logger.map(logger, keep)
    )
    const exit = yield* Effect.exit(
      program.pipe(
        Effect.tapCause((cause) => Effect.logError("failed", cause)),
        Effect.withSpan("around"),
        Effect.withTracer(tracer),
        Effect.provide(Logger.layer(loggers)),
        Effect.provideService(References.MinimumLogLevel, level)
      )
    )
    const texts = [...lines, ...renderings(exit)]
    // What an exporter takes from a span; its parent has an entry of its own.
    for (const { attributes, events, links, name, status } of spans) {
      texts.push(inspect({ attributes, events, links, name, status }, { depth: 10 }))
      if (status._tag === "Ended") texts.push(Exit.isFailure(status.exit) ? Cause.pretty(status.exit.cause) : "")
    }
    texts.push(inspect(yield* Metric.snapshot, { depth: 10 }), yield* Metric.dump)
    if (Exit.isFailure(exit)) {
      texts.push(Cause.pretty(exit.cause), ...renderings(exit.cause))
      for (const reason of exit.cause.reasons) {
        if (reason._tag === "Fail") texts.push(...renderings(reason.error))
      }
    }
    return { exit, texts, spans, lines }
  })

/** So many characters of a credential in a row are a leak too. */
const fragment = 10

const fragmentsOf = (credential: string): ReadonlyArray<string> =>
  Array.from({ length: credential.length - fragment + 1 }, (_, i) => credential.slice(i, i + fragment).toLowerCase())

/** The credentials of the requests that were sent. */
const credentialsOf = (sent: ReadonlyArray<FakeService.Sent>): ReadonlyArray<string> => [
  FakeService.app.serverSecret,
  ...sent.flatMap(({ url }) => [
    url.searchParams.get("Signature") ?? assert.fail(),
    url.searchParams.get("SignatureNonce") ?? assert.fail()
  ])
]

const assertClean = (texts: ReadonlyArray<string>, credentials: ReadonlyArray<string>) => {
  const all = texts.join("\n").toLowerCase()
  for (const credential of credentials) {
    for (const part of fragmentsOf(credential)) {
      const at = all.indexOf(part)
      if (at >= 0) assert.fail(`a credential came out: ...${all.slice(Math.max(0, at - 80), at)}[here]`)
    }
  }
}

const read = ZimClient.execute(QueryConversationList.operation, { userId: "user-42" })

/** Makes a failing call and checks everything that comes out of it. */
const check = (
  answer: FakeService.Reply | FakeService.Answer,
  call: Effect.Effect<unknown, ClientError.AnyError, ZimClient.ZimClient> = read.pipe(
    RetryPolicy.provide(RetryPolicy.none)
  ),
  level?: LogLevel.LogLevel
) =>
  Effect.gen(function* () {
    const service = FakeService.answering(answer)
    const observed = yield* observe(
      Effect.scoped(FakeService.inTime(Effect.provide(call, FakeService.clientOf(service.layer)))),
      level
    )
    assertClean(observed.texts, credentialsOf(service.sent))
    return { ...observed, sent: service.sent }
  })

const secret = FakeService.app.serverSecret

/** What a careless service, proxy or HTTP stack sends back of a request. */
const echoes: Readonly<Record<string, (sent: FakeService.Sent) => string>> = {
  "the URL": ({ url }) => url.href,
  "the query string": ({ url }) => url.search,
  "the query string, encoded": ({ url }) => encodeURIComponent(url.search),
  "the query string, for HTML": ({ url }) => url.search.replaceAll("&", "&amp;"),
  "the parameters as JSON": ({ url }) => JSON.stringify(Object.fromEntries(url.searchParams)),
  "the parameters in JSON in JSON": ({ url }) => JSON.stringify(JSON.stringify(Object.fromEntries(url.searchParams))),
  "the parameters, a line each": ({ url }) =>
    [...url.searchParams].map(([key, value]) => `${key}: ${value}`).join("\n"),
  "the parameters in capitals": ({ url }) => url.search.toUpperCase(),
  "the bare signature": ({ url }) => url.searchParams.get("Signature") ?? "",
  "the bare signature in capitals": ({ url }) => (url.searchParams.get("Signature") ?? "").toUpperCase(),
  "the bare nonce": ({ url }) => url.searchParams.get("SignatureNonce") ?? "",
  "what was signed": ({ url }) =>
    `md5(12345${url.searchParams.get("SignatureNonce")}${secret}${url.searchParams.get("Timestamp")})`,
  "the secret": () => `expected secret ${secret}`,
  "the whole request": ({ body, headers, method, url }) =>
    `${method} ${url.href} HTTP/1.1\r\n${JSON.stringify(headers)}\r\n\r\n${body}`
}

/** How it comes back. */
const carriers: Readonly<Record<string, (echo: string, sent: FakeService.Sent) => FakeService.Reply>> = {
  "the message of a code": (echo) => FakeService.code(2, echo),
  "the message of an unknown code": (echo) => FakeService.code(424242, echo),
  "the message of a retried code": (echo) => FakeService.code(660300005, echo),
  "a long message": (echo) => FakeService.code(2, `${"x".repeat(180)} ${echo}`),
  "the request id": (echo) => FakeService.code(2, "message", echo),
  "the request id of a success that is none": (echo) =>
    FakeService.envelope({ RequestId: echo, Next: "wrong", List: [] }),
  "a page of HTML": (echo) =>
    FakeService.text(`<html><body>No route for ${echo}</body></html>`, { status: 502, contentType: "text/html" }),
  "a page of HTML with status 200": (echo) => FakeService.text(`<html>${echo}</html>`, { contentType: "text/html" }),
  "a body behind white space": (echo) => FakeService.text(`${" ".repeat(3990)}${echo}`),
  "a body behind much white space": (echo) => FakeService.text(`${"\n".repeat(20_000)}${echo}`),
  "a redirect": (echo) => FakeService.text(echo, { status: 307 }),
  "a field of the wrong type": (echo) => FakeService.envelope({ Next: echo, List: [] }),
  "a code of the wrong type": (echo) => FakeService.envelope({ Code: echo }),
  "an entry of the wrong type": (echo) => FakeService.envelope({ Next: 0, List: [{ ConvId: "a", UpdateTime: echo }] }),
  "a key that is unknown": (echo) => FakeService.envelope({ Next: null, [echo]: echo }),
  "a success with the wrong status": (echo) =>
    FakeService.text(JSON.stringify({ Code: 0, Next: 0, Message: echo }), { status: 500 })
}

/** Answers that are well where nothing is known about the operation. */
const succeeding: ReadonlySet<string> = new Set([
  "the request id of a success that is none",
  "a field of the wrong type",
  "an entry of the wrong type",
  "a key that is unknown"
])

describe("what comes back of a request does not come out", () => {
  for (const [carrier, carry] of Object.entries(carriers)) {
    it.effect.each(Object.keys(echoes))(`%s in ${carrier}`, (name) =>
      Effect.gen(function* () {
        const echo = echoes[name] ?? assert.fail()
        const { exit, lines } = yield* check((sent) => Effect.succeed(carry(echo(sent), sent)))
        assert.isTrue(Exit.isFailure(exit))
        // The wire log is among what was looked at.
        for (const part of ["url.query", "http.response.body"]) assert.include(lines.join(), part)
      })
    )
  }

  it.effect("wherever the cut of a snippet falls", () =>
    Effect.gen(function* () {
      const echo = echoes["what was signed"] ?? assert.fail()
      for (const padding of [" ", "x", "\u00e9", "&"]) {
        for (const length of [...Array(12).keys()].flatMap((i) => [140 + 5 * i, 3930 + 6 * i])) {
          yield* check((sent) => Effect.succeed(FakeService.text(`${padding.repeat(length)}${echo(sent)}`)))
        }
      }
    })
  )

  const causes: Readonly<Record<string, (sent: FakeService.Sent) => unknown>> = {
    "a message": ({ url }) => new Error(`fetch failed for ${url.href}`),
    "a nested message": ({ url }) => new TypeError("fetch failed", { cause: new Error(`connect ${url.href}`) }),
    "a code": ({ url }) => Object.assign(new Error("failed"), { code: `EFAIL ${url.href}` }),
    "a property": ({ url }) => Object.assign(new Error("failed"), { url: url.href, request: { url } }),
    "an aggregate": ({ url }) => new AggregateError([new Error(url.href)], `all failed: ${url.href}`),
    "a string": ({ url }) => url.href,
    "an object": ({ url }) => ({ message: url.href, code: url.href })
  }

  it.effect.each(Object.keys(causes))("%s of a transport failure", (name) =>
    Effect.gen(function* () {
      const cause = causes[name] ?? assert.fail()
      const { exit } = yield* check((sent) => FakeService.transportError(sent, cause(sent)))
      assert.isTrue(Exit.isFailure(exit))
      // And in the middle of a body.
      yield* check((sent) =>
        Effect.succeed(FakeService.chunks(Stream.concat(Stream.succeed(Uint8Array.of(0x7b)), Stream.fail(cause(sent)))))
      )
    })
  )

  it.effect.each(["TransportError", "EncodeError", "InvalidUrlError"] as const)("an %s of the HTTP client", (tag) =>
    check((sent) => {
      const { request, url } = sent
      const reason = new HttpClientError[tag]({ request, description: `while sending ${url.href}` })
      return Effect.fail(new HttpClientError.HttpClientError({ reason }))
    })
  )
})

describe("every error", () => {
  it.effect.each(ReturnCode.table.map(({ code }) => code))("of code %i", (code) =>
    Effect.gen(function* () {
      const { exit } = yield* check((sent) => Effect.succeed(FakeService.code(code, `refused: ${sent.url.href}`)), read)
      assert.isTrue(Exit.isFailure(exit))
    })
  )

  const echoing: FakeService.Answer = (sent) => Effect.succeed(FakeService.code(1, sent.url.href))
  const tagOf = (exit: Exit.Exit<unknown, ClientError.AnyError>) =>
    Exit.isFailure(exit) ? exit.cause.reasons.map((reason) => (reason._tag === "Fail" ? reason.error._tag : "")) : []

  it.effect("of a deadline, with its cause", () =>
    Effect.gen(function* () {
      const { exit } = yield* check(
        echoing,
        read.pipe(
          RetryPolicy.provide(RetryPolicy.patient),
          Effect.provideService(Timeout.Deadline, Duration.seconds(10))
        )
      )
      assert.deepStrictEqual(tagOf(exit), ["DeadlineExceeded"])
    })
  )

  it.effect("of an attempt's timeout", () =>
    Effect.gen(function* () {
      const { exit } = yield* check(() => Effect.never)
      assert.deepStrictEqual(tagOf(exit), ["AttemptTimedOut"])
    })
  )

  it.effect("of an open circuit", () =>
    Effect.gen(function* () {
      const many = Effect.andThen(Effect.all(Array.from({ length: 60 }, () => Effect.exit(read))), read)
      const { exit } = yield* check(echoing, many.pipe(RetryPolicy.provide(RetryPolicy.none)))
      assert.deepStrictEqual(tagOf(exit), ["CircuitOpen"])
    })
  )

  it.effect("of a list that does not end", () =>
    Effect.gen(function* () {
      const { exit } = yield* check(FakeService.page([], 7, 0), Conversations.snapshot("user-42"))
      assert.deepStrictEqual(tagOf(exit), ["PagingLoop"])
    })
  )

  it.effect("of a request that is refused here", () =>
    Effect.gen(function* () {
      const { exit } = yield* check(FakeService.page([]), Conversations.page("it's"))
      assert.deepStrictEqual(tagOf(exit), ["RequestInvalid"])
    })
  )

  it.effect("of settings", () =>
    Effect.gen(function* () {
      for (const ZIM_SERVER_SECRET of [`${secret} `, `\n${secret}`, secret]) {
        const provider = ConfigProvider.fromUnknown({ ZIM_APP_ID: secret, ZIM_SERVER_SECRET, ZIM_REGION: secret })
        for (const ZIM_APP_ID of [secret, "1"]) {
          const layer = ZimClient.layerConfig().pipe(
            Layer.provide(FakeService.answering().layer),
            Layer.provide(
              ConfigProvider.layer(ConfigProvider.orElse(ConfigProvider.fromUnknown({ ZIM_APP_ID }), provider))
            )
          )
          const { exit, texts } = yield* observe(Effect.scoped(Layer.build(layer)))
          assert.isTrue(Exit.isFailure(exit))
          assertClean(texts, [secret])
        }
      }
    })
  )

  it.effect("of an operation that is known by its name only", () =>
    Effect.gen(function* () {
      const call = RetryPolicy.provide(ZimClient.call("SomeAction", { a: 1 }), RetryPolicy.none)
      for (const [carrier, carry] of Object.entries(carriers)) {
        // What succeeds is handed over unchanged, whatever it repeats.
        if (succeeding.has(carrier)) continue
        for (const echo of Object.values(echoes)) {
          const { exit } = yield* check((sent) => Effect.succeed(carry(echo(sent), sent)), call)
          assert.isTrue(Exit.isFailure(exit), carrier)
        }
      }
      const { exit } = yield* check(FakeService.page([]), ZimClient.call("SomeAction", { a: [secret, NaN] }))
      yield* check(FakeService.page([]), ZimClient.call("SomeAction", `{"a":"${secret}",oops}`))
      assert.deepStrictEqual(tagOf(exit), ["RequestInvalid"])
    })
  )

  it.effect("of a GET: nor whom it asks for, where its URL comes back", () =>
    Effect.gen(function* () {
      const canary = "canary-user-0815"
      const call = ZimClient.call("QueryUserOnlineState", { UserId: ["ada", canary], Name: canary }).pipe(
        RetryPolicy.provide(RetryPolicy.none)
      )
      const isClean = (answer: FakeService.Answer) =>
        Effect.gen(function* () {
          // The wire log has what was asked, as it has bodies.
          const { exit, sent, texts } = yield* check(answer, call, "Debug")
          assert.isTrue(Exit.isFailure(exit))
          assert.include(sent[0]?.url.href, canary)
          assertClean(texts, [canary])
        })
      const asUrl = Object.entries(echoes).filter(([name]) => /URL|query string|in capitals|whole request/.test(name))
      assert.strictEqual(asUrl.length, 7)
      for (const [, echo] of asUrl) {
        for (const [carrier, carry] of Object.entries(carriers)) {
          if (!succeeding.has(carrier)) yield* isClean((sent) => Effect.succeed(carry(echo(sent), sent)))
        }
        yield* isClean((sent) => FakeService.transportError(sent, new Error(`fetch failed for ${sent.url.href}`)))
        yield* isClean((sent) => FakeService.transportError(sent, new Error(`no route for ${echo(sent)}`)))
      }
      yield* isClean(() => Effect.never)
      const { exit, texts } = yield* check(
        FakeService.page([]),
        ZimClient.call("QueryUserOnlineState", { UserId: [canary], User: { Id: canary } })
      )
      assert.deepStrictEqual(tagOf(exit), ["RequestInvalid"])
      assertClean(texts, [canary])
    })
  )

  it.effect("of a defect in the HTTP client", () =>
    Effect.gen(function* () {
      const { exit } = yield* check(() => Effect.die(new Error("a bug somewhere else")))
      assert.isTrue(Exit.isFailure(exit))
    })
  )

  it.effect("and an interruption", () =>
    Effect.gen(function* () {
      const interrupted = Effect.timeoutOption(read, "1 second")
      const { exit } = yield* check(() => Effect.never, interrupted)
      assert.isTrue(Exit.isSuccess(exit))
    })
  )
})

describe("a call that goes well", () => {
  it.effect("shows nothing either: pages, spans, the client itself", () =>
    Effect.gen(function* () {
      const service = FakeService.make(FakeService.serving(FakeService.entries(30)))
      const client = FakeService.clientOf(service.layer)
      const program = Effect.gen(function* () {
        yield* Effect.logDebug("the client", yield* ZimClient.ZimClient)
        yield* Effect.logDebug(inspect(yield* ZimClient.ZimClient, { depth: 10, showHidden: true }))
        const pages = yield* Stream.runCollect(Conversations.pages("user-42", { pageSize: 10 }))
        yield* Effect.log(pages)
        return yield* Conversations.snapshot("user-42")
      })
      const { exit, spans, texts } = yield* observe(Effect.provide(program, client))
      assert.isTrue(Exit.isSuccess(exit))
      assert.strictEqual(service.sent.length, 4)
      assertClean(texts, credentialsOf(service.sent))
      assert.include(
        spans.map(({ name }) => name),
        "around"
      )
      // Effect's own spans of HTTP requests have the URL in them.
      for (const { attributes } of spans) {
        assert.isFalse(attributes.has("url.query"))
        for (const value of attributes.values()) assert.notMatch(String(value), /[?&]Signature/)
      }
      for (const { headers } of service.sent) {
        for (const name of ["traceparent", "tracestate", "b3", "baggage"]) assert.notProperty(headers, name)
      }
    })
  )
})

describe("the canary itself", () => {
  it.effect("sings when a credential comes out anywhere", () =>
    Effect.gen(function* () {
      const credential = "4fd24687296dd9f3"
      for (const leak of [
        Effect.fail(new Error(credential)),
        Effect.fail({ deep: { in: { an: { object: credential.slice(3, 14).toUpperCase() } } } }),
        Effect.die(credential),
        Effect.logTrace(credential),
        Effect.log("text", { annotated: credential }),
        Effect.annotateLogs(Effect.logDebug("text"), "key", credential),
        Effect.withSpan(Effect.void, credential),
        Effect.annotateCurrentSpan("url", `?SignatureNonce=${credential}`),
        Effect.withSpan(Effect.void, "inner", { attributes: { url: credential } }),
        Metric.update(Metric.withAttributes(Metric.counter("canary"), { nonce: credential }), 1)
      ]) {
        const { texts } = yield* observe<unknown, unknown>(leak)
        assert.throws(() => assertClean(texts, [credential]), /a credential came out/)
      }
    }).pipe(Effect.provideService(Metric.MetricRegistry, new Map()))
  )
})

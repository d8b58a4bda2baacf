import { ClientError, Conversations, RetryPolicy, Timeout } from "@effect-zim/client"
import { WireJson } from "@effect-zim/protocol"
import { assert, describe, it } from "@effect/vitest"
import * as Arbitrary from "effect/Arbitrary"
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import * as FakeService from "./fakeService.ts"
import * as WireOracle from "./wireOracle.ts"

const encoder = new TextEncoder()

const read = (reply: FakeService.Reply | FakeService.Answer) =>
  WireOracle.read(reply, RetryPolicy.provide(RetryPolicy.none))

const { valid, validText } = WireOracle

const html = (status: number) =>
  FakeService.text(`<html><head><title>${status}</title></head><body><h1>${status}</h1><hr>nginx</body></html>`, {
    status,
    contentType: "text/html"
  })

describe("a valid answer", () => {
  it("is one to the oracle", () => {
    assert.deepStrictEqual(WireOracle.meaningOf(validText), {
      _tag: "Page",
      entries: [
        ["conv1", 2, 1708254395000],
        ["käthe 😀", 0, 1708254395001]
      ],
      next: "971503777289036701",
      total: 2
    })
  })

  it.effect.each([
    ["as it is", validText],
    ["with a byte order mark", `\uFEFF${validText}`],
    ["with white space", JSON.stringify(JSON.parse(validText), null, 4)],
    ["with unknown fields", validText.replace("{", `{"__proto__":{"Code":3},"toString":1,"More":{"deep":[1e999]},`)],
    ["with escapes", validText.replace("conv1", "c\\u006fnv1")],
    ["with a key twice: the last counts", validText.replace("{", `{"Code":3,`)]
  ] as const)("is read: %s", ([, text]) =>
    Effect.gen(function* () {
      const outcome = yield* read(FakeService.text(text))
      assert.strictEqual(WireOracle.nameOf(outcome), "Page")
      WireOracle.assertMeans(outcome, WireOracle.meaningOf(text.replace("\uFEFF", "")))
    })
  )

  it.effect("is read whatever its content type says", () =>
    Effect.gen(function* () {
      for (const contentType of ["text/html", "text/plain; charset=latin1", "application/octet-stream", ""]) {
        assert.strictEqual(WireOracle.nameOf(yield* read(FakeService.text(validText, { contentType }))), "Page")
      }
    })
  )
})

describe("fields", () => {
  /** Every kind of JSON value, as text: numbers must not be rounded on the way into the answer. */
  const values = `
    null true false {} [] [[]] [null] {"a":1} [{"ConvId":"a"}]
    "" "x" "0" "00" "7" "-0" "0x0" "0.0" "9007199254740993" "\\u0030" "\\u0000"
    0 -0 0.0 1 -1 1.5 1e3 1e-7 1e400 -1e400 7 660500002 4294967296
    9007199254740991 9007199254740992 9007199254740993 -9007199254740993 18446744073709551615
    8640000000000001 1e20 ${"9".repeat(300)} ${"9".repeat(400)}
  `
    .split(/\s+/)
    .slice(1, -1)
  const paths = ["Code", "Message", "RequestId", "TotalCount", "Next", "List", "ConvId", "ConvType", "UpdateTime"]

  /** The valid answer with one field's value replaced, or with the field left out. */
  const replaced = (name: string, value: string | undefined): string => {
    const mark = "\u0001"
    const put = (fields: object) =>
      Object.fromEntries(
        Object.entries(fields).flatMap(([key, old]) =>
          key === name ? (value === undefined ? [] : [[key, mark]]) : [[key, old]]
        )
      )
    const answer = put({ ...valid, List: valid.List.map(put) })
    return WireJson.stringify(answer).replaceAll(JSON.stringify(mark), value ?? "")
  }

  it.effect.each(paths)("%s of every type", (name) =>
    Effect.gen(function* () {
      for (const value of [undefined, ...values]) {
        const text = replaced(name, value)
        const outcome = yield* read(FakeService.text(text))
        try {
          WireOracle.assertMeans(outcome, WireOracle.meaningOf(text))
        } catch (error) {
          assert.fail(`${text}: ${String(error)}`)
        }
      }
    })
  )

  it.effect("the oracle and the client reject what they must", () =>
    Effect.gen(function* () {
      for (const [name, value] of [
        ["Code", undefined],
        ["Code", "null"],
        ["Code", `""`],
        ["Code", "0.5"],
        ["Next", undefined],
        ["Next", "null"],
        ["Next", `"0"`],
        ["Next", "1.5"],
        ["List", "{}"],
        ["List", "[null]"],
        ["List", undefined],
        ["ConvId", undefined],
        ["ConvId", "1"],
        ["UpdateTime", undefined],
        ["UpdateTime", "8640000000000001"],
        ["TotalCount", `"2"`]
      ] as const) {
        const outcome = yield* read(FakeService.text(replaced(name, value)))
        assert.strictEqual(WireOracle.nameOf(outcome), "ResponseUnreadable WrongShape", `${name}: ${value}`)
        const error = WireOracle.errorOf(outcome)
        assert.include(error?.message, name)
      }
    })
  )

  it.effect("an error about a success names the request", () =>
    Effect.gen(function* () {
      const error = WireOracle.errorOf(yield* read(FakeService.text(replaced("Next", undefined))))
      assert.instanceOf(error, ClientError.ResponseUnreadable)
      assert.strictEqual(error.requestId, valid.RequestId)
      assert.include(error.snippet, "conv1")
    })
  )

  it.effect("the whole body of every type", () =>
    Effect.gen(function* () {
      for (const text of values) {
        const name = WireOracle.nameOf(yield* read(FakeService.text(text)))
        assert.strictEqual(name, "ResponseUnreadable WrongShape", text)
      }
    })
  )
})

describe("numbers beyond 2^53", () => {
  const digits = Arbitrary.schema(Schema.BigInt.check(Schema.isBetweenBigInt({ minimum: 1n, maximum: 10n ** 40n })))

  it.effect.prop(
    "a cursor goes to the wire digit by digit as it came",
    [digits],
    ([cursor]) =>
      Effect.gen(function* () {
        const last = FakeService.page([FakeService.entry("b", 2)], 0, 2)
        const service = FakeService.answering(FakeService.page([FakeService.entry("a", 1)], cursor, 2), last)
        const pages = yield* Stream.runCollect(Conversations.pages("user-42")).pipe(
          Effect.provide(FakeService.clientOf(service.layer))
        )
        assert.strictEqual(pages.length, 2)
        assert.include(service.sent[0]?.body, `"Next":0`)
        assert.include(service.sent[1]?.body, `"Next":${cursor}}`)
      }),
    { arbitrary: { seed: 2, runs: 200 } }
  )

  it.effect("neighbours are not taken for each other", () =>
    Effect.gen(function* () {
      const service = FakeService.answering(
        FakeService.page([], 9007199254740992n, 0),
        FakeService.page([], 9007199254740993n, 0),
        FakeService.page([], 9007199254740994n, 0),
        FakeService.page([], 0, 0)
      )
      yield* Stream.runDrain(Conversations.pages("user-42")).pipe(Effect.provide(FakeService.clientOf(service.layer)))
      assert.deepStrictEqual(
        service.sent.map((sent) => FakeService.asked(sent).Next),
        ["0", "9007199254740992", "9007199254740993", "9007199254740994"]
      )
    })
  )
})

describe("HTTP", () => {
  it.effect.each([201, 204, 206, 400, 401, 403, 404, 405, 408, 413, 418, 429, 451, 500, 501, 502, 503, 504, 599])(
    "a page of HTML with status %i",
    (status) =>
      Effect.gen(function* () {
        const error = WireOracle.errorOf(yield* read(html(status)))
        assert.instanceOf(error, ClientError.ResponseUnreadable)
        assert.strictEqual(error.reason._tag, "HttpStatus")
        assert.strictEqual(error.status, status)
        assert.include(error.message, `HTTP ${status}`)
        assert.include(error.snippet, `<h1>${status}</h1>`)
      })
  )

  it.effect("a page of HTML with status 200", () =>
    Effect.gen(function* () {
      assert.strictEqual(WireOracle.nameOf(yield* read(html(200))), "ResponseUnreadable NotJson")
    })
  )

  it.effect.each([301, 302, 303, 307, 308])("a redirect with status %i, even with an answer in it", (status) =>
    Effect.gen(function* () {
      for (const body of ["", validText, `{"Code":660500002}`]) {
        const outcome = yield* read(FakeService.text(body, { status }))
        assert.strictEqual(WireOracle.nameOf(outcome), "ResponseUnreadable Redirect")
      }
    })
  )

  it.effect.each([201, 203, 400, 404, 429, 500, 502])("success with status %i is none", (status) =>
    Effect.gen(function* () {
      const error = WireOracle.errorOf(yield* read(FakeService.text(validText, { status })))
      assert.instanceOf(error, ClientError.ResponseUnreadable)
      assert.strictEqual(error.reason._tag, "HttpStatus")
      assert.strictEqual(error.requestId, valid.RequestId)
    })
  )

  it.effect.each(["", " ", "\r\n\t"])("an empty body: %j", (text) =>
    Effect.gen(function* () {
      assert.strictEqual(WireOracle.nameOf(yield* read(FakeService.text(text))), "ResponseUnreadable Empty")
      const web = new Response(text === "" ? null : text)
      assert.strictEqual(WireOracle.nameOf(yield* read(web)), "ResponseUnreadable Empty")
    })
  )
})

describe("time", () => {
  const slow = (reply: FakeService.Reply | FakeService.Answer, attempt = 10_000) =>
    Effect.gen(function* () {
      const before = yield* Clock.currentTimeMillis
      const outcome = yield* WireOracle.read(reply, (call) =>
        call.pipe(
          RetryPolicy.provide(RetryPolicy.none),
          Effect.provideService(Timeout.Attempt, Duration.millis(attempt)),
          Effect.tapCause(() =>
            Effect.map(Clock.currentTimeMillis, (now) => assert.strictEqual(now - before, attempt, "not in time"))
          )
        )
      )
      assert.strictEqual(WireOracle.nameOf(outcome), "AttemptTimedOut")
    })
  const start = encoder.encode(validText.slice(0, 30))

  it.effect("headers that never come", () => slow(() => Effect.never))
  it.effect("a body that never comes", () => slow(FakeService.chunks(Stream.never)))
  it.effect("a body that stops", () => slow(FakeService.chunks(Stream.concat(Stream.succeed(start), Stream.never))))
  it.effect("a body that stops, of announced length", () =>
    slow(FakeService.chunks(Stream.concat(Stream.succeed(start), Stream.never), { "content-length": "300" }))
  )
  it.effect("a body that never ends, a byte a second", () =>
    slow(FakeService.chunks(Stream.fromEffectRepeat(Effect.delay(Effect.succeed(Uint8Array.of(0x20)), "1 second"))))
  )
  it.effect("a web stream that never comes", () => slow(new Response(new ReadableStream())))
  it.effect("any timeout", () => slow(() => Effect.never, 1234))

  it.effect("slow, but in time", () =>
    Effect.gen(function* () {
      const bytes = Stream.fromIterable(encoder.encode(validText)).pipe(
        Stream.map((byte) => Uint8Array.of(byte)),
        Stream.rechunk(1),
        Stream.tap(() => Effect.sleep("30 millis"))
      )
      assert.strictEqual(WireOracle.nameOf(yield* read(FakeService.chunks(bytes))), "Page")
    })
  )

  it.effect("a connection that breaks", () =>
    Effect.gen(function* () {
      const broken = Stream.concat(Stream.succeed(start), Stream.fail(new Error("socket hang up")))
      for (const reply of [
        (sent: FakeService.Sent) => FakeService.transportError(sent),
        (sent: FakeService.Sent) => FakeService.transportError(sent, undefined),
        (sent: FakeService.Sent) => FakeService.transportError(sent, "a string"),
        FakeService.chunks(broken),
        FakeService.chunks(broken, { "content-length": "300" })
      ]) {
        const error = WireOracle.errorOf(yield* read(reply))
        assert.instanceOf(error, ClientError.TransportFailed)
        assert.isNotEmpty(error.problem)
      }
    })
  )
})

describe("lists that do not end", () => {
  const walk = (service: FakeService.FakeService) =>
    Conversations.snapshot("user-42").pipe(
      Effect.flip,
      Effect.provide(FakeService.clientOf(service.layer)),
      FakeService.inTime()
    )

  it.effect.each([1, 2, 3, 10])("cursors in a circle of %i", (length) =>
    Effect.gen(function* () {
      const service = FakeService.make((_, index) =>
        Effect.succeed(FakeService.page([FakeService.entry(`c${index}`, index)], 2n ** 60n + BigInt(index % length)))
      )
      const error = yield* walk(service)
      assert.instanceOf(error, ClientError.PagingLoop)
      assert.strictEqual(error.reason._tag, "CursorRepeated")
      assert.strictEqual(error.cursor, String(2n ** 60n))
      assert.strictEqual(service.sent.length, length + 1)
    })
  )

  it.effect("a cursor that leads back to where reading started", () =>
    Effect.gen(function* () {
      const service = FakeService.answering(
        FakeService.page([], 5, 0),
        FakeService.page([], 6, 0),
        FakeService.page([], 5, 0)
      )
      assert.instanceOf(yield* walk(service), ClientError.PagingLoop)
      assert.strictEqual(service.sent.length, 3)
    })
  )

  it.effect("a new cursor for ever", () =>
    Effect.gen(function* () {
      const service = FakeService.make((_, index) => Effect.succeed(FakeService.page([], index + 1, 0)))
      const error = yield* walk(service)
      assert.instanceOf(error, ClientError.PagingLoop)
      assert.strictEqual(error.reason._tag, "TooManyPages")
      assert.isAtMost(service.sent.length, 2000)
      assert.strictEqual(error.pages, service.sent.length)
    })
  )
})

describe("under the standard policies", () => {
  const broken: Readonly<Record<string, FakeService.Reply | FakeService.Answer>> = {
    "HTML 502": html(502),
    "HTML 429": html(429),
    "HTML 404": html(404),
    "HTML 200": html(200),
    "a redirect": FakeService.text("", { status: 307 }),
    "an empty body": FakeService.text(""),
    "a truncated answer": FakeService.text(validText.slice(0, -1)),
    "another shape": FakeService.text(`{"Code":0}`),
    "no headers": () => Effect.never,
    "no body": FakeService.chunks(Stream.never),
    "a body without end": FakeService.chunks(
      Stream.fromEffectRepeat(Effect.delay(Effect.succeed(Uint8Array.of(0x20)), "1 second"))
    ),
    "a lost connection": (sent) => FakeService.transportError(sent),
    "a rejection": FakeService.code(660300005),
    "a busy service": FakeService.code(1)
  }

  it.effect.each(Object.keys(broken))("%s, again and again, ends with an error within the deadline", (name) =>
    Effect.gen(function* () {
      const service = FakeService.answering(broken[name] ?? assert.fail())
      const [elapsed, outcome] = yield* Conversations.page("user-42").pipe(
        Effect.exit,
        Effect.timed,
        Effect.provide(FakeService.clientOf(service.layer)),
        FakeService.inTime()
      )
      assert.isDefined(WireOracle.errorOf(outcome))
      assert.isAtMost(Duration.toMillis(elapsed), 120_000)
      assert.isAtMost(service.sent.length, 9)
    })
  )
})

import { ClientError, Conversations, ResponseLimit, RetryPolicy, Timeout } from "@effect-zim/client"
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

/** A valid answer, as compact as the service sends it. */
const valid = {
  Code: 0,
  Message: "success",
  RequestId: "343649807833778782",
  TotalCount: 2,
  Next: 971503777289036701n,
  List: [
    { ConvId: "conv1", ConvType: 2, UpdateTime: 1708254395000 },
    { ConvId: "käthe 😀", UpdateTime: 1708254395001 }
  ]
}
const validText = WireJson.stringify(valid)

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

describe("bytes", () => {
  it.effect("truncated at every point", () =>
    Effect.gen(function* () {
      const whole = encoder.encode(validText)
      for (let length = 0; length < whole.length; length++) {
        for (const announced of [true, false]) {
          const cut = whole.slice(0, length)
          const outcome = yield* read(
            announced
              ? FakeService.bytes(cut, { "content-length": String(length) })
              : FakeService.chunks(Stream.make(cut.slice(0, 20), cut.slice(20)))
          )
          const expected = length === 0 ? "ResponseUnreadable Empty" : "ResponseUnreadable NotJson"
          assert.strictEqual(WireOracle.nameOf(outcome), expected, `after ${length} bytes`)
        }
      }
      WireOracle.assertMeans(yield* read(FakeService.bytes(whole)), WireOracle.meaningOf(validText))
    })
  )

  it.effect.each([
    ["a lone continuation byte", [0x22, 0x80, 0x22]],
    ["an overlong slash", [0x22, 0xc0, 0xaf, 0x22]],
    ["a surrogate", [0x22, 0xed, 0xa0, 0x80, 0x22]],
    ["a sequence cut short", [0x22, 0xf0, 0x9f, 0x98]],
    ["UTF-16", [0xff, 0xfe, 0x7b, 0x00, 0x7d, 0x00]],
    ["gzip that nobody unpacked", [0x1f, 0x8b, 0x08, 0x00, 0x00, 0x00, 0x00, 0x00]]
  ] as const)("invalid UTF-8: %s", ([, sequence]) =>
    Effect.gen(function* () {
      const outcome = yield* read(FakeService.bytes(Uint8Array.from(sequence)))
      assert.strictEqual(WireOracle.nameOf(outcome), "ResponseUnreadable NotJson")
      const inAnswer = encoder.encode(validText)
      inAnswer.set(sequence, inAnswer.indexOf(0x63))
      assert.strictEqual(WireOracle.nameOf(yield* read(FakeService.bytes(inAnswer))), "ResponseUnreadable NotJson")
    })
  )

  const size = 20 * 1024 * 1024

  it.effect.each([
    ["announced", { "content-length": String(size) }],
    ["not announced", {}],
    ["announced too small", { "content-length": "100" }],
    ["announced below zero", { "content-length": "-1" }],
    ["announced in words", { "content-length": "a lot" }],
    ["announced with many digits", { "content-length": "9".repeat(400) }],
    ["said to be compressed", { "content-length": "100", "content-encoding": "gzip" }]
  ] as ReadonlyArray<readonly [string, Record<string, string>]>)("20 MB, %s", ([, headers]) =>
    Effect.gen(function* () {
      let taken = 0
      const piece = new Uint8Array(64 * 1024).fill(0x20)
      const body = Stream.fromEffectRepeat(
        Effect.sync(() => {
          taken += piece.length
          return piece
        })
      ).pipe(Stream.take(size / piece.length))
      const outcome = yield* read(FakeService.chunks(body, headers))
      assert.strictEqual(WireOracle.nameOf(outcome), "ResponseUnreadable TooLarge")
      const error = WireOracle.errorOf(outcome)
      assert.include(error?.message, String(8 * 1024 * 1024))
      if (headers["content-length"] === undefined) assert.isBelow(taken, 9 * 1024 * 1024)
    })
  )

  it.effect("the limit is a policy, exact to the byte", () =>
    Effect.gen(function* () {
      const length = encoder.encode(validText).length
      for (const [limit, expected] of [
        [length, "Page"],
        [length - 1, "ResponseUnreadable TooLarge"]
      ] as const) {
        for (const reply of [
          FakeService.text(validText),
          FakeService.bytes(encoder.encode(validText), { "content-length": String(length) }),
          FakeService.chunks(
            Stream.rechunk(Stream.fromIterable(encoder.encode(validText)), 7).pipe(
              Stream.map((byte) => Uint8Array.of(byte))
            )
          )
        ]) {
          const outcome = yield* WireOracle.read(reply, (call) =>
            call.pipe(RetryPolicy.provide(RetryPolicy.none), Effect.provideService(ResponseLimit, limit))
          )
          assert.strictEqual(WireOracle.nameOf(outcome), expected)
        }
      }
    })
  )

  const depths = [2, 100, 1000, ...Array.from({ length: 12 }, (_, i) => 2000 + 800 * i), 20_000, 200_000]

  it.effect.each([
    ["arrays", "[", "1", "]"],
    ["objects", `{"a":`, "1", "}"]
  ] as const)("nested %s, of any depth anywhere", ([, open, inmost, close]) =>
    Effect.gen(function* () {
      for (const depth of depths) {
        const deep = open.repeat(depth) + inmost + close.repeat(depth)
        const put = (name: string, old: string): string => {
          assert.include(validText, `"${name}":${old}`)
          return validText.replace(`"${name}":${old}`, `"${name}":${deep}`)
        }
        for (const text of [
          put("Code", "0"),
          put("Next", "971503777289036701"),
          put("List", WireJson.stringify(valid.List)),
          put("TotalCount", "2"),
          put("ConvId", `"conv1"`),
          put("UpdateTime", "1708254395000")
        ]) {
          const error = WireOracle.errorOf(yield* read(FakeService.text(text)))
          assert.strictEqual(error?._tag, "ResponseUnreadable", `${text.slice(0, 120)}, ${depth} deep`)
        }
        for (const text of [deep, put("Message", `"success"`), validText.replace("{", `{"More":${deep},`)]) {
          const name = WireOracle.nameOf(yield* read(FakeService.text(text)))
          assert.include(["Page", "ResponseUnreadable NotJson", "ResponseUnreadable WrongShape"], name)
        }
      }
    })
  )
})

describe("HTTP", () => {
  const html = (status: number) =>
    FakeService.text(`<html><head><title>${status}</title></head><body><h1>${status}</h1><hr>nginx</body></html>`, {
      status,
      contentType: "text/html"
    })

  it.effect.each([201, 204, 206, 400, 401, 403, 404, 405, 408, 413, 418, 429, 451, 500, 501, 502, 503, 504, 599])(
    "a page of HTML with status %i",
    (status) =>
      Effect.gen(function* () {
        const error = WireOracle.errorOf(yield* read(html(status)))
        assert.instanceOf(error, ClientError.ResponseUnreadable)
        assert.strictEqual(error.reason, "HttpStatus")
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

  it.effect.each([301, 302, 303, 304, 307, 308])("a redirect with status %i, even with an answer in it", (status) =>
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
      assert.strictEqual(error.reason, "HttpStatus")
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
      assert.strictEqual(error.reason, "CursorRepeated")
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
      assert.strictEqual(error.reason, "TooManyPages")
      assert.isAtMost(service.sent.length, 2000)
      assert.strictEqual(error.pages, service.sent.length)
    })
  )
})

describe("fuzz", () => {
  const whole = encoder.encode(validText)
  const between = (minimum: number, maximum: number) => Schema.Int.check(Schema.isBetween({ minimum, maximum }))
  const Edit = Schema.Struct({
    kind: Schema.Literals(["Set", "Insert", "Remove", "Repeat", "Swap", "Text"]),
    at: between(0, whole.length - 1),
    length: between(1, 12),
    byte: between(0, 255),
    text: Schema.Literals([
      "null",
      "0",
      "-1",
      "1e999",
      `""`,
      "[]",
      "{}",
      "true",
      ",",
      `"Code":7,`,
      "99999999999999999999",
      "\\u0000"
    ])
  })
  const apply = (bytes: ReadonlyArray<number>, edit: typeof Edit.Type): ReadonlyArray<number> => {
    const { at, byte, length } = edit
    const run = bytes.slice(at, at + length)
    switch (edit.kind) {
      case "Set":
        return bytes.with(Math.min(at, bytes.length - 1), byte)
      case "Insert":
        return bytes.toSpliced(at, 0, byte)
      case "Remove":
        return bytes.toSpliced(at, length)
      case "Repeat":
        return bytes.toSpliced(at, 0, ...run)
      case "Swap":
        return bytes.toSpliced(at, length, ...run.toReversed())
      case "Text":
        return bytes.toSpliced(at, length, ...encoder.encode(edit.text))
    }
  }

  const check = (body: Uint8Array) =>
    Effect.map(read(FakeService.bytes(body)), (outcome) => {
      const meaning = WireOracle.meaningOfBytes(body)
      WireOracle.assertMeans(outcome, meaning)
    })

  it.effect.prop(
    "a valid answer with some of its bytes changed means what is left of it",
    [Arbitrary.array(Arbitrary.schema(Edit), { minLength: 1, maxLength: 4 })],
    ([edits]) => check(Uint8Array.from(edits.reduce(apply, [...whole]))),
    { arbitrary: { seed: 3, runs: 3000 } }
  )

  it.effect.prop(
    "any bytes",
    [Arbitrary.array(Arbitrary.schema(between(0, 255)), { maxLength: 200 })],
    ([bytes]) => check(Uint8Array.from(bytes)),
    { arbitrary: { seed: 4, runs: 1000 } }
  )

  it.effect.prop(
    "any JSON in any field",
    { name: Schema.Literals(["Code", "Next", "List", "TotalCount", "Message", "RequestId"]), value: Schema.Json },
    ({ name, value }) => check(encoder.encode(WireJson.stringify({ ...valid, [name]: value }))),
    { arbitrary: { seed: 5, runs: 1500 } }
  )

  it.effect.prop("any JSON", [Schema.Json], ([value]) => check(encoder.encode(JSON.stringify(value))), {
    arbitrary: { seed: 6, runs: 500 }
  })
})

import { ResponseLimit, RetryPolicy } from "@effect-zim/client"
import { WireJson } from "@effect-zim/protocol"
import { assert, describe, it } from "@effect/vitest"
import * as Arbitrary from "effect/Arbitrary"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import * as FakeService from "./fakeService.ts"
import * as WireOracle from "./wireOracle.ts"

const encoder = new TextEncoder()

const read = (reply: FakeService.Reply | FakeService.Answer) =>
  WireOracle.read(reply, RetryPolicy.provide(RetryPolicy.none))

const { valid, validText } = WireOracle

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

  it.effect("of small pieces the bytes are kept, not the pieces, which take far more memory", () =>
    Effect.gen(function* () {
      const bytes = encoder.encode(validText)
      // Always the same piece: whoever keeps it keeps what the last one holds.
      const piece = new Uint8Array(1)
      const body = Stream.map(Stream.rechunk(Stream.fromIterable(bytes), 1), (byte) => piece.fill(byte))
      WireOracle.assertMeans(yield* read(FakeService.chunks(body)), WireOracle.meaningOf(validText))
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
    { arbitrary: { seed: 3, runs: 2000 } }
  )

  it.effect.prop(
    "any bytes",
    [Arbitrary.array(Arbitrary.schema(between(0, 255)), { maxLength: 200 })],
    ([bytes]) => check(Uint8Array.from(bytes)),
    { arbitrary: { seed: 4, runs: 500 } }
  )

  it.effect.prop(
    "any JSON in any field",
    { name: Schema.Literals(["Code", "Next", "List", "TotalCount", "Message", "RequestId"]), value: Schema.Json },
    ({ name, value }) => check(encoder.encode(WireJson.stringify({ ...valid, [name]: value }))),
    { arbitrary: { seed: 5, runs: 1000 } }
  )

  it.effect.prop("any JSON", [Schema.Json], ([value]) => check(encoder.encode(JSON.stringify(value))), {
    arbitrary: { seed: 6, runs: 300 }
  })
})

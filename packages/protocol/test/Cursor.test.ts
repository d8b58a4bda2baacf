import { Cursor, Envelope, WireJson } from "@effect-zim/protocol"
import { assert, describe, it } from "@effect/vitest"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import { problemOf } from "./problemOf.ts"

const largest = 10n ** 60n - 1n
const upTo60Digits = Schema.BigInt.check(Schema.isBetweenBigInt({ minimum: -largest, maximum: largest }))
// The generator prefers short numbers and far ends; these lie between, where rounding would begin.
const digitCount = Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 60 }))
const digit = Schema.Literals(["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"])

const wire = Schema.Struct({ Next: Cursor.FromWire })
const read = (text: string) => Schema.decodeUnknownResult(wire)(WireJson.parse(text))
const write = (Next: Cursor.Cursor) => WireJson.stringify(Schema.encodeSync(wire)({ Next }))

const survives = (digits: string) => {
  const answer = Result.getOrThrow(Envelope.parse(`{"Code":0,"Next":${digits}}`))
  const { Next } = Schema.decodeUnknownSync(wire)(answer.body)
  assert.strictEqual(Next, digits)
  assert.strictEqual(write(Next), `{"Next":${digits}}`)
  assert.strictEqual(Cursor.make(digits), Next)
  assert.isTrue(Cursor.is(digits))
}

describe("Cursor", () => {
  it.prop("survives wire, envelope and wire again, digit by digit", { next: upTo60Digits }, ({ next }) => {
    survives(next.toString())
  })

  it.prop(
    "survives at every length",
    { count: digitCount, digits: Schema.Array(digit).check(Schema.isBetweenLength(60, 60)), negative: Schema.Boolean },
    ({ count, digits, negative }) => {
      survives(`${negative ? "-" : ""}1${digits.slice(1, count).join("")}`)
    }
  )

  it.each([
    ["0"],
    ["1"],
    ["-1"],
    ["9007199254740991"],
    ["9007199254740992"],
    ["9007199254740993"],
    ["-9007199254740993"],
    ["971503777289036701"],
    ["9223372036854775807"],
    ["18446744073709551615"],
    ["9".repeat(308)]
  ])("survives as %s", (digits) => {
    assert.doesNotThrow(() => survives(digits))
  })

  it.prop("is the end only as 0", { next: upTo60Digits }, ({ next }) => {
    assert.strictEqual(Cursor.isEnd(Cursor.fromWire(next)), next === 0n)
  })

  it("begins where the list begins, which on an answer is the end", () => {
    assert.strictEqual(write(Cursor.start), '{"Next":0}')
    assert.isTrue(Cursor.isEnd(Cursor.start))
    assert.isFalse(Cursor.isEnd(Cursor.make("1")))
  })

  it("takes minus zero for zero", () => {
    assert.strictEqual(Cursor.fromWire(-0), Cursor.start)
    assert.deepStrictEqual(read('{"Next":-0}'), Result.succeed({ Next: Cursor.start }))
  })

  it.each([
    ["fraction", "1.5"],
    ["rounded exponent", "1e20"],
    ["infinite exponent", "1e400"],
    ["rounded fraction", "9007199254740993.0"],
    ["number of more than 308 digits", "9".repeat(309)],
    ["string", '"971503777289036700"'],
    ["string that is empty", '""'],
    ["null", "null"],
    ["boolean", "false"],
    ["array", "[0]"],
    ["object", "{}"]
  ])("rejects a %s on the wire", (_name, text) => {
    assert.isTrue(Result.isFailure(read(`{"Next":${text}}`)))
  })

  it("reads a whole number written otherwise as the number it is", () => {
    for (const text of ["100", "1e2", "100.0"]) {
      assert.deepStrictEqual(read(`{"Next":${text}}`), Result.succeed({ Next: Cursor.make("100") }))
    }
  })

  it("rejects a Next left out", () => {
    assert.isTrue(Result.isFailure(read("{}")))
  })

  it.each([
    [""],
    ["00"],
    ["01"],
    ["-0"],
    ["-"],
    ["+1"],
    ["1e5"],
    ["1.0"],
    ["0x1"],
    [" 1"],
    ["1\n"],
    ["1n"],
    ["٣"],
    ["9".repeat(309)]
  ])("is not made of %j", (digits) => {
    assert.isFalse(Cursor.is(digits))
    assert.throws(() => Cursor.make(digits), /the decimal digits of the `Next` of an earlier page/)
  })

  it.each([[0], [1n], [null], [undefined]])("decodes from its digits, not from %s", (input) => {
    assert.isDefined(problemOf(Cursor.Cursor, input))
    assert.isFalse(Cursor.is(input))
  })
})

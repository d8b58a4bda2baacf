import { Envelope, WireJson } from "@effect-zim/protocol"
import { assert, describe, it } from "@effect/vitest"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"

const read = (text: string) => Result.getOrThrow(Envelope.parse(text))
const unreadable = (text: string) => Option.getOrThrow(Result.getFailure(Envelope.parse(text)))
const problem = (text: string) => {
  const failure = unreadable(text)
  assert.strictEqual(failure._tag, "NoCode")
  return failure._tag === "NoCode" ? failure.problem : ""
}

/** The code of an answer in the words of the contract: an integer, or a string of digits; nothing else. */
const expectedCode = (code: unknown): number | undefined =>
  Number.isSafeInteger(code) || (typeof code === "string" && /^[0-9]{1,15}$/.test(code)) ? Number(code) : undefined

const anyCode = Schema.Union([
  Schema.Int,
  Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 999_999_999_999_999 })).pipe(
    Schema.decodeTo(Schema.String.check(Schema.isPattern(/^[0-9]{1,16}$/)))
  ),
  Schema.Json
])

describe("parse", () => {
  it("reads the answer of the documentation", () => {
    const text = '{"Code":0,"Message":"success","RequestId":"343649807833778782","Next":0,"List":[]}'
    assert.deepStrictEqual(read(text), {
      code: 0,
      message: "success",
      requestId: "343649807833778782",
      body: JSON.parse(text)
    })
  })

  it.each([
    ["0", 0],
    ["-0", -0],
    ["660300005", 660300005],
    ["-1", -1],
    ["9007199254740991", 9007199254740991],
    ["1e2", 100],
    ['"0"', 0],
    ['"660300005"', 660300005],
    ['"007"', 7],
    ['"999999999999999"', 999999999999999]
  ])("takes %s for a code", (text, code) => {
    assert.equal(read(`{"Code":${text}}`).code, code)
  })

  it.each([
    ["null", "null"],
    ["a fraction", "1.5"],
    ["huge", "99999999999999999999"],
    ["rounded", "1e20"],
    ["infinite", "1e400"],
    ["a boolean", "false"],
    ["an array", "[0]"],
    ["an object", '{"Code":0}'],
    ["an empty string", '""'],
    ["a word", '"success"'],
    ["a string with a sign", '"-1"'],
    ["a string with a fraction", '"1.5"'],
    ["a string with a space", '" 0"'],
    ["a string in hexadecimal", '"0x0"'],
    ["a string of 16 digits", '"9999999999999999"'],
    ["a string of foreign digits", '"٠"']
  ])("never takes a Code that is %s for success, and says where the problem is", (_name, text) => {
    assert.include(problem(`{"Code":${text},"Message":"success","Next":0}`), '["Code"]')
  })

  it("misses a Code left out, in another case, or inherited", () => {
    for (const text of ["{}", '{"code":0}', '{"Message":"success","Next":0}', '{"__proto__":{"Code":0}}']) {
      assert.strictEqual(problem(text), 'Missing key\n  at ["Code"]')
    }
  })

  it.each([["[]"], ['[{"Code":0}]'], ["0"], ['"{}"'], ["true"], ["null"]])("finds no Code in %s", (text) => {
    assert.strictEqual(problem(text), "Expected object")
  })

  it.each([
    [""],
    [" \n"],
    ["<html><h1>502 Bad Gateway</h1></html>"],
    ['{"Code":0,"Next":'],
    ['{"Code":0}}'],
    ["Code=0"],
    ["\u0000"],
    ["\ud800"]
  ])("says that %j is not JSON", (text) => {
    assert.deepStrictEqual(unreadable(text), { _tag: "NotJson" })
  })

  it("does not repeat the answer in the problem, however large", () => {
    const text = `{"Code":{"secret":"${"x".repeat(100_000)}"},"Message":"leak"}`
    assert.isBelow(problem(text).length, 200)
    assert.notInclude(problem(text), "x".repeat(10))
  })
})

describe("message and request id", () => {
  it.prop(
    "of any type do not hide the code",
    { code: anyCode, message: Schema.Json, requestId: Schema.Json },
    ({ code, message, requestId }) => {
      const text = JSON.stringify({ Code: code, Message: message, RequestId: requestId })
      const expected = expectedCode(code)
      const result = Envelope.parse(text)
      assert.strictEqual(Result.isSuccess(result), expected !== undefined)
      if (Result.isSuccess(result)) {
        assert.equal(result.success.code, expected)
        assert.strictEqual(result.success.message, typeof message === "string" ? message : "")
      } else {
        assert.strictEqual(result.failure._tag, "NoCode")
      }
    }
  )

  it.prop("keeps a request id, string or number, digit by digit", { id: Schema.BigInt }, ({ id }) => {
    const digits = id.toString().slice(0, 300)
    assert.strictEqual(read(`{"Code":0,"RequestId":${digits}}`).requestId, digits)
    assert.strictEqual(read(`{"Code":7,"RequestId":"${digits}"}`).requestId, digits)
  })

  it("are empty and undefined where there is none", () => {
    for (const [message, requestId] of [
      ["null", "null"],
      ["42", "true"],
      ['["a"]', '{"id":"1"}']
    ]) {
      const envelope = read(`{"Code":660300005,"Message":${message},"RequestId":${requestId}}`)
      assert.strictEqual(envelope.code, 660300005)
      assert.strictEqual(envelope.message, "")
      assert.isUndefined(envelope.requestId)
    }
    assert.strictEqual(read('{"Code":0}').message, "")
    assert.isUndefined(read('{"Code":0}').requestId)
    assert.strictEqual(read('{"Code":0,"RequestId":""}').requestId, "")
  })
})

describe("body", () => {
  it.prop("is the whole answer, exactly", { extra: Schema.Json }, ({ extra }) => {
    const text = `{"Code":0,"Next":971503777289036701,"extra":${JSON.stringify(extra)}}`
    assert.deepStrictEqual(read(text).body, WireJson.parse(text))
  })
})

describe("fuzz", () => {
  const valid = '{"Code":0,"Message":"success","RequestId":"343649807833778782","Next":971503777289036701,"List":[]}'
  const place = Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: valid.length }))

  const ends = (text: string) => {
    const result = Envelope.parse(text)
    let json: unknown
    try {
      json = JSON.parse(text)
    } catch {
      assert.deepStrictEqual(result, Result.fail({ _tag: "NotJson" as const }))
      return
    }
    const code = expectedCode(typeof json === "object" && json !== null && "Code" in json ? json.Code : undefined)
    if (Result.isSuccess(result)) assert.equal(result.success.code, code)
    else assert.isUndefined(code)
  }

  it.prop("any text ends as a value or a failure", { text: Schema.String }, ({ text }) => ends(text))

  it.prop("so does any JSON", { json: Schema.Json }, ({ json }) => ends(JSON.stringify(json)))

  it.prop(
    "so does any damage to a valid answer",
    { from: place, to: place, text: Schema.String },
    ({ from, text, to }) => {
      ends(valid.slice(0, from) + text + valid.slice(to))
      ends(valid.slice(0, from))
    },
    { arbitrary: { runs: 500 } }
  )

  it.each([1, 100, 499, 500, 501, 1000, 4000, 10_000, 100_000, 1_000_000])("so does any nesting: %d", (depth) => {
    // Also where a rounded integer comes first, alone and so that only a reviver finds it.
    for (const leaf of ["0", "971503777289036701", ""]) {
      for (const first of ["", '"id":971503777289036701,', '"id":971503777289036701,"text":"a:9715037772890367012",']) {
        const deep = "[".repeat(depth) + leaf + "]".repeat(depth)
        const results = [deep, `{${first}"Code":${deep}}`, `{${first}"Code":0,"extra":${deep}}`].map(Envelope.parse)
        const outcomes = results.map((result) => (Result.isSuccess(result) ? result.success.code : result.failure._tag))
        // The same on any stack, however much of it is left.
        const inObject = depth < WireJson.deepest ? ["NoCode", 0] : ["TooDeep", "TooDeep"]
        assert.deepStrictEqual(outcomes, [depth <= WireJson.deepest ? "NoCode" : "TooDeep", ...inObject])
      }
    }
  })
})

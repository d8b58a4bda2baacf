import { Conversation, Operation, QueryConversationList, WireJson } from "@effect-zim/protocol"
import { assert, describe, it } from "@effect/vitest"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"

const { isExact = () => false, ...schemaOnly } = QueryConversationList.operation
const { operation } = QueryConversationList

const numbers = [0, 2, -1, 0.5, 8.64e15, -8.64e15, 8.64e15 + 2, -8.64e15 - 2, 2 ** 53 - 1, -(2 ** 53), 1e20]
const integers = [2n ** 53n, -(2n ** 63n), 10n ** 307n, 10n ** 308n]
const others = ["0", "", "text", true, null, undefined, [2 ** 53, "0"], {}, { deep: [1, 2n ** 60n] }]

/** What may be somewhere instead of what should be. */
const values: ReadonlyArray<unknown> = [...numbers, ...integers, ...others]

/** An answer, right but for one thing at most. */
const Made = Schema.Struct({
  next: Schema.Literals([0, 7, 971503777289036701n]),
  list: Schema.NonEmptyArray(Conversation.Wire),
  place: Schema.Literals(["Code", "RequestId", "TotalCount", "Next", "List", "Extra", "List[]"]),
  field: Schema.Literals(["ConvId", "ConvType", "UpdateTime", "Extra"]),
  inEntry: Schema.Boolean,
  value: Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: values.length - 1 }))
})

const make = ({ field, inEntry, list, next, place, value }: typeof Made.Type) => {
  const right = { Code: 0, RequestId: "343649807833778782", TotalCount: list.length, Next: next }
  const [head, ...tail] = list
  if (inEntry) return { ...right, List: [...tail, { ...head, [field]: values[value] }] }
  if (place === "List[]") return { ...right, List: [...list, values[value]] }
  return { ...right, List: list, [place]: values[value] }
}

describe("decodeResponse", () => {
  it.prop(
    "says the same with a short cut and without, of right answers and wrong ones",
    { made: Made },
    ({ made }) => {
      const text = WireJson.stringify(make(made))
      const answers = Result.all([
        Operation.decodeResponse(operation, text),
        Operation.decodeResponse(schemaOnly, text)
      ])
      // Without a Code, or with a wrong one.
      if (Result.isFailure(answers)) return
      const [short, long] = answers.success
      assert.deepStrictEqual({ ...short, payload: short.payload() }, { ...long, payload: long.payload() })
      assert.deepStrictEqual(short.body, WireJson.parse(text))

      const payload = short.payload()
      const decoded = Schema.decodeUnknownResult(operation.payload)(short.body)
      assert.strictEqual(Result.isSuccess(payload), Result.isSuccess(decoded))
      if (Result.isFailure(payload) && Result.isFailure(decoded)) {
        assert.strictEqual(payload.failure.message, decoded.failure.message)
      }
      if (Result.isSuccess(payload)) assert.strictEqual<unknown>(payload.success, short.body)
    },
    { arbitrary: { runs: 1000 } }
  )

  it("fails as the envelope does", () => {
    assert.deepStrictEqual(Operation.decodeResponse(operation, "<html>"), Result.fail({ _tag: "NotJson" as const }))
    assert.deepStrictEqual(
      Operation.decodeResponse(operation, "{}"),
      Result.fail({ _tag: "NoCode" as const, problem: 'Missing key\n  at ["Code"]' })
    )
  })
})

describe("isExact", () => {
  it.prop(
    "is true exactly of a payload in which nothing was rounded",
    { made: Made },
    ({ made }) => {
      const answer = make(made)
      const text = WireJson.stringify(answer)
      for (const body of [JSON.parse(text), WireJson.parse(text), answer]) {
        assert.strictEqual(isExact(body), Schema.is(operation.payload)(body) && !WireJson.hasRounded(body), text)
      }
    },
    { arbitrary: { runs: 1000 } }
  )

  it.prop("is true of any payload", { payload: operation.payload }, ({ payload }) => {
    assert.isTrue(isExact(payload))
  })

  it.prop("says of any other JSON what the schema says", { json: Schema.Json }, ({ json }) => {
    assert.strictEqual(isExact(json), Schema.is(operation.payload)(json) && !WireJson.hasRounded(json))
  })
})

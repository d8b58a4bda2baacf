import { ReturnCode, ServiceError } from "@effect-zim/protocol"
import { assert, describe, it } from "@effect/vitest"
import * as Arbitrary from "effect/Arbitrary"
import * as Cause from "effect/Cause"
import * as Duration from "effect/Duration"
import * as Equal from "effect/Equal"
import * as Schema from "effect/Schema"

const answer = (code: number): ServiceError.Details => ({
  code,
  action: "QueryConversationList",
  attempts: 3,
  elapsed: Duration.millis(1020),
  requestId: "343649807833778782",
  vendorMessage: "vendor text"
})

describe("a time in a message", () => {
  it.each([
    [Duration.millis(1020), "1s 20ms"],
    [Duration.zero, "0ms"],
    [Duration.millis(3847.967158), "3s 848ms"],
    [Duration.nanos(1n), "1ms"],
    [Duration.infinity, "Infinity"]
  ] as const)("%s is %s", (time, text) => {
    assert.strictEqual(ServiceError.describeTime(time), text)
  })
})

const globals = [
  [ServiceError.MalformedRequest, [2, 660000012, 100000000, 100000001, 100000002, 100000003, 100000006, 100000007]],
  [ServiceError.MalformedRequest, [100000008, 100000009, 100000013, 100000014]],
  [ServiceError.Throttled, [7]],
  [ServiceError.AuthenticationFailed, [3, 100000005]],
  [ServiceError.SignatureExpired, [100000004]],
  [ServiceError.NotPermitted, [100000016, 100000017, 660000028]],
  [ServiceError.ServiceFailed, [1, 105001, 660000001, 660000003, 100000010, 100000011, 100000012, 100000015]]
] as const
const globalCodes = globals.flatMap(([Class, codes]) => codes.map((code) => [code, Class] as const))

/** One error of every class, and of every code of the classes that have several. */
const errors: ReadonlyArray<ServiceError.ServiceError> = [
  ...globalCodes.map(([code]) => ServiceError.fromDetails(answer(code))),
  new ServiceError.InvalidInput({ ...answer(660000002), code: 660000002 }),
  new ServiceError.RateLimited({ ...answer(660300005), code: 660300005 }),
  new ServiceError.UserNotRegistered({ ...answer(660500002), code: 660500002, userId: "user-42" }),
  new ServiceError.QueryFailed({ ...answer(660800053), code: 660800053 }),
  ServiceError.fromDetails(answer(42))
]
const cases = errors.map((error) => [error.code, error] as const)
const withCode = (code: number): ServiceError.ServiceError => {
  const error = errors.find((error) => error.code === code)
  if (error === undefined) throw new Error(`no error of code ${code}`)
  return error
}

describe("fromDetails", () => {
  it.each(globalCodes)("gives %d its class, with every field of the answer", (code, Class) => {
    const error = ServiceError.fromDetails(answer(code))
    assert.strictEqual<unknown>(error.constructor, Class)
    assert.instanceOf(error, Error)
    assert.strictEqual(error._tag, Class.name)
    assert.strictEqual(error.name, `@effect-zim/protocol/${Class.name}`)
    assert.deepStrictEqual({ ...error }, { ...error, ...answer(code) })
  })

  it("covers, with the four codes of the operation, the whole table", () => {
    const covered = [...globalCodes.map(([code]) => code), 660000002, 660300005, 660500002, 660800053]
    assert.sameMembers(
      covered,
      ReturnCode.table.map((row) => row.code)
    )
  })

  it.prop("gives any other code UnknownReturnCode, losing nothing", { code: Schema.Int }, ({ code }) => {
    if (globalCodes.some(([known]) => known === code)) return
    const error = ServiceError.fromDetails(answer(code))
    assert.instanceOf(error, ServiceError.UnknownReturnCode)
    assert.deepStrictEqual({ ...error }, { ...error, ...answer(code) })
    assert.include(error.message, `${code} `)
  })
})

describe("message", () => {
  it.each(cases)("of %d has code, meaning, vendor text, request id, action, attempts and time", (code, error) => {
    assert.include(
      error.message,
      `${code} ${ReturnCode.lookup(code)?.meaning ?? "Unknown return code"}: vendor text ` +
        "(request id 343649807833778782; QueryConversationList, 3 attempts, 1s 20ms)"
    )
    assert.include(String(error), error.message)
    assert.include(Cause.pretty(Cause.fail(error)), error.message)
  })

  it("says where the answer had no text and no id", () => {
    const error = ServiceError.fromDetails({ ...answer(1), vendorMessage: "", requestId: undefined, attempts: 1 })
    assert.strictEqual(error.message, "1 Server busy (no request id; QueryConversationList, 1 attempt, 1s 20ms)")
  })

  it("names the user who is not registered", () => {
    assert.match(withCode(660500002).message, /^user "user-42": 660500002 User not registered/)
  })
})

describe("JSON", () => {
  it.each(cases)("of %d is read back equal", (_code, error) => {
    const codec = Schema.fromJsonString(Schema.toCodecJson(ServiceError.ServiceError))
    const text = Schema.encodeSync(codec)(error)
    const back = Schema.decodeSync(codec)(text)
    assert.isTrue(Equal.equals(back, error))
    assert.strictEqual(back.constructor, error.constructor)
    assert.strictEqual(back.message, error.message)
    assert.notInclude(text, "stack")
  })

  for (const Class of ServiceError.ServiceError.members) {
    const codec = Schema.toCodecJson(Schema.Union([Class]))
    it.prop(
      `of any ${Class.name} is read back equal`,
      { error: Arbitrary.schema(Schema.Union([Class])) },
      ({ error }) => {
        const back = Schema.decodeUnknownSync(codec)(JSON.parse(JSON.stringify(Schema.encodeSync(codec)(error))))
        assert.isTrue(Equal.equals(back, error))
      }
    )
  }

  it("keeps a request id that there was not", () => {
    const codec = Schema.toCodecJson(ServiceError.ServiceFailed)
    const error = new ServiceError.ServiceFailed({ ...answer(1), code: 1, requestId: undefined })
    assert.isUndefined(Schema.decodeSync(codec)(Schema.encodeSync(codec)(error)).requestId)
  })

  it("of a class takes only the codes of the class", () => {
    const json = Schema.encodeSync(Schema.toCodecJson(ServiceError.Throttled))(
      new ServiceError.Throttled({ ...answer(7), code: 7 })
    )
    const decode = Schema.decodeUnknownSync(Schema.toCodecJson(ServiceError.Throttled))
    assert.throws(() => decode({ ...Object(json), code: 8 }), /7/)
    assert.throws(() => decode({ ...Object(json), _tag: "RateLimited" }), /Throttled/)
  })
})

describe("advice", () => {
  it.each(cases)("for %d is that of the table, a sentence at least", (code, error) => {
    const advice = ServiceError.advice(error)
    assert.match(advice, /^[A-Za-z].{15,}\.$/)
    assert.strictEqual(advice, ReturnCode.lookup(code)?.advice ?? advice)
  })

  it("for an unknown code asks for the request id", () => {
    assert.include(ServiceError.advice(withCode(42)), "not documented")
    assert.include(ServiceError.advice(withCode(42)), "request id")
  })
})

describe("retry", () => {
  it.each(cases)("of %d follows the table", (code, error) => {
    const retry = ReturnCode.lookup(code)?.retry ?? "Never"
    assert.strictEqual(ServiceError.retryOf(error), retry)
    assert.strictEqual(ServiceError.isRetryable(error), retry !== "Never")
    assert.strictEqual(ServiceError.isRateLimit(error), code === 7 || code === 660300005)
  })

  it("is what the contract says, in one word per code", () => {
    const retryable = errors.filter(ServiceError.isRetryable).map((error) => error.code)
    assert.sameMembers(
      retryable,
      [1, 7, 105001, 660000001, 660000003, 660300005, 660800053, 100000004, 100000010, 100000011, 100000012, 100000015]
    )
    assert.strictEqual(ServiceError.retryOf(withCode(42)), "Never")
    assert.strictEqual(ServiceError.retryOf(withCode(100000004)), "Clock")
  })
})

describe("describeCall", () => {
  it("counts attempts", () => {
    const call = { action: "A", attempts: 1, elapsed: Duration.seconds(61) }
    assert.strictEqual(ServiceError.describeCall(call), "A, 1 attempt, 1m 1s")
    assert.strictEqual(ServiceError.describeCall({ ...call, attempts: 2 }), "A, 2 attempts, 1m 1s")
  })
})

import {
  Cursor,
  Operation,
  PageSize,
  QueryConversationList,
  ServiceError,
  UserId,
  WireJson
} from "@effect-zim/protocol"
import { assert, describe, it } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import { problemOf } from "./problemOf.ts"

const { operation } = QueryConversationList
const write = (request: QueryConversationList.Request) => {
  const text = Operation.encodeRequest(operation, request)
  assert.strictEqual(text, WireJson.stringify(Schema.encodeSync(operation.request)(request)))
  return text
}
const receive = (text: string) => Schema.decodeUnknownSync(operation.request)(WireJson.parse(text))
const payload = (text: string) => Schema.decodeUnknownResult(operation.payload)(WireJson.parse(text))

const user = UserId.make("user-42")
const first: QueryConversationList.Request = { userId: user, pageSize: PageSize.make(500), cursor: Cursor.start }
const later: QueryConversationList.Request = { ...first, cursor: Cursor.make("971503777289036700") }
const interpret = (text: string, request = first) =>
  operation.interpret(Result.getOrThrow(payload(text)), request, {
    text,
    requestId: "1",
    attempts: 1,
    elapsed: Duration.zero
  })
const page = (text: string, request = first) => Result.getOrThrow(interpret(text, request))

const userIds = Schema.Literals(["u", "user-42", "a b", "x".repeat(32), "!#$%&()+-:;<=.>?@[]^_ {}|~"])
const pageSizes = Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 500 }))
const cursors = Schema.BigInt.check(Schema.isBetweenBigInt({ minimum: -(10n ** 60n), maximum: 10n ** 60n }))

describe("operation", () => {
  it("says what the contract says", () => {
    assert.strictEqual(operation.action, "QueryConversationList")
    assert.strictEqual(operation.kind, "Read")
    assert.strictEqual(operation.callsPerSecond, 20)
    assert.strictEqual(QueryConversationList.maximumConversations, 1000)
    assert.isAtLeast(operation.paging.maximumPages, 1000)
  })
})

describe("make", () => {
  it.effect("fills in the largest page, from the beginning", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* operation.make({ userId: "user-42" }), first)
      assert.deepStrictEqual(
        yield* operation.make({ userId: "user-42", pageSize: undefined, cursor: undefined }),
        first
      )
    })
  )

  it.effect.prop(
    "keeps what the user writes",
    { userId: userIds, pageSize: pageSizes, cursor: cursors },
    ({ cursor, pageSize, userId }) =>
      Effect.gen(function* () {
        const input = { userId, pageSize, cursor: cursor.toString() }
        assert.deepStrictEqual<unknown>(yield* operation.make(input), input)
      })
  )

  const bySchema = (input: QueryConversationList.Input) =>
    Effect.result(Schema.decodeEffect(QueryConversationList.Request)(input))

  const inputs = Schema.Struct({
    cursor: Schema.optional(
      Schema.Union([Schema.Literals(["0", "7", "-7", "971503777289036700", "07"]), Schema.String])
    ),
    pageSize: Schema.optional(Schema.Union([pageSizes, Schema.Number])),
    userId: Schema.Union([userIds, Schema.String]),
    more: Schema.optionalKey(Schema.Number)
  })

  it.effect.prop("gives what the schema gives, or fails with its words", { input: inputs }, ({ input }) =>
    Effect.gen(function* () {
      const made = yield* Effect.result(operation.make(input))
      const expected = yield* bySchema(input)
      assert.deepStrictEqual(Result.mapError(made, String), Result.mapError(expected, String))
      assert.deepStrictEqual(Result.map(made, Object.keys), Result.map(expected, Object.keys))
    })
  )

  it.effect.each([
    ["an array", Object.assign([], { userId: "u" })],
    ["a function", Object.assign(() => "u", { userId: "u" })]
  ] as const)("rejects %s", ([, input]) =>
    Effect.gen(function* () {
      assert.include((yield* Effect.flip(operation.make(input))).message, "Expected object")
    })
  )

  it.effect.each([
    ["userId", { userId: "it's" }, "cannot contain"],
    ["userId", { userId: "" }, "at least one character"],
    ["pageSize", { userId: "u", pageSize: 0 }, "from 1 to 500, not 0"],
    ["pageSize", { userId: "u", pageSize: 501 }, "from 1 to 500, not 501"],
    ["pageSize", { userId: "u", pageSize: 1.5 }, "integer"],
    ["cursor", { userId: "u", cursor: "abc" }, "decimal digits"],
    ["cursor", { userId: "u", cursor: "" }, "decimal digits"]
  ] as const)("rejects %s", ([field, input, problem]) =>
    Effect.gen(function* () {
      const { message } = yield* Effect.flip(operation.make(input))
      assert.include(message, `["${field}"]`)
      assert.include(message, problem)
    })
  )
})

describe("request on the wire", () => {
  it("is exactly the documented JSON", () => {
    assert.strictEqual(write(first), '{"FromUserId":"user-42","Limit":500,"Next":0}')
    assert.strictEqual(
      write({ ...later, pageSize: PageSize.make(1), cursor: Cursor.make("18446744073709551615") }),
      '{"FromUserId":"user-42","Limit":1,"Next":18446744073709551615}'
    )
  })

  it.prop(
    "arrives as it was sent",
    { userId: userIds, pageSize: pageSizes, cursor: cursors },
    ({ cursor, pageSize, userId }) => {
      const request = {
        userId: UserId.make(userId),
        pageSize: PageSize.make(pageSize),
        cursor: Cursor.make(cursor.toString())
      }
      assert.deepStrictEqual(receive(write(request)), request)
      assert.strictEqual(write(request), `{"FromUserId":"${userId}","Limit":${pageSize},"Next":${cursor}}`)
    }
  )

  it("has the service's defaults, which are not this client's", () => {
    assert.deepStrictEqual(receive('{"FromUserId":"user-42"}'), { ...first, pageSize: PageSize.make(100) })
  })

  it.each([
    [-1, 100],
    [0, 100],
    [1, 1],
    [500, 500],
    [501, 500]
  ])("with a Limit of %d is corrected to %d", (limit, pageSize) => {
    assert.strictEqual(receive(`{"FromUserId":"user-42","Limit":${limit}}`).pageSize, pageSize)
  })

  it("may have fields this version does not know", () => {
    assert.deepStrictEqual(receive('{"FromUserId":"user-42","Limit":500,"Next":0,"Extra":1}'), first)
  })

  it.each([
    ["FromUserId", "{}"],
    ["FromUserId", '{"FromUserId":null}'],
    ["FromUserId", '{"FromUserId":42}'],
    ["FromUserId", '{"FromUserId":"it\'s"}'],
    ["FromUserId", '{"fromUserId":"user-42"}'],
    ["Limit", '{"FromUserId":"u","Limit":1.5}'],
    ["Limit", '{"FromUserId":"u","Limit":"100"}'],
    ["Limit", '{"FromUserId":"u","Limit":null}'],
    ["Next", '{"FromUserId":"u","Next":0.5}'],
    ["Next", '{"FromUserId":"u","Next":"0"}'],
    ["Next", '{"FromUserId":"u","Next":null}']
  ])("is rejected for its %s: %s", (field, text) => {
    assert.include(problemOf(operation.request, WireJson.parse(text)), `["${field}"]`)
  })
})

describe("payload", () => {
  const entry = { ConvId: "conv1", ConvType: 2, UpdateTime: 1708254395000 }
  const json = (fields: object) => JSON.stringify({ Code: 0, TotalCount: 1, Next: 0, List: [entry], ...fields })

  it.each([
    ["as documented", {}],
    ["with an empty List", { List: [] }],
    ["with a null List", { List: null }],
    ["without List", { List: undefined }],
    ["with a null TotalCount", { TotalCount: null }],
    ["without TotalCount", { TotalCount: undefined }],
    ["with fields this version does not know", { Extra: { a: 1 } }],
    ["with entries without ConvType", { List: [{ ...entry, ConvType: undefined }] }]
  ])("is read %s", (_name, fields) => {
    assert.isTrue(Result.isSuccess(payload(json(fields))))
    assert.isTrue(Schema.is(operation.payload)(WireJson.parse(json(fields))))
  })

  it.each([
    ["Next", "left out", { Next: undefined }],
    ["Next", "null", { Next: null }],
    ["Next", "a string", { Next: "0" }],
    ["Next", "a fraction", { Next: 0.5 }],
    ["List", "an object", { List: {} }],
    ["List", "a string", { List: "[]" }],
    ["List", "a list with a null", { List: [entry, null] }],
    ["List", "a list with an entry without id", { List: [{ UpdateTime: 1 }] }],
    ["List", "a list with an entry without time", { List: [{ ConvId: "c" }] }],
    ["TotalCount", "a string", { TotalCount: "1" }],
    ["TotalCount", "a fraction", { TotalCount: 0.5 }]
  ])("is an error where %s is %s", (field, _name, fields) => {
    const answer = WireJson.parse(json(fields))
    assert.include(problemOf(operation.payload, answer), `["${field}"]`)
    assert.isFalse(Schema.is(operation.payload)(answer))
  })

  it.prop("survives the way from emulator to client", { payload: QueryConversationList.Payload }, (generated) => {
    const text = WireJson.stringify(Schema.encodeSync(operation.payload)(generated.payload))
    const arrived = Result.getOrThrow(payload(text))
    assert.strictEqual(WireJson.stringify(arrived), text)
  })
})

describe("interpret", () => {
  it("gives the conversations in the order of the service, and where to go on", () => {
    const text = `{"TotalCount":250,"Next":971503777289036701,"List":[
      {"ConvId":"b","UpdateTime":1},{"ConvId":"a","ConvType":2,"UpdateTime":2,"Seq":9}]}`
    const found = page(text)
    assert.deepStrictEqual(
      found.conversations.map((conversation) => [conversation.id, conversation.type]),
      [
        ["b", "OneToOne"],
        ["a", "Group"]
      ]
    )
    assert.deepStrictEqual(found.next, Option.some(Cursor.make("971503777289036701")))
    assert.deepStrictEqual(found.totalCount, Option.some(250))
    assert.deepStrictEqual(operation.paging.next(found), found.next)
  })

  it("ends at a Next of 0 only", () => {
    assert.deepStrictEqual(page('{"Next":0,"List":[]}').next, Option.none())
    assert.deepStrictEqual(page('{"Next":-0,"List":[]}').next, Option.none())
    assert.deepStrictEqual(page('{"Next":1,"List":[]}').next, Option.some(Cursor.make("1")))
    assert.deepStrictEqual(page('{"Next":-1,"List":[]}').next, Option.some(Cursor.make("-1")))
  })

  it.each([
    ["a List of none", '{"TotalCount":0,"Next":0,"List":[]}', Option.some(0)],
    ["a null List", '{"TotalCount":0,"Next":0,"List":null}', Option.some(0)],
    ["no List", '{"TotalCount":0,"Next":0}', Option.some(0)],
    ["neither List nor count", '{"Next":0}', Option.none()],
    ["no List and a null count", '{"TotalCount":null,"Next":0}', Option.none()]
  ])("takes %s for an empty list", (_name, text, totalCount) => {
    const found = page(text)
    assert.deepStrictEqual(found.conversations, [])
    assert.deepStrictEqual(found.totalCount, totalCount)
  })

  it.each([
    ["left out", '{"TotalCount":3,"Next":0}'],
    ["null", '{"TotalCount":3,"Next":0,"List":null}'],
    ["left out with more to come", '{"TotalCount":3,"Next":7}']
  ])("does not take a List that is %s for empty on a first page that counts conversations", (_name, text) => {
    assert.deepStrictEqual(interpret(text), Result.fail("the answer counts 3 conversations but has no List"))
  })

  it("takes an empty list at its word, and a later page without List for an empty one", () => {
    assert.deepStrictEqual(page('{"TotalCount":3,"Next":0,"List":[]}').conversations, [])
    assert.deepStrictEqual(page('{"TotalCount":3,"Next":0}', later).conversations, [])
  })

  it("keeps the fields it does not know, when the answer was checked and not decoded", () => {
    const text = '{"Next":0,"List":[{"ConvId":"a","UpdateTime":2,"Seq":971503777289036701}]}'
    const answer = WireJson.parse(text)
    if (!Schema.is(operation.payload)(answer)) throw new Error("not a payload")
    const [conversation] = Result.getOrThrow(
      operation.interpret(answer, first, { text, requestId: "1", attempts: 1, elapsed: Duration.zero })
    ).conversations
    assert.strictEqual(WireJson.stringify(conversation?.raw), '{"ConvId":"a","UpdateTime":2,"Seq":971503777289036701}')
  })
})

describe("paging", () => {
  it("moves the cursor and nothing else", () => {
    const { cursor, withCursor } = operation.paging
    assert.strictEqual(cursor(first), Cursor.start)
    assert.deepStrictEqual(withCursor(first, later.cursor), later)
    assert.strictEqual(cursor(withCursor(first, later.cursor)), later.cursor)
    assert.deepStrictEqual(withCursor(later, Cursor.start), first)
  })
})

describe("failures", () => {
  const answer = (code: number): ServiceError.Details => ({
    code,
    action: operation.action,
    attempts: 3,
    elapsed: Duration.millis(1020),
    requestId: "343649807833778782",
    vendorMessage: "vendor text"
  })

  it("are those of the four documented codes", () => {
    assert.deepStrictEqual(Object.keys(operation.failures), ["660000002", "660300005", "660500002", "660800053"])
  })

  it.each([
    [660000002, ServiceError.InvalidInput, {}],
    [660300005, ServiceError.RateLimited, {}],
    [660500002, ServiceError.UserNotRegistered, { userId: "user-42" }],
    [660800053, ServiceError.QueryFailed, {}]
  ])("%d arrives as its class, with all fields", (code, Class, more) => {
    const error = Operation.failure(operation, answer(code), first)
    assert.strictEqual<unknown>(error.constructor, Class)
    assert.deepStrictEqual({ ...error }, { ...error, ...answer(code), ...more })
    assert.strictEqual(error._tag, Class.name)
  })

  it("names the user who is not registered", () => {
    const { message } = Operation.failure(operation, answer(660500002), first)
    assert.include(message, "user-42")
    assert.include(message, "660500002")
  })

  it.each([
    [1, "ServiceFailed"],
    [2, "MalformedRequest"],
    [100000004, "SignatureExpired"],
    [12345, "UnknownReturnCode"],
    [-1, "UnknownReturnCode"]
  ])("%d, which the operation does not document, arrives as %s", (code, tag) => {
    const error = Operation.failure(operation, answer(code), first)
    assert.strictEqual(error._tag, tag)
    assert.strictEqual(error.code, code)
  })
})

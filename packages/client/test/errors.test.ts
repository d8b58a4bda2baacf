import { ClientError, Conversations, RetryPolicy, Timeout, ZimClient } from "@effect-zim/client"
import { QueryConversationList, ReturnCode, ServiceError } from "@effect-zim/protocol"
import { assert, describe, it } from "@effect/vitest"
import * as Arbitrary from "effect/Arbitrary"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import * as FakeService from "./fakeService.ts"

const { operation } = QueryConversationList
const read = ZimClient.execute(operation, { userId: "user-42" })

/** The table of the contract, section 4, written out a second time: what each code must arrive as. */
const documented: ReadonlyArray<readonly [number, ServiceError.ServiceError["_tag"]]> = [
  [660000002, "InvalidInput"],
  [660300005, "RateLimited"],
  [660500002, "UserNotRegistered"],
  [660800053, "QueryFailed"],
  [1, "ServiceFailed"],
  [2, "MalformedRequest"],
  [3, "AuthenticationFailed"],
  [7, "Throttled"],
  [105001, "ServiceFailed"],
  [100000000, "MalformedRequest"],
  [100000001, "MalformedRequest"],
  [100000002, "MalformedRequest"],
  [100000003, "MalformedRequest"],
  [100000004, "SignatureExpired"],
  [100000005, "AuthenticationFailed"],
  [100000006, "MalformedRequest"],
  [100000007, "MalformedRequest"],
  [100000008, "MalformedRequest"],
  [100000009, "MalformedRequest"],
  [100000010, "ServiceFailed"],
  [100000011, "ServiceFailed"],
  [100000012, "ServiceFailed"],
  [100000013, "MalformedRequest"],
  [100000014, "MalformedRequest"],
  [100000015, "ServiceFailed"],
  [100000016, "NotPermitted"],
  [100000017, "NotPermitted"],
  [660000001, "ServiceFailed"],
  [660000003, "ServiceFailed"],
  [660000012, "MalformedRequest"],
  [660000028, "NotPermitted"]
]

const classes: Readonly<Record<ServiceError.ServiceError["_tag"], new (...args: never) => ServiceError.ServiceError>> =
  {
    InvalidInput: ServiceError.InvalidInput,
    RateLimited: ServiceError.RateLimited,
    UserNotRegistered: ServiceError.UserNotRegistered,
    QueryFailed: ServiceError.QueryFailed,
    MalformedRequest: ServiceError.MalformedRequest,
    Throttled: ServiceError.Throttled,
    AuthenticationFailed: ServiceError.AuthenticationFailed,
    SignatureExpired: ServiceError.SignatureExpired,
    NotPermitted: ServiceError.NotPermitted,
    ServiceFailed: ServiceError.ServiceFailed,
    UnknownReturnCode: ServiceError.UnknownReturnCode,
    OperationFailed: ServiceError.OperationFailed
  }

const isServiceError = (error: ClientError.CallError<ServiceError.ServiceError>): error is ServiceError.ServiceError =>
  "vendorMessage" in error

const failure = Effect.fnUntraced(function* (service: FakeService.FakeService) {
  const error = yield* read.pipe(Effect.flip, Effect.provide(FakeService.clientOf(service.layer)))
  if (!isServiceError(error)) return yield* Effect.die(error)
  return error
})

describe("return codes", () => {
  it("all that the contract lists, and no other, are in the table", () => {
    assert.strictEqual(documented.length, 31)
    assert.deepStrictEqual(
      documented.map(([code, tag]) => ({ code, tag })).toSorted((a, b) => a.code - b.code),
      ReturnCode.table.map(({ code, error }) => ({ code, tag: error })).toSorted((a, b) => a.code - b.code)
    )
  })

  it.effect.each(documented)("%i arrives as %s", ([code, tag]) =>
    Effect.gen(function* () {
      const service = FakeService.answering(FakeService.code(code, "the vendor's words", "77000123456789012345"))
      const error = yield* failure(service).pipe(RetryPolicy.provide(RetryPolicy.none))
      assert.strictEqual(error._tag, tag)
      assert.isTrue(error instanceof classes[tag])
      assert.strictEqual(error.code, code)
      assert.strictEqual(error.vendorMessage, "the vendor's words")
      assert.strictEqual(error.requestId, "77000123456789012345")
      assert.strictEqual(error.action, "QueryConversationList")
      assert.strictEqual(error.attempts, 1)
      assert.strictEqual(Duration.toMillis(error.elapsed), 0)
      for (const part of [`${code} `, "the vendor's words", "request id 77000123456789012345", "1 attempt"]) {
        assert.include(error.message, part)
      }
      if (error._tag === "UserNotRegistered") assert.strictEqual(error.userId, "user-42")
      assert.isNotEmpty(ClientError.advice(error))
      assert.strictEqual(service.sent.length, 1)
    })
  )

  const anyOther = Arbitrary.schema(Schema.Int).pipe(
    Arbitrary.filter((code) => code !== 0 && ReturnCode.lookup(code) === undefined)
  )

  it.effect.prop(
    "any other arrives as UnknownReturnCode, at once and whole",
    [anyOther, Schema.String.check(Schema.isPattern(/^[a-z]{0,40}$/))],
    ([code, message]) =>
      Effect.gen(function* () {
        const service = FakeService.answering(FakeService.code(code, message, "77000123456789012345"))
        const error = yield* failure(service)
        assert.strictEqual(error._tag, "UnknownReturnCode")
        assert.strictEqual(error.code, code)
        assert.strictEqual(error.vendorMessage, message)
        assert.strictEqual(error.requestId, "77000123456789012345")
        assert.strictEqual(error.attempts, 1)
        assert.strictEqual(service.sent.length, 1)
      }),
    { arbitrary: { seed: 1, runs: 200 } }
  )

  it.effect("a code is the same as a string of digits, and whatever the HTTP status", () =>
    Effect.gen(function* () {
      for (const status of [200, 400, 403, 429, 500, 502, 503]) {
        const body = `{"Code":"660500002","Message":"no such user","RequestId":42}`
        const error = yield* failure(FakeService.answering(FakeService.text(body, { status })))
        assert.strictEqual(error._tag, "UserNotRegistered")
        assert.strictEqual(error.code, 660500002)
        assert.strictEqual(error.requestId, "42")
      }
    })
  )

  it.effect.each([
    [`{"Code":2}`, "", undefined],
    [`{"Code":2,"Message":null,"RequestId":null}`, "", undefined],
    [`{"Code":2,"Message":["a"],"RequestId":{"a":1}}`, "", undefined],
    [`{"Code":2,"Message":"m","RequestId":971503777289036701}`, "m", "971503777289036701"],
    [`{"Code":2,"Message":"two\\nlines\\u0000","RequestId":""}`, "two lines", ""]
  ] as const)("message and request id may be odd or missing: %s", ([body, message, requestId]) =>
    Effect.gen(function* () {
      const error = yield* failure(FakeService.answering(FakeService.text(body)))
      assert.strictEqual(error._tag, "MalformedRequest")
      assert.strictEqual(error.vendorMessage, message)
      assert.strictEqual(error.requestId, requestId)
      assert.include(error.message, "2 Parameter wrong")
    })
  )

  it.effect("attempts and time of all attempts are in the last error", () =>
    Effect.gen(function* () {
      const fixed = RetryPolicy.backoff({ base: "1 second", cap: "1 second", times: 4 })
      const service = FakeService.make(() => Effect.delay(Effect.succeed(FakeService.code(1)), "30 millis"))
      const error = yield* FakeService.inTime(
        failure(service).pipe(RetryPolicy.provide({ ...RetryPolicy.none, transient: fixed }))
      )
      assert.strictEqual(error.attempts, 5)
      assert.strictEqual(service.sent.length, 5)
      const first = service.sent[0]?.time ?? 0
      const last = service.sent[4]?.time ?? 0
      assert.isAbove(last, first)
      assert.closeTo(Duration.toMillis(error.elapsed), last - first + 30, 1)
    })
  )
})

describe("the client's own errors", () => {
  const fail = <A, E>(effect: Effect.Effect<A, E, ZimClient.ZimClient>, service: FakeService.FakeService) =>
    FakeService.inTime(effect.pipe(Effect.flip, Effect.provide(FakeService.clientOf(service.layer))))

  it.effect("RequestInvalid, before anything is sent", () =>
    Effect.gen(function* () {
      const service = FakeService.answering(FakeService.page([]))
      const error = yield* fail(Conversations.page("it's"), service)
      assert.instanceOf(error, ClientError.RequestInvalid)
      assert.notInclude(error.message, "\n")
      assert.strictEqual(error.action, "QueryConversationList")
      assert.include(error.message, "position 3")
      assert.deepStrictEqual([error.field, ClientError.traits(error).concerns], ["userId", "User"])
      const ofEverybody = yield* fail(Conversations.page("its", { pageSize: 1.5 }), service)
      assert.instanceOf(ofEverybody, ClientError.RequestInvalid)
      assert.deepStrictEqual([ofEverybody.field, ClientError.traits(ofEverybody).concerns], ["pageSize", "Everybody"])
      assert.isTrue(Schema.isSchemaError(error.cause))
      assert.strictEqual(service.sent.length, 0)
    })
  )

  it.effect("TransportFailed", () =>
    Effect.gen(function* () {
      const service = FakeService.make((sent) => FakeService.transportError(sent))
      const error = yield* fail(read.pipe(RetryPolicy.provide(RetryPolicy.none)), service)
      assert.instanceOf(error, ClientError.TransportFailed)
      assert.strictEqual(error.systemCode, "ECONNRESET")
      assert.strictEqual(error.action, "QueryConversationList")
      assert.strictEqual(error.attempts, 1)
      assert.include(error.message, "ECONNRESET")
    })
  )

  it.effect("AttemptTimedOut", () =>
    Effect.gen(function* () {
      const service = FakeService.make(() => Effect.never)
      const once = read.pipe(
        RetryPolicy.provide(RetryPolicy.none),
        Effect.provideService(Timeout.Attempt, Duration.seconds(3))
      )
      const error = yield* fail(once, service)
      assert.instanceOf(error, ClientError.AttemptTimedOut)
      assert.strictEqual(Duration.toMillis(error.timeout), 3000)
      assert.strictEqual(Duration.toMillis(error.elapsed), 3000)
      assert.strictEqual(error.attempts, 1)
      assert.include(error.message, "3s")
    })
  )

  it.effect("DeadlineExceeded, with what the last attempt failed with", () =>
    Effect.gen(function* () {
      const service = FakeService.answering(FakeService.code(1, "busy"))
      const tight = read.pipe(
        RetryPolicy.provide(RetryPolicy.patient),
        Effect.provideService(Timeout.Deadline, Duration.seconds(30))
      )
      const error = yield* fail(tight, service)
      assert.instanceOf(error, ClientError.DeadlineExceeded)
      assert.strictEqual(Duration.toMillis(error.deadline), 30_000)
      assert.isAtMost(Duration.toMillis(error.elapsed), 30_000)
      assert.strictEqual(error.attempts, service.sent.length)
      assert.isAbove(error.attempts, 1)
      assert.instanceOf(error.cause, ServiceError.ServiceFailed)
      assert.include(error.message, "30s")
    })
  )

  it.effect("PagingLoop", () =>
    Effect.gen(function* () {
      const service = FakeService.answering(FakeService.page([FakeService.entry("a", 1)], 7))
      const error = yield* fail(Conversations.snapshot("user-42"), service)
      assert.instanceOf(error, ClientError.PagingLoop)
      assert.strictEqual(error.reason._tag, "CursorRepeated")
      assert.strictEqual(error.cursor, "7")
      assert.strictEqual(service.sent.length, 2)
    })
  )

  it("no time is without a unit", () => {
    const call = { action: operation.action, attempts: 0, elapsed: Duration.zero }
    assert.strictEqual(
      new ClientError.DeadlineExceeded({ ...call, deadline: Duration.zero }).message,
      "not done within the deadline of 0ms (QueryConversationList, 0 attempts, 0ms)"
    )
  })

  it("every error has advice, and is itself again after a journey as JSON", () => {
    const call = { action: operation.action, attempts: 1, elapsed: Duration.zero }
    const unreadable = (["HttpStatus", "Redirect", "Empty", "TooLarge", "NotJson", "WrongShape"] as const).map(
      (_tag) =>
        new ClientError.ResponseUnreadable({
          ...call,
          reason: { _tag },
          status: 200,
          requestId: undefined,
          problem: "",
          snippet: ""
        })
    )
    const errors = [
      new ClientError.SettingsInvalid({ setting: "ZIM_APP_ID", problem: "not set" }),
      new ClientError.RequestInvalid({ action: operation.action, problem: "p", cause: undefined }),
      new ClientError.TransportFailed({ ...call, systemCode: undefined, problem: "p" }),
      new ClientError.ClientClosed(call),
      new ClientError.AttemptTimedOut({ ...call, timeout: Duration.zero }),
      new ClientError.DeadlineExceeded({ ...call, deadline: Duration.zero, needed: undefined }),
      new ClientError.CircuitOpen({ ...call, host: "h", retryAfter: Duration.zero }),
      ...(["NoAnswer", "Refused", "Denied"] as const).map(
        (_tag) => new ClientError.QuotaUnavailable({ ...call, reason: { _tag }, problem: "p", cause: "gone" })
      ),
      ...unreadable
    ]
    const advice = errors.map(ClientError.advice)
    for (const text of advice) assert.match(text, /^[A-Z].*\.$/)
    assert.strictEqual(new Set(advice).size, advice.length)
    const json = Schema.fromJsonString(Schema.toCodecJson(ClientError.AnyError))
    for (const error of errors) {
      const back = Schema.decodeSync(json)(Schema.encodeSync(json)(error))
      assert.strictEqual(back.constructor, error.constructor)
      assert.strictEqual(back.message, error.message)
    }
  })
})

describe("an error out of a stream, a snapshot, many users", () => {
  const service = () => FakeService.answering(FakeService.code(660500002, "no such user", "9"))
  const expected = (error: ClientError.PagingError<QueryConversationList.Failure>) => {
    assert.instanceOf(error, ServiceError.UserNotRegistered)
    assert.strictEqual(error.userId, "nobody")
    assert.strictEqual(error.requestId, "9")
  }

  it.effect("is the same class", () =>
    Effect.gen(function* () {
      const layer = FakeService.clientOf(service().layer)
      expected(yield* Effect.flip(Effect.provide(Conversations.page("nobody"), layer)))
      expected(yield* Effect.flip(Effect.provide(Stream.runHead(Conversations.pages("nobody")), layer)))
      expected(yield* Effect.flip(Effect.provide(Stream.runDrain(Conversations.stream("nobody")), layer)))
      expected(yield* Effect.flip(Effect.provide(Conversations.snapshot("nobody"), layer)))
    })
  )

  it.effect("is caught by its tag, the others are not", () =>
    Effect.gen(function* () {
      const layer = FakeService.clientOf(service().layer)
      const caught = yield* Conversations.page("nobody").pipe(
        Effect.catchTag("RateLimited", () => Effect.succeed("rate limited")),
        Effect.catchTag("UserNotRegistered", (error) => Effect.succeed(`${error.userId}: ${error.code}`)),
        Effect.provide(layer)
      )
      assert.strictEqual(caught, "nobody: 660500002")
    })
  )
})

import { assert, describe, it } from "@effect/vitest"
import { ClientError, RetryPolicy } from "@effect-zim/client"
import { Cursor, OperationCode, ReturnCode, ServiceError } from "@effect-zim/protocol"
import * as Duration from "effect/Duration"

const call = { action: "A", attempts: 1, elapsed: Duration.zero }
const answer = { ...call, requestId: undefined, vendorMessage: "" }

/** An error of each code. */
const ofCode = (code: number): ServiceError.ServiceError => {
  switch (code) {
    case 660000002:
      return new ServiceError.InvalidInput({ ...answer, code })
    case 660300005:
      return new ServiceError.RateLimited({ ...answer, code })
    case 660500002:
      return new ServiceError.UserNotRegistered({ ...answer, code, userId: "u" })
    case 660800053:
      return new ServiceError.QueryFailed({ ...answer, code })
    default:
      return ServiceError.fromDetails({ ...answer, code })
  }
}

/** An error of a code that only other operations return. */
const ofOperation = (code: number): ServiceError.OperationFailed => {
  const known = OperationCode.lookup(code)
  if (known === undefined) return assert.fail(`nobody documents ${code}`)
  return new ServiceError.OperationFailed({ ...answer, ...known })
}

const unavailable = (_tag: ClientError.QuotaUnavailable["reason"]["_tag"]) =>
  new ClientError.QuotaUnavailable({ ...call, reason: { _tag }, problem: "p", cause: "gone" })

const unreadable = (_tag: ClientError.UnreadableReason["_tag"], status: number) =>
  new ClientError.ResponseUnreadable({
    ...call,
    reason: { _tag },
    status,
    requestId: undefined,
    problem: "",
    snippet: ""
  })

const retryAfter = Duration.seconds(3)

/** Retry, count, host, whom it concerns, category; then what else can be said. */
const rows: ReadonlyArray<readonly [string, ClientError.AnyError, string]> = [
  ["1", ofCode(1), "ServiceFailed: transient Answered Ill Unknown Server; retryable"],
  ["2", ofCode(2), "MalformedRequest: - Answered Well Unknown BadRequest"],
  ["3", ofCode(3), "AuthenticationFailed: - Answered Well Everybody Authentication"],
  ["7", ofCode(7), "Throttled: rateLimit Rejected Well Unknown RateLimit; retryable"],
  ["105001", ofCode(105001), "ServiceFailed: bounded Answered Ill Unknown Server; retryable"],
  ["100000000", ofCode(100000000), "MalformedRequest: - Answered Well Everybody BadRequest"],
  ["100000001", ofCode(100000001), "MalformedRequest: - Answered Well Everybody BadRequest"],
  ["100000002", ofCode(100000002), "MalformedRequest: - Answered Well Everybody BadRequest"],
  ["100000003", ofCode(100000003), "MalformedRequest: - Answered Well Everybody BadRequest"],
  ["100000004", ofCode(100000004), "SignatureExpired: - Answered Well Everybody Clock; clock retryable"],
  ["100000005", ofCode(100000005), "AuthenticationFailed: - Answered Well Everybody Authentication; clock"],
  ["100000006", ofCode(100000006), "MalformedRequest: - Answered Well Everybody BadRequest"],
  ["100000007", ofCode(100000007), "MalformedRequest: - Answered Well Everybody BadRequest"],
  ["100000008", ofCode(100000008), "MalformedRequest: - Answered Well Everybody BadRequest"],
  ["100000009", ofCode(100000009), "MalformedRequest: - Answered Well Everybody BadRequest"],
  ["100000010", ofCode(100000010), "ServiceFailed: bounded Answered Ill Unknown Server; retryable"],
  ["100000011", ofCode(100000011), "ServiceFailed: bounded Answered Ill Unknown Server; retryable"],
  ["100000012", ofCode(100000012), "ServiceFailed: bounded Answered Ill Unknown Server; retryable"],
  ["100000013", ofCode(100000013), "MalformedRequest: - Answered Well Everybody BadRequest"],
  ["100000014", ofCode(100000014), "MalformedRequest: - Answered Well Everybody BadRequest"],
  ["100000015", ofCode(100000015), "ServiceFailed: bounded Answered Ill Unknown Server; retryable"],
  ["100000016", ofCode(100000016), "NotPermitted: - Answered Well Everybody Permission"],
  ["100000017", ofCode(100000017), "NotPermitted: - Answered Well Everybody Permission"],
  ["660000001", ofCode(660000001), "ServiceFailed: transient Answered Ill Unknown Server; retryable"],
  ["660000002", ofCode(660000002), "InvalidInput: - Answered Well Unknown BadRequest"],
  ["660000003", ofCode(660000003), "ServiceFailed: transient Answered Ill Unknown Server; retryable"],
  ["660000012", ofCode(660000012), "MalformedRequest: - Answered Well Unknown BadRequest"],
  ["660000028", ofCode(660000028), "NotPermitted: - Answered Well Everybody Permission"],
  ["660300005", ofCode(660300005), "RateLimited: rateLimit Rejected Well Unknown RateLimit; retryable"],
  ["660500002", ofCode(660500002), "UserNotRegistered: - Answered Well User NotRegistered"],
  ["660800053", ofCode(660800053), "QueryFailed: bounded Answered Unclear Unknown Server; retryable"],
  ["any other", ofCode(42), "UnknownReturnCode: - Answered Well Unknown Server"],
  [
    "settings",
    new ClientError.SettingsInvalid({ setting: "s", problem: "p" }),
    "SettingsInvalid: - NotSent Unclear Everybody Settings"
  ],
  [
    "a request",
    new ClientError.RequestInvalid({ action: "A", problem: "p", cause: undefined }),
    "RequestInvalid: - NotSent Unclear Everybody BadRequest"
  ],
  [
    "no answer",
    new ClientError.TransportFailed({ ...call, systemCode: undefined, problem: "p" }),
    "TransportFailed: transport Abandoned Ill Unknown Transport; retryable"
  ],
  ["closed", new ClientError.ClientClosed(call), "ClientClosed: - Abandoned Unclear Everybody Transport"],
  [
    "timeout",
    new ClientError.AttemptTimedOut({ ...call, timeout: Duration.zero }),
    "AttemptTimedOut: transport Abandoned Ill Unknown Transport; retryable"
  ],
  [
    "deadline",
    new ClientError.DeadlineExceeded({ ...call, deadline: Duration.zero }),
    "DeadlineExceeded: - Abandoned Unclear Unknown Transport; retryable"
  ],
  [
    "circuit",
    new ClientError.CircuitOpen({ ...call, host: "h", retryAfter }),
    "CircuitOpen: circuit NotSent Unclear Unknown Transport; retryable after 3000 ms"
  ],
  ["no store", unavailable("NoAnswer"), "QuotaUnavailable: transport NotSent Unclear Unknown Transport; retryable"],
  [
    "a store that refuses",
    unavailable("Refused"),
    "QuotaUnavailable: transport NotSent Unclear Unknown Transport; retryable"
  ],
  ["a store that denies", unavailable("Denied"), "QuotaUnavailable: - NotSent Unclear Unknown Transport"],
  ["HTTP 302", unreadable("Redirect", 302), "ResponseUnreadable: - Answered Unclear Unknown Transport"],
  ["HTTP 404", unreadable("HttpStatus", 404), "ResponseUnreadable: - Answered Unclear Unknown Transport"],
  [
    "HTTP 408",
    unreadable("HttpStatus", 408),
    "ResponseUnreadable: transient Answered Unclear Unknown Transport; retryable"
  ],
  [
    "HTTP 425",
    unreadable("HttpStatus", 425),
    "ResponseUnreadable: transient Answered Unclear Unknown Transport; retryable"
  ],
  [
    "HTTP 429",
    unreadable("HttpStatus", 429),
    "ResponseUnreadable: rateLimit Rejected Unclear Unknown RateLimit; retryable"
  ],
  [
    "HTTP 500",
    unreadable("HttpStatus", 500),
    "ResponseUnreadable: transient Answered Ill Unknown Transport; retryable"
  ],
  ["HTTP 501", unreadable("HttpStatus", 501), "ResponseUnreadable: - Answered Ill Unknown Transport"],
  [
    "HTTP 502",
    unreadable("HttpStatus", 502),
    "ResponseUnreadable: transient Answered Ill Unknown Transport; retryable"
  ],
  [
    "HTTP 503",
    unreadable("HttpStatus", 503),
    "ResponseUnreadable: transient Answered Ill Unknown Transport; retryable"
  ],
  [
    "HTTP 504",
    unreadable("HttpStatus", 504),
    "ResponseUnreadable: transient Answered Ill Unknown Transport; retryable"
  ],
  ["empty", unreadable("Empty", 200), "ResponseUnreadable: bounded Answered Unclear Unknown Transport; retryable"],
  ["too large", unreadable("TooLarge", 200), "ResponseUnreadable: - Answered Unclear Unknown Transport"],
  ["too large, 429", unreadable("TooLarge", 429), "ResponseUnreadable: - Answered Unclear Unknown RateLimit"],
  ["no JSON", unreadable("NotJson", 200), "ResponseUnreadable: bounded Answered Unclear Unknown Transport; retryable"],
  ["another shape", unreadable("WrongShape", 200), "ResponseUnreadable: - Answered Unclear Unknown Transport"],
  [
    "a code of other operations",
    ofOperation(660300007),
    "OperationFailed: bounded Answered Well Unknown Server; retryable"
  ],
  [
    "a limit of its own",
    ofOperation(660600004),
    "OperationFailed: rateLimit Rejected Well Unknown RateLimit; retryable"
  ],
  ["an unknown group", ofOperation(660600001), "OperationFailed: - Answered Well Unknown NotFound"],
  [
    "a loop",
    new ClientError.PagingLoop({ action: "A", reason: { _tag: "TooManyPages" }, cursor: Cursor.start, pages: 1 }),
    "PagingLoop: - Answered Well Unknown Server"
  ]
]

const printed = (error: ClientError.AnyError): string => {
  const { category, concerns, count, host, mayBeClock, retry } = ClientError.traits(error)
  const after = ClientError.retryAfter(error)
  const more = [
    ...(mayBeClock === true ? ["clock"] : []),
    ...(ClientError.isRetryable(error) ? ["retryable"] : []),
    ...(after === undefined ? [] : [`after ${Duration.toMillis(after)} ms`])
  ].join(" ")
  const row = [retry ?? "-", count, host, concerns, category].join(" ")
  return `${error._tag}: ${row}${more === "" ? "" : `; ${more}`}`
}

describe("traits", () => {
  it.each(rows)("%s", (_name, error, row) => {
    assert.strictEqual(printed(error), row)
  })

  it("every class and every code has a row here", () => {
    const tags = new Set(rows.map(([, error]) => error._tag))
    assert.deepStrictEqual(
      [...tags].toSorted(),
      ClientError.AnyError.members.map(({ fields }) => fields._tag.schema.literal).toSorted()
    )
    const codes = rows.flatMap(([, error]) => ("code" in error ? [error.code] : []))
    assert.includeMembers(
      codes,
      ReturnCode.table.map(({ code }) => code)
    )
  })

  it("each is in its category and in no other, and what is no error of the client in none", () => {
    const all = [...ReturnCode.categories, "Transport", "Settings"] as const
    for (const [, error] of rows) {
      assert.deepStrictEqual(
        all.filter((category) => ClientError.isIn(category)(error)),
        [ClientError.traits(error).category]
      )
      assert.isTrue(ClientError.isIn(...all)(error))
    }
    for (const other of [undefined, null, "RateLimited", {}, { _tag: "toString" }, { _tag: 7 }, new Error("x")]) {
      assert.isFalse(ClientError.isIn(...all)(other))
    }
  })

  it("protocol says the same of the service's errors", () => {
    const answers = rows.flatMap(([, error]) => ("vendorMessage" in error ? [error] : []))
    assert.deepStrictEqual(answers.map(ClientError.isRetryable), answers.map(ServiceError.isRetryable))
  })

  it("what has a schedule is retryable, and kindOf is its name", () => {
    for (const [, error] of rows) {
      if (error._tag === "SettingsInvalid" || error._tag === "PagingLoop") continue
      const kind = RetryPolicy.kindOf(error)
      assert.strictEqual(kind, ClientError.traits(error).retry)
      if (kind !== undefined) assert.isTrue(ClientError.isRetryable(error))
    }
  })
})

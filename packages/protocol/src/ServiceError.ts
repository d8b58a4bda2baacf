/**
 * The service's return codes as typed errors.
 *
 * Four codes are documented for the operation and have a class each; the global codes are grouped by what a caller does
 * about them; every other code arrives as {@link UnknownReturnCode}. No class carries a request, a URL, a signature or a
 * secret.
 *
 * @example
 * ```ts
 * import { type ServiceError } from "@effect-zim/protocol"
 *
 * const summary = (error: ServiceError.ServiceError): string =>
 *   error._tag === "UserNotRegistered"
 *     ? `${error.userId} is not registered`
 *     : `${error.code} ${error.vendorMessage} (request ${error.requestId})`
 * ```
 *
 * @since 0.1.0
 */
import * as Duration from "effect/Duration"
import * as Schema from "effect/Schema"
import * as ReturnCode from "./ReturnCode.ts"

/**
 * What every error of this API says about the call that failed.
 *
 * @category schemas
 * @since 0.1.0
 */
export const callFields = {
  /** The operation, for example `QueryConversationList`. */
  action: Schema.String,
  /** How many requests the call sent, this failing one included. */
  attempts: Schema.Int,
  /** How long the call took, waiting included. */
  elapsed: Schema.Duration
}

const detailFields = {
  ...callFields,
  /** The service's id of the request, for its support; `undefined` where the answer had none. */
  requestId: Schema.UndefinedOr(Schema.String),
  /** The service's own words, with anything secret cut out. */
  vendorMessage: Schema.String,
  /** How long to wait before the call is made again, where a gateway said so: HTTP 429 or 503 with `Retry-After`. */
  retryAfter: Schema.optionalKey(Schema.Duration)
}

const fields = <Tag extends ReturnCode.ReturnCode["error"]>(tag: Tag) => ({
  code: Schema.Literals(ReturnCode.codesOf(tag)),
  ...detailFields
})

/**
 * Everything that goes into a service error, whatever its code.
 *
 * @category models
 * @since 0.1.0
 */
export interface Details {
  readonly code: number
  readonly action: string
  readonly attempts: number
  readonly elapsed: Duration.Duration
  readonly requestId: string | undefined
  readonly vendorMessage: string
  readonly retryAfter?: Duration.Duration
}

/**
 * A time in an error message: `1s 20ms`, rounded up to whole milliseconds, and never without a unit.
 *
 * @example
 * ```ts
 * import { ServiceError } from "@effect-zim/protocol"
 * import { Duration } from "effect"
 *
 * ServiceError.describeTime(Duration.millis(1020)) // "1s 20ms"
 * ```
 *
 * @category converting
 * @since 0.1.0
 */
export const describeTime = (time: Duration.Duration): string =>
  Duration.isZero(time) ? "0ms" : Duration.format(Duration.millis(Math.ceil(Duration.toMillis(time))))

/**
 * The call part of an error message: `QueryConversationList, 3 attempts, 1s 20ms`.
 *
 * @example
 * ```ts
 * import { ServiceError } from "@effect-zim/protocol"
 * import { Duration } from "effect"
 *
 * ServiceError.describeCall({ action: "QueryConversationList", attempts: 3, elapsed: Duration.millis(1020) })
 * // "QueryConversationList, 3 attempts, 1s 20ms"
 * ```
 *
 * @category converting
 * @since 0.1.0
 */
export const describeCall = (call: Pick<Details, "action" | "attempts" | "elapsed">): string =>
  `${call.action}, ${call.attempts} ${call.attempts === 1 ? "attempt" : "attempts"}, ${describeTime(call.elapsed)}`

const describe = (
  details: Details,
  meaning = ReturnCode.lookup(details.code)?.meaning ?? "Unknown return code"
): string => {
  const vendor = details.vendorMessage === "" || details.vendorMessage === meaning ? "" : `: ${details.vendorMessage}`
  const request = details.requestId === undefined ? "no request id" : `request id ${details.requestId}`
  return `${details.code} ${meaning}${vendor} (${request}; ${describeCall(details)})`
}

/**
 * 660000002: an input parameter is wrong or missing.
 *
 * @category errors
 * @since 0.1.0
 */
export class InvalidInput extends Schema.TaggedError<InvalidInput>("@effect-zim/protocol/InvalidInput")(
  "InvalidInput",
  fields("InvalidInput"),
  { httpApiStatus: 400 }
) {
  override get message(): string {
    return describe(this)
  }
}

/**
 * 660300005: the app's calls exceed its frequency limit. Retried by default, after waiting for the quota.
 *
 * @category errors
 * @since 0.1.0
 */
export class RateLimited extends Schema.TaggedError<RateLimited>("@effect-zim/protocol/RateLimited")(
  "RateLimited",
  fields("RateLimited"),
  { httpApiStatus: 429 }
) {
  override get message(): string {
    return describe(this)
  }
}

/**
 * 660500002: the user has neither logged in through the client SDK nor been registered through the server API.
 *
 * @category errors
 * @since 0.1.0
 */
export class UserNotRegistered extends Schema.TaggedError<UserNotRegistered>("@effect-zim/protocol/UserNotRegistered")(
  "UserNotRegistered",
  {
    ...fields("UserNotRegistered"),
    userId: Schema.String
  },
  { httpApiStatus: 404 }
) {
  override get message(): string {
    return `user ${JSON.stringify(this.userId)}: ${describe(this)}`
  }
}

/**
 * 660800053: the service failed to query the conversation list. Retried once or twice by default.
 *
 * @category errors
 * @since 0.1.0
 */
export class QueryFailed extends Schema.TaggedError<QueryFailed>("@effect-zim/protocol/QueryFailed")(
  "QueryFailed",
  fields("QueryFailed"),
  { httpApiStatus: 502 }
) {
  override get message(): string {
    return describe(this)
  }
}

/**
 * The request itself is wrong: a parameter, the host, the action. Repeating it cannot help.
 *
 * @category errors
 * @since 0.1.0
 */
export class MalformedRequest extends Schema.TaggedError<MalformedRequest>("@effect-zim/protocol/MalformedRequest")(
  "MalformedRequest",
  fields("MalformedRequest"),
  { httpApiStatus: 400 }
) {
  override get message(): string {
    return describe(this)
  }
}

/**
 * 7: requests per second exceed the service's own setting. Retried by default, like {@link RateLimited}.
 *
 * @category errors
 * @since 0.1.0
 */
export class Throttled extends Schema.TaggedError<Throttled>("@effect-zim/protocol/Throttled")(
  "Throttled",
  fields("Throttled"),
  { httpApiStatus: 429 }
) {
  override get message(): string {
    return describe(this)
  }
}

/**
 * The AppId and the ServerSecret do not belong together.
 *
 * @category errors
 * @since 0.1.0
 */
export class AuthenticationFailed extends Schema.TaggedError<AuthenticationFailed>(
  "@effect-zim/protocol/AuthenticationFailed"
)("AuthenticationFailed", fields("AuthenticationFailed"), { httpApiStatus: 500 }) {
  override get message(): string {
    return describe(this)
  }
}

/**
 * 100000004: the time in the signature and the service's clock are more than ten minutes apart.
 *
 * @category errors
 * @since 0.1.0
 */
export class SignatureExpired extends Schema.TaggedError<SignatureExpired>("@effect-zim/protocol/SignatureExpired")(
  "SignatureExpired",
  fields("SignatureExpired"),
  { httpApiStatus: 500 }
) {
  override get message(): string {
    return describe(this)
  }
}

/**
 * The app may not do this: the service is not enabled, not configured, or not part of the plan.
 *
 * @category errors
 * @since 0.1.0
 */
export class NotPermitted extends Schema.TaggedError<NotPermitted>("@effect-zim/protocol/NotPermitted")(
  "NotPermitted",
  fields("NotPermitted"),
  { httpApiStatus: 500 }
) {
  override get message(): string {
    return describe(this)
  }
}

/**
 * The service failed on its side. Retried by default.
 *
 * @category errors
 * @since 0.1.0
 */
export class ServiceFailed extends Schema.TaggedError<ServiceFailed>("@effect-zim/protocol/ServiceFailed")(
  "ServiceFailed",
  fields("ServiceFailed"),
  { httpApiStatus: 502 }
) {
  override get message(): string {
    return describe(this)
  }
}

/**
 * A code that the documentation does not list: never taken for success, and nothing of it is lost.
 *
 * @category errors
 * @since 0.1.0
 */
export class UnknownReturnCode extends Schema.TaggedError<UnknownReturnCode>("@effect-zim/protocol/UnknownReturnCode")(
  "UnknownReturnCode",
  {
    code: Schema.Int,
    ...detailFields
  },
  { httpApiStatus: 502 }
) {
  override get message(): string {
    return describe(this)
  }
}

/**
 * A code that only other operations than the typed ones return: what is known of it comes with it. Calls by an
 * operation's name fail with it, and are repeated as `retry` says.
 *
 * @category errors
 * @since 0.1.0
 */
export class OperationFailed extends Schema.TaggedError<OperationFailed>("@effect-zim/protocol/OperationFailed")(
  "OperationFailed",
  {
    code: Schema.Int,
    meaning: Schema.String,
    category: Schema.Literals(ReturnCode.categories),
    retry: Schema.Literals(ReturnCode.retries),
    advice: Schema.String,
    ...detailFields
  },
  { httpApiStatus: 502 }
) {
  override get message(): string {
    return describe(this, this.meaning)
  }
}

/**
 * The errors that any operation can return, as a schema and a type.
 *
 * @category errors
 * @since 0.1.0
 */
export const GlobalError = /* @__PURE__ */ (() =>
  Schema.Union([
    MalformedRequest,
    Throttled,
    AuthenticationFailed,
    SignatureExpired,
    NotPermitted,
    ServiceFailed,
    UnknownReturnCode
  ]))()

/**
 * One of them.
 *
 * @category errors
 * @since 0.1.0
 */
export type GlobalError = typeof GlobalError.Type

/**
 * Every error of the service, as a schema and a type: the schema takes an error to another process and back.
 *
 * @example
 * ```ts
 * import { ServiceError } from "@effect-zim/protocol"
 * import { Schema } from "effect"
 *
 * export const json = Schema.fromJsonString(Schema.toCodecJson(ServiceError.ServiceError))
 * ```
 *
 * @category errors
 * @since 0.1.0
 */
export const ServiceError = /* @__PURE__ */ (() =>
  Schema.Union([InvalidInput, RateLimited, UserNotRegistered, QueryFailed, ...GlobalError.members, OperationFailed]))()

/**
 * One of them.
 *
 * @category errors
 * @since 0.1.0
 */
export type ServiceError = typeof ServiceError.Type

type FromDetails = (details: Details) => GlobalError

const group = <Tag extends ReturnCode.ReturnCode["error"]>(
  tag: Tag,
  make: (details: Details & { readonly code: ReturnCode.CodesOf<Tag> }) => GlobalError
): ReadonlyArray<readonly [number, FromDetails]> =>
  ReturnCode.codesOf(tag).map((code) => [code, (details) => make({ ...details, code })])

const globalErrors: ReadonlyMap<number, FromDetails> = new Map([
  ...group("MalformedRequest", (details) => new MalformedRequest(details)),
  ...group("Throttled", (details) => new Throttled(details)),
  ...group("AuthenticationFailed", (details) => new AuthenticationFailed(details)),
  ...group("SignatureExpired", (details) => new SignatureExpired(details)),
  ...group("NotPermitted", (details) => new NotPermitted(details)),
  ...group("ServiceFailed", (details) => new ServiceFailed(details))
])

/**
 * The error of a code that the operation itself does not document: one of the global classes, or
 * {@link UnknownReturnCode}.
 *
 * @example
 * ```ts
 * import { ServiceError } from "@effect-zim/protocol"
 * import { Duration } from "effect"
 *
 * const error = ServiceError.fromDetails({
 *   code: 1,
 *   action: "QueryConversationList",
 *   attempts: 1,
 *   elapsed: Duration.millis(12),
 *   requestId: undefined,
 *   vendorMessage: "server busy"
 * }) // ServiceFailed
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const fromDetails = (details: Details): GlobalError =>
  globalErrors.get(details.code)?.(details) ?? new UnknownReturnCode(details)

/**
 * Whether repeating the call can help, and how: see {@link ReturnCode.Retry}. Unknown codes are not retried, unless the
 * answer itself says when to.
 *
 * @example
 * ```ts
 * import { ServiceError } from "@effect-zim/protocol"
 *
 * const isTransient = (error: ServiceError.ServiceError): boolean => ServiceError.retryOf(error) === "Transient"
 * ```
 *
 * @category accessors
 * @since 0.1.0
 */
export const retryOf = (error: ServiceError): ReturnCode.Retry =>
  error._tag === "OperationFailed"
    ? error.retry
    : (ReturnCode.lookup(error.code)?.retry ?? (error.retryAfter === undefined ? "Never" : "Transient"))

/**
 * Whether repeating the same call can help.
 *
 * @example
 * ```ts
 * import { ServiceError } from "@effect-zim/protocol"
 *
 * const summary = (error: ServiceError.ServiceError): string =>
 *   ServiceError.isRateLimit(error)
 *     ? "too fast"
 *     : ServiceError.isRetryable(error)
 *       ? `again: ${ServiceError.retryOf(error)}`
 *       : ServiceError.advice(error)
 * ```
 *
 * @category guards
 * @since 0.1.0
 */
export const isRetryable = (error: ServiceError): boolean => retryOf(error) !== "Never"

/**
 * Whether the service said "too fast".
 *
 * @example
 * ```ts
 * import { ServiceError } from "@effect-zim/protocol"
 *
 * const isTooFast = (error: ServiceError.ServiceError): boolean => ServiceError.isRateLimit(error)
 * ```
 *
 * @category guards
 * @since 0.1.0
 */
export const isRateLimit = (
  error: ServiceError
): error is RateLimited | Throttled | (OperationFailed & { readonly retry: "RateLimit" }) =>
  retryOf(error) === "RateLimit"

/**
 * What a person should do about the error, in a sentence or two.
 *
 * @example
 * ```ts
 * import { ServiceError } from "@effect-zim/protocol"
 *
 * const explain = (error: ServiceError.ServiceError): string => `${error.message}\n${ServiceError.advice(error)}`
 * ```
 *
 * @category accessors
 * @since 0.1.0
 */
export const advice = (error: ServiceError): string =>
  (error._tag === "OperationFailed" ? error.advice : ReturnCode.lookup(error.code)?.advice) ??
  "This code is not documented: look it up in the vendor's table of return codes, or give its support the request id."

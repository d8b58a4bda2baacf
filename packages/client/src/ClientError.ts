/**
 * What can go wrong on this side of the wire, as typed errors. The service's own errors are `ServiceError` of
 * `@effect-zim/protocol`.
 *
 * No class carries a request, a URL, a signature, a nonce or a secret; text that came from outside is redacted first.
 *
 * @example
 * ```ts
 * import { ClientError, Conversations } from "@effect-zim/client"
 * import { Console, Effect } from "effect"
 *
 * const list = Conversations.snapshot("user-42").pipe(
 *   Effect.catchTags({
 *     DeadlineExceeded: (error) => Console.error("too late after", error.attempts, "attempts:", error.cause),
 *     ResponseUnreadable: (error) => Console.error(error.reason, error.status, error.snippet)
 *   }),
 *   Effect.catch((error) => Console.error(`${error.message}\n${ClientError.advice(error)}`))
 * )
 * ```
 *
 * @since 0.1.0
 */
import { Cursor, ServiceError } from "@effect-zim/protocol"
import * as Schema from "effect/Schema"

const { callFields, describeCall, describeTime } = ServiceError

/**
 * The settings of a client are unusable.
 *
 * @since 0.1.0
 */
export class SettingsInvalid extends Schema.TaggedError<SettingsInvalid>()("SettingsInvalid", {
  setting: Schema.String,
  problem: Schema.String
}) {
  override get message(): string {
    return `${this.setting}: ${this.problem}`
  }
}

/**
 * The request was refused before it was sent: `cause` is the `SchemaError` that says which field and why.
 *
 * @since 0.1.0
 */
export class RequestInvalid extends Schema.TaggedError<RequestInvalid>()("RequestInvalid", {
  action: Schema.String,
  problem: Schema.String,
  cause: Schema.Defect()
}) {
  override get message(): string {
    return `${this.action}: ${this.problem}`
  }
}

/**
 * No answer arrived: the connection could not be made, or broke before the answer was complete. The service may or may
 * not have seen the request.
 *
 * @since 0.1.0
 */
export class TransportFailed extends Schema.TaggedError<TransportFailed>()("TransportFailed", {
  ...callFields,
  /** The system's name of the failure, for example `ECONNREFUSED`, where it has one. */
  systemCode: Schema.UndefinedOr(Schema.String),
  problem: Schema.String
}) {
  override get message(): string {
    return `no answer: ${this.problem} (${describeCall(this)})`
  }
}

/**
 * The HTTP client was closed, with the scope that made it, before an answer arrived. Nothing is sent through it any more.
 *
 * @since 0.1.0
 */
export class ClientClosed extends Schema.TaggedError<ClientClosed>()("ClientClosed", callFields) {
  override get message(): string {
    return `the client is closed: its HTTP client ended with the scope that made it (${describeCall(this)})`
  }
}

/**
 * One attempt took longer than its timeout, headers and body included.
 *
 * @since 0.1.0
 */
export class AttemptTimedOut extends Schema.TaggedError<AttemptTimedOut>()("AttemptTimedOut", {
  ...callFields,
  timeout: Schema.Duration
}) {
  override get message(): string {
    return `no complete answer within ${describeTime(this.timeout)} (${describeCall(this)})`
  }
}

/**
 * The call as a whole took longer than its deadline, waiting for quota and back-off included; or it failed at once,
 * because the wait before it was known to be longer: `needed` is the least it would have taken. `cause` is what the last
 * attempt failed with, if one had.
 *
 * @since 0.1.0
 */
export class DeadlineExceeded extends Schema.TaggedError<DeadlineExceeded>()("DeadlineExceeded", {
  ...callFields,
  deadline: Schema.Duration,
  needed: Schema.optional(Schema.Duration),
  cause: Schema.optional(Schema.Defect())
}) {
  override get message(): string {
    const needed = this.needed === undefined ? "" : `, the next step alone needs another ${describeTime(this.needed)}`
    return `not done within the deadline of ${describeTime(this.deadline)}${needed} (${describeCall(this)})`
  }
}

/**
 * Not sent: so many calls to the host failed of late that the circuit breaker keeps all of them back for a while.
 *
 * @since 0.1.0
 */
export class CircuitOpen extends Schema.TaggedError<CircuitOpen>()("CircuitOpen", {
  ...callFields,
  host: Schema.String,
  /** How long until the breaker lets a call through again to see. */
  retryAfter: Schema.Duration
}) {
  override get message(): string {
    return `not sent: ${this.host} keeps failing; next try in ${describeTime(this.retryAfter)} (${describeCall(this)})`
  }
}

/**
 * Not sent: the quota is shared between processes, and what it is kept in did not give a permit. `problem` says why, in
 * the store's words:
 *
 * - `NoAnswer`: it does not answer.
 * - `Refused`: it answers that it cannot, whoever asks. That may pass.
 * - `Denied`: it does not serve this process. That does not pass by itself, and is not tried again.
 *
 * @since 0.1.0
 */
export class QuotaUnavailable extends Schema.TaggedError<QuotaUnavailable>()("QuotaUnavailable", {
  ...callFields,
  reason: Schema.Literals(["NoAnswer", "Refused", "Denied"]),
  problem: Schema.String,
  cause: Schema.Defect()
}) {
  override get message(): string {
    const what = this.reason === "NoAnswer" ? "does not answer" : "refuses"
    return `not sent: the store of the shared quota ${what}: ${this.problem} (${describeCall(this)})`
  }
}

/**
 * An answer arrived, but it is none of this API:
 *
 * - `HttpStatus`: a status other than 200, without a return code to go by.
 * - `Redirect`: a redirect. It is refused, because a signed request must not be sent elsewhere.
 * - `Empty`: no body.
 * - `TooLarge`: more than the client reads (`ResponseLimit`, 8 MiB by default).
 * - `NotJson`: not JSON in UTF-8: cut off, or a page of a proxy.
 * - `WrongShape`: JSON, but not what the documentation promises; `problem` says where.
 *
 * @since 0.1.0
 */
export class ResponseUnreadable extends Schema.TaggedError<ResponseUnreadable>()("ResponseUnreadable", {
  ...callFields,
  reason: Schema.Literals(["HttpStatus", "Redirect", "Empty", "TooLarge", "NotJson", "WrongShape"]),
  status: Schema.Int,
  requestId: Schema.UndefinedOr(Schema.String),
  problem: Schema.String,
  /** The beginning of the body, with anything secret cut out. */
  snippet: Schema.String
}) {
  override get message(): string {
    const snippet = this.snippet === "" ? "" : `; it begins: ${this.snippet}`
    return `unreadable answer: ${this.problem} (HTTP ${this.status}; ${describeCall(this)})${snippet}`
  }
}

/**
 * The service sent a list that does not end: a cursor that had come before, or more pages than any list has.
 *
 * @since 0.1.0
 */
export class PagingLoop extends Schema.TaggedError<PagingLoop>()("PagingLoop", {
  action: Schema.String,
  reason: Schema.Literals(["CursorRepeated", "TooManyPages"]),
  cursor: Cursor.Cursor,
  pages: Schema.Int
}) {
  override get message(): string {
    return this.reason === "CursorRepeated"
      ? `${this.action}: page ${this.pages} leads back to a cursor that had come before`
      : `${this.action}: the list goes on after ${this.pages} pages`
  }
}

/**
 * What one attempt of a call can fail with: the errors documented for the operation, those of any operation, and those of
 * the way there and back.
 *
 * @since 0.1.0
 */
export type AttemptError<Failure = never> =
  | Failure
  | ServiceError.GlobalError
  | TransportFailed
  | ClientClosed
  | AttemptTimedOut
  | DeadlineExceeded
  | CircuitOpen
  | QuotaUnavailable
  | ResponseUnreadable

/**
 * What a call of an operation can fail with.
 *
 * @since 0.1.0
 */
export type CallError<Failure = never> = AttemptError<Failure> | RequestInvalid

/**
 * What reading a paged list can fail with.
 *
 * @since 0.1.0
 */
export type PagingError<Failure = never> = CallError<Failure> | PagingLoop

/**
 * Any error of this package and of the service, whatever the operation.
 *
 * @since 0.1.0
 */
export type AnyError = PagingError<ServiceError.ServiceError> | SettingsInvalid

/**
 * Any error of this package and of the service, as a schema: it takes an error to another process and back.
 *
 * @example
 * ```ts
 * import { ClientError } from "@effect-zim/client"
 * import { Schema } from "effect"
 *
 * export const json = Schema.fromJsonString(Schema.toCodecJson(ClientError.AnyError))
 * ```
 *
 * @since 0.1.0
 */
export const AnyError = Schema.Union([
  ...ServiceError.ServiceError.members,
  SettingsInvalid,
  RequestInvalid,
  TransportFailed,
  ClientClosed,
  AttemptTimedOut,
  DeadlineExceeded,
  CircuitOpen,
  QuotaUnavailable,
  ResponseUnreadable,
  PagingLoop
])

/**
 * What a person should do about the error, in a sentence or two.
 *
 * @example
 * ```ts
 * import { ClientError } from "@effect-zim/client"
 * import { Console, Effect } from "effect"
 *
 * declare const program: Effect.Effect<void, ClientError.CallError>
 *
 * export const main = program.pipe(
 *   Effect.catch((error) => Console.error(`${error.message}\n${ClientError.advice(error)}`))
 * )
 * ```
 *
 * @since 0.1.0
 */
export const advice = (error: AnyError): string => {
  switch (error._tag) {
    case "SettingsInvalid":
      return `Correct ${error.setting} and start again.`
    case "RequestInvalid":
      return "Correct the request: it was not sent."
    case "TransportFailed":
      return "Check the network, the region and the base URL; if the service itself is down, try again later."
    case "ClientClosed":
      return "Make the calls while the layer of the client is open: keep its scope open for as long as there are calls."
    case "AttemptTimedOut":
      return "Choose a nearer region, or allow more time with Timeout.Attempt."
    case "DeadlineExceeded":
      return "Allow more time with Timeout.Deadline, or send fewer calls at once: waiting for the quota counts too."
    case "CircuitOpen":
      return "Wait: the client tries again by itself. If it stays, check the service's status and the region."
    case "QuotaUnavailable":
      return unavailableAdvice[error.reason]
    case "ResponseUnreadable":
      return unreadableAdvice[error.reason]
    case "PagingLoop":
      return "Read the list again from the beginning; if it stays, report it to the vendor's support."
    default:
      return ServiceError.advice(error)
  }
}

const unavailableAdvice: Record<QuotaUnavailable["reason"], string> = {
  NoAnswer: "Check the store of the shared quota; or allow this process a share of its own while the store is away.",
  Refused: "See to the store, which says what it lacks; or allow this process a share of its own while that lasts.",
  Denied: "Correct the address, credentials or permissions for the store of the shared quota, or what its keys hold."
}

const unreadableAdvice: Record<ResponseUnreadable["reason"], string> = {
  HttpStatus: "Something between here and the service answered for it: check proxies, and try again later.",
  Redirect: "Check the region and the base URL: the service itself does not redirect.",
  Empty: "Something between here and the service cut the answer: check proxies, and try again later.",
  TooLarge: "Check the base URL; if the answer is the service's, raise ResponseLimit.",
  NotJson: "Something between here and the service answered for it or cut the answer: check proxies, and try again.",
  WrongShape: "The service's answer is not as documented: report it with the problem named here."
}

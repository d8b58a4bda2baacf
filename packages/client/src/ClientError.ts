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
 *     ResponseUnreadable: (error) => Console.error(error.reason._tag, error.status, error.snippet)
 *   }),
 *   Effect.catch((error) => Console.error(`${error.message}\n${ClientError.advice(error)}`))
 * )
 * ```
 *
 * @since 0.1.0
 */
import {
  AttemptTimedOut,
  CircuitOpen,
  DeadlineExceeded,
  Meaning,
  QuotaUnavailable,
  type RetryPolicy
} from "@effect-zim/policies"
import { Cursor, ReturnCode, ServiceError } from "@effect-zim/protocol"
import type * as Duration from "effect/Duration"
import * as Predicate from "effect/Predicate"
import * as Schema from "effect/Schema"

export { AttemptTimedOut, CircuitOpen, DeadlineExceeded, QuotaUnavailable }

/**
 * The settings of a client are unusable.
 *
 * @category errors
 * @since 0.1.0
 */
export class SettingsInvalid extends Schema.TaggedError<SettingsInvalid>("@effect-zim/client/SettingsInvalid")(
  "SettingsInvalid",
  {
    setting: Schema.String,
    problem: Schema.String
  },
  { httpApiStatus: 500 }
) {
  override get message(): string {
    return `${this.setting}: ${this.problem}`
  }
}

/**
 * The request was refused before it was sent: `cause` is the `SchemaError` that says why, `field` which part of it is wrong.
 *
 * @category errors
 * @since 0.1.0
 */
export class RequestInvalid extends Schema.TaggedError<RequestInvalid>("@effect-zim/client/RequestInvalid")(
  "RequestInvalid",
  {
    action: Schema.String,
    field: Schema.optionalKey(Schema.String),
    problem: Schema.String,
    cause: Schema.Defect()
  },
  { httpApiStatus: 400 }
) {
  override get message(): string {
    return `${this.action}: ${this.problem}`
  }
}

/**
 * No answer arrived: the connection could not be made, or broke before the answer was complete. The service may or may
 * not have seen the request.
 *
 * @category errors
 * @since 0.1.0
 */
export class TransportFailed extends Schema.TaggedError<TransportFailed>("@effect-zim/client/TransportFailed")(
  "TransportFailed",
  {
    ...ServiceError.callFields,
    /** The system's name of the failure, for example `ECONNREFUSED`, where it has one. */
    systemCode: Schema.UndefinedOr(Schema.String),
    problem: Schema.String
  },
  { httpApiStatus: 502 }
) {
  override get message(): string {
    return `no answer: ${this.problem} (${ServiceError.describeCall(this)})`
  }
}

/**
 * The HTTP client was closed, with the scope that made it, before an answer arrived. Nothing is sent through it any more.
 *
 * @category errors
 * @since 0.1.0
 */
export class ClientClosed extends Schema.TaggedError<ClientClosed>("@effect-zim/client/ClientClosed")(
  "ClientClosed",
  ServiceError.callFields,
  { httpApiStatus: 503 }
) {
  override get message(): string {
    return `the client is closed: its HTTP client ended with the scope that made it (${ServiceError.describeCall(this)})`
  }
}

/**
 * Why an answer is unreadable:
 *
 * - `HttpStatus`: a status other than 200, without a return code to go by.
 * - `Redirect`: a redirect. It is refused, because a signed request must not be sent elsewhere.
 * - `Empty`: no body.
 * - `TooLarge`: more than the client reads (`ResponseLimit`, 8 MiB by default).
 * - `NotJson`: not JSON in UTF-8: cut off, or a page of a proxy.
 * - `WrongShape`: JSON, but not what the documentation promises; `problem` says where.
 *
 * @category errors
 * @since 0.1.0
 */
export const UnreadableReason = /* @__PURE__ */ (() =>
  Schema.Union([
    Schema.TaggedStruct("HttpStatus", {}),
    Schema.TaggedStruct("Redirect", {}),
    Schema.TaggedStruct("Empty", {}),
    Schema.TaggedStruct("TooLarge", {}),
    Schema.TaggedStruct("NotJson", {}),
    Schema.TaggedStruct("WrongShape", {})
  ]))()

/**
 * One of the reasons.
 *
 * @category errors
 * @since 0.1.0
 */
export type UnreadableReason = typeof UnreadableReason.Type

/**
 * An answer arrived, but it is none of this API: `reason` says why.
 *
 * @example
 * ```ts
 * import { Conversations } from "@effect-zim/client"
 * import { Effect } from "effect"
 *
 * const list = Conversations.snapshot("user-42").pipe(
 *   Effect.catchReason("ResponseUnreadable", "Redirect", (_, error) => Effect.die(`not the service: ${error.message}`))
 * )
 * ```
 *
 * @category errors
 * @since 0.1.0
 */
export class ResponseUnreadable extends Schema.TaggedError<ResponseUnreadable>("@effect-zim/client/ResponseUnreadable")(
  "ResponseUnreadable",
  {
    ...ServiceError.callFields,
    reason: UnreadableReason,
    status: Schema.Int,
    requestId: Schema.UndefinedOr(Schema.String),
    problem: Schema.String,
    /** The beginning of the body, with anything secret cut out. */
    snippet: Schema.String,
    /** How long to wait before the call is made again, where the answer said so: HTTP 429 or 503 with `Retry-After`. */
    retryAfter: Schema.optionalKey(Schema.Duration)
  },
  { httpApiStatus: 502 }
) {
  /** A 429 of something between here and the service is about the rate. */
  get category(): "RateLimit" | "Transport" {
    return this.status === 429 ? "RateLimit" : "Transport"
  }

  override get message(): string {
    const snippet = this.snippet === "" ? "" : `; it begins: ${this.snippet}`
    return `unreadable answer: ${this.problem} (HTTP ${this.status}; ${ServiceError.describeCall(this)})${snippet}`
  }
}

/**
 * Why a list does not end: a cursor that had come before, or more pages than any list has.
 *
 * @category errors
 * @since 0.1.0
 */
export const LoopReason = /* @__PURE__ */ (() =>
  Schema.Union([Schema.TaggedStruct("CursorRepeated", {}), Schema.TaggedStruct("TooManyPages", {})]))()

/**
 * One of the reasons.
 *
 * @category errors
 * @since 0.1.0
 */
export type LoopReason = typeof LoopReason.Type

/**
 * The service sent a list that does not end.
 *
 * @category errors
 * @since 0.1.0
 */
export class PagingLoop extends Schema.TaggedError<PagingLoop>("@effect-zim/client/PagingLoop")(
  "PagingLoop",
  {
    action: Schema.String,
    reason: LoopReason,
    cursor: Cursor.Cursor,
    pages: Schema.Int
  },
  { httpApiStatus: 502 }
) {
  override get message(): string {
    return this.reason._tag === "CursorRepeated"
      ? `${this.action}: page ${this.pages} leads back to a cursor that had come before`
      : `${this.action}: the list goes on after ${this.pages} pages`
  }
}

/**
 * What one attempt of a call can fail with: the errors documented for the operation, those of any operation, and those of
 * the network and the policies.
 *
 * @category errors
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
 * @category errors
 * @since 0.1.0
 */
export type CallError<Failure = never> = AttemptError<Failure> | RequestInvalid

/**
 * What reading a paged list can fail with.
 *
 * @category errors
 * @since 0.1.0
 */
export type PagingError<Failure = never> = CallError<Failure> | PagingLoop

/** What any call can fail with on this side of the wire. */
const ownErrors = [
  RequestInvalid,
  TransportFailed,
  ClientClosed,
  AttemptTimedOut,
  DeadlineExceeded,
  CircuitOpen,
  QuotaUnavailable,
  ResponseUnreadable
] as const

/**
 * The schema of {@link CallError}, for the schemas of an operation's own failures.
 *
 * @example
 * ```ts
 * import { ClientError } from "@effect-zim/client"
 * import { QueryConversationList } from "@effect-zim/protocol"
 *
 * const error = ClientError.CallError(QueryConversationList.operation.errors)
 * ```
 *
 * @category errors
 * @since 0.1.0
 */
export const CallError = <const Failures extends ReadonlyArray<Schema.Constraint>>(failures: Failures) =>
  Schema.Union([...failures, ...ServiceError.GlobalError.members, ...ownErrors])

/**
 * The schema of {@link PagingError}, for the schemas of an operation's own failures.
 *
 * @example
 * ```ts
 * import { ClientError } from "@effect-zim/client"
 * import { QueryConversationList } from "@effect-zim/protocol"
 * import { Schema } from "effect"
 *
 * const ListError = ClientError.PagingError(QueryConversationList.Failure.members)
 * const json = Schema.fromJsonString(Schema.toCodecJson(ListError))
 * ```
 *
 * @category errors
 * @since 0.1.0
 */
export const PagingError = <const Failures extends ReadonlyArray<Schema.Constraint>>(failures: Failures) =>
  Schema.Union([...CallError(failures).members, PagingLoop])

/**
 * Any error of this package and of the service, whatever the operation.
 *
 * @category errors
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
 * @category errors
 * @since 0.1.0
 */
export const AnyError = /* @__PURE__ */ (() =>
  Schema.Union([...ServiceError.ServiceError.members, SettingsInvalid, ...ownErrors, PagingLoop]))()

/**
 * What a failure means: for the client's policies, and for whoever decides what to do next.
 *
 * @category models
 * @since 0.1.0
 */
export interface Traits extends Meaning.Meaning {
  /** Whether the same call may succeed later. Default: where there is a schedule for it. */
  readonly isRetryable?: boolean
  /**
   * Whose failure it is:
   *
   * - `User`: it is about the user who was asked about, whom the service does not know, or whose id cannot be one.
   * - `Everybody`: every other call fails in the same way.
   * - `Unknown`: what else fails tells. An outage is among these.
   */
  readonly concerns: "User" | "Everybody" | "Unknown"
  /** What it is about. */
  readonly category: Category
}

/**
 * What a failure is about: the category of its return code, or one of two without a code.
 *
 * - `Transport`: there is no answer of the service, because of the network, of what stands between here and there, or of
 *   the client's own policies.
 * - `Settings`: there is no client.
 *
 * @category models
 * @since 0.1.0
 */
export type Category = ReturnCode.Category | "Transport" | "Settings"

/** A row says what differs from the rule: nobody knows whose failure it is, and its class says what it is about. */
type Row = Meaning.Meaning & Partial<Traits>

const kindOfRetry: { readonly [Retry in ReturnCode.Retry]?: RetryPolicy.Kind } = {
  RateLimit: "rateLimit",
  Transient: "transient",
  Bounded: "bounded"
}

const ofCode = (error: ServiceError.ServiceError): Row => {
  const known = ReturnCode.lookup(error.code)
  return known === undefined
    ? Meaning.answered()
    : { ...Meaning.answered(kindOfRetry[known.retry]), category: known.category }
}

const ofEverybody = (error: ServiceError.ServiceError): Row => ({ ...ofCode(error), concerns: "Everybody" })

/** Of the codes for a wrong request those that may be about the user id. */
const maybeTheUser: ReadonlySet<number> = new Set([2, 660000012])

type ByTag = { readonly [Class in AnyError as Class["_tag"]]: Class }

type OwnTag = Exclude<keyof ByTag, ServiceError.ServiceError["_tag"]>

const unknownCode = "Server"

/** Of the classes without a code that are about one thing, whatever is in them. */
const categories = {
  SettingsInvalid: "Settings",
  RequestInvalid: "BadRequest",
  TransportFailed: "Transport",
  ClientClosed: "Transport",
  AttemptTimedOut: "Transport",
  DeadlineExceeded: "Transport",
  CircuitOpen: "Transport",
  QuotaUnavailable: "Transport",
  PagingLoop: "Server"
} as const satisfies { readonly [Tag in Exclude<OwnTag, "ResponseUnreadable">]: Category }

/**
 * The category of a class of errors, or all that its errors may have.
 *
 * @category models
 * @since 0.1.0
 */
export type CategoryOf<Error extends AnyError> = Error extends { readonly category: infer Own }
  ? Own
  : Error["_tag"] extends keyof typeof categories
    ? (typeof categories)[Error["_tag"]]
    : Error["_tag"] extends ReturnCode.ReturnCode["error"]
      ? Extract<ReturnCode.ReturnCode, { readonly error: Error["_tag"] }>["category"]
      : typeof unknownCode

/**
 * Those of some errors that are about one thing. A class whose errors may be about other things too stays among the
 * others, so that nothing is caught by the type alone.
 *
 * @category models
 * @since 0.1.0
 */
export type InCategory<Error, Wanted extends Category> = Error extends AnyError
  ? CategoryOf<Error> extends Wanted
    ? Error
    : Extract<CategoryOf<Error>, Wanted> extends never
      ? never
      : Error & { readonly category: Wanted }
  : never

/**
 * A table with a row for each class of error, or a function that makes it: the compiler asks for those that are missing.
 *
 * @category models
 * @since 0.1.0
 */
export type Table<Row> = { readonly [Tag in keyof ByTag]: Row | ((error: ByTag[Tag]) => Row) }

const table: Table<Row> = {
  InvalidInput: ofCode,
  RateLimited: ofCode,
  UserNotRegistered: (error) => ({ ...ofCode(error), concerns: "User" }),
  // Whether it was the host's fault or the user's data's is anybody's guess.
  QueryFailed: (error) => ({ ...ofCode(error), host: "Unclear" }),
  MalformedRequest: (error) => (maybeTheUser.has(error.code) ? ofCode(error) : ofEverybody(error)),
  Throttled: ofCode,
  AuthenticationFailed: (error) => ({ ...ofEverybody(error), mayBeClock: error.code === 100000005 }),
  SignatureExpired: (error) => ({ ...ofEverybody(error), mayBeClock: true, isRetryable: true }),
  NotPermitted: ofEverybody,
  ServiceFailed: (error) => ({ ...ofCode(error), host: "Ill" }),
  UnknownReturnCode: (error) => Meaning.answered(kindOfRetry[ServiceError.retryOf(error)]),
  OperationFailed: ({ category, retry }) => ({ ...Meaning.answered(kindOfRetry[retry]), category }),
  SettingsInvalid: { ...Meaning.unsent, concerns: "Everybody" },
  // Another user's id may be one.
  RequestInvalid: ({ field }) => ({ ...Meaning.unsent, concerns: field === "userId" ? "User" : "Everybody" }),
  TransportFailed: Meaning.noAnswer,
  ClientClosed: { ...Meaning.abandoned, concerns: "Everybody" },
  AttemptTimedOut: Meaning.ofPolicyError,
  DeadlineExceeded: (error) => ({ ...Meaning.ofPolicyError(error), isRetryable: true }),
  CircuitOpen: Meaning.ofPolicyError,
  QuotaUnavailable: Meaning.ofPolicyError,
  ResponseUnreadable: ({ category, reason, status }) => {
    if (reason._tag === "HttpStatus") return { ...Meaning.ofStatus(status), category }
    const retry = reason._tag === "NotJson" || reason._tag === "Empty" ? "bounded" : undefined
    return { ...Meaning.answered(retry), category, host: "Unclear" }
  },
  PagingLoop: Meaning.answered()
}

/** The row of an error, in a table that has a row for each of its tags. */
const look = <Row extends Meaning.Meaning | string, Tag extends keyof ByTag>(
  table: Pick<Table<Row>, Tag>,
  error: ByTag[Tag] & { readonly _tag: Tag }
): Row => {
  const row: Row | ((error: ByTag[Tag]) => Row) = table[error._tag]
  return typeof row === "function" ? row(error) : row
}

/**
 * What a failure means, class by class and code by code.
 *
 * @example
 * ```ts
 * import { ClientError } from "@effect-zim/client"
 *
 * // Whether to go on with the next user. In an outage, or with a wrong secret, nobody else could be read.
 * const isOfThisUser = (error: ClientError.AnyError) => ClientError.traits(error).concerns === "User"
 * ```
 *
 * @category accessors
 * @since 0.1.0
 */
export const traits = (error: AnyError): Traits => {
  const ofClass: { readonly [Tag in keyof ByTag]?: Category } = categories
  const retryAfter = "retryAfter" in error ? error.retryAfter : undefined
  return {
    concerns: "Unknown",
    category: ofClass[error._tag] ?? unknownCode,
    ...look<Row, keyof ByTag>(table, error),
    ...(retryAfter === undefined ? {} : { retryAfter })
  }
}

/**
 * Whether a failure is about one of these things: for `Effect.catchIf`, `Stream.catchIf`, `Effect.tapErrorIf` and the like,
 * which know afterwards what is left.
 *
 * @example
 * ```ts
 * import { ClientError, Conversations } from "@effect-zim/client"
 * import { Effect } from "effect"
 *
 * const list = Conversations.snapshot("user-42").pipe(
 *   Effect.catchIf(ClientError.isIn("RateLimit"), (error) => Effect.logWarning("too fast", error)),
 *   // Everything about the signature.
 *   Effect.catchIf(ClientError.isIn("Authentication", "Clock"), (error) => Effect.die(error))
 * )
 * ```
 *
 * @category guards
 * @since 0.1.0
 */
export const isIn =
  <const Wanted extends Category>(...wanted: ReadonlyArray<Wanted>) =>
  <Error>(error: Error): error is Error & InCategory<Error, Wanted> =>
    isAnyError(error) && wanted.some((category) => category === traits(error).category)

const isAnyError = (error: unknown): error is AnyError =>
  Predicate.hasProperty(error, "_tag") && typeof error._tag === "string" && Object.hasOwn(table, error._tag)

/**
 * Those of some errors that are about one user. A class whose errors may be about others too stays among the others.
 *
 * @category models
 * @since 0.1.0
 */
export type OfUser<Error> = Error extends ServiceError.UserNotRegistered
  ? Error
  : Error extends RequestInvalid
    ? Error & { readonly field: "userId" }
    : never

/**
 * Whether a failure is about the user who was asked about, so that a job may record it and go on with the next one. What
 * else fails is everybody's, or an outage, in which nobody else can be read either.
 *
 * @example
 * ```ts
 * import { ClientError, Conversations } from "@effect-zim/client"
 * import { Effect, Option } from "effect"
 *
 * const list = (userId: string) =>
 *   Conversations.snapshot(userId).pipe(
 *     Effect.asSome,
 *     Effect.catchIf(ClientError.isOfUser, (error) => Effect.as(Effect.logWarning(error.message), Option.none()))
 *   )
 * ```
 *
 * @category guards
 * @since 0.1.0
 */
export const isOfUser = <Error>(error: Error): error is Error & OfUser<Error> =>
  isAnyError(error) && traits(error).concerns === "User"

/**
 * Whether the same call may succeed later: for a job that puts what failed back into its queue.
 *
 * @example
 * ```ts
 * import { ClientError, Conversations } from "@effect-zim/client"
 * import { Effect, Queue } from "effect"
 *
 * declare const queue: Queue.Queue<string>
 *
 * const work = (userId: string) =>
 *   Conversations.snapshot(userId).pipe(
 *     Effect.tapError((error) => (ClientError.isRetryable(error) ? Queue.offer(queue, userId) : Effect.void))
 *   )
 * ```
 *
 * @category guards
 * @since 0.1.0
 */
export const isRetryable = (error: AnyError): boolean => {
  const { isRetryable, retry } = traits(error)
  return isRetryable ?? retry !== undefined
}

/**
 * How long to wait before the same call is made again, at the least; `undefined` where nobody knows.
 *
 * @example
 * ```ts
 * import { ClientError } from "@effect-zim/client"
 * import { Duration } from "effect"
 *
 * const wait = (error: ClientError.AnyError) => ClientError.retryAfter(error) ?? Duration.seconds(1)
 * ```
 *
 * @category accessors
 * @since 0.1.0
 */
export const retryAfter = (error: AnyError): Duration.Duration | undefined => traits(error).retryAfter

const unavailableAdvice: Record<QuotaUnavailable["reason"]["_tag"], string> = {
  NoAnswer: "Check the store of the shared quota; or allow this process a share of its own while the store is away.",
  Refused: "See to the store, which says what it lacks; or allow this process a share of its own while that lasts.",
  Denied: "Correct the address, credentials or permissions for the store of the shared quota, or what its keys hold."
}

const unreadableAdvice: Record<UnreadableReason["_tag"], string> = {
  HttpStatus: "Something between here and the service answered for it: check proxies, and try again later.",
  Redirect: "Check the region and the base URL: the service itself does not redirect.",
  Empty: "Something between here and the service cut the answer: check proxies, and try again later.",
  TooLarge: "Check the base URL; if the answer is the service's, raise ResponseLimit.",
  NotJson: "Something between here and the service answered for it or cut the answer: check proxies, and try again.",
  WrongShape: "The service's answer is not as documented: report it with the problem named here."
}

/** Words apart from traits: a bundle that shows none has none. */
const adviceTable: Pick<Table<string>, OwnTag> = {
  SettingsInvalid: ({ setting }) => `Correct ${setting} and start again.`,
  RequestInvalid: "Correct the request: it was not sent.",
  TransportFailed: "Check the network, the region and the base URL; if the service itself is down, try again later.",
  ClientClosed:
    "Make the calls while the layer of the client is open: keep its scope open for as long as there are calls.",
  AttemptTimedOut: "Choose a nearer region, or allow more time with Timeout.Attempt.",
  DeadlineExceeded:
    "Allow more time with Timeout.Deadline, or send fewer calls at once: waiting for the quota counts too.",
  CircuitOpen: "Try again later, or let RetryPolicy.patient wait. If it stays, check network, region and base URL.",
  QuotaUnavailable: ({ reason }) => unavailableAdvice[reason._tag],
  ResponseUnreadable: ({ reason }) => unreadableAdvice[reason._tag],
  PagingLoop: "Read the list again from the beginning; if it stays, report it to the vendor's support."
}

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
 * @category accessors
 * @since 0.1.0
 */
export const advice = (error: AnyError): string =>
  "vendorMessage" in error ? ServiceError.advice(error) : look<string, OwnTag>(adviceTable, error)

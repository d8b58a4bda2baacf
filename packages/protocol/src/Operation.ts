/**
 * An operation of the API as a value.
 *
 * One value says everything there is to know of an operation. The client derives the typed call, the pages and the
 * stream from it; the emulator derives the route and its answers.
 *
 * @since 0.1.0
 */
import type * as Duration from "effect/Duration"
import type * as Effect from "effect/Effect"
import type * as Option from "effect/Option"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import type { Method } from "./Catalog.ts"
import type { Cursor } from "./Cursor.ts"
import * as Envelope from "./Envelope.ts"
import * as ServiceError from "./ServiceError.ts"
import * as WireJson from "./WireJson.ts"

/**
 * The types of an operation.
 *
 * @category models
 * @since 0.1.0
 */
export interface Types {
  /** What a user writes. */
  readonly Input: unknown
  /** The same with every default filled in, and checked. */
  readonly Request: unknown
  /** The operation's own fields of an answer on the wire. */
  readonly Payload: unknown
  /** The value made of them. */
  readonly Success: unknown
  /** The errors documented for it. */
  readonly Failure: ServiceError.ServiceError
}

/**
 * An operation: what it is called, what it takes, what it answers, how it fails. One of your own says its {@link Types}.
 *
 * @category models
 * @since 0.1.0
 */
export interface Operation<in out Op extends Types> {
  /** Never there: by it the compiler finds the types of a value. */
  readonly "~types"?: Op
  /** The `Action` parameter, case-sensitive. */
  readonly action: string
  /** A read changes nothing, so repeating it is safe. */
  readonly kind: "Read" | "Write"
  /** The documented quota: so many calls a second. */
  readonly callsPerSecond: number
  /**
   * What a user writes, as a schema: with `success` and `errors` it takes a call to another process, or keeps its result.
   * What is wrong with it `make` says.
   */
  readonly input: Schema.Codec<Op["Input"], unknown>
  /** The value of a successful answer, as a schema. */
  readonly success: Schema.Codec<Op["Success"], unknown>
  /** The errors documented for the operation, as schemas. */
  readonly errors: ReadonlyArray<Schema.Codec<Op["Failure"], unknown>>
  /** Checks a user's input and fills in the defaults. */
  readonly make: (input: Op["Input"]) => Effect.Effect<Op["Request"], Schema.SchemaError>
  /** The request on the wire: the client encodes with it, the emulator decodes. */
  readonly request: Schema.Codec<Op["Request"], unknown>
  /** A short cut: the text that {@link encodeRequest} would otherwise make with `request`. */
  readonly print?: (request: Op["Request"]) => string
  /**
   * With it the operation is a `GET`, without a body: what a request asks as parameters, or what of it a query cannot say.
   * Make it of what `request` encodes, by `Query.encode`. Default: the operation is a `POST` with a body of JSON.
   */
  readonly query?: (request: Op["Request"]) => Result.Result<string, Schema.SchemaError>
  /**
   * The operation's own fields of a successful answer: the client decodes with it, the emulator encodes. It transforms
   * nothing, so a client may check with `Schema.is` first, which is faster and keeps unknown fields.
   */
  readonly payload: Schema.Codec<Op["Payload"], unknown>
  /**
   * A short cut: true only of an answer that `payload` accepts as it is, and in which `JSON.parse` has rounded no integer
   * (`WireJson.hasRounded`). Left out or false, both are found out at length.
   */
  readonly isExact?: (answer: unknown) => answer is Op["Payload"]
  /** The value of a successful answer, or what is wrong with it although each field is well-formed. */
  readonly interpret: (
    payload: Op["Payload"],
    request: Op["Request"],
    answer: Answer
  ) => Result.Result<Op["Success"], string>
  /** The codes documented for this operation, each with its error. */
  readonly failures: Readonly<Record<number, (details: ServiceError.Details, request: Op["Request"]) => Op["Failure"]>>
}

/**
 * A successful answer, beside its payload.
 *
 * @category models
 * @since 0.1.0
 */
export interface Answer {
  /** As it came. */
  readonly text: string
  /** The service's id of the request, for its support; `undefined` where the answer has none. */
  readonly requestId: string | undefined
  /** How many requests the call sent, the answered one included. */
  readonly attempts: number
  /** How long the call took, waiting included. */
  readonly elapsed: Duration.Duration
}

/**
 * The types of an operation that returns a list page by page. A page is its `Success`.
 *
 * @category models
 * @since 0.1.0
 */
export interface PagedTypes extends Types {
  /** What the list is one of. */
  readonly Item: unknown
}

/**
 * An operation that returns a list page by page.
 *
 * @category models
 * @since 0.1.0
 */
export interface PagedOperation<in out Op extends PagedTypes> extends Operation<Op> {
  readonly paging: {
    /** An item of the list, as a schema. */
    readonly item: Schema.Codec<Op["Item"], unknown>
    /** The items of a page. */
    readonly items: (page: Op["Success"]) => ReadonlyArray<Op["Item"]>
    /** Where a request starts. */
    readonly cursor: (request: Op["Request"]) => Cursor
    /** The same request, starting elsewhere. */
    readonly withCursor: (request: Op["Request"], cursor: Cursor) => Op["Request"]
    /** Where the page after this one starts; none where the list is complete. */
    readonly next: (page: Op["Success"]) => Option.Option<Cursor>
    /** More pages than any list has: one that goes on beyond them never ends. */
    readonly maximumPages: number
  }
}

/**
 * A value, and what it took to get it.
 *
 * @category models
 * @since 0.1.0
 */
export interface Detailed<out Value> extends Omit<Answer, "text"> {
  readonly value: Value
}

/**
 * The types of an operation whose value is {@link Detailed}.
 *
 * @category models
 * @since 0.1.0
 */
export interface DetailedTypes<Op extends Types> {
  readonly Input: Op["Input"]
  readonly Request: Op["Request"]
  readonly Payload: Op["Payload"]
  readonly Success: Detailed<Op["Success"]>
  readonly Failure: Op["Failure"]
}

/**
 * The same operation, whose value comes with the request id, the number of attempts and the time that the call took.
 *
 * @example
 * ```ts
 * import { Operation, QueryConversationList } from "@effect-zim/protocol"
 *
 * const { action } = Operation.detailed(QueryConversationList.operation) // QueryConversationList
 * ```
 *
 * @category combinators
 * @since 0.1.0
 */
export const detailed = <Op extends Types>({
  "~types": _types,
  ...operation
}: Operation<Op>): Operation<DetailedTypes<Op>> => ({
  ...operation,
  success: Schema.Struct({
    value: operation.success,
    requestId: Schema.UndefinedOr(Schema.String),
    attempts: Schema.Int,
    elapsed: Schema.Duration
  }),
  interpret: (payload, request, answer) =>
    Result.map(operation.interpret(payload, request, answer), (value) => ({
      value,
      requestId: answer.requestId,
      attempts: answer.attempts,
      elapsed: answer.elapsed
    }))
})

/**
 * The body of a `POST`.
 *
 * @example
 * ```ts
 * import { Operation, QueryConversationList } from "@effect-zim/protocol"
 * import { Effect } from "effect"
 *
 * const { operation } = QueryConversationList
 * const body = Effect.map(operation.make({ userId: "user-42" }), (request) => Operation.encodeRequest(operation, request))
 * // {"FromUserId":"user-42","Limit":500,"Next":0}
 * ```
 *
 * @category converting
 * @since 0.1.0
 */
export const encodeRequest = <Op extends Types>(operation: Operation<Op>, request: Op["Request"]): string =>
  operation.print?.(request) ?? WireJson.stringify(Schema.encodeSync(operation.request)(request))

/**
 * How an operation is sent.
 *
 * @example
 * ```ts
 * import { Operation, QueryConversationList } from "@effect-zim/protocol"
 *
 * Operation.methodOf(QueryConversationList.operation) // "POST"
 * ```
 *
 * @category accessors
 * @since 0.1.0
 */
export const methodOf = <Op extends Types>({ query }: Operation<Op>): Method => (query === undefined ? "POST" : "GET")

/**
 * An answer, its envelope read. `payload` has the operation's own fields, or what is wrong with them: ask it only where
 * the code is 0.
 *
 * @category models
 * @since 0.1.0
 */
export interface Response<out Payload> extends Envelope.Envelope {
  readonly payload: () => Result.Result<Payload, Schema.SchemaError>
}

/**
 * Reads the text of an answer.
 *
 * @example
 * ```ts
 * import { Operation, QueryConversationList } from "@effect-zim/protocol"
 * import { Result } from "effect"
 *
 * const text = '{"Code":0,"Message":"success","RequestId":"1","TotalCount":0,"Next":0,"List":[]}'
 * const payload = Operation.decodeResponse(QueryConversationList.operation, text).pipe(
 *   Result.getOrThrow,
 *   (answer) => answer.payload()
 * )
 * ```
 *
 * @category converting
 * @since 0.1.0
 */
export const decodeResponse = <Op extends Types>(
  operation: Operation<Op>,
  text: string
): Result.Result<Response<Op["Payload"]>, Envelope.Unreadable> => {
  let exact: Op["Payload"] | undefined
  const isExact = (body: unknown): boolean => {
    if (operation.isExact?.(body) !== true) return false
    exact = body
    return true
  }
  const payloadOf = (body: unknown): Result.Result<Op["Payload"], Schema.SchemaError> => {
    // A payload is its own encoding. To look whether it is one is cheaper than to decode it, and keeps the fields that
    // this version does not know; what is wrong with it, decoding says better.
    if (operation.isExact?.(body) === true || Schema.is(operation.payload)(body)) return Result.succeed(body)
    return Schema.decodeUnknownResult(operation.payload)(body)
  }
  return Result.map(Envelope.parseKnown(text, isExact), (envelope) => ({
    ...envelope,
    payload: () => (exact === undefined ? payloadOf(envelope.body) : Result.succeed(exact))
  }))
}

/**
 * The error of a return code other than 0: the operation's own where the documentation of the operation lists the code,
 * else a global one.
 *
 * @example
 * ```ts
 * import { Operation, QueryConversationList, ServiceError } from "@effect-zim/protocol"
 * import { Duration, Effect } from "effect"
 *
 * const details: ServiceError.Details = {
 *   code: 660300005,
 *   action: "QueryConversationList",
 *   attempts: 1,
 *   elapsed: Duration.millis(12),
 *   requestId: "1",
 *   vendorMessage: "too fast"
 * }
 * const error = Effect.map(QueryConversationList.operation.make({ userId: "user-42" }), (request) =>
 *   Operation.failure(QueryConversationList.operation, details, request)
 * ) // RateLimited
 * ```
 *
 * @category converting
 * @since 0.1.0
 */
export const failure = <Op extends Types>(
  operation: Operation<Op>,
  details: ServiceError.Details,
  request: Op["Request"]
): Op["Failure"] | ServiceError.GlobalError =>
  operation.failures[details.code]?.(details, request) ?? ServiceError.fromDetails(details)

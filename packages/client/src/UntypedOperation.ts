/**
 * Any operation of the vendor's server API by its name, for what has no typed operation yet: JSON in, JSON out.
 *
 * `ZimClient.call` makes and runs one. It is an ordinary `Operation`, so everything that holds for a typed call holds for
 * this one too: signature, quota, retries, deadline, telemetry, errors.
 *
 * @since 0.1.0
 */
import { Catalog, Envelope, type Operation, OperationCode, Query, ServiceError, WireJson } from "@effect-zim/protocol"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as SchemaTransformation from "effect/SchemaTransformation"

/**
 * What JSON can hold. Integers of up to 308 digits are exact: beyond 2^53 they are `bigint`, in requests and in answers.
 * Any other number of an answer is what `JSON.parse` makes of it, the nearest one that JavaScript has or `Infinity`;
 * `Response.text` has all of it.
 *
 * @category models
 * @since 0.1.0
 */
export type Json = string | number | bigint | boolean | null | ReadonlyArray<Json> | JsonObject

const isPlain = (value: object): boolean => {
  const prototype: unknown = Object.getPrototypeOf(value)
  // An object literal of any realm, or one without a prototype.
  return prototype === null || Object.getPrototypeOf(prototype) === null
}

const isRecord = (value: unknown): value is JsonObject =>
  typeof value === "object" && value !== null && !Array.isArray(value) && isPlain(value)

/** What keeps a single value, whatever is in it, from being JSON; a number that was read may be out of range. */
const problemOfValue = (value: unknown, wasRead: boolean): string | undefined => {
  switch (typeof value) {
    case "string":
    case "boolean":
    case "bigint":
      return undefined
    case "number":
      return wasRead || Number.isFinite(value) ? undefined : "a number that is not finite, or has more than 308 digits"
    case "object":
      return value === null || Array.isArray(value) || isPlain(value) ? undefined : "an instance of a class, not JSON"
    default:
      return `${typeof value}, which is not JSON`
  }
}

/** The first thing that keeps an object from being JSON. Without recursion: nothing is too deep to be looked at. */
const problemOf = (root: JsonObject, wasRead = false): Schema.FilterIssue | undefined => {
  // Objects and arrays, each with the way to it.
  const places: Array<{ readonly value: object; readonly path: ReadonlyArray<string | number> }> = [
    { value: root, path: [] }
  ]
  for (let place = places.pop(); place !== undefined; place = places.pop()) {
    if (place.path.length >= WireJson.deepest) return `nested more than ${WireJson.deepest} deep, or a part of itself`
    const entries: Iterable<readonly [string | number, unknown]> = Array.isArray(place.value)
      ? place.value.entries()
      : Object.entries(place.value)
    for (const [key, value] of entries) {
      const issue = problemOfValue(value, wasRead)
      if (issue !== undefined) return { path: [...place.path, key], issue }
      if (typeof value === "object" && value !== null) places.push({ value, path: [...place.path, key] })
    }
  }
  return undefined
}

/** It leaves the process as its text, since no other JSON has a `bigint`. */
const anObject = /* @__PURE__ */ (() =>
  Schema.declare<JsonObject>(isRecord, {
    expected: "a JSON object",
    toCodecJson: () =>
      Schema.link<JsonObject>()(
        JsonText,
        SchemaTransformation.transform({ decode: objectOf, encode: WireJson.stringify })
      )
  }))()

/**
 * An object of JSON: plain data, every number finite, nested at most 500 deep.
 *
 * @example
 * ```ts
 * import { UntypedOperation } from "@effect-zim/client"
 * import { Schema } from "effect"
 *
 * const isBody = Schema.is(UntypedOperation.JsonObject)
 * isBody({ UserIds: ["ada"], Since: 971503777289036701n }) // true
 * isBody({ Since: new Date(0) }) // false
 * ```
 *
 * @category schemas
 * @since 0.1.0
 */
export const JsonObject = /* @__PURE__ */ (() => anObject.check(Schema.makeFilter((body) => problemOf(body))))()

/** What an answer is: as much of a number as JavaScript can hold. */
const AnswerBody: Schema.Codec<JsonObject> = /* @__PURE__ */ (() =>
  anObject.check(Schema.makeFilter((body) => problemOf(body, true))))()

/** Without a word of the text: an error does not show what was to be sent. */
const problemOfText = (text: string): Schema.FilterIssue | string | undefined => {
  const body = Result.try((): unknown => JSON.parse(text))
  if (Result.isFailure(body)) return "not valid JSON"
  return isRecord(body.success) ? problemOf(body.success, true) : "Expected a JSON object"
}

/**
 * The text of an object of JSON, nested at most 500 deep. It is sent as it is: every digit, every space, the order of
 * the keys and those that come twice.
 *
 * @example
 * ```ts
 * import { UntypedOperation } from "@effect-zim/client"
 * import { Schema } from "effect"
 *
 * const isText = Schema.is(UntypedOperation.JsonText)
 * isText('{"Price":1.0}') // true
 * isText("[1]") // false
 * ```
 *
 * @category schemas
 * @since 0.1.0
 */
export const JsonText = /* @__PURE__ */ (() => Schema.String.check(Schema.makeFilter(problemOfText)))()

/**
 * What a request asks: an object, or the text of one. A GET has it in the query, each member a parameter.
 *
 * @category models
 * @since 0.1.0
 */
export type Body = JsonObject | string

// As a text where it left another process: then it is sent as it is.
const Body = /* @__PURE__ */ (() => Schema.Union([JsonText, JsonObject]))()

/**
 * An object of JSON.
 *
 * @category schemas
 * @since 0.1.0
 */
export interface JsonObject {
  readonly [name: string]: Json
}

/**
 * The name of an operation as the vendor's documentation writes it, letter case included.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Action = /* @__PURE__ */ (() =>
  Schema.String.check(
    Schema.isPattern(/^[A-Za-z]\w{0,63}$/, {
      expected: "the name of an operation, such as QueryConversationList: at most 64 letters and digits"
    })
  ))()

/**
 * A successful answer: its envelope, and all of it, as values in `body` and as it came in `text`. As a schema it takes an
 * answer to another process and back.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Response = /* @__PURE__ */ (() =>
  Schema.Struct({
    code: Schema.Literal(0),
    message: Schema.String,
    requestId: Schema.UndefinedOr(Schema.String),
    body: AnswerBody,
    /** The JSON itself: every digit, every space, the order of the keys and those that come twice. */
    text: Schema.String
  }))()

/**
 * A successful answer.
 *
 * @category schemas
 * @since 0.1.0
 */
export interface Response extends Schema.Schema.Type<typeof Response> {}

/**
 * The errors beside the global ones, as a schema and a type. A code that no page documents is an `UnknownReturnCode`, with
 * the vendor's message.
 *
 * @category errors
 * @since 0.1.0
 */
export const Failure = /* @__PURE__ */ (() =>
  Schema.Union([
    ServiceError.InvalidInput,
    ServiceError.RateLimited,
    ServiceError.UserNotRegistered,
    ServiceError.QueryFailed,
    ServiceError.OperationFailed
  ]))()

/**
 * One of them.
 *
 * @category errors
 * @since 0.1.0
 */
export type Failure = typeof Failure.Type

/**
 * Options for {@link make}.
 *
 * @category models
 * @since 0.1.0
 */
export interface Options {
  /**
   * `Read` says that the operation changes nothing, so that the retry policy may repeat it after any failure. `Write` is
   * repeated only where it was surely not done: it was rejected, or not sent. Default: what is documented of the name
   * (`Catalog.operations`), and `Write` where nothing is.
   */
  readonly kind?: "Read" | "Write" | undefined
  /**
   * How it is sent: `POST` with JSON, or `GET` with everything in the query. Default: as is documented of the name
   * (`Catalog.operations`), and `POST` where nothing is.
   */
  readonly method?: Catalog.Method | undefined
}

/**
 * The types of an operation that is known by its name only.
 *
 * @category models
 * @since 0.1.0
 */
export interface Types {
  readonly Input: Body
  readonly Request: Body
  readonly Payload: JsonObject
  readonly Success: Response
  readonly Failure: Failure
}

/**
 * A value of {@link Operation.Operation} for an operation that is known by its name only.
 *
 * @category models
 * @since 0.1.0
 */
export type UntypedOperation = Operation.Operation<Types>

const isAction = /* @__PURE__ */ (() => Schema.is(Action))()

/** Who the operation was to be done for, as most of them say it. */
const userOf = (body: Body): string => {
  const { FromUserId: user } = valuesOf(body)
  return typeof user === "string" ? user : ""
}

const valuesOf = (body: Body): JsonObject => (typeof body === "string" ? objectOf(body) : body)

const objectOf = (text: string): JsonObject => {
  const value = WireJson.parse(text)
  return isRecord(value) ? value : {}
}

const failures: UntypedOperation["failures"] = /* @__PURE__ */ (() => ({
  ...Object.fromEntries(
    OperationCode.table.map((known) => [
      known.code,
      (details: ServiceError.Details) => new ServiceError.OperationFailed({ ...details, ...known })
    ])
  ),
  660000002: (details: ServiceError.Details) => new ServiceError.InvalidInput({ ...details, code: 660000002 }),
  660300005: (details: ServiceError.Details) => new ServiceError.RateLimited({ ...details, code: 660300005 }),
  660500002: (details: ServiceError.Details, body: Body) =>
    new ServiceError.UserNotRegistered({ ...details, code: 660500002, userId: userOf(body) }),
  660800053: (details: ServiceError.Details) => new ServiceError.QueryFailed({ ...details, code: 660800053 })
}))()

const interpret: UntypedOperation["interpret"] = (payload, _request, { text }) =>
  Result.mapBoth(Envelope.fromBody(payload), {
    onSuccess: ({ message, requestId }): Response => ({ code: 0, message, requestId, body: payload, text }),
    onFailure: ({ problem }) => problem
  })

/** Not as one of both: of a union, the error says little. */
const decodeBody = (body: Body): Effect.Effect<Body, Schema.SchemaError> =>
  typeof body === "string" ? Schema.decodeUnknownEffect(JsonText)(body) : Schema.decodeUnknownEffect(JsonObject)(body)

/**
 * An operation by its name, sent as is documented of it. The name and the body are checked before anything is sent.
 *
 * @example
 * ```ts
 * import { UntypedOperation, ZimClient } from "@effect-zim/client"
 *
 * const queryUsers = UntypedOperation.make("QueryUserInfos", { kind: "Read" })
 * const answer = ZimClient.execute(queryUsers, { UserIds: ["ada", "grace"] })
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = (action: string, options?: Options): UntypedOperation => {
  const documented = Catalog.operations.get(action)
  const isGet = (options?.method ?? documented?.method) === "GET"
  return {
    // Any other text is only shown, by the error that says what is wrong with it.
    action: isAction(action) ? action : JSON.stringify(String(action).slice(0, 64)),
    kind: options?.kind ?? documented?.kind ?? "Write",
    callsPerSecond: 20,
    input: Body,
    success: Response,
    errors: Failure.members,
    make: (body) => {
      const decoded = Effect.andThen(Schema.decodeUnknownEffect(Action)(action), decodeBody(body))
      // A query has values only: a text is read for them.
      return isGet ? Effect.map(decoded, valuesOf) : decoded
    },
    request: Body,
    ...(isGet && { query: Query.encode }),
    print: (body) => (typeof body === "string" ? body : WireJson.stringify(body)),
    payload: AnswerBody,
    interpret,
    failures
  }
}

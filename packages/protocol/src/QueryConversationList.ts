/**
 * `QueryConversationList`: pages through the conversation list of one user.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Predicate from "effect/Predicate"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as Conversation from "./Conversation.ts"
import * as Cursor from "./Cursor.ts"
import type { PagedOperation } from "./Operation.ts"
import * as PageSize from "./PageSize.ts"
import * as ServiceError from "./ServiceError.ts"
import * as UserId from "./UserId.ts"
import * as WireJson from "./WireJson.ts"

/**
 * The service keeps at most the latest 1000 conversations of a user in reach.
 *
 * Source: contract, section 1.
 *
 * @category constants
 * @since 0.1.0
 */
export const maximumConversations = 1000

/**
 * A request for one page, made from what a user writes: page size (1 to 500, default 500) and cursor (default: the
 * beginning) may be left out.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Request = Schema.Struct({
  userId: UserId.UserId,
  pageSize: PageSize.PageSize.pipe(Schema.withDecodingDefault(Effect.succeed(PageSize.maximum))),
  cursor: Cursor.Cursor.pipe(Schema.withDecodingDefault(Effect.succeed(Cursor.start)))
})

/**
 * A request that has been checked, with its defaults.
 *
 * @category schemas
 * @since 0.1.0
 */
export type Request = typeof Request.Type

/**
 * What a user writes, as a schema and a type. It takes an input to where it is checked, right or wrong.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Input = /* @__PURE__ */ (() =>
  Schema.Struct({
    userId: Schema.String,
    pageSize: Schema.optional(Schema.Number),
    cursor: Schema.optional(Schema.String)
  }))()

/**
 * What a user writes.
 *
 * @category schemas
 * @since 0.1.0
 */
export type Input = typeof Input.Type

const decodeInput = Schema.decodeEffect(Request)

/** By hand where the input is right, since every page of a list is asked for this way; what is wrong, the schema says. */
const make = (input: Input): Effect.Effect<Request, Schema.SchemaError> => {
  if (Predicate.isObject(input)) {
    const { cursor = Cursor.start, pageSize = PageSize.maximum, userId } = input
    if (UserId.is(userId) && PageSize.is(pageSize) && Cursor.is(cursor)) {
      return Effect.succeed({ userId, pageSize, cursor })
    }
  }
  return decodeInput(input)
}

/**
 * The request body on the wire. A `Limit` out of range is corrected, not rejected, as the service does.
 *
 * Source: contract, section 1, request body.
 *
 * @category schemas
 * @since 0.1.0
 */
export const RequestFromWire = Schema.Struct({
  userId: UserId.UserId,
  pageSize: PageSize.FromWire,
  cursor: Cursor.FromWire.pipe(Schema.withDecodingDefaultKey(Effect.succeed(0)))
}).pipe(Schema.encodeKeys({ userId: "FromUserId", pageSize: "Limit", cursor: "Next" }))

/**
 * The operation's fields of a successful answer. `Next` is required: without it nobody knows whether the list is
 * complete. `List` may be absent or null and `TotalCount` may be absent, since the documentation does not show an empty
 * list.
 *
 * Source: contract, section 1, response body.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Payload = Schema.Struct({
  TotalCount: Schema.optional(Schema.NullOr(Schema.Int)),
  Next: WireJson.WireInteger,
  List: Schema.optional(Schema.NullOr(Schema.Array(Conversation.Wire)))
})

/**
 * The fields of a success.
 *
 * @category schemas
 * @since 0.1.0
 */
export interface Payload extends Schema.Schema.Type<typeof Payload> {}

const isWireInteger = Schema.is(WireJson.WireInteger)

const areExact = (entries: ReadonlyArray<unknown>): boolean => {
  for (const entry of entries) {
    if (!Conversation.isExact(entry)) return false
  }
  return true
}

const isExact = (answer: unknown): answer is Payload => {
  if (!Predicate.isObject(answer)) return false
  const { List: list, Next: next, TotalCount: total } = answer
  if (!(typeof next === "bigint" ? isWireInteger(next) : Number.isSafeInteger(next))) return false
  if (!(total === undefined || total === null || Number.isSafeInteger(total))) return false
  for (const key in answer) {
    if (key !== "List" && WireJson.hasRounded(answer[key])) return false
  }
  return list === undefined || list === null || (Array.isArray(list) && areExact(list))
}

/**
 * One page of a conversation list. As a schema it takes a page to another process and back.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Page = /* @__PURE__ */ (() =>
  Schema.Struct({
    /** In the order of the service: ascending by time within the page. */
    conversations: Schema.Array(Conversation.FromWire),
    /**
     * Where the next page starts; none where this page completes the list. Save it once the page is dealt with, and a
     * later run can go on from there.
     */
    next: Schema.Option(Cursor.Cursor),
    /** The service's id of the request, for its support; `undefined` where the answer had none. */
    requestId: Schema.UndefinedOr(Schema.String),
    /** How many conversations the service says the user has; none where it does not say. */
    totalCount: Schema.Option(Schema.Int)
  }).annotate({ identifier: "@effect-zim/protocol/Page" }))()

/**
 * A page.
 *
 * @category schemas
 * @since 0.1.0
 */
export interface Page extends Schema.Schema.Type<typeof Page> {}

/**
 * The errors documented for the operation, as a schema and a type.
 *
 * @category errors
 * @since 0.1.0
 */
export const Failure = /* @__PURE__ */ (() =>
  Schema.Union([
    ServiceError.InvalidInput,
    ServiceError.RateLimited,
    ServiceError.UserNotRegistered,
    ServiceError.QueryFailed
  ]))()

/**
 * One of them.
 *
 * @category errors
 * @since 0.1.0
 */
export type Failure = typeof Failure.Type

/**
 * The types of the operation.
 *
 * @category models
 * @since 0.1.0
 */
export interface Types {
  readonly Input: Input
  readonly Request: Request
  readonly Payload: Payload
  readonly Success: Page
  readonly Failure: Failure
  readonly Item: Conversation.Conversation
}

/**
 * The operation.
 *
 * @example
 * ```ts
 * import { QueryConversationList } from "@effect-zim/protocol"
 *
 * const { action, callsPerSecond, kind } = QueryConversationList.operation // QueryConversationList, 20, Read
 * ```
 *
 * @category constants
 * @since 0.1.0
 */
export const operation: PagedOperation<Types> = {
  action: "QueryConversationList",
  kind: "Read",
  callsPerSecond: 20,
  input: Input,
  success: Page,
  errors: Failure.members,
  make,
  request: RequestFromWire,
  print: ({ cursor, pageSize, userId }) =>
    `{"FromUserId":${JSON.stringify(userId)},"Limit":${pageSize},"Next":${cursor}}`,
  payload: Payload,
  isExact,
  interpret: (payload, request, { requestId }) => {
    if (payload.List === undefined || payload.List === null) {
      // A list left out is how an empty one may look; but not where the same answer counts conversations.
      if (request.cursor === Cursor.start && (payload.TotalCount ?? 0) > 0) {
        return Result.fail(`the answer counts ${payload.TotalCount} conversations but has no List`)
      }
    }
    const next = Cursor.fromWire(payload.Next)
    return Result.succeed({
      conversations: (payload.List ?? []).map((wire) => new Conversation.Conversation(wire)),
      next: Cursor.isEnd(next) ? Option.none() : Option.some(next),
      requestId,
      totalCount: Option.fromNullishOr(payload.TotalCount)
    })
  },
  failures: {
    660000002: (details) => new ServiceError.InvalidInput({ ...details, code: 660000002 }),
    660300005: (details) => new ServiceError.RateLimited({ ...details, code: 660300005 }),
    660500002: (details, request) =>
      new ServiceError.UserNotRegistered({ ...details, code: 660500002, userId: request.userId }),
    660800053: (details) => new ServiceError.QueryFailed({ ...details, code: 660800053 })
  },
  paging: {
    item: Conversation.FromWire,
    items: (page) => page.conversations,
    cursor: (request) => request.cursor,
    withCursor: (request, cursor) => ({ ...request, cursor }),
    next: (page) => page.next,
    // A page of one conversation each, and as many again for a list that grows while it is read.
    maximumPages: 2 * maximumConversations
  }
}

import {
  AppId,
  Conversation,
  Cursor,
  Operation,
  QueryConversationList,
  ReturnCode,
  ServiceError
} from "@effect-zim/protocol"
import type { PageSize, UserId } from "@effect-zim/protocol"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as DateTime from "effect/DateTime"
import type * as Option from "effect/Option"
import type * as Schema from "effect/Schema"
import { expectTypeOf, test } from "vitest"

const { operation } = QueryConversationList
const answer: ServiceError.Details = {
  code: 660500002,
  action: operation.action,
  attempts: 1,
  elapsed: Duration.zero,
  requestId: undefined,
  vendorMessage: ""
}
const failure = Effect.map(operation.make({ userId: "user-42" }), (request) =>
  Operation.failure(operation, answer, request)
)

test("codes of each class", () => {
  expectTypeOf<typeof ServiceError.ServiceError.Type>().toEqualTypeOf<ServiceError.ServiceError>()
  expectTypeOf<ServiceError.InvalidInput["code"]>().toEqualTypeOf<660000002>()
  expectTypeOf<ServiceError.RateLimited["code"]>().toEqualTypeOf<660300005>()
  expectTypeOf<ServiceError.UserNotRegistered["code"]>().toEqualTypeOf<660500002>()
  expectTypeOf<ServiceError.QueryFailed["code"]>().toEqualTypeOf<660800053>()
  expectTypeOf<ServiceError.Throttled["code"]>().toEqualTypeOf<7>()
  expectTypeOf<ServiceError.AuthenticationFailed["code"]>().toEqualTypeOf<3 | 100000005>()
  expectTypeOf<ServiceError.SignatureExpired["code"]>().toEqualTypeOf<100000004>()
  expectTypeOf<ServiceError.NotPermitted["code"]>().toEqualTypeOf<100000016 | 100000017 | 660000028>()
  expectTypeOf<ServiceError.ServiceFailed["code"]>().toEqualTypeOf<
    1 | 105001 | 100000010 | 100000011 | 100000012 | 100000015 | 660000001 | 660000003
  >()
  expectTypeOf<ServiceError.MalformedRequest["code"]>().toEqualTypeOf<
    | 2
    | 100000000
    | 100000001
    | 100000002
    | 100000003
    | 100000006
    | 100000007
    | 100000008
    | 100000009
    | 100000013
    | 100000014
    | 660000012
  >()
  expectTypeOf<ServiceError.UnknownReturnCode["code"]>().toEqualTypeOf<number>()
  expectTypeOf<ReturnCode.CodesOf<"Throttled">>().toEqualTypeOf<7>()
  expectTypeOf(ReturnCode.codesOf("NotPermitted")).toEqualTypeOf<ReadonlyArray<100000016 | 100000017 | 660000028>>()
})

test("every error class has the fields of the call and of the answer", () => {
  expectTypeOf<ServiceError.ServiceError>().toExtend<ServiceError.Details>()
  expectTypeOf<ServiceError.ServiceError>().toExtend<Error>()
  expectTypeOf<ServiceError.UserNotRegistered["userId"]>().toEqualTypeOf<string>()
})

test("unions of errors", () => {
  expectTypeOf<QueryConversationList.Failure>().toEqualTypeOf<
    ServiceError.InvalidInput | ServiceError.RateLimited | ServiceError.UserNotRegistered | ServiceError.QueryFailed
  >()
  expectTypeOf<ServiceError.GlobalError>().toEqualTypeOf<
    | ServiceError.MalformedRequest
    | ServiceError.Throttled
    | ServiceError.AuthenticationFailed
    | ServiceError.SignatureExpired
    | ServiceError.NotPermitted
    | ServiceError.ServiceFailed
    | ServiceError.UnknownReturnCode
  >()
  expectTypeOf<ServiceError.ServiceError>().toEqualTypeOf<
    ServiceError.GlobalError | QueryConversationList.Failure | ServiceError.OperationFailed
  >()
  // One class for every error tag of the table, one for the codes of other operations, and one for any other.
  expectTypeOf<ServiceError.ServiceError["_tag"]>().toEqualTypeOf<
    ReturnCode.ReturnCode["error"] | "OperationFailed" | "UnknownReturnCode"
  >()
})

test("input, request and page", () => {
  expectTypeOf<QueryConversationList.Input>().toEqualTypeOf<{
    readonly userId: string
    readonly pageSize?: number | undefined
    readonly cursor?: string | undefined
  }>()
  expectTypeOf<QueryConversationList.Request>().toEqualTypeOf<{
    readonly userId: UserId.UserId
    readonly pageSize: PageSize.PageSize
    readonly cursor: Cursor.Cursor
  }>()
  // What is checked already may be written too.
  expectTypeOf<QueryConversationList.Request>().toExtend<QueryConversationList.Input>()
  expectTypeOf(operation.make).toEqualTypeOf<
    (input: QueryConversationList.Input) => Effect.Effect<QueryConversationList.Request, Schema.SchemaError>
  >()
  expectTypeOf<QueryConversationList.Page["next"]>().toEqualTypeOf<Option.Option<Cursor.Cursor>>()
  expectTypeOf<QueryConversationList.Page["totalCount"]>().toEqualTypeOf<Option.Option<number>>()
  expectTypeOf<QueryConversationList.Page["conversations"]>().toEqualTypeOf<ReadonlyArray<Conversation.Conversation>>()
})

test("brands", () => {
  expectTypeOf<string>().not.toExtend<UserId.UserId>()
  expectTypeOf<string>().not.toExtend<Cursor.Cursor>()
  expectTypeOf<number>().not.toExtend<PageSize.PageSize>()
  expectTypeOf<number>().not.toExtend<AppId.AppId>()
  expectTypeOf<UserId.UserId>().not.toExtend<Cursor.Cursor>()
  expectTypeOf<PageSize.PageSize>().not.toExtend<AppId.AppId>()
  expectTypeOf(AppId.make).toEqualTypeOf<(id: number) => AppId.AppId>()
  expectTypeOf(Cursor.make).toEqualTypeOf<(digits: string) => Cursor.Cursor>()
})

test("conversation", () => {
  expectTypeOf<Conversation.Conversation["type"]>().toEqualTypeOf<"OneToOne" | "Group" | "Unknown">()
  expectTypeOf<Conversation.Conversation["updatedAt"]>().toEqualTypeOf<DateTime.Utc>()
  expectTypeOf<Conversation.Conversation["raw"]>().toEqualTypeOf<Conversation.Wire>()
  expectTypeOf(Conversation.typeCodes).toEqualTypeOf<{ readonly OneToOne: 0; readonly Group: 2 }>()
})

test("an operation fails with its own errors or global ones", () => {
  expectTypeOf<Effect.Success<typeof failure>>().toEqualTypeOf<
    Exclude<ServiceError.ServiceError, ServiceError.OperationFailed>
  >()
})

test("isRateLimit narrows", () => {
  expectTypeOf(ServiceError.isRateLimit).guards.toEqualTypeOf<
    ServiceError.RateLimited | ServiceError.Throttled | (ServiceError.OperationFailed & { readonly retry: "RateLimit" })
  >()
})

test("catchTag narrows to each class and takes it off the error channel", () => {
  const program = Effect.flatMap(Effect.orDie(failure), Effect.fail)
  const left = program.pipe(
    Effect.catchTag("InvalidInput", (error) =>
      Effect.succeed(expectTypeOf(error).toEqualTypeOf<ServiceError.InvalidInput>())
    ),
    Effect.catchTag("RateLimited", (error) =>
      Effect.succeed(expectTypeOf(error).toEqualTypeOf<ServiceError.RateLimited>())
    ),
    Effect.catchTag("UserNotRegistered", (error) =>
      Effect.succeed(expectTypeOf(error).toEqualTypeOf<ServiceError.UserNotRegistered>())
    ),
    Effect.catchTag("QueryFailed", (error) =>
      Effect.succeed(expectTypeOf(error).toEqualTypeOf<ServiceError.QueryFailed>())
    )
  )
  expectTypeOf<Effect.Error<typeof left>>().toEqualTypeOf<ServiceError.GlobalError>()
  const none = left.pipe(
    Effect.catchTag("MalformedRequest", (error) =>
      Effect.succeed(expectTypeOf(error).toEqualTypeOf<ServiceError.MalformedRequest>())
    ),
    Effect.catchTag("Throttled", (error) =>
      Effect.succeed(expectTypeOf(error).toEqualTypeOf<ServiceError.Throttled>())
    ),
    Effect.catchTag("AuthenticationFailed", (error) =>
      Effect.succeed(expectTypeOf(error).toEqualTypeOf<ServiceError.AuthenticationFailed>())
    ),
    Effect.catchTag("SignatureExpired", (error) =>
      Effect.succeed(expectTypeOf(error).toEqualTypeOf<ServiceError.SignatureExpired>())
    ),
    Effect.catchTag("NotPermitted", (error) =>
      Effect.succeed(expectTypeOf(error).toEqualTypeOf<ServiceError.NotPermitted>())
    ),
    Effect.catchTag("ServiceFailed", (error) =>
      Effect.succeed(expectTypeOf(error).toEqualTypeOf<ServiceError.ServiceFailed>())
    ),
    Effect.catchTag("UnknownReturnCode", (error) =>
      Effect.succeed(expectTypeOf(error).toEqualTypeOf<ServiceError.UnknownReturnCode>())
    )
  )
  expectTypeOf<Effect.Error<typeof none>>().toEqualTypeOf<never>()
  Effect.runSync(none)
})

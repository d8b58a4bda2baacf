import * as Derive from "@effect-zim/client/Derive"
import {
  ClientError,
  Conversations,
  Paging,
  Quota,
  ResponseLimit,
  RetryPolicy,
  Timeout,
  ZimClient
} from "@effect-zim/client"
import type { Endpoint, UntypedOperation } from "@effect-zim/client"
import type { AppId, Conversation, Cursor, Operation, ServiceError } from "@effect-zim/protocol"
import { QueryConversationList } from "@effect-zim/protocol"
import type * as Config from "effect/Config"
import type * as Context from "effect/Context"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as Persistable from "effect/persistence/Persistable"
import type * as Rpc from "effect/rpc/Rpc"
import type * as HttpClient from "effect/http/HttpClient"
import type * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import type * as Result from "effect/Result"
import * as Stream from "effect/Stream"
import { expectTypeOf, test } from "vitest"

const { operation } = QueryConversationList

/** What the documentation of the operation says it can fail with. */
type Documented =
  | ServiceError.InvalidInput
  | ServiceError.RateLimited
  | ServiceError.UserNotRegistered
  | ServiceError.QueryFailed

/** What any operation can fail with. */
type Global =
  | ServiceError.MalformedRequest
  | ServiceError.Throttled
  | ServiceError.AuthenticationFailed
  | ServiceError.SignatureExpired
  | ServiceError.NotPermitted
  | ServiceError.ServiceFailed
  | ServiceError.UnknownReturnCode

/** What can go wrong on this side of the wire. */
type Own =
  | ClientError.RequestInvalid
  | ClientError.TransportFailed
  | ClientError.AttemptTimedOut
  | ClientError.DeadlineExceeded
  | ClientError.CircuitOpen
  | ClientError.ClientClosed
  | ClientError.QuotaUnavailable
  | ClientError.ResponseUnreadable

type OfPage = Documented | Global | Own
type OfList = OfPage | ClientError.PagingLoop

test("execute fails with exactly what is documented, and the client's own", () => {
  const program = ZimClient.execute(operation, { userId: "user-42" })
  expectTypeOf(program).toEqualTypeOf<Effect.Effect<QueryConversationList.Page, OfPage, ZimClient.ZimClient>>()
  expectTypeOf<ClientError.CallError>().toEqualTypeOf<Global | Own>()
  expectTypeOf<ClientError.CallError<QueryConversationList.Failure>>().toEqualTypeOf<OfPage>()
  expectTypeOf<ClientError.AttemptError<QueryConversationList.Failure>>().toEqualTypeOf<
    Exclude<OfPage, ClientError.RequestInvalid>
  >()
  expectTypeOf<ClientError.PagingError<QueryConversationList.Failure>>().toEqualTypeOf<OfList>()
  expectTypeOf<ClientError.AnyError>().toEqualTypeOf<
    OfList | ClientError.SettingsInvalid | ServiceError.OperationFailed
  >()
  expectTypeOf<typeof ClientError.AnyError.Type>().toEqualTypeOf<ClientError.AnyError>()
})

test("an operation with other errors has those", () => {
  interface Other {
    readonly Input: string
    readonly Request: string
    readonly Payload: object
    readonly Success: boolean
    readonly Failure: ServiceError.QueryFailed
    readonly Item: 1
  }
  expectTypeOf(ZimClient.execute<Other>).returns.toEqualTypeOf<
    Effect.Effect<boolean, ServiceError.QueryFailed | Global | Own, ZimClient.ZimClient>
  >()
  expectTypeOf(Paging.pages<Other>).returns.toEqualTypeOf<
    Stream.Stream<boolean, ServiceError.QueryFailed | Global | Own | ClientError.PagingLoop, ZimClient.ZimClient>
  >()
  expectTypeOf(Paging.items<Other>).returns.toEqualTypeOf<
    Stream.Stream<1, ServiceError.QueryFailed | Global | Own | ClientError.PagingLoop, ZimClient.ZimClient>
  >()
  expectTypeOf<typeof operation>().toExtend<
    Operation.PagedOperation<{
      readonly Input: QueryConversationList.Input
      readonly Request: QueryConversationList.Request
      readonly Payload: QueryConversationList.Payload
      readonly Success: QueryConversationList.Page
      readonly Failure: Documented
      readonly Item: Conversation.Conversation
    }>
  >()
})

test("call fails with the codes that mean the same for every operation, the global ones, and the client's own", () => {
  expectTypeOf(ZimClient.call).toEqualTypeOf<
    (
      action: string,
      body?: UntypedOperation.JsonObject | string,
      options?: UntypedOperation.Options
    ) => Effect.Effect<
      UntypedOperation.Response,
      Documented | ServiceError.OperationFailed | Global | Own,
      ZimClient.ZimClient
    >
  >()
  expectTypeOf<{ [Key in keyof UntypedOperation.Response]: UntypedOperation.Response[Key] }>().toEqualTypeOf<{
    readonly code: 0
    readonly message: string
    readonly requestId: string | undefined
    readonly body: UntypedOperation.JsonObject
    readonly text: string
  }>()
  expectTypeOf<UntypedOperation.JsonObject[string]>().toEqualTypeOf<UntypedOperation.Json>()
  expectTypeOf<UntypedOperation.Options["kind"]>().toEqualTypeOf<"Read" | "Write" | undefined>()
  expectTypeOf<{
    readonly UserId: ReadonlyArray<string>
    readonly Id: bigint
  }>().toExtend<UntypedOperation.JsonObject>()
  expectTypeOf<{ readonly At: Date }>().not.toExtend<UntypedOperation.JsonObject>()
  expectTypeOf<{ readonly A: undefined }>().not.toExtend<UntypedOperation.JsonObject>()
})

test("Conversations", () => {
  expectTypeOf(Conversations.page).toEqualTypeOf<
    (
      userId: string,
      options?: Conversations.Options
    ) => Effect.Effect<QueryConversationList.Page, OfPage, ZimClient.ZimClient>
  >()
  expectTypeOf(Conversations.pages).toEqualTypeOf<
    (
      userId: string,
      options?: Conversations.Options
    ) => Stream.Stream<QueryConversationList.Page, OfList, ZimClient.ZimClient>
  >()
  expectTypeOf(Conversations.stream).toEqualTypeOf<
    (
      userId: string,
      options?: Conversations.Options
    ) => Stream.Stream<Conversation.Conversation, OfList, ZimClient.ZimClient>
  >()
  expectTypeOf(Conversations.snapshot).returns.toEqualTypeOf<
    Effect.Effect<Conversations.Snapshot, OfList, ZimClient.ZimClient>
  >()
  expectTypeOf<Conversations.PageError>().toEqualTypeOf<OfPage>()
  expectTypeOf<Conversations.ListError>().toEqualTypeOf<OfList>()
  expectTypeOf<Conversations.Options>().toEqualTypeOf<{
    readonly pageSize?: number | undefined
    readonly from?: Cursor.Cursor | undefined
  }>()
  expectTypeOf<Conversations.Snapshot["verdict"]>().toEqualTypeOf<"Complete" | "ChangedWhileReading" | "AtCap">()
  expectTypeOf<Conversations.Snapshot["conversations"]>().toEqualTypeOf<ReadonlyArray<Conversation.Conversation>>()
})

test("the errors of an operation are a schema and a type", () => {
  expectTypeOf<typeof Conversations.ListError.Type>().toEqualTypeOf<Conversations.ListError>()
  expectTypeOf<typeof Conversations.PageError.Type>().toEqualTypeOf<Conversations.PageError>()
  expectTypeOf<typeof ClientError.AnyError.Type>().toEqualTypeOf<ClientError.AnyError>()
})

test("forUsers adds nothing to the upstream's errors and only the client to its requirements", () => {
  class Upstream {
    readonly _tag = "Upstream"
  }
  interface Database {
    readonly _: unique symbol
  }
  const forUsers = Conversations.forUsers({ concurrency: 3 })<Upstream, Database>
  expectTypeOf(forUsers).returns.toEqualTypeOf<
    Stream.Stream<Conversations.UserResult, Upstream, Database | ZimClient.ZimClient>
  >()
  // Records of the caller's own come back with their type, data-first and data-last; without the function they are refused.
  interface Account {
    readonly chatId: string
  }
  type OfAccounts = Stream.Stream<Conversations.UserResult<Account>, Upstream, Database | ZimClient.ZimClient>
  const accounts: Stream.Stream<Account, Upstream, Database> = Stream.empty
  const userId = ({ chatId }: Account) => chatId
  expectTypeOf(Conversations.forUsers(accounts, { userId })).toEqualTypeOf<OfAccounts>()
  expectTypeOf(accounts.pipe(Conversations.forUsers({ userId, ordered: true }))).toEqualTypeOf<OfAccounts>()
  // @ts-expect-error what an account's user id is has to be said
  expectTypeOf(Conversations.forUsers(accounts, { ordered: true })).not.toBeAny()
  expectTypeOf<Conversations.UserResult["result"]>().toEqualTypeOf<Result.Result<Conversations.Snapshot, OfList>>()
})

test("layers", () => {
  expectTypeOf(ZimClient.layerConfig()).toEqualTypeOf<
    Layer.Layer<ZimClient.ZimClient, ClientError.SettingsInvalid, HttpClient.HttpClient>
  >()
  expectTypeOf(ZimClient.layer).returns.toEqualTypeOf<
    Layer.Layer<ZimClient.ZimClient, ClientError.SettingsInvalid, HttpClient.HttpClient>
  >()
  expectTypeOf(ZimClient.settings).toEqualTypeOf<Config.Config<ZimClient.Settings>>()
  expectTypeOf(ZimClient.readSettings()).toEqualTypeOf<Effect.Effect<ZimClient.Settings, ClientError.SettingsInvalid>>()
  expectTypeOf<ZimClient.Options["serverSecret"]>().toEqualTypeOf<Redacted.Redacted>()
  expectTypeOf<ZimClient.Options["region"]>().toEqualTypeOf<"sha" | "hkg" | "fra" | "lax" | "bom" | "sgp" | undefined>()
  expectTypeOf<Endpoint.Region>().toEqualTypeOf<"sha" | "hkg" | "fra" | "lax" | "bom" | "sgp">()
  expectTypeOf<string>().not.toExtend<ZimClient.Options["serverSecret"]>()
  expectTypeOf<ZimClient.ZimClient["Service"]["appId"]>().toEqualTypeOf<AppId.AppId>()
  expectTypeOf(Quota.layer()).toEqualTypeOf<Layer.Layer<Quota.Quota>>()
  // The one thing left to provide is an HTTP client.
  const layer = ZimClient.layer({ appId: 12345, serverSecret: Redacted.make("s") })
  expectTypeOf<Layer.Services<typeof layer>>().toEqualTypeOf<HttpClient.HttpClient>()
})

test("policies", () => {
  expectTypeOf(RetryPolicy.Current).toEqualTypeOf<Context.Reference<RetryPolicy.RetryPolicy>>()
  expectTypeOf(Timeout.Attempt).toEqualTypeOf<Context.Reference<Duration.Duration>>()
  expectTypeOf(Timeout.Deadline).toEqualTypeOf<Context.Reference<Duration.Duration>>()
  expectTypeOf(ResponseLimit).toEqualTypeOf<Context.Reference<number>>()
  const page = Conversations.page("user-42")
  expectTypeOf(page.pipe(RetryPolicy.provide(RetryPolicy.none))).toEqualTypeOf<typeof page>()
  expectTypeOf(RetryPolicy.provide(page, RetryPolicy.patient)).toEqualTypeOf<typeof page>()
  const stream = Conversations.stream("user-42")
  expectTypeOf(stream.pipe(RetryPolicy.provide(RetryPolicy.none))).toEqualTypeOf<typeof stream>()
  expectTypeOf(RetryPolicy.provide(stream, RetryPolicy.patient)).toEqualTypeOf<typeof stream>()
})

test("catchTag narrows to each class and takes it off the error channel, until none is left", () => {
  const left = Conversations.snapshot("user-42").pipe(
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
  expectTypeOf<Effect.Error<typeof left>>().toEqualTypeOf<Global | Own | ClientError.PagingLoop>()
  const own = left.pipe(
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
  expectTypeOf<Effect.Error<typeof own>>().toEqualTypeOf<Own | ClientError.PagingLoop>()
  const none = own.pipe(
    Effect.catchTag("RequestInvalid", (error) =>
      Effect.succeed(expectTypeOf(error).toEqualTypeOf<ClientError.RequestInvalid>())
    ),
    Effect.catchTag("TransportFailed", (error) =>
      Effect.succeed(expectTypeOf(error).toEqualTypeOf<ClientError.TransportFailed>())
    ),
    Effect.catchTag("AttemptTimedOut", (error) =>
      Effect.succeed(expectTypeOf(error).toEqualTypeOf<ClientError.AttemptTimedOut>())
    ),
    Effect.catchTag("DeadlineExceeded", (error) =>
      Effect.succeed(expectTypeOf(error).toEqualTypeOf<ClientError.DeadlineExceeded>())
    ),
    Effect.catchTag("QuotaUnavailable", (error) =>
      Effect.succeed(expectTypeOf(error).toEqualTypeOf<ClientError.QuotaUnavailable>())
    ),
    Effect.catchTag("ClientClosed", (error) =>
      Effect.succeed(expectTypeOf(error).toEqualTypeOf<ClientError.ClientClosed>())
    ),
    Effect.catchTag("CircuitOpen", (error) =>
      Effect.succeed(expectTypeOf(error).toEqualTypeOf<ClientError.CircuitOpen>())
    ),
    Effect.catchTag("ResponseUnreadable", (error) =>
      Effect.succeed(expectTypeOf(error).toEqualTypeOf<ClientError.ResponseUnreadable>())
    ),
    Effect.catchTag("PagingLoop", (error) =>
      Effect.succeed(expectTypeOf(error).toEqualTypeOf<ClientError.PagingLoop>())
    )
  )
  const provided = Effect.provide(none, ZimClient.layerConfig())
  expectTypeOf<Effect.Error<typeof none>>().toEqualTypeOf<never>()
  expectTypeOf<Effect.Services<typeof none>>().toEqualTypeOf<ZimClient.ZimClient>()
  expectTypeOf<Effect.Services<typeof provided>>().toEqualTypeOf<HttpClient.HttpClient>()
  expectTypeOf<Effect.Error<typeof provided>>().toEqualTypeOf<ClientError.SettingsInvalid>()
})

test("a class without traits does not compile", () => {
  expectTypeOf<keyof ClientError.Table<string>>().toEqualTypeOf<ClientError.AnyError["_tag"]>()
  type Incomplete = Omit<ClientError.Table<ClientError.Traits>, "PagingLoop">
  expectTypeOf<Incomplete>().not.toExtend<ClientError.Table<ClientError.Traits>>()
  expectTypeOf<ClientError.Table<ClientError.Traits>["CircuitOpen"]>().toEqualTypeOf<
    ClientError.Traits | ((error: ClientError.CircuitOpen) => ClientError.Traits)
  >()
})

test("a code narrows with its class", () => {
  expectTypeOf<Extract<OfPage, { readonly code: 660500002 }>>().toEqualTypeOf<ServiceError.UserNotRegistered>()
  expectTypeOf<Extract<OfPage, { readonly code: unknown }>>().toEqualTypeOf<Documented | Global>()
  expectTypeOf<ClientError.ResponseUnreadable["reason"]["_tag"]>().toEqualTypeOf<
    "HttpStatus" | "Redirect" | "Empty" | "TooLarge" | "NotJson" | "WrongShape"
  >()
  expectTypeOf<ClientError.PagingLoop["reason"]["_tag"]>().toEqualTypeOf<"CursorRepeated" | "TooManyPages">()
  expectTypeOf(ClientError.advice).toEqualTypeOf<(error: ClientError.AnyError) => string>()
  const streamed = Conversations.stream("user-42").pipe(Stream.catchTag("UserNotRegistered", () => Stream.empty))
  expectTypeOf<Stream.Error<typeof streamed>>().toEqualTypeOf<Exclude<OfList, ServiceError.UserNotRegistered>>()
})

test("a category is caught whole, and what is left is known", () => {
  const rate = Effect.catchIf(Conversations.snapshot("u"), ClientError.isIn("RateLimit"), (error) =>
    Effect.succeed(
      expectTypeOf(error).toEqualTypeOf<
        | ServiceError.RateLimited
        | ServiceError.Throttled
        | (ClientError.ResponseUnreadable & { readonly category: "RateLimit" })
      >()
    )
  )
  expectTypeOf<Effect.Error<typeof rate>>().toEqualTypeOf<
    Exclude<OfList, ServiceError.RateLimited | ServiceError.Throttled>
  >()
  const signature = Conversations.stream("u").pipe(
    Stream.catchIf(ClientError.isIn("Authentication", "Clock"), () => Stream.empty)
  )
  expectTypeOf<Stream.Error<typeof signature>>().toEqualTypeOf<
    Exclude<OfList, ServiceError.AuthenticationFailed | ServiceError.SignatureExpired>
  >()
  const permission = Conversations.snapshot("u").pipe(Effect.catchIf(ClientError.isIn("Permission"), () => Effect.void))
  expectTypeOf<Effect.Error<typeof permission>>().toEqualTypeOf<Exclude<OfList, ServiceError.NotPermitted>>()
  const transport = Conversations.snapshot("u").pipe(
    Effect.catchIf(ClientError.isIn("Transport", "RateLimit"), () => Effect.void)
  )
  expectTypeOf<Effect.Error<typeof transport>>().toEqualTypeOf<
    | ServiceError.InvalidInput
    | ServiceError.UserNotRegistered
    | ServiceError.QueryFailed
    | ServiceError.MalformedRequest
    | ServiceError.AuthenticationFailed
    | ServiceError.SignatureExpired
    | ServiceError.NotPermitted
    | ServiceError.ServiceFailed
    | ServiceError.UnknownReturnCode
    | ClientError.RequestInvalid
    | ClientError.PagingLoop
  >()
  expectTypeOf<ClientError.InCategory<ServiceError.OperationFailed, "NotFound">>().toEqualTypeOf<
    ServiceError.OperationFailed & { readonly category: "NotFound" }
  >()
})

test("a failure of one user is caught, and what is left is known", () => {
  const list = Conversations.snapshot("u").pipe(
    Effect.catchIf(ClientError.isOfUser, (error) =>
      Effect.succeed(
        expectTypeOf(error).toEqualTypeOf<
          ServiceError.UserNotRegistered | (ClientError.RequestInvalid & { readonly field: "userId" })
        >()
      )
    )
  )
  expectTypeOf<Effect.Error<typeof list>>().toEqualTypeOf<Exclude<OfList, ServiceError.UserNotRegistered>>()
})

test("a reason is caught with its tag", () => {
  const list = Conversations.snapshot("u").pipe(
    Effect.catchReason("ResponseUnreadable", "Redirect", (reason, error) =>
      Effect.succeed([
        expectTypeOf(reason).toEqualTypeOf<{ readonly _tag: "Redirect" }>(),
        expectTypeOf(error.status).toEqualTypeOf<number>()
      ])
    ),
    Effect.catchReason("PagingLoop", "TooManyPages", () => Effect.void),
    Effect.catchReason("QuotaUnavailable", "Denied", () => Effect.void)
  )
  expectTypeOf<Effect.Error<typeof list>>().toEqualTypeOf<OfList>()
})

test("what is derived from an operation has its types", () => {
  const procedure = Derive.rpc("page", operation)
  expectTypeOf<Rpc.Payload<typeof procedure>>().toEqualTypeOf<QueryConversationList.Input>()
  expectTypeOf<Rpc.Success<typeof procedure>>().toEqualTypeOf<QueryConversationList.Page>()
  expectTypeOf<Rpc.Error<typeof procedure>>().toEqualTypeOf<OfPage>()
  const items = Derive.rpcItems("items", operation)
  expectTypeOf<Rpc.SuccessChunk<typeof items>>().toEqualTypeOf<Conversation.Conversation>()
  expectTypeOf<Rpc.ErrorExit<typeof items>>().toEqualTypeOf<OfList>()
  const Request = Derive.request(operation)
  expectTypeOf<Persistable.Success<InstanceType<typeof Request>>>().toEqualTypeOf<QueryConversationList.Page>()
  expectTypeOf<Persistable.Error<InstanceType<typeof Request>>>().toEqualTypeOf<OfPage>()
  const activity = Derive.activity("page", operation, { userId: "u" })
  expectTypeOf<typeof activity.errorSchema.Type>().toEqualTypeOf<OfPage>()
  expectTypeOf<typeof activity.successSchema.Type>().toEqualTypeOf<QueryConversationList.Page>()
})

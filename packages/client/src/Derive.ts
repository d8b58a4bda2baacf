/**
 * What Effect makes of an operation: an `Rpc`, an `HttpApiEndpoint`, a workflow's `Activity`, a `Persistable` request.
 *
 * An operation carries the schemas of its input, its value and its errors, so one value speaks to the program as well as
 * to the wire. Nothing else imports this module: a program that derives nothing is not larger for it. What is no operation
 * has schemas too (`Conversations.Snapshot`, `Conversations.ListError`), and is given to the constructors of Effect as it
 * is.
 *
 * @since 0.1.0
 */
import type { Operation } from "@effect-zim/protocol"
import * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import * as Persistable from "effect/persistence/Persistable"
import * as PrimaryKey from "effect/PrimaryKey"
import * as Data from "effect/Data"
import * as Rpc from "effect/rpc/Rpc"
import * as Schema from "effect/Schema"
import * as Activity from "effect/workflow/Activity"
import * as ClientError from "./ClientError.ts"
import * as ZimClient from "./ZimClient.ts"

const errorOf = <Op extends Operation.Types>(operation: Operation.Operation<Op>) =>
  ClientError.CallError(operation.errors)

/**
 * A call as a procedure that another process can call. `ZimClient.execute` handles it.
 *
 * @example
 * ```ts
 * import { ZimClient } from "@effect-zim/client"
 * import * as Derive from "@effect-zim/client/Derive"
 * import { QueryConversationList } from "@effect-zim/protocol"
 * import { RpcGroup } from "effect/rpc"
 *
 * const { operation } = QueryConversationList
 *
 * export class Lists extends RpcGroup.make(Derive.rpc("page", operation)) {}
 *
 * export const handlers = Lists.toLayer({ page: (input) => ZimClient.execute(operation, input) })
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const rpc = <const Name extends string, Op extends Operation.Types>(
  name: Name,
  operation: Operation.Operation<Op>
) => Rpc.make(name, { payload: operation.input, success: operation.success, error: errorOf(operation) })

/**
 * A list as a procedure that streams its items. `Paging.items` handles it.
 *
 * @example
 * ```ts
 * import { Paging } from "@effect-zim/client"
 * import * as Derive from "@effect-zim/client/Derive"
 * import { QueryConversationList } from "@effect-zim/protocol"
 * import { RpcGroup } from "effect/rpc"
 *
 * const { operation } = QueryConversationList
 *
 * export class Lists extends RpcGroup.make(Derive.rpcItems("conversations", operation)) {}
 *
 * export const handlers = Lists.toLayer({ conversations: (input) => Paging.items(operation, input) })
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const rpcItems = <const Name extends string, Op extends Operation.PagedTypes>(
  name: Name,
  operation: Operation.PagedOperation<Op>
) =>
  Rpc.make(name, {
    payload: operation.input,
    success: operation.paging.item,
    error: ClientError.PagingError(operation.errors),
    stream: true
  })

/**
 * A call as an endpoint of an `HttpApi`: a POST whose body is the input. `ZimClient.execute` handles it. Each class of
 * errors has a status: 400 where the request is wrong, 404 where the user is not registered, 429 where it was too fast,
 * 502 to 504 where the service is ill or away, 500 where this side's settings are wrong.
 *
 * @example
 * ```ts
 * import { ZimClient } from "@effect-zim/client"
 * import * as Derive from "@effect-zim/client/Derive"
 * import { QueryConversationList } from "@effect-zim/protocol"
 * import { HttpApi, HttpApiBuilder, HttpApiGroup } from "effect/http-api"
 *
 * const { operation } = QueryConversationList
 *
 * class Lists extends HttpApiGroup.make("lists").add(Derive.endpoint("page", "/conversations", operation)) {}
 *
 * export class Api extends HttpApi.make("api").add(Lists) {}
 *
 * export const lists = HttpApiBuilder.group(Api, "lists", (handlers) =>
 *   handlers.handle("page", ({ payload }) => ZimClient.execute(operation, payload))
 * )
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const endpoint = <const Name extends string, const Path extends `/${string}`, Op extends Operation.Types>(
  name: Name,
  path: Path,
  operation: Operation.Operation<Op>
) =>
  HttpApiEndpoint.post(name, path, {
    payload: operation.input,
    success: operation.success,
    // One by one, since each has a status of its own.
    error: errorOf(operation).members
  })

/**
 * A call as an activity of a workflow: once it has ended, with a value or an error, the workflow's next run does not call
 * again.
 *
 * @example
 * ```ts
 * import * as Derive from "@effect-zim/client/Derive"
 * import { QueryConversationList } from "@effect-zim/protocol"
 *
 * const readFirstPage = (userId: string) =>
 *   Derive.activity(`first page of ${userId}`, QueryConversationList.operation, { userId })
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const activity = <Op extends Operation.Types>(
  name: string,
  operation: Operation.Operation<Op>,
  input: Op["Input"]
) =>
  Activity.make<ZimClient.ZimClient, Schema.Codec<Op["Success"], unknown>, ReturnType<typeof errorOf<Op>>>({
    name,
    success: operation.success,
    error: errorOf(operation),
    execute: ZimClient.execute(operation, input)
  })

/**
 * Calls of an operation as keys of a `PersistedCache`: equal, and with the same primary key, where app and input are.
 *
 * @example
 * ```ts
 * import { ClientError, ZimClient } from "@effect-zim/client"
 * import * as Derive from "@effect-zim/client/Derive"
 * import { QueryConversationList } from "@effect-zim/protocol"
 * import { Effect, Exit } from "effect"
 * import { PersistedCache } from "effect/persistence"
 *
 * const { operation } = QueryConversationList
 * const FirstPage = Derive.request(operation)
 *
 * export const cache = Effect.gen(function* () {
 *   const { appId } = yield* ZimClient.ZimClient
 *   const pages = yield* PersistedCache.make(
 *     ({ input }: InstanceType<typeof FirstPage>) => ZimClient.execute(operation, input),
 *     { storeId: "first-pages", timeToLive: (exit) => (Exit.isSuccess(exit) ? "1 minute" : 0) }
 *   )
 *   return (userId: string) => pages.get(new FirstPage({ appId, input: { userId } }))
 * })
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const request = <Op extends Operation.Types>(operation: Operation.Operation<Op>) => {
  const schemas = { success: operation.success, error: errorOf(operation) }
  const print = Schema.encodeSync(Schema.fromJsonString(Schema.toCodecJson(operation.input)))
  return class OperationRequest extends Data.Class<{ readonly appId: number; readonly input: Op["Input"] }> {
    get [Persistable.symbol]() {
      return schemas
    }

    [PrimaryKey.symbol]() {
      return `${this.appId}/${operation.action}/${print(this.input)}`
    }
  }
}

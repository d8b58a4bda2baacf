/**
 * Reads the list of any paged operation, by item or by page.
 *
 * @since 0.1.0
 */
import type { Cursor, Operation, ServiceError } from "@effect-zim/protocol"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import { type PagingError, PagingLoop } from "./ClientError.ts"
import * as Request from "./internal/request.ts"
import * as ZimClient from "./ZimClient.ts"

/**
 * The items of a list, from the request's cursor to the end: one call and one chunk for each page, made when it is asked
 * for. A failure is retried within its page: no page comes twice. A cursor that had come before, or more pages than any
 * list has, fails with `PagingLoop`.
 *
 * @example
 * ```ts
 * import { Paging } from "@effect-zim/client"
 * import { QueryConversationList } from "@effect-zim/protocol"
 *
 * const conversations = Paging.items(
 *   QueryConversationList.operation,
 *   { userId: "user-42" },
 *   (page) => page.conversations
 * )
 * ```
 *
 * @since 0.1.0
 */
export const items = <Input, Request extends Input, Payload, Page, Failure extends ServiceError.ServiceError, Item>(
  operation: Operation.PagedOperation<Input, Request, Payload, Page, Failure>,
  input: Input,
  itemsOf: (page: Page) => ReadonlyArray<Item>
): Stream.Stream<Item, PagingError<Failure>, ZimClient.ZimClient> =>
  Stream.unwrap(
    Effect.map(Request.make(operation, input), (request) => {
      const first = operation.paging.cursor(request)
      const seen = new Set<Cursor.Cursor>([first])
      const loop = (reason: PagingLoop["reason"], cursor: Cursor.Cursor) =>
        Effect.fail(new PagingLoop({ action: operation.action, reason, cursor, pages: seen.size }))
      return Stream.paginate(first, (cursor) =>
        Effect.flatMap(ZimClient.execute(operation, operation.paging.withCursor(request, cursor)), (page) => {
          const next = operation.paging.next(page)
          if (Option.isSome(next)) {
            if (seen.has(next.value)) return loop("CursorRepeated", next.value)
            if (seen.size >= operation.paging.maximumPages) return loop("TooManyPages", next.value)
            seen.add(next.value)
          }
          return Effect.succeed([itemsOf(page), next] as const)
        })
      )
    })
  )

/**
 * The pages of a list, like {@link items}.
 *
 * @example
 * ```ts
 * import { Paging } from "@effect-zim/client"
 * import { QueryConversationList } from "@effect-zim/protocol"
 *
 * const pages = Paging.pages(QueryConversationList.operation, { userId: "user-42" })
 * ```
 *
 * @since 0.1.0
 */
export const pages = <Input, Request extends Input, Payload, Page, Failure extends ServiceError.ServiceError>(
  operation: Operation.PagedOperation<Input, Request, Payload, Page, Failure>,
  input: Input
): Stream.Stream<Page, PagingError<Failure>, ZimClient.ZimClient> => items(operation, input, (page) => [page])

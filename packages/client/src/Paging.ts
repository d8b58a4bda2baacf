/**
 * Reads any paged operation page by page.
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
 * The pages of a list, from the request's cursor to the end, one call each, each made when the page is asked for. A
 * failure is retried within its page: no page comes twice. A cursor that had come before, or more pages than any list
 * has, fails with `PagingLoop`.
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
): Stream.Stream<Page, PagingError<Failure>, ZimClient.ZimClient> =>
  Stream.unwrap(
    Effect.map(Request.make(operation, input), (request) => {
      const first = operation.paging.cursor(request)
      const seen = new Set<Cursor.Cursor>([first])
      const page = Effect.fnUntraced(function* (cursor: Cursor.Cursor) {
        const page = yield* ZimClient.execute(operation, operation.paging.withCursor(request, cursor))
        const next = operation.paging.next(page)
        if (Option.isNone(next)) return [[page], next] as const
        if (seen.has(next.value) || seen.size >= operation.paging.maximumPages) {
          return yield* new PagingLoop({
            action: operation.action,
            reason: seen.has(next.value) ? "CursorRepeated" : "TooManyPages",
            cursor: next.value,
            pages: seen.size
          })
        }
        seen.add(next.value)
        return [[page], next] as const
      })
      return Stream.paginate(first, page)
    })
  )

/**
 * Reads the list of any paged operation, by item or by page.
 *
 * @since 0.1.0
 */
import type { Cursor, Operation } from "@effect-zim/protocol"
import * as Arr from "effect/Array"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type * as Pull from "effect/Pull"
import * as Stream from "effect/Stream"
import { type PagingError, PagingLoop } from "./ClientError.ts"
import * as SignedRequest from "./internal/signedRequest.ts"
import * as ZimClient from "./ZimClient.ts"

/** The next request is made of the last one, and checked like any other: it is an input, too. */
interface Types<Op extends Operation.PagedTypes> extends Operation.PagedTypes {
  readonly Request: Op["Input"]
}

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
 * const conversations = Paging.items(QueryConversationList.operation, { userId: "user-42" })
 * ```
 *
 * @category running
 * @since 0.1.0
 */
export const items = <Op extends Types<Op>>(
  operation: Operation.PagedOperation<Op>,
  input: Op["Input"]
): Stream.Stream<Op["Item"], PagingError<Op["Failure"]>, ZimClient.ZimClient> =>
  walk(operation, input, operation.paging.items)

const walk = <Op extends Types<Op>, Item>(
  operation: Operation.PagedOperation<Op>,
  input: Op["Input"],
  itemsOf: (page: Op["Success"]) => ReadonlyArray<Item>
): Stream.Stream<Item, PagingError<Op["Failure"]>, ZimClient.ZimClient> => {
  type Pulled = Pull.Pull<Arr.NonEmptyReadonlyArray<Item>, PagingError<Op["Failure"]>, void, ZimClient.ZimClient>
  const { paging } = operation
  const made = SignedRequest.check(operation, input)
  return Stream.fromPull(
    Effect.sync(() => {
      const seen = new Set<Cursor.Cursor>()
      const loop = (reason: PagingLoop["reason"], cursor: Cursor.Cursor) =>
        Effect.fail(new PagingLoop({ action: operation.action, reason, cursor, pages: seen.size }))
      const read = (request: Op["Request"]): Pulled => {
        seen.add(paging.cursor(request))
        return Effect.flatMap(ZimClient.execute(operation, request), (page): Pulled => {
          const items = itemsOf(page)
          const cursor = Option.getOrUndefined(paging.next(page))
          if (cursor !== undefined && seen.has(cursor)) return loop({ _tag: "CursorRepeated" }, cursor)
          if (cursor !== undefined && seen.size >= paging.maximumPages) return loop({ _tag: "TooManyPages" }, cursor)
          next = cursor === undefined ? Cause.done() : read(paging.withCursor(request, cursor))
          return Arr.isReadonlyArrayNonEmpty(items) ? Effect.succeed(items) : next
        })
      }
      let next = Effect.flatMapEager(made, ({ request }) => read(request))
      return Effect.suspend(() => next)
    })
  )
}

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
 * @category running
 * @since 0.1.0
 */
export const pages = <Op extends Types<Op>>(
  operation: Operation.PagedOperation<Op>,
  input: Op["Input"]
): Stream.Stream<Op["Success"], PagingError<Op["Failure"]>, ZimClient.ZimClient> =>
  walk(operation, input, (page) => [page])

/** Pipelines with a bug in each. The guide docs/guides/property-testing.md shows them; planted.test.ts finds the bugs. */
import { Conversations, Quota, ZimClient } from "@effect-zim/client"
import { type Conversation, Cursor } from "@effect-zim/protocol"
import * as HttpClient from "effect/http/HttpClient"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import { Effect, Layer, Option, Schedule, Stream } from "effect"

/** Retries the stream instead of the page: what came before the failure comes again. */
export const retriesTheStream = (userId: string) =>
  Conversations.stream(userId).pipe(Stream.retry(Schedule.exponential("1 second").pipe(Schedule.upTo({ times: 5 }))))

/** Stops at a page that is shorter than it asked for. */
export const stopsAtAShortPage = (userId: string) =>
  Conversations.pages(userId, { pageSize: 100 }).pipe(
    Stream.takeUntil((page) => page.conversations.length < 100),
    Stream.flatMap((page) => Stream.fromIterable(page.conversations))
  )

/** Asks whether there is a next page before it takes the page it has. */
export const dropsTheLastPage = Effect.fnUntraced(function* (userId: string) {
  const all: Array<Conversation.Conversation> = []
  let page = yield* Conversations.page(userId)
  while (Option.isSome(page.next)) {
    all.push(...page.conversations)
    page = yield* Conversations.page(userId, { from: page.next.value })
  }
  return all
})

/** Counts how far it is and takes that for the place where the next page starts. */
export const countsItsWay = (userId: string) =>
  Stream.paginate(Cursor.start, (cursor) =>
    Effect.map(Conversations.page(userId, { pageSize: 10, from: cursor }), ({ conversations, next }) => [
      conversations,
      Option.map(next, () => Cursor.make(String(Number(cursor) + conversations.length)))
    ])
  )

/** Gives the newest first, where the oldest are expected. */
export const sortsTheWrongWay = (userId: string) =>
  Conversations.snapshot(userId).pipe(Effect.map(({ conversations }) => conversations.toReversed()))

/** Saves the cursor that it read the page with, not the one after it. */
export const savesTheOldCursor = (userId: string, from: Cursor.Cursor | undefined) => {
  let current = from ?? Cursor.start
  return Conversations.pages(userId, { pageSize: 10, from }).pipe(
    Stream.map((page) => {
      const saved = current
      current = Option.getOrElse(page.next, () => current)
      return { conversations: page.conversations, next: Option.as(page.next, saved) }
    })
  )
}

/** Makes a client for each user, and a quota for each: the default one would be shared. */
export const hasAQuotaForEachUser = (options: ZimClient.Options) => (userId: string) =>
  Stream.provide(Conversations.stream(userId, { pageSize: 5 }), Layer.provide(ZimClient.layer(options), Quota.layer()))

/** Says in an error what it was called with. */
export const tellsTheSecret = (secret: string) => (userId: string) =>
  Conversations.snapshot(userId).pipe(
    Effect.map(({ conversations }) => conversations),
    Effect.mapError((cause) => new Error(`failed for ${userId}`, { cause: { cause, settings: { secret } } }))
  )

/** Asks again and again, and takes no answer for an answer. */
export const asksForEver = (userId: string) =>
  HttpClientRequest.post(`https://zim-api.zego.im/?Action=QueryConversationList&For=${userId}`).pipe(
    HttpClientRequest.bodyJsonUnsafe({ FromUserId: userId }),
    HttpClient.execute,
    Effect.forever
  )

/**
 * A user's conversation list: as pages, as a stream, as a snapshot, and for many users.
 *
 * @since 0.1.0
 */
import { Conversation, type Cursor, PageSize, QueryConversationList } from "@effect-zim/protocol"
import * as Effect from "effect/Effect"
import { dual } from "effect/Function"
import type * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import { CallError, PagingError } from "./ClientError.ts"
import * as Paging from "./Paging.ts"
import * as ZimClient from "./ZimClient.ts"

/**
 * What reading one page can fail with, as a schema and a type.
 *
 * @category errors
 * @since 0.1.0
 */
export const PageError = /* @__PURE__ */ (() => CallError(QueryConversationList.Failure.members))()

/**
 * One of these errors.
 *
 * @category errors
 * @since 0.1.0
 */
export type PageError = CallError<QueryConversationList.Failure>

/**
 * What reading a list can fail with, as a schema and a type.
 *
 * @category errors
 * @since 0.1.0
 */
export const ListError = /* @__PURE__ */ (() => PagingError(QueryConversationList.Failure.members))()

/**
 * One of these errors.
 *
 * @category errors
 * @since 0.1.0
 */
export type ListError = PagingError<QueryConversationList.Failure>

/**
 * Options for reading a list.
 *
 * @category models
 * @since 0.1.0
 */
export interface Options {
  /**
   * Conversations per call, 1 to 500; out of range it is corrected as the service does. Default: 500, since every call
   * costs the same quota.
   */
  readonly pageSize?: number | undefined
  /** Where to start: the `next` of a page read earlier. Default: the beginning. */
  readonly from?: Cursor.Cursor | undefined
}

const inputOf = (userId: string, options: Options | undefined): QueryConversationList.Input => ({
  userId,
  pageSize: PageSize.correct(options?.pageSize ?? PageSize.maximum),
  cursor: options?.from
})

/**
 * One page of a user's list.
 *
 * @example
 * ```ts
 * import { Conversations } from "@effect-zim/client"
 * import { Effect } from "effect"
 *
 * const newestKnown = Conversations.page("user-42", { pageSize: 100 }).pipe(
 *   Effect.map((page) => page.conversations.at(-1)?.updatedAt)
 * )
 * ```
 *
 * @category running
 * @since 0.1.0
 */
export const page = (
  userId: string,
  options?: Options
): Effect.Effect<QueryConversationList.Page, PageError, ZimClient.ZimClient> =>
  ZimClient.execute(QueryConversationList.operation, inputOf(userId, options))

/**
 * The pages of a user's list. Each carries the cursor after it: save that once the page is dealt with, and a later run
 * goes on from there with `from`.
 *
 * @example
 * ```ts
 * import { Conversations } from "@effect-zim/client"
 * import { Effect, Stream } from "effect"
 *
 * const backup = Conversations.pages("user-42").pipe(
 *   Stream.runForEach((page) => Effect.log(`${page.conversations.length} conversations`, page.next))
 * )
 * ```
 *
 * @category running
 * @since 0.1.0
 */
export const pages = (
  userId: string,
  options?: Options
): Stream.Stream<QueryConversationList.Page, ListError, ZimClient.ZimClient> =>
  Paging.pages(QueryConversationList.operation, inputOf(userId, options))

/**
 * A user's conversations in the order of the service, at most the latest 1000, one chunk per page. The service may
 * repeat or miss an entry when the list changes while it is read: {@link snapshot} tells.
 *
 * @example
 * ```ts
 * import { Conversations } from "@effect-zim/client"
 * import { Stream } from "effect"
 *
 * const groups = Conversations.stream("user-42").pipe(
 *   Stream.filter((conversation) => conversation.type === "Group")
 * )
 * ```
 *
 * @category running
 * @since 0.1.0
 */
export const stream = (
  userId: string,
  options?: Options
): Stream.Stream<Conversation.Conversation, ListError, ZimClient.ZimClient> =>
  Paging.items(QueryConversationList.operation, inputOf(userId, options))

/**
 * How far a snapshot can be trusted:
 *
 * - `Complete`: the whole list.
 * - `ChangedWhileReading`: entries came twice, or the counts do not agree; some may be missing. Read it again if that
 *   matters.
 * - `AtCap`: the latest 1000. The user may have more, which the service does not return.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Verdict = /* @__PURE__ */ Schema.Literals(["Complete", "ChangedWhileReading", "AtCap"])

/**
 * A verdict.
 *
 * @category schemas
 * @since 0.1.0
 */
export type Verdict = typeof Verdict.Type

/**
 * A user's whole list. As a schema it takes a snapshot to another process and back.
 *
 * @example
 * ```ts
 * import { Conversations } from "@effect-zim/client"
 * import { Schema } from "effect"
 *
 * const json = Schema.fromJsonString(Schema.toCodecJson(Conversations.Snapshot))
 * ```
 *
 * @category schemas
 * @since 0.1.0
 */
export const Snapshot = /* @__PURE__ */ (() =>
  Schema.Struct({
    userId: Schema.String,
    /** Each conversation once, at its newest state, ascending by time. */
    conversations: Schema.Array(Conversation.FromWire),
    verdict: Verdict
  }).annotate({ identifier: "@effect-zim/client/Snapshot" }))()

/**
 * A snapshot.
 *
 * @category schemas
 * @since 0.1.0
 */
export interface Snapshot extends Schema.Schema.Type<typeof Snapshot> {}

const reachable = (count: number): number => Math.min(count, QueryConversationList.maximumConversations)

const verdictOf = (entries: number, distinct: number, totals: ReadonlySet<number>): Verdict => {
  const isOther = (total: number): boolean => reachable(total) !== reachable(distinct)
  if (totals.size > 1 || distinct < entries || [...totals].some(isOther)) return "ChangedWhileReading"
  return distinct >= QueryConversationList.maximumConversations ? "AtCap" : "Complete"
}

/**
 * Reads a user's whole list: each conversation once (by type and id, the newest kept), ascending by time, with a
 * verdict on how far it can be trusted.
 *
 * @example
 * ```ts
 * import { Conversations } from "@effect-zim/client"
 * import { Effect } from "effect"
 *
 * const program = Effect.gen(function* () {
 *   const { conversations, verdict } = yield* Conversations.snapshot("user-42")
 *   yield* Effect.log(`${conversations.length} conversations, ${verdict}`)
 * })
 * ```
 *
 * @category running
 * @since 0.1.0
 */
export const snapshot = /* @__PURE__ */ Effect.fnUntraced(function* (
  userId: string,
  options?: Pick<Options, "pageSize">
): Effect.fn.Return<Snapshot, ListError, ZimClient.ZimClient> {
  const newest = new Map<string, Conversation.Conversation>()
  const totals = new Set<number>()
  let entries = 0
  yield* Stream.runForEach(pages(userId, options), (page) =>
    Effect.sync(() => {
      if (page.totalCount._tag === "Some") totals.add(page.totalCount.value)
      entries += page.conversations.length
      for (const conversation of page.conversations) {
        const key = Conversation.key(conversation)
        const known = newest.get(key)
        if (known === undefined || known.updatedAtMillis <= conversation.updatedAtMillis) newest.set(key, conversation)
      }
    })
  )
  return {
    userId,
    conversations: [...newest.values()].toSorted((left, right) => left.updatedAtMillis - right.updatedAtMillis),
    verdict: verdictOf(entries, newest.size, totals)
  }
})

/**
 * What became of one user.
 *
 * @category schemas
 * @since 0.1.0
 */
export interface UserResult<out User = string> {
  /** The user as the caller gave it. */
  readonly user: User
  readonly userId: string
  readonly result: Result.Result<Snapshot, ListError>
}

/**
 * The schema of a {@link UserResult}, for the schema of the caller's users: that of an id, or of a record.
 *
 * @example
 * ```ts
 * import { Conversations } from "@effect-zim/client"
 * import { Schema } from "effect"
 *
 * const json = Schema.fromJsonString(Schema.toCodecJson(Conversations.UserResult(Schema.String)))
 * ```
 *
 * @category schemas
 * @since 0.1.0
 */
export const UserResult = <User extends Schema.Constraint>(user: User) =>
  Schema.Struct({ user, userId: Schema.String, result: Schema.Result(Snapshot, ListError) })

/**
 * Options for {@link forUsers}.
 *
 * @category models
 * @since 0.1.0
 */
export interface ForUsersOptions extends Pick<Options, "pageSize"> {
  /** How many users are read at a time. Default: 16, enough to use up 20 calls a second at any usual round trip. */
  readonly concurrency?: number | undefined
  /** Whether results come in the order of the users; else as they are done. Default: false. */
  readonly ordered?: boolean | undefined
}

/**
 * Options for {@link forUsers} of users that are no ids but records of the caller's own.
 *
 * @category models
 * @since 0.1.0
 */
export interface ForRecordsOptions<in User> extends ForUsersOptions {
  /** The id of a user. */
  readonly userId: (user: User) => string
}

/**
 * Reads the lists of many users: a stream of users in, a stream of what became of each out. A user that fails is a
 * value and does not end the others. Users are ids, or any values with a `userId` function: each result has its own.
 *
 * @example
 * ```ts
 * import { Conversations } from "@effect-zim/client"
 * import { Effect, Result, Stream } from "effect"
 *
 * const program = Stream.make("ada", "grace", "katherine").pipe(
 *   Conversations.forUsers({ concurrency: 4 }),
 *   Stream.runForEach(({ userId, result }) =>
 *     Effect.log(Result.isSuccess(result) ? `${userId}: ${result.success.verdict}` : `${userId}: ${result.failure._tag}`)
 *   )
 * )
 *
 * declare const accounts: Stream.Stream<{ readonly id: number; readonly chatId: string }>
 *
 * const byAccount = Conversations.forUsers(accounts, { userId: ({ chatId }) => chatId }).pipe(
 *   Stream.map(({ result, user }) => [user.id, result] as const)
 * )
 * ```
 *
 * @category running
 * @since 0.1.0
 */
export const forUsers: {
  (
    options?: ForUsersOptions
  ): <E, R>(users: Stream.Stream<string, E, R>) => Stream.Stream<UserResult, E, R | ZimClient.ZimClient>
  <User>(
    options: ForRecordsOptions<User>
  ): <E, R>(users: Stream.Stream<User, E, R>) => Stream.Stream<UserResult<User>, E, R | ZimClient.ZimClient>
  <E, R>(
    users: Stream.Stream<string, E, R>,
    options?: ForUsersOptions
  ): Stream.Stream<UserResult, E, R | ZimClient.ZimClient>
  <User, E, R>(
    users: Stream.Stream<User, E, R>,
    options: ForRecordsOptions<User>
  ): Stream.Stream<UserResult<User>, E, R | ZimClient.ZimClient>
} = /* @__PURE__ */ dual(
  (args) => Stream.isStream(args[0]),
  <User, E, R>(
    users: Stream.Stream<User, E, R>,
    options?: ForUsersOptions & Partial<ForRecordsOptions<User>>
  ): Stream.Stream<UserResult<User>, E, R | ZimClient.ZimClient> => {
    const concurrency = options?.concurrency ?? 16
    if (!(concurrency >= 1)) {
      return Stream.die(new RangeError(`forUsers reads at least 1 user at a time, not ${concurrency}`))
    }
    const read = (user: User) => {
      // Without the function, users are ids.
      const userId = options?.userId?.(user) ?? String(user)
      return Effect.map(Effect.result(snapshot(userId, options)), (result) => ({ user, userId, result }))
    }
    return Stream.mapEffect(users, read, { concurrency, unordered: options?.ordered !== true })
  }
)

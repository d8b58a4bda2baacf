/** Ways to read the lists of many users, all over the same pages. */
import * as Conversations from "@effect-zim/client/Conversations"
import * as ZimClient from "@effect-zim/client/ZimClient"
import { AppId, type Conversation, Cursor, type Operation, QueryConversationList } from "@effect-zim/protocol"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Predicate from "effect/Predicate"
import * as Result from "effect/Result"
import * as Stream from "effect/Stream"
import { Readable } from "node:stream"
import type { Role } from "../Contestant.ts"
import * as SampleAnswers from "../SampleAnswers.ts"

const { operation } = QueryConversationList

/** What the service keeps of a user: two pages of 500. */
export const conversationsPerUser = 1000
const pageSize = 500

const userId = "user-42"
const request = Effect.runSync(operation.make({ userId }))
const sample = SampleAnswers.entries(conversationsPerUser)

/** A page as it comes out of the decoder: its entries and conversations are new each time. */
const makePage = (isFirst: boolean): QueryConversationList.Page => {
  const entries = isFirst ? sample.slice(0, pageSize) : sample.slice(pageSize)
  const payload = {
    TotalCount: conversationsPerUser,
    Next: isFirst ? 1 : 0,
    List: entries.map(({ ConvId, ConvType, UpdateTime }) => ({ ConvId, ConvType, UpdateTime }))
  }
  return Result.getOrThrow(
    operation.interpret(payload, request, {
      text: JSON.stringify(payload),
      requestId: undefined,
      attempts: 1,
      elapsed: Duration.zero
    })
  )
}

const fetchPage = async (cursor: Cursor.Cursor): Promise<QueryConversationList.Page> =>
  makePage(cursor === Cursor.start)

/** What is made of the conversations: enough to know that all of them came, in order. */
export interface Tally {
  count: number
  sum: number
}

const add = (tally: Tally, conversation: Conversation.Conversation): void => {
  tally.count++
  tally.sum = (tally.sum * 31 + conversation.updatedAtMillis) % 1_000_003
}

const addAll = (tally: Tally, conversations: ReadonlyArray<Conversation.Conversation>): void => {
  for (const conversation of conversations) add(tally, conversation)
}

const cursorOf = (input: unknown): Cursor.Cursor =>
  Predicate.hasProperty(input, "cursor") && typeof input.cursor === "string" ? Cursor.make(input.cursor) : Cursor.start

const isAnswerTo = <Op extends Operation.Types>(
  asked: Operation.Operation<Op>,
  answer: unknown
): answer is Op["Success"] => Predicate.hasProperty(answer, "conversations") && Object.is(asked, operation)

/** A service that answers with these pages, in place of the client: what is measured is what stands on top of it. */
const service = Layer.succeed(ZimClient.ZimClient, {
  appId: AppId.make(12345),
  execute: (asked, input) =>
    Effect.flatMap(
      Effect.promise(() => fetchPage(cursorOf(input))),
      (page: unknown) => (isAnswerTo(asked, page) ? Effect.succeed(page) : Effect.die(`not asked for: ${asked.action}`))
    )
})

export interface Reader {
  readonly name: string
  readonly role: Role
  /** Reads the lists of so many users. */
  readonly read: (users: number, tally: Tally) => Effect.Effect<void>
}

const byHand = async (
  users: number,
  deal: (conversations: ReadonlyArray<Conversation.Conversation>) => void | Promise<void>
): Promise<void> => {
  for (let user = 0; user < users; user++) {
    let cursor: Cursor.Cursor | undefined = Cursor.start
    while (cursor !== undefined) {
      // oxlint-disable-next-line no-await-in-loop
      const page: QueryConversationList.Page = await fetchPage(cursor)
      const dealt = deal(page.conversations)
      // oxlint-disable-next-line no-await-in-loop
      if (dealt !== undefined) await dealt
      cursor = page.next._tag === "Some" ? page.next.value : undefined
    }
  }
}

/** For a consumer that may have to wait, as an effect may. */
const awaitEach = async (
  conversations: ReadonlyArray<Conversation.Conversation>,
  deal: (conversation: Conversation.Conversation) => Promise<void>
): Promise<void> => {
  for (const conversation of conversations) {
    // oxlint-disable-next-line no-await-in-loop
    await deal(conversation)
  }
}

async function* generate(users: number): AsyncGenerator<Conversation.Conversation> {
  for (let user = 0; user < users; user++) {
    let cursor: Cursor.Cursor | undefined = Cursor.start
    while (cursor !== undefined) {
      // oxlint-disable-next-line no-await-in-loop
      const page: QueryConversationList.Page = await fetchPage(cursor)
      yield* page.conversations
      cursor = page.next._tag === "Some" ? page.next.value : undefined
    }
  }
}

const consume = async (conversations: AsyncIterable<Conversation.Conversation>, tally: Tally): Promise<void> => {
  for await (const conversation of conversations) add(tally, conversation)
}

const ofAllUsers = <A, E, R>(users: number, ofUser: Stream.Stream<A, E, R>): Stream.Stream<A, E, R> =>
  Stream.flatMap(Stream.range(1, users), () => ofUser)

/** With nothing of ours in it. */
const bareStream = Stream.paginate(Cursor.start, (cursor) =>
  Effect.map(
    Effect.promise(() => fetchPage(cursor)),
    (page) => [page.conversations, page.next] as const
  )
)

const ours = <E>(
  name: string,
  read: (users: number, tally: Tally) => Effect.Effect<void, E, ZimClient.ZimClient>
): Reader => ({
  name,
  role: "ours",
  read: (users, tally) => Effect.orDie(Effect.provide(read(users, tally), service))
})

export const hand = "a loop by hand"
export const byPage = "effect-zim, by page"
export const byElement = "effect-zim, by element"
/** Takes half a minute for ten million. */
export const slowest = "Node's Readable of it"

export const readers: ReadonlyArray<Reader> = [
  {
    name: hand,
    role: "limit",
    read: (users, tally) => Effect.promise(() => byHand(users, (some) => addAll(tally, some)))
  },
  {
    name: "a loop that awaits each",
    role: "peer",
    read: (users, tally) =>
      Effect.promise(() => byHand(users, (some) => awaitEach(some, async (conversation) => add(tally, conversation))))
  },
  {
    name: "async generator",
    role: "peer",
    read: (users, tally) => Effect.promise(() => consume(generate(users), tally))
  },
  {
    name: slowest,
    role: "peer",
    read: (users, tally) => Effect.promise(() => consume(Readable.from(generate(users)), tally))
  },
  {
    name: "Effect's Stream, by element",
    role: "limit",
    read: (users, tally) =>
      Stream.runForEach(ofAllUsers(users, bareStream), (conversation) => Effect.sync(() => add(tally, conversation)))
  },
  ours(byPage, (users, tally) =>
    Stream.runForEach(ofAllUsers(users, Conversations.pages(userId)), (page) =>
      Effect.sync(() => addAll(tally, page.conversations))
    )
  ),
  ours("effect-zim, by element, in arrays", (users, tally) =>
    Stream.runForEachArray(ofAllUsers(users, Conversations.stream(userId)), (some) =>
      Effect.sync(() => addAll(tally, some))
    )
  ),
  ours("effect-zim, by element, folded", (users, tally) =>
    Stream.runFold(
      ofAllUsers(users, Conversations.stream(userId)),
      () => tally,
      (tally, conversation) => {
        add(tally, conversation)
        return tally
      }
    )
  ),
  ours(byElement, (users, tally) =>
    Stream.runForEach(ofAllUsers(users, Conversations.stream(userId)), (conversation) =>
      Effect.sync(() => add(tally, conversation))
    )
  )
]

/** The client of these packages, with all its policies, and a quota that nobody has to wait for. */
import * as Quota from "@effect-zim/client/Quota"
import * as ZimClient from "@effect-zim/client/ZimClient"
import { type Conversation, QueryConversationList } from "@effect-zim/protocol"
import type * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import type * as HttpClient from "effect/http/HttpClient"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import type * as Scope from "effect/Scope"
import type { Entry, Page, Target } from "./Peers.ts"

/** No call waits, and permits are counted and returned as ever. */
export const lifted = Quota.layer({ limit: 1_000_000, window: "1 milli" })

export const client = (
  { appId, secret, url }: Target,
  http: Layer.Layer<HttpClient.HttpClient>
): Effect.Effect<Context.Context<ZimClient.ZimClient>, Error, Scope.Scope> =>
  ZimClient.layer({ appId, serverSecret: Redacted.make(secret), baseUrl: url }).pipe(
    Layer.provide(lifted),
    Layer.provide(http),
    Layer.build
  )

export const call = (userId: string) => ZimClient.execute(QueryConversationList.operation, { userId })

export const entriesOf = (conversations: ReadonlyArray<Conversation.Conversation>): ReadonlyArray<Entry> =>
  conversations.map((one) => ({ id: one.id, type: one.typeCode, millis: one.updatedAtMillis }))

export const ofPage = ({ conversations, next }: QueryConversationList.Page): Page => ({
  next: Number(Option.getOrElse(next, () => 0)),
  list: entriesOf(conversations)
})

/** For workerd: the same, asked for over HTTP; and calls of many requests at once to one app. */
import { ZimClient } from "@effect-zim/client"
import { QueryConversationList } from "@effect-zim/protocol"
import * as Effect from "effect/Effect"
import * as FetchHttpClient from "effect/http/FetchHttpClient"
import * as Layer from "effect/Layer"
import * as ManagedRuntime from "effect/ManagedRuntime"
import * as Redacted from "effect/Redacted"
import { probe } from "./probe.ts"

/** The ids of the user's conversations, or why there are none. */
const idsOf = (userId: string) =>
  ZimClient.execute(QueryConversationList.operation, { userId }).pipe(
    Effect.match({
      onFailure: ({ message }) => message,
      onSuccess: ({ conversations }) => conversations.map(({ id }): string => id).join()
    })
  )

const clientOf = (baseUrl: string) =>
  ZimClient.layer({ appId: 12345, serverSecret: Redacted.make("0".repeat(32)), baseUrl }).pipe(
    Layer.provide(FetchHttpClient.layer),
    Layer.orDie
  )

let runtime: ManagedRuntime.ManagedRuntime<ZimClient.ZimClient, never> | undefined

const answers: Record<string, (url: string, body: string) => Promise<string>> = {
  "/probe": async (url, body) => JSON.stringify(await probe(url, body.split(","), "POST")),
  "/probe-get": async (url, body) => JSON.stringify(await probe(url, body.split(","), "GET")),
  "/one-runtime": (url, userId) => (runtime ??= ManagedRuntime.make(clientOf(url))).runPromise(idsOf(userId)),
  "/client-for-each": (url, userId) => Effect.runPromise(Effect.provide(idsOf(userId), clientOf(url)))
}

// What workerd calls.
// oxlint-disable-next-line import/no-default-export
export default {
  async fetch(request: Request): Promise<Response> {
    const { pathname, searchParams } = new URL(request.url)
    const answer = await answers[pathname]?.(searchParams.get("url") ?? "", await request.text())
    return new Response(answer)
  }
}

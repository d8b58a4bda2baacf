/**
 * What a request of a tenant does: everything it calls goes through the tenant's client.
 */
import { Conversations } from "@effect-zim/client"
import { Effect } from "effect"
import { Tenants } from "./Tenants.ts"

export const conversationsOf = Effect.fn("conversationsOf")(function* (appId: number, userId: string) {
  const { conversations } = yield* Conversations.snapshot(userId).pipe(Effect.provide(Tenants.get(appId)))
  return conversations.length
})

/**
 * The routes. Effects run on the runtime that they are given, and each ends in a response: what can go wrong is in their
 * types, and has its status here.
 */
import { ClientError, Conversations, type ZimClient } from "@effect-zim/client"
import { DateTime, Effect, type ManagedRuntime } from "effect"
import { Hono } from "hono"

const statusOf = (error: Conversations.ListError) => {
  if (error._tag === "UserNotRegistered") return 404
  if (error._tag === "RequestInvalid") return 400
  return ClientError.isRetryable(error) ? 503 : 500
}

export const makeApp = <E>(runtime: ManagedRuntime.ManagedRuntime<ZimClient.ZimClient, E>) =>
  new Hono().get("/users/:userId/conversations", (context) => {
    const response = Conversations.snapshot(context.req.param("userId")).pipe(
      Effect.map(({ conversations, verdict }) =>
        context.json({
          verdict,
          conversations: conversations.map(({ id, type, updatedAt }) => ({
            id,
            type,
            updatedAt: DateTime.formatIso(updatedAt)
          }))
        })
      ),
      Effect.catch((error) =>
        Effect.succeed(context.json({ error: error._tag, message: error.message }, statusOf(error)))
      )
    )
    // Who hangs up while they wait for the quota makes room for the others.
    return runtime.runPromise(response, { signal: context.req.raw.signal })
  })

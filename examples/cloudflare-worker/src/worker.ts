/**
 * `GET /conversations?user=USER`, for whoever may ask for it: put that in front.
 */
import { ClientError, Conversations, ZimClient } from "@effect-zim/client"
import { ConfigProvider, DateTime, Effect, Layer, ManagedRuntime } from "effect"
import { FetchHttpClient } from "effect/http"

/** The settings: vars of `wrangler.jsonc`, and the secret of `wrangler secret put ZIM_SERVER_SECRET`. */
interface Env {
  readonly ZIM_APP_ID: string
  readonly ZIM_SERVER_SECRET: string
  readonly ZIM_REGION?: string
  readonly ZIM_BASE_URL?: string
}

const makeRuntime = (env: Env) =>
  ManagedRuntime.make(
    ZimClient.layerConfig().pipe(
      Layer.provide([FetchHttpClient.layer, ConfigProvider.layer(ConfigProvider.fromUnknown(env))])
    )
  )

/** One for the isolate: the requests that it serves at a time share the client, and with it the quota. */
let runtime: ReturnType<typeof makeRuntime> | undefined

const statusOf = (error: Conversations.ListError): number => {
  if (error._tag === "UserNotRegistered") return 404
  if (error._tag === "RequestInvalid") return 400
  return ClientError.isRetryable(error) ? 503 : 500
}

const listOf = (userId: string) =>
  Conversations.snapshot(userId).pipe(
    Effect.map(({ conversations, verdict }) =>
      Response.json({
        verdict,
        conversations: conversations.map(({ id, type, updatedAt }) => ({
          id,
          type,
          updatedAt: DateTime.formatIso(updatedAt)
        }))
      })
    ),
    Effect.catch((error) =>
      Effect.succeed(Response.json({ error: error._tag, message: error.message }, { status: statusOf(error) }))
    )
  )

export default {
  async fetch(request: Request, env: Env): Promise<Response> {
    const { pathname, searchParams } = new URL(request.url)
    if (pathname !== "/conversations") return new Response("There is no such page.", { status: 404 })
    runtime ??= makeRuntime(env)
    return runtime.runPromise(listOf(searchParams.get("user") ?? ""), { signal: request.signal })
  }
}

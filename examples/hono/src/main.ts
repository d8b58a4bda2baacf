/**
 * One runtime for the process: one client, its connections, its quota. It begins before the server and ends after it.
 */
import { RetryPolicy, Timeout, ZimClient } from "@effect-zim/client"
import { UndiciHttpClient } from "@effect-zim/node"
import { serve } from "@hono/node-server"
import { Layer, ManagedRuntime } from "effect"
import { Hono } from "hono"
import { makeApp } from "./app.ts"

const client = ZimClient.layerConfig().pipe(
  // Who waits for a response waits for seconds.
  Layer.provide(Timeout.layer({ attempt: "2 seconds", deadline: "10 seconds" })),
  Layer.provide(RetryPolicy.layer({ ...RetryPolicy.standard, attempts: 2 })),
  Layer.provide(UndiciHttpClient.layer)
)
const runtime = ManagedRuntime.make(client)

// A setting that is missing or wrong is said now, and not at the first request.
await runtime.context()

let isEnding = false
const app = new Hono()
  .use(async (context, next) => {
    await next()
    // Else Node keeps the connection for five seconds more, in case another request comes.
    if (isEnding) context.header("connection", "close")
  })
  .route("/", makeApp(runtime))

const server = serve({ fetch: app.fetch, port: Number(process.env["PORT"] ?? 3000) }, ({ port }) =>
  console.log(`Listening on http://localhost:${port}`)
)

// No new requests; those under way are answered. Then nothing keeps the process.
const end = () => {
  isEnding = true
  server.close(() => void runtime.dispose())
}
process.once("SIGTERM", end)
process.once("SIGINT", end)

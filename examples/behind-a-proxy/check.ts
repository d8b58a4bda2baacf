/**
 * A proxy on a free port that asks for a password: with it the list comes through the proxy, without it nothing is sent.
 */
import { Conversations, RetryPolicy } from "@effect-zim/client"
import * as AdminApi from "@effect-zim/emulator/AdminApi"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import { Config, ConfigProvider, Console, Effect, Layer } from "effect"
import { FetchHttpClient } from "effect/http"
import * as assert from "node:assert/strict"
import { createServer } from "node:http"
import { connect } from "node:net"
import { client } from "./src/proxied.ts"

interface Proxy {
  readonly port: number
  /** Where connections were wanted to. */
  readonly asked: ReadonlyArray<string>
  readonly close: () => void
}

const password = "kept-to-ourselves"
const authorization = `Basic ${Buffer.from(`zim:${password}`).toString("base64")}`

const proxy = Effect.acquireRelease(
  Effect.callback<Proxy>((resume) => {
    const asked: Array<string> = []
    const server = createServer((_, response) => response.writeHead(405).end())
    server.on("connect", (request, socket) => {
      if (request.headers["proxy-authorization"] !== authorization) {
        socket.end("HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n")
        return
      }
      asked.push(request.url ?? "")
      const { hostname, port } = new URL(`http://${request.url}`)
      const upstream = connect(Number(port), hostname, () => {
        socket.write("HTTP/1.1 200 Connection Established\r\n\r\n")
        upstream.pipe(socket).pipe(upstream)
      })
      upstream.on("error", () => socket.destroy())
      socket.on("error", () => upstream.destroy())
    })
    server.listen(0, "127.0.0.1", () => {
      const address = server.address()
      const port = typeof address === "object" && address !== null ? address.port : 0
      resume(Effect.succeed({ port, asked, close: () => server.close() }))
    })
  }),
  ({ close }) => Effect.sync(close)
)

/** The list, with this in `HTTPS_PROXY`. */
const read = (url: string) => {
  const configuration = ConfigProvider.layerAdd(ConfigProvider.fromUnknown({ HTTPS_PROXY: url }), { asPrimary: true })
  return Conversations.snapshot("user-1").pipe(
    RetryPolicy.provide(RetryPolicy.none),
    Effect.provide(client.pipe(Layer.provide(configuration)))
  )
}

const program = Effect.gen(function* () {
  const emulator = yield* AdminApi.client(yield* Config.String("EMULATOR_ADMIN_URL"))
  const { host } = new URL(yield* Config.String("ZIM_BASE_URL"))
  const { asked, port } = yield* proxy

  const refused = yield* Effect.flip(read(`http://zim:wrong-${password}@127.0.0.1:${port}`))
  yield* Console.log(`with a wrong password: ${refused.message}`)
  assert.equal(refused._tag, "TransportFailed")
  assert.ok(!JSON.stringify(refused).includes(password) && !String(refused).includes(password))
  assert.equal((yield* emulator.getStats({ query: {} })).calls, 0)

  const { conversations } = yield* read(`http://zim:${password}@127.0.0.1:${port}`)
  const expected = yield* emulator.getUser({ params: { userId: "user-1" } })
  yield* Console.log(`with the right one: ${conversations.length} conversations, over a tunnel to ${asked.join()}`)
  assert.equal(conversations.length, expected.conversations.length)
  assert.deepEqual(asked, [host])
})

program.pipe(Effect.scoped, Effect.provide(FetchHttpClient.layer), NodeRuntime.runMain)

/** Servers on a loopback port that answer each request as they are told. */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as Http from "node:http"
import * as Net from "node:net"

export interface Server {
  readonly url: string
  /** How many connections were made. */
  readonly connections: () => number
  /** How many are open. */
  readonly open: () => number
}

const listen = (server: Net.Server): Effect.Effect<Server, never, Scope.Scope> =>
  Effect.suspend(() => {
    const sockets = new Set<Net.Socket>()
    let connections = 0
    server.on("connection", (socket) => {
      connections++
      sockets.add(socket)
      socket.on("error", () => {})
      socket.on("close", () => sockets.delete(socket))
    })
    return Effect.acquireRelease(
      Effect.callback<Server>((resume) => {
        server.listen(0, "127.0.0.1", () => {
          const address = server.address()
          const port = typeof address === "object" && address !== null ? address.port : 0
          const url = `http://127.0.0.1:${port}`
          resume(Effect.succeed({ url, connections: () => connections, open: () => sockets.size }))
        })
      }),
      () =>
        Effect.callback<void>((resume) => {
          for (const socket of sockets) socket.destroy()
          server.close(() => resume(Effect.void))
        })
    )
  })

/** An HTTP server of Node's. */
export const http = (answer: Http.RequestListener): Effect.Effect<Server, never, Scope.Scope> =>
  Effect.suspend(() => listen(Http.createServer({ keepAlive: true, keepAliveTimeout: 60_000 }, answer)))

/** Bytes, as they are, to whoever says anything. */
export const raw = (bytes: string): Effect.Effect<Server, never, Scope.Scope> =>
  Effect.suspend(() => listen(Net.createServer((socket) => socket.once("data", () => socket.write(bytes)))))

/** A port that nobody listens on. */
export const nobody: Effect.Effect<string> = Effect.scoped(Effect.map(raw(""), ({ url }) => url))

export const eventually = (holds: () => boolean, what: string): Effect.Effect<void> =>
  Effect.gen(function* () {
    for (let i = 0; !holds(); i++) {
      if (i > 1000) return yield* Effect.die(new Error(`not within five seconds: ${what}`))
      yield* Effect.sleep("5 millis")
    }
  })

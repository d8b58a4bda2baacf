/** A server on a loopback port that reads requests byte by byte, counts them, and breaks its connections as it is told. */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as Net from "node:net"

/** A request as it arrived. */
export interface Received {
  readonly method: string
  readonly userId: string
  readonly nonce: string
  /** Over a connection that had had another request before. */
  readonly isReused: boolean
  readonly head: string
}

export interface Service {
  readonly url: string
  readonly received: ReadonlyArray<Received>
}

/** A good answer, short, since it is broken at each of its bytes. */
export const answer = 'HTTP/1.1 200 OK\r\nContent-Length: 19\r\n\r\n{"Code":0,"Next":0}'

/** Ends the connection after so many bytes of a good answer, or resets it; or answers with a status. */
export type Fault = `end-${number}` | `reset-${number}` | `status-${number}`

const pattern = /^(end|reset|status)-(\d+)$/

const respond = (socket: Net.Socket, userId: string): void => {
  const [, how, number] = pattern.exec(userId) ?? []
  if (how === undefined) return void socket.write(answer)
  if (how === "status") return void socket.write(`HTTP/1.1 ${number} Status\r\nContent-Length: 0\r\n\r\n`)
  const close = () => (how === "end" ? socket.end() : socket.resetAndDestroy())
  const sent = answer.slice(0, Number(number))
  // In a moment: what was sent before a reset may not arrive.
  if (sent === "") close()
  else socket.write(sent, () => setTimeout(close, 5))
}

/** Where a request ends in what was received, if it does. */
const endOf = (text: string): number | undefined => {
  const head = text.indexOf("\r\n\r\n")
  if (head === -1) return undefined
  const length = /^content-length: *(\d+)/im.exec(text.slice(0, head))?.[1]
  if (text.startsWith("GET ")) return head + 4
  if (length !== undefined) return head + 4 + Number(length) <= text.length ? head + 4 + Number(length) : undefined
  const last = text.indexOf("\r\n0\r\n\r\n", head)
  return last === -1 ? undefined : last + 7
}

export const make: Effect.Effect<Service, never, Scope.Scope> = Effect.map(
  Effect.acquireRelease(
    Effect.callback<Service & { readonly close: Effect.Effect<void> }>((resume) => {
      const received: Array<Received> = []
      const sockets = new Set<Net.Socket>()
      const server = Net.createServer({ noDelay: true }, (socket) => {
        let text = ""
        let count = 0
        sockets.add(socket)
        socket.on("close", () => sockets.delete(socket))
        socket.on("error", () => sockets.delete(socket))
        socket.on("data", (data) => {
          text += data.toString("latin1")
          for (let end = endOf(text); end !== undefined; end = endOf(text)) {
            const request = text.slice(0, end)
            text = text.slice(end)
            const userId = /FromUserId(?:":"|=)([^"& ]*)/.exec(request)?.[1] ?? ""
            const nonce = /SignatureNonce=([0-9a-f]*)/.exec(request)?.[1] ?? ""
            const isAgain = received.some((other) => other.userId === userId)
            const method = request.slice(0, request.indexOf(" "))
            received.push({
              method,
              userId,
              nonce,
              isReused: count++ > 0,
              head: request.slice(0, request.indexOf("\r\n\r\n"))
            })
            // Who asks again shall get an answer: that would be the harm.
            respond(socket, isAgain ? "" : userId)
          }
        })
      })
      server.listen(0, "127.0.0.1", () => {
        const address = server.address()
        const port = typeof address === "object" && address !== null ? address.port : 0
        const close = Effect.callback<void>((closed) => {
          for (const socket of sockets) socket.destroy()
          server.close(() => closed(Effect.void))
        })
        resume(Effect.succeed({ url: `http://127.0.0.1:${port}`, received, close }))
      })
    }),
    ({ close }) => close
  ),
  ({ received, url }) => ({ received, url })
)

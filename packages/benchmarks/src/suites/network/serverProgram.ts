/**
 * A program: bare `node:http` that replies with bytes that were there before, correctly framed. In a process of its own, so
 * that its CPU time is on nobody's bill. Told over IPC what to answer, it says where it listens.
 */
import * as Http from "node:http"

/** What the server is told. */
export interface Script {
  /** The answer by the `Next` of the request. */
  readonly answers: Readonly<Record<string, string>>
  /** How long it waits before it answers, in milliseconds. */
  readonly delay: number
}

const contentType = "application/json; charset=utf-8"

/** Answers as the script says, and counts. */
const serve = ({ answers, delay }: Script): void => {
  const bodies = new Map(Object.entries(answers).map(([next, text]) => [next, Buffer.from(text)]))
  let calls = 0
  const server = Http.createServer((request, response) => {
    const pieces: Array<Buffer> = []
    request.on("data", (piece: Buffer) => pieces.push(piece))
    request.on("end", () => {
      if (request.method === "GET") return void response.end(String(calls))
      calls++
      const next = /"Next":(\d+)/.exec(Buffer.concat(pieces).toString("latin1"))?.[1] ?? "0"
      const body = bodies.get(next)
      const answer = (): void => {
        if (body === undefined) return void response.writeHead(400, { "content-length": 0 }).end()
        response.writeHead(200, { "content-type": contentType, "content-length": body.length })
        response.end(body)
      }
      if (delay === 0) answer()
      else setTimeout(answer, delay)
    })
  })
  server.keepAliveTimeout = 60_000
  server.listen(0, "127.0.0.1", () => {
    const address = server.address()
    process.send?.(typeof address === "object" && address !== null ? address.port : 0)
  })
}

process.on("message", serve)
process.on("disconnect", () => process.exit())

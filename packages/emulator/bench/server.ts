/**
 * The HTTP server against a bare `node:http` handler that does the same work: it reads the body and hands it to the same
 * emulator. Another process asks. Pairs of both under the same load; the median of their ratios counts.
 */
import { Emulator } from "@effect-zim/emulator"
import * as EmulatorServer from "@effect-zim/emulator/EmulatorServer"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { fork } from "node:child_process"
import * as Http from "node:http"
import { fileURLToPath } from "node:url"
import { emulator, median, targets } from "./scene.ts"

const calls = 3000
const pairs = 15

/** The same with nothing in between: no router, no middleware, no streams. */
const bare = Effect.gen(function* () {
  const { handle } = yield* Emulator.Emulator
  const answer = (request: Http.IncomingMessage, response: Http.ServerResponse, text: string): void => {
    const reply = Effect.runSync(
      handle({
        method: request.method ?? "",
        target: request.url ?? "",
        contentType: request.headers["content-type"],
        body: text
      })
    )
    const bytes = Buffer.from(typeof reply.body === "string" ? reply.body : "")
    response.writeHead(reply.status, { ...reply.headers, "content-length": bytes.length })
    response.end(bytes)
  }
  const server = Http.createServer((request, response) => {
    const pieces: Array<Buffer> = []
    request.on("data", (piece: Buffer) => pieces.push(piece))
    request.on("end", () => answer(request, response, Buffer.concat(pieces).toString()))
  })
  yield* Effect.acquireRelease(
    Effect.callback<void>((resume) => void server.listen(0, "127.0.0.1", () => resume(Effect.void))),
    () => Effect.sync(() => server.close())
  )
  const address = server.address()
  return typeof address === "object" && address !== null ? address.port : 0
})

const portOf = (url: string): number => Number(new URL(url).port)

const program = Effect.gen(function* () {
  const { url } = yield* EmulatorServer.EmulatorServer
  const ports = { ours: portOf(url), bare: yield* bare }
  const load = yield* Effect.acquireRelease(
    Effect.sync(() => fork(fileURLToPath(new URL("load.ts", import.meta.url)))),
    (child) => Effect.sync(() => child.kill())
  )

  /** CPU time of this process, which only serves, in microseconds per call. */
  const cost = Effect.fnUntraced(function* (port: number) {
    const asked = yield* targets(calls)
    const before = process.cpuUsage()
    const started = performance.now()
    yield* Effect.callback<void>((resume) => {
      load.once("message", () => resume(Effect.void))
      load.send({ port, targets: asked })
    })
    const { system, user } = process.cpuUsage(before)
    return { cpu: (system + user) / calls, rate: (calls / (performance.now() - started)) * 1000 }
  })

  yield* cost(ports.ours)
  yield* cost(ports.bare)
  // Whoever goes first changes from pair to pair.
  const measured = yield* Effect.forEach(
    Array.from({ length: pairs }, (_, i) => i % 2 === 0),
    (oursFirst) =>
      Effect.gen(function* () {
        const first = yield* cost(oursFirst ? ports.ours : ports.bare)
        const second = yield* cost(oursFirst ? ports.bare : ports.ours)
        return oursFirst ? { ours: first, bare: second } : { ours: second, bare: first }
      })
  )
  const line = (name: "ours" | "bare", label: string): string => {
    const cpu = median(measured.map((pair) => pair[name].cpu)).toFixed(0)
    const rate = median(measured.map((pair) => pair[name].rate))
    return `${label.padEnd(20)} ${cpu} µs of CPU per call, ${Math.round(rate).toLocaleString("en")} calls/s`
  }
  yield* Console.log(line("bare", "node:http, bare"))
  yield* Console.log(line("ours", "EmulatorServer"))
  const ratio = median(measured.map(({ bare, ours }) => ours.cpu / bare.cpu))
  yield* Console.log(`ratio ${ratio.toFixed(2)}, median of ${pairs} pairs of ${calls} calls; at most 1.25`)
  if (!(ratio <= 1.25)) process.exitCode = 1
})

await Effect.runPromise(
  Effect.scoped(program).pipe(Effect.provide(EmulatorServer.layer().pipe(Layer.provideMerge(emulator))))
)

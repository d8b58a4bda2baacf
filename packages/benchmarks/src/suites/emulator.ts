/** The emulator: calls per second in the same process, and as a server. */
import { Emulator, EmulatorClient, ServiceQuota, World } from "@effect-zim/emulator"
import * as EmulatorServer from "@effect-zim/emulator/EmulatorServer"
import { QueryConversationList } from "@effect-zim/protocol"
import { ServerSecret, Signature } from "@effect-zim/signing"
import * as Effect from "effect/Effect"
import * as HttpClient from "effect/http/HttpClient"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import * as Layer from "effect/Layer"
import * as TestClock from "effect/testing/TestClock"
import * as Http from "node:http"
import * as Contestant from "../Contestant.ts"
import * as Measure from "../Measure.ts"
import * as Results from "../Results.ts"
import * as SampleAnswers from "../SampleAnswers.ts"
import type { Suite } from "../Suite.ts"
import * as Callers from "./network/Callers.ts"

const { app } = Callers
const body = `{"FromUserId":"${app.userId}","Limit":500}`

/** A small world, without a quota. */
const emulator = Emulator.layer({
  world: World.make({
    apps: [{ appId: app.appId, serverSecret: app.secret }],
    users: [{ userId: app.userId, conversations: SampleAnswers.entries(10) }]
  }),
  quota: ServiceQuota.unlimited,
  journalCapacity: 10_000
})

/** Signed anew for each call, or the emulator refuses it. */
const target = Effect.map(
  Signature.sign({ appId: app.appId, serverSecret: ServerSecret.make(app.secret) }),
  (signed) => `/?${Signature.toQuery(signed, QueryConversationList.operation.action)}`
)

// The request's id differs from call to call.
const comparable = (text: string): unknown => ({ ...JSON.parse(text), RequestId: "" })

const inProcess = Effect.gen(function* () {
  yield* Measure.announce("the emulator in the same process")
  const { handle } = yield* Emulator.Emulator
  const http = yield* HttpClient.HttpClient
  const json = HttpClientRequest.bodyText(body, "application/json")
  const handled = "Emulator.handle"
  const asked = "EmulatorClient"
  const series = yield* Measure.sideBySide([
    Contestant.effect(
      { name: handled, role: "limit", comparable },
      Effect.flatMap(target, (target) =>
        Effect.map(handle({ method: "POST", target, contentType: "application/json", body }), ({ body }) =>
          typeof body === "string" ? body : ""
        )
      )
    ),
    Contestant.effect(
      { name: asked, role: "ours", comparable },
      Effect.flatMap(target, (target) =>
        Effect.flatMap(
          http.execute(json(HttpClientRequest.post(`https://zim-api.zego.im${target}`))),
          ({ text }) => text
        )
      )
    )
  ])
  return Results.costTable({
    title: "A call in the same process",
    about: "Signing included. As a property test runs it: over Effect's `HttpClient`, on `TestClock`.",
    series,
    unit: "call",
    isCharted: false,
    goals: [
      {
        text: "CPU of a call through EmulatorClient",
        reached: Measure.each(Measure.find(series, asked), "cpu").middle,
        bound: { atMost: 100 },
        format: "micros"
      }
    ]
  })
}).pipe(
  Effect.provide(EmulatorClient.layer.pipe(Layer.provideMerge(emulator), Layer.provideMerge(TestClock.layer()))),
  Effect.provideService(HttpClient.TracerDisabledWhen, () => true)
)

/** The same with nothing in between: no router, no middleware, no streams. */
const bare = Effect.gen(function* () {
  const { handle } = yield* Emulator.Emulator
  const runSync = Effect.runSyncWith(yield* Effect.context())
  const answer = (request: Http.IncomingMessage, response: Http.ServerResponse, text: string): void => {
    const reply = runSync(
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
  return `http://127.0.0.1:${typeof address === "object" && address !== null ? address.port : 0}`
})

const asServer = Effect.gen(function* () {
  yield* Measure.announce("the emulator as a server")
  const { url } = yield* EmulatorServer.EmulatorServer
  const caller = yield* Callers.start(Callers.names.limit)
  const contestant = (name: string, role: Contestant.Role, url: string): Contestant.Contestant => {
    const ask = (times: number) => caller.run({ url: url.replace(/\/$/, ""), concurrency: 16, isTraced: false, times })
    return {
      name,
      role,
      answer: Effect.map(ask(0), ({ answer }) => answer),
      work: ask
    }
  }
  const ours = "EmulatorServer"
  const base = "bare node:http"
  const series = yield* Measure.sideBySide([contestant(base, "limit", yield* bare), contestant(ours, "ours", url)], {
    rounds: 21,
    sample: 150,
    warmUp: 2000
  })
  return Results.costTable({
    title: "A call to the server, 16 at a time",
    about:
      "Another process calls. CPU of the server's process only; bare is a handler that gives each request to the same emulator.",
    series,
    unit: "call",
    isCharted: false,
    goals: [Results.atMost("The server against bare node:http", series, { name: ours, base }, 1.25)]
  })
}).pipe(Effect.scoped, Effect.provide(EmulatorServer.layer().pipe(Layer.provideMerge(emulator))))

export const emulated: Suite = {
  name: "emulator",
  title: "The emulator",
  about: "A page of 10 conversations, every signature checked, every call in the journal.",
  run: Effect.all([inProcess, asServer])
}

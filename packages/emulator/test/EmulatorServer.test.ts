import { Emulator, Fault, ServiceQuota } from "@effect-zim/emulator"
import * as EmulatorServer from "@effect-zim/emulator/EmulatorServer"
import { assert, describe, it } from "@effect/vitest"
import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as Tracer from "effect/Tracer"
import * as Http from "node:http"
import * as Net from "node:net"
import { assertSeen, outcome, post, visible } from "./exchange.ts"
import { groups, secret, worldOf } from "./support.ts"

const world = worldOf({ u1: groups(3), big: groups(1000) })
const serve = (options?: Partial<Emulator.Options>) =>
  EmulatorServer.layer().pipe(
    Layer.provideMerge(Emulator.layer({ world, quota: ServiceQuota.unlimited, ...options })),
    Layer.merge(NodeHttpClient.layerUndici)
  )
const provide = (options?: Partial<Emulator.Options>) => Effect.provide(serve(options))
const url = Effect.map(EmulatorServer.EmulatorServer, (server) => server.url)
const call = (body: unknown = { FromUserId: "u1" }) => Effect.flatMap(url, (base) => outcome(post(base, body)))

interface Raw {
  readonly received: string
  /** How the connection ended: by the server's FIN, by a reset, or by us. */
  readonly end: "fin" | "ECONNRESET" | "open"
}

interface Watch {
  /** In ms. Short only where nothing is to come: a busy machine takes its time. */
  readonly patience?: number
  /** When this has come, it is only watched for so many ms more. */
  readonly until?: readonly [expected: RegExp, more: number]
}

/** Writes text to the server's port; what comes back until the connection ends, or until it is watched no longer. */
const raw = (text: string, { patience = 10_000, until }: Watch = {}) =>
  Effect.flatMap(url, (base) =>
    Effect.promise(
      () =>
        new Promise<Raw>((resolve) => {
          let received = ""
          const socket = Net.connect(Number(new URL(base).port), "127.0.0.1", () => socket.write(text))
          const done = (end: Raw["end"]) => {
            clearTimeout(timer)
            resolve({ received, end })
            socket.destroy()
          }
          let timer = setTimeout(() => done("open"), patience)
          let isThere = false
          socket.on("data", (bytes) => {
            received += bytes.toString()
            if (until === undefined || isThere || !until[0].test(received)) return
            isThere = true
            clearTimeout(timer)
            timer = setTimeout(() => done("open"), until[1])
          })
          socket.on("end", () => done("fin"))
          socket.on("error", (error) => done("code" in error && error.code === "ECONNRESET" ? "ECONNRESET" : "open"))
        })
    )
  )

const http = (head: string, body = "") =>
  `${head} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`

describe("over a socket", () => {
  it.live("listens on a free loopback port and says which", () =>
    Effect.gen(function* () {
      assert.match(yield* url, /^http:\/\/127\.0\.0\.1:[1-9][0-9]*$/)
      const seen = yield* call()
      assert.propertyVal(seen, "status", 200)
    }).pipe(provide())
  )

  it.live.each(visible)("$fault.name", ({ expected, fault }) =>
    Effect.gen(function* () {
      assertSeen(yield* call(), expected)
    }).pipe(provide({ faults: [fault] }))
  )

  it.live("a reset is a reset, a truncated body a body and an end", () =>
    Effect.gen(function* () {
      const emulator = yield* Emulator.Emulator
      assert.deepStrictEqual(yield* raw(http("POST /")), { received: "", end: "ECONNRESET" })
      yield* emulator.faults.set([Fault.truncatedBody])
      const { end, received } = yield* raw(http("POST /"))
      assert.strictEqual(end, "fin")
      const [head, body] = received.split("\r\n\r\n")
      const promised = Number(/content-length: ([0-9]+)/i.exec(head ?? "")?.[1])
      assert.strictEqual(body?.length, promised >>> 1)
      yield* emulator.faults.set([Fault.hangingBody])
      const hanging = yield* raw(http("POST /"), { until: [/\{"Code":100000006/, 300] })
      assert.strictEqual(hanging.end, "open")
      assert.match(hanging.received, /\{"Code":100000006/)
      yield* emulator.faults.set([Fault.hang])
      assert.deepStrictEqual(yield* raw(http("POST /"), { patience: 300 }), { received: "", end: "open" })
    }).pipe(provide({ faults: [Fault.connectionReset] }))
  )

  it.live("a slow body comes piece by piece", () =>
    Effect.gen(function* () {
      const started = performance.now()
      const early = yield* raw(http("POST /"), { until: [/\r\n\r\n./, 0] })
      const late = yield* raw(http("POST /"), { until: [/"RequestId":"[0-9]+"\}$/, 0] })
      assert.isAbove(late.received.length, early.received.length)
      assert.match(late.received, /"RequestId":"[0-9]+"\}$/)
      assert.isAbove(performance.now() - started, 150)
    }).pipe(provide({ faults: [Fault.slowBody({ bytes: 20, every: "50 millis" })] }))
  )

  it.live("many clients at once, large pages, connections kept alive", () =>
    Effect.gen(function* () {
      const seen = yield* Effect.forEach(Array.from({ length: 200 }), () => call({ FromUserId: "big", Limit: 500 }), {
        concurrency: 32
      })
      for (const answer of seen) {
        assert.propertyVal(answer, "status", 200)
        if ("text" in answer) assert.strictEqual(answer.text.split(`"ConvId"`).length - 1, 500)
      }
    }).pipe(provide())
  )

  it.live("anything else that comes over HTTP gets a sensible answer", () =>
    Effect.gen(function* () {
      const first = (text: string) =>
        Effect.map(raw(text, { until: [/\r\n\r\n/, 0] }), ({ received }) => received.split("\r\n")[0])
      assert.strictEqual(yield* first(http("GET /")), "HTTP/1.1 405 Method Not Allowed")
      assert.strictEqual(yield* first(http("HEAD /")), "HTTP/1.1 405 Method Not Allowed")
      assert.strictEqual(yield* first(http("OPTIONS *")), "HTTP/1.1 404 Not Found")
      assert.strictEqual(yield* first(http("GET /favicon.ico")), "HTTP/1.1 404 Not Found")
      assert.strictEqual(yield* first(http("POST /?%zz=%")), "HTTP/1.1 200 OK")
      assert.strictEqual(yield* first("what?\r\n\r\n"), "HTTP/1.1 400 Bad Request")
      assert.match((yield* raw(http("GET /"), { until: [/\r\n\r\n/, 0] })).received, /allow: POST/)
    }).pipe(provide())
  )

  it.live("a body of more than 1 MiB is refused, and the server goes on", () =>
    Effect.gen(function* () {
      const huge = yield* call({ FromUserId: "u1", Padding: "x".repeat(3_000_000) })
      if ("text" in huge) assert.match(huge.text, /"Code":100000012/)
      else assert.fail("no answer")
      // It is refused when the limit is passed, not when the last byte has come.
      const endless = yield* raw(`${http("POST /").replace("Length: 0", "Length: 9000000")}${"x".repeat(1_200_000)}`, {
        until: [/\r\n\r\n/, 0]
      })
      assert.match(endless.received, /^HTTP\/1\.1 200 OK/)
      assert.propertyVal(yield* call(), "status", 200)
    }).pipe(provide())
  )

  it.live("a client that goes away in mid-request does no harm", () =>
    Effect.gen(function* () {
      const cut = yield* raw("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{", { patience: 100 })
      assert.strictEqual(cut.end, "open")
      assert.propertyVal(yield* call(), "status", 200)
    }).pipe(provide())
  )
})

describe("the server", () => {
  it.effect.each(["0.0.0.0", "::", "192.168.1.2", "10.0.0.1", "example.com", "", "128.0.0.1", "127.0.0.1.example.com"])(
    "refuses to listen on %j",
    (host) =>
      Effect.gen(function* () {
        const error = yield* Effect.flip(
          Effect.provide(url, EmulatorServer.layer({ host }).pipe(Layer.provide(Emulator.layer({ world }))))
        )
        assert.strictEqual(error._tag, "HostNotLoopback")
        assert.include(error.message, "loopback")
      })
  )

  it.live.each(["localhost", "127.0.0.2", "127.0.0.1"])("listens on %s", (host) =>
    Effect.gen(function* () {
      assert.match(yield* url, /^http:\/\/[^:]+:[0-9]+$|^http:\/\/\[::1\]:[0-9]+$/)
    }).pipe(Effect.provide(EmulatorServer.layer({ host }).pipe(Layer.provide(Emulator.layer({ world })))))
  )

  it.live("a port that is taken is a typed error", () =>
    Effect.gen(function* () {
      const port = Number(new URL(yield* url).port)
      const error = yield* Effect.flip(
        Effect.provide(url, EmulatorServer.layer({ port }).pipe(Layer.provide(Emulator.layer({ world }))))
      )
      assert.strictEqual(error._tag, "ServeError")
    }).pipe(provide())
  )

  it.live("stops at once, also with requests that hang and connections that idle", () =>
    Effect.gen(function* () {
      const port = yield* Effect.gen(function* () {
        const base = yield* url
        const idle = new Http.Agent({ keepAlive: true })
        yield* Effect.promise(
          () =>
            new Promise<void>((resolve) => {
              Http.get(base, { agent: idle }, (response) => response.resume().on("end", () => resolve()))
            })
        )
        const hanging = yield* Effect.forkDetach(outcome(post(base, { FromUserId: "u1" })))
        yield* Effect.sleep("50 millis")
        assert.isUndefined(hanging.pollUnsafe())
        return { hanging, idle, started: performance.now(), base }
      }).pipe(Effect.provide(serve({ faults: [Fault.hang] })))
      assert.isBelow(performance.now() - port.started, 1500)
      const refused = yield* outcome(post(port.base, {}))
      assert.deepStrictEqual(refused, { failure: "TransportError" })
      yield* Fiber.interrupt(port.hanging)
      port.idle.destroy()
    }).pipe(Effect.provide(NodeHttpClient.layerUndici))
  )

  it.live("logs nothing and traces nothing, whatever happens", () => {
    const lines: Array<unknown> = []
    const spans: Array<string> = []
    const logger = Logger.make(({ message }) => void lines.push(message))
    const tracer = Tracer.make({
      span: (options) => {
        spans.push(options.name)
        return new Tracer.NativeSpan(options)
      }
    })
    return Effect.gen(function* () {
      const emulator = yield* Emulator.Emulator
      for (const { fault } of visible) {
        yield* emulator.faults.set([fault])
        yield* raw(http("POST /?Action=QueryConversationList&Signature=" + secret), { patience: 100 })
      }
      assert.deepStrictEqual(lines, [])
      assert.deepStrictEqual(spans, [])
    }).pipe(
      Effect.provide(
        serve().pipe(Layer.provide(Logger.layer([logger])), Layer.provide(Layer.succeed(Tracer.Tracer, tracer)))
      )
    )
  })
})

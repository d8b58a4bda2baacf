/** Over real sockets: what a server, a proxy or a broken line does, through each HTTP client for Node: Effect's, and ours. */
import { ClientError, ResponseLimit, RetryPolicy, Timeout, ZimClient } from "@effect-zim/client"
import { UndiciHttpClient } from "@effect-zim/node"
import { QueryConversationList } from "@effect-zim/protocol"
import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
import { assert, describe, it } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as FetchHttpClient from "effect/http/FetchHttpClient"
import type * as HttpClient from "effect/http/HttpClient"
import * as Layer from "effect/Layer"
import * as Net from "node:net"
import * as Zlib from "node:zlib"
import * as FakeService from "./fakeService.ts"
import * as WireOracle from "./wireOracle.ts"

const names = ["fetch", "undici", "node:http", "ours"] as const
const clients: Record<(typeof names)[number], Layer.Layer<HttpClient.HttpClient>> = {
  fetch: FetchHttpClient.layer,
  undici: NodeHttpClient.layerUndici,
  "node:http": NodeHttpClient.layerNodeHttp,
  ours: UndiciHttpClient.layer
}

interface Server {
  readonly url: string
  /** Everything that was received, by connection. */
  readonly received: ReadonlyArray<string>
  /** Whether all connections are closed. */
  readonly isIdle: () => boolean
}

/** A server that answers each request with what `respond` writes to the socket. */
const serve = (respond: (socket: Net.Socket) => void) =>
  Effect.acquireRelease(
    Effect.callback<Server & { readonly close: Effect.Effect<void> }>((resume) => {
      const received: Array<string> = []
      const sockets = new Set<Net.Socket>()
      const server = Net.createServer((socket) => {
        sockets.add(socket)
        const index = received.push("") - 1
        socket.on("close", () => sockets.delete(socket))
        socket.on("error", () => sockets.delete(socket))
        socket.on("data", (data) => {
          received[index] += data.toString("latin1")
          // Every request of the client is one JSON object.
          if (received[index]?.endsWith("}")) respond(socket)
        })
      })
      server.listen(0, "127.0.0.1", () => {
        const address = server.address()
        const close = Effect.callback<void>((closed) => {
          for (const socket of sockets) socket.destroy()
          server.close(() => closed(Effect.void))
        })
        const port = typeof address === "object" && address !== null ? address.port : 0
        resume(Effect.succeed({ url: `http://127.0.0.1:${port}`, received, isIdle: () => sockets.size === 0, close }))
      })
    }),
    (server) => server.close
  )

/** Short where it is waited for, long where a busy machine must not be taken for a hang. */
const short = Duration.millis(150)
const long = Duration.seconds(10)

const read = (url: string, http: Layer.Layer<HttpClient.HttpClient>, attemptTimeout = long) =>
  ZimClient.execute(QueryConversationList.operation, { userId: "user-42" }).pipe(
    RetryPolicy.provide(RetryPolicy.none),
    Effect.provideService(Timeout.Attempt, attemptTimeout),
    Effect.exit,
    Effect.timed,
    Effect.provide(FakeService.clientOf(http, url))
  )

const eventually = (holds: () => boolean, what: string) =>
  Effect.gen(function* () {
    for (let i = 0; !holds(); i++) {
      if (i > 200) return assert.fail(`not within a second: ${what}`)
      yield* Effect.sleep("5 millis")
    }
  })

const answer = `{"Code":0,"Message":"success","RequestId":"1","TotalCount":1,"Next":0,"List":[{"ConvId":"c","UpdateTime":1}]}`
const head = (headers: string, status = "200 OK") =>
  `HTTP/1.1 ${status}\r\nContent-Type: application/json\r\n${headers}\r\n`
const chunk = (data: string | Uint8Array) =>
  Buffer.concat([Buffer.from(`${data.length.toString(16)}\r\n`), Buffer.from(data), Buffer.from("\r\n")])
const chunked = "Transfer-Encoding: chunked\r\n"
const length = (bytes: number) => `Content-Length: ${bytes}\r\n`

/** Writes for ever, as fast as the other side takes it. */
const flood = (socket: Net.Socket, piece: Uint8Array) => {
  const more = (error?: Error | null): void => {
    if ((error === undefined || error === null) && !socket.destroyed) socket.write(piece, more)
  }
  more()
}

type Expected = string | { readonly fetch: string; readonly others: string }

const megabytes = 1024 * 1024
const bomb = Zlib.gzipSync(Buffer.alloc(64 * megabytes, 0x20))
const gzipped = Zlib.gzipSync(answer)

const scenarios: Readonly<Record<string, readonly [Expected, (socket: Net.Socket) => void]>> = {
  "a valid answer": ["Page", (socket) => socket.write(head(length(answer.length)) + answer)],
  "a valid answer, chunked": [
    "Page",
    (socket) => {
      socket.write(head(chunked))
      for (let i = 0; i < answer.length; i += 10) socket.write(chunk(answer.slice(i, i + 10)))
      socket.write("0\r\n\r\n")
    }
  ],
  "a valid answer up to the end of the connection": [
    "Page",
    (socket) => socket.end(head("Connection: close\r\n") + answer)
  ],
  "a valid answer, compressed": [
    // Only fetch asks for it, and only fetch unpacks it.
    { fetch: "Page", others: "ResponseUnreadable NotJson" },
    (socket) => {
      socket.write(head(`Content-Encoding: gzip\r\n${length(gzipped.length)}`))
      socket.write(gzipped)
    }
  ],
  "a return code with status 500": [
    "UserNotRegistered",
    (socket) => socket.write(head(length(18), "500 Oh") + `{"Code":660500002}`)
  ],
  "HTML 502": [
    "ResponseUnreadable HttpStatus",
    (socket) => socket.write(head(length(13), "502 Bad Gateway") + "<h1>502</h1>\n")
  ],
  "an empty body": ["ResponseUnreadable Empty", (socket) => socket.write(head(length(0)))],
  "204": ["ResponseUnreadable HttpStatus", (socket) => socket.write("HTTP/1.1 204 No Content\r\n\r\n")],
  "an announced length, too long, then the end": [
    "TransportFailed",
    (socket) => socket.end(head(length(500)) + answer)
  ],
  "an announced length, too short": [
    "ResponseUnreadable NotJson",
    (socket) => socket.write(head(`Connection: close\r\n${length(40)}`) + answer)
  ],
  "an answer cut off in a chunk": [
    "TransportFailed",
    (socket) => socket.end(head(chunked) + chunk(answer.slice(0, 30)).toString() + "ff\r\nabc")
  ],
  "20 MB, announced": [
    "ResponseUnreadable TooLarge",
    (socket) => {
      socket.write(head(length(20 * megabytes)))
      flood(socket, Buffer.alloc(65_536, 0x20))
    }
  ],
  "a body without end, chunked": [
    "ResponseUnreadable TooLarge",
    (socket) => {
      socket.write(head(chunked))
      flood(socket, chunk(Buffer.alloc(65_536, 0x20)))
    }
  ],
  "a gzip bomb": [
    { fetch: "ResponseUnreadable TooLarge", others: "ResponseUnreadable NotJson" },
    (socket) => {
      socket.write(head(`Content-Encoding: gzip\r\n${length(bomb.length)}`))
      socket.write(bomb)
    }
  ],
  "a gzip bomb that stops": [
    // Its announced length is small: only who counts what comes out of it need not wait for the rest.
    { fetch: "ResponseUnreadable TooLarge", others: "AttemptTimedOut" },
    (socket) => {
      socket.write(head(`Content-Encoding: gzip\r\n${length(bomb.length + 1000)}`))
      socket.write(bomb)
    }
  ],
  "gzip that is none": [
    { fetch: "TransportFailed", others: "Page" },
    (socket) => socket.write(head(`Content-Encoding: gzip\r\n${length(answer.length)}`) + answer)
  ],
  "no headers, ever": ["AttemptTimedOut", () => {}],
  "no body, ever": ["AttemptTimedOut", (socket) => socket.write(head(length(answer.length)))],
  "half a body, then nothing": [
    "AttemptTimedOut",
    (socket) => socket.write(head(length(answer.length)) + answer.slice(0, 30))
  ],
  "headers, a byte at a time": [
    "AttemptTimedOut",
    (socket) => {
      const bytes = head(length(answer.length)) + answer
      let sent = 0
      const timer = setInterval(() => void socket.write(bytes[sent++] ?? ""), 20)
      socket.on("close", () => clearInterval(timer))
    }
  ],
  "a body, a byte at a time": [
    "AttemptTimedOut",
    (socket) => {
      socket.write(head(length(answer.length)))
      let sent = 0
      const timer = setInterval(() => void socket.write(answer[sent++] ?? ""), 20)
      socket.on("close", () => clearInterval(timer))
    }
  ],
  "a reset before the headers": ["TransportFailed", (socket) => socket.resetAndDestroy()],
  "the end before the headers": ["TransportFailed", (socket) => socket.end()],
  "a reset after the headers": [
    "TransportFailed",
    (socket) => socket.write(head(length(answer.length)), () => setTimeout(() => socket.resetAndDestroy(), 20))
  ],
  "a reset in the body": [
    "TransportFailed",
    (socket) =>
      socket.write(head(length(answer.length)) + answer.slice(0, 30), () =>
        setTimeout(() => socket.resetAndDestroy(), 20)
      )
  ],
  "something that is not HTTP": ["TransportFailed", (socket) => socket.write("SSH-2.0-OpenSSH_9.9\r\n")],
  "headers without end": [
    "TransportFailed",
    (socket) => {
      socket.write("HTTP/1.1 200 OK\r\n")
      flood(socket, Buffer.from(`X-Padding: ${"x".repeat(1000)}\r\n`))
    }
  ]
}

/** How many requests arrived, on however many connections: fetch may open one more than it uses. */
const requests = (server: Server): number => server.received.join("").split("POST /").length - 1

const expectedOf = (name: string, client: (typeof names)[number]): string => {
  const [expected] = scenarios[name] ?? assert.fail(name)
  return typeof expected === "string" ? expected : expected[client === "fetch" ? "fetch" : "others"]
}

// Several at a time: each of them only waits, long enough for the request to arrive on a busy machine.
describe.concurrent("a hang", () => {
  const hangs = names.flatMap((client) =>
    Object.entries(scenarios)
      .filter(([name]) => expectedOf(name, client) === "AttemptTimedOut")
      .map(([name, [, respond]]) => [client, name, respond] as const)
  )

  it.live.each(hangs)("through %s: %s", ([client, , respond]) =>
    Effect.gen(function* () {
      const server = yield* serve(respond)
      const [duration, outcome] = yield* read(server.url, clients[client], Duration.seconds(1))
      assert.strictEqual(WireOracle.nameOf(outcome), "AttemptTimedOut")
      assert.isBelow(Duration.toMillis(duration), Duration.toMillis(long))
      assert.strictEqual(requests(server), 1)
    })
  )
})

describe.each(names)("through %s", (client) => {
  const http = clients[client]
  const answered = Object.keys(scenarios).filter((name) => expectedOf(name, client) !== "AttemptTimedOut")

  it.live.each(answered)("%s", (name) =>
    Effect.gen(function* () {
      const [, respond] = scenarios[name] ?? assert.fail(name)
      const server = yield* serve(respond)
      const [, outcome] = yield* read(server.url, http)
      assert.strictEqual(WireOracle.nameOf(outcome), expectedOf(name, client))
      assert.strictEqual(requests(server), 1)
    })
  )

  it.live("nobody there", () =>
    Effect.gen(function* () {
      const url = yield* Effect.scoped(
        Effect.map(
          serve(() => {}),
          (server) => server.url
        )
      )
      const error = WireOracle.errorOf((yield* read(url, http))[1])
      assert.instanceOf(error, ClientError.TransportFailed)
      assert.strictEqual(error.systemCode, "ECONNREFUSED")
      assert.include(error.message, "ECONNREFUSED")
    })
  )

  it.live.each([
    ["seconds, without a return code", "429 Too Many", "Retry-After: 90", "<h1>later</h1>"],
    [
      "a date, without a return code",
      "503 Down",
      "Date: Sat, 01 Aug 2026 00:00:00 GMT\r\nRetry-After: Sat, 01 Aug 2026 00:01:30 GMT",
      "<h1>later</h1>"
    ],
    ["seconds, with one", "429 Too Many", "retry-after: 90", `{"Code":660300005}`],
    [
      "a date, with one",
      "503 Down",
      "Retry-After: Saturday, 01-Aug-26 00:01:30 GMT\r\nDate: Sat Aug  1 00:00:00 2026",
      `{"Code":1}`
    ]
  ] as const)("how long to wait, as %s", ([, status, headers, body]) =>
    Effect.gen(function* () {
      const server = yield* serve((socket) => socket.write(head(`${headers}\r\n${length(body.length)}`, status) + body))
      const error = WireOracle.errorOf((yield* read(server.url, http))[1])
      assert.deepStrictEqual(error && ClientError.retryAfter(error), Duration.seconds(90))
      assert.strictEqual(requests(server), 1)
    })
  )

  it.live.each(["-1", "NaN", "3601", "", "\u00ff\u0080", "1, 2", "Fri, 31 Jul 2026 00:00:00 GMT"])(
    "a wait that is none: %j",
    (wait) =>
      Effect.gen(function* () {
        const headers = `Date: Sat, 01 Aug 2026 00:00:00 GMT\r\nRetry-After: ${wait}\r\n${length(0)}`
        const server = yield* serve((socket) => socket.write(head(headers, "503 Down"), "latin1"))
        const error = WireOracle.errorOf((yield* read(server.url, http))[1])
        assert.deepInclude(error, { _tag: "ResponseUnreadable", reason: { _tag: "HttpStatus" }, status: 503 })
        assert.notProperty(error, "retryAfter")
      })
  )

  it.live("HTTP 304 is no redirect", () =>
    Effect.gen(function* () {
      const server = yield* serve((socket) => socket.write("HTTP/1.1 304 Not Modified\r\n\r\n"))
      const error = WireOracle.errorOf((yield* read(server.url, http))[1])
      assert.deepInclude(error, { _tag: "ResponseUnreadable", reason: { _tag: "HttpStatus" }, status: 304 })
      assert.include(error?.message, "HTTP status 304")
    })
  )

  it.live("asks for no content coding, and names the one that comes", () =>
    Effect.gen(function* () {
      const server = yield* serve((socket) => {
        socket.write(head(`Content-Encoding: gzip\r\n${length(gzipped.length)}`))
        socket.write(gzipped)
      })
      const error = WireOracle.errorOf((yield* read(server.url, http))[1])
      assert.match(server.received[0] ?? "", /\r\naccept-encoding: identity\r\n/i)
      // fetch unpacks it all the same.
      if (client === "fetch") assert.isUndefined(error)
      else assert.include(error?.message, "not UTF-8, since it came in the content coding gzip")
    })
  )

  it.live.each([301, 302, 303, 307, 308])("a redirect with status %i is not followed", (status) =>
    Effect.gen(function* () {
      const target = yield* serve((socket) => socket.write(head(length(answer.length)) + answer))
      const server = yield* serve((socket) =>
        socket.write(head(`Location: ${target.url}/elsewhere\r\n${length(0)}`, `${status} Moved`))
      )
      const outcome = (yield* read(server.url, http))[1]
      assert.strictEqual(WireOracle.nameOf(outcome), "ResponseUnreadable Redirect")
      assert.deepStrictEqual(target.received, [])
      assert.strictEqual(requests(server), 1)
    })
  )

  it.live("a timeout closes the socket", () =>
    Effect.gen(function* () {
      for (const respond of [() => {}, (socket: Net.Socket) => void socket.write(head(length(answer.length)))]) {
        const server = yield* serve(respond)
        assert.strictEqual(WireOracle.nameOf((yield* read(server.url, http, short))[1]), "AttemptTimedOut")
        yield* eventually(server.isIdle, "the socket is closed")
      }
    })
  )

  it.live("an interruption closes the socket at once", () =>
    Effect.gen(function* () {
      for (const respond of [() => {}, (socket: Net.Socket) => void socket.write(head(length(answer.length)))]) {
        const server = yield* serve(respond)
        // The client outlives the call: it is the interruption that closes the socket, not the end of the client.
        const context = yield* Layer.build(FakeService.clientOf(http, server.url))
        const fiber = yield* ZimClient.execute(QueryConversationList.operation, { userId: "user-42" }).pipe(
          Effect.provide(context),
          Effect.forkScoped
        )
        yield* eventually(() => server.received[0]?.endsWith("}") === true, "the request arrives")
        yield* Effect.sleep("20 millis")
        assert.isFalse(server.isIdle())
        const [duration] = yield* Effect.timed(Fiber.interrupt(fiber))
        assert.isBelow(Duration.toMillis(duration), 2000)
        yield* eventually(server.isIdle, "the socket is closed")
        assert.strictEqual(requests(server), 1)
      }
    })
  )

  it.live("a body that is too large closes the socket", () =>
    Effect.gen(function* () {
      const server = yield* serve((socket) => {
        socket.write(head(chunked))
        flood(socket, chunk(Buffer.alloc(65_536, 0x20)))
      })
      const context = yield* Layer.build(FakeService.clientOf(http, server.url))
      const outcome = yield* ZimClient.execute(QueryConversationList.operation, { userId: "user-42" }).pipe(
        Effect.provideService(ResponseLimit, 100_000),
        Effect.exit,
        Effect.provide(context)
      )
      assert.strictEqual(WireOracle.nameOf(outcome), "ResponseUnreadable TooLarge")
      yield* eventually(server.isIdle, "the socket is closed")
    })
  )

  it.live("no trace headers, whatever spans there are around", () =>
    Effect.gen(function* () {
      const server = yield* serve((socket) => socket.write(head(length(answer.length)) + answer))
      const [, outcome] = yield* Effect.withSpan(read(server.url, http), "around")
      assert.strictEqual(WireOracle.nameOf(outcome), "Page")
      const request = server.received[0] ?? ""
      assert.match(request, /^POST \/\?Action=QueryConversationList&AppId=12345&SignatureNonce=[0-9a-f]{16}&/)
      assert.match(request, /\r\ncontent-type: application\/json\r\n/i)
      assert.notMatch(request, /traceparent|tracestate|b3:|baggage/i)
    })
  )
})

describe("an HTTP client that is closed", () => {
  it.live.each(["undici", "ours"] as const)("%s: says so, once, and leaves the breaker alone", (name) =>
    Effect.gen(function* () {
      const context = yield* Effect.scoped(Layer.build(FakeService.clientOf(clients[name], "http://127.0.0.1:1")))
      const call = ZimClient.execute(QueryConversationList.operation, { userId: "user-42" }).pipe(Effect.flip)
      for (const error of yield* Effect.provide(Effect.all(Array.from({ length: 40 }, () => call)), context)) {
        assert.instanceOf(error, ClientError.ClientClosed)
        assert.strictEqual(error.attempts, 1)
      }
    })
  )
})

describe("an HTTP client that is none", () => {
  it.live.each([
    [
      "undici's dispatcher",
      UndiciHttpClient.layerDispatcher(() => Object.assign(Object.create(null), { destroy: async () => {} })),
      /this runtime's undici has no dispatcher/
    ],
    [
      "fetch",
      Layer.provide(FetchHttpClient.layer, Layer.succeed(FetchHttpClient.Fetch, Object.create(null))),
      /is not a function/
    ]
  ] as const)("is a defect, and not tried again: %s", ([, http, what]) =>
    Effect.gen(function* () {
      const exit = yield* ZimClient.execute(QueryConversationList.operation, { userId: "user-42" }).pipe(
        Effect.provide(FakeService.clientOf(http, "http://127.0.0.1:1")),
        Effect.exit
      )
      assert.isTrue(Exit.hasDies(exit), String(exit))
      assert.match(String(exit), what)
    })
  )
})

describe("fetch with settings of its own", () => {
  it.live("follows no redirects all the same", () =>
    Effect.gen(function* () {
      const target = yield* serve((socket) => socket.write(head(length(answer.length)) + answer))
      const server = yield* serve((socket) =>
        socket.write(head(`Location: ${target.url}\r\n${length(0)}`, "307 Moved"))
      )
      const follow = { redirect: "follow", headers: { "x-own": "kept" } } as const
      const http = FetchHttpClient.layer.pipe(Layer.provide(Layer.succeed(FetchHttpClient.RequestInit, follow)))
      const [, outcome] = yield* read(server.url, http)
      assert.strictEqual(WireOracle.nameOf(outcome), "ResponseUnreadable Redirect")
      assert.deepStrictEqual(target.received, [])
      assert.match(server.received[0] ?? "", /x-own: kept/)
    })
  )

  it.live.each(["the layer's", "the call's"])("is %s", (whose) =>
    Effect.gen(function* () {
      const seen: Array<string> = []
      const own: typeof fetch = async (input, init) => {
        seen.push(await new Request(input, init).text())
        return new Response(answer)
      }
      const service = Layer.succeed(FetchHttpClient.Fetch, own)
      const isCalls = whose === "the call's"
      const http = isCalls ? FetchHttpClient.layer : Layer.provide(FetchHttpClient.layer, service)
      const reading = read("http://127.0.0.1:1", http)
      const [, outcome] = yield* isCalls ? Effect.provide(reading, service) : reading
      assert.strictEqual(WireOracle.nameOf(outcome), "Page")
      assert.deepStrictEqual(seen, ['{"FromUserId":"user-42","Limit":500,"Next":0}'])
    })
  )
})

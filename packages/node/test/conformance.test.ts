/** What a program may expect of an `HttpClient`: of Effect's layer for undici, and of ours alike. */
import { UndiciHttpClient } from "@effect-zim/node"
import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
import { assert, describe, it } from "@effect/vitest"
import { Cause, Effect, Exit, Fiber, Layer, Scheduler, Schema, Scope, Stream } from "effect"
import { HttpBody, HttpClient, HttpClientRequest, HttpClientResponse } from "effect/http"
import type * as Http from "node:http"
import { Readable } from "node:stream"
import { setFlagsFromString } from "node:v8"
import { runInNewContext } from "node:vm"
import { Agent } from "undici"
import * as Server from "./server.ts"

const layers = {
  "Effect's": NodeHttpClient.layerUndici,
  ours: UndiciHttpClient.layer,
  // It goes another way there.
  "ours, without a tracer": Layer.merge(
    UndiciHttpClient.layer,
    Layer.succeed(HttpClient.TracerDisabledWhen, () => true)
  )
} as const
const names = ["Effect's", "ours", "ours, without a tracer"] as const

const json = (response: Http.ServerResponse, body: string, headers: Http.OutgoingHttpHeaders = {}) =>
  response.writeHead(200, { "content-type": "application/json", ...headers }).end(body)

/** Answers with what arrived. */
const echo: Http.RequestListener = (request, response) => {
  const pieces: Array<Buffer> = []
  request.on("data", (piece: Buffer) => pieces.push(piece))
  request.on("end", () => {
    const { headers, method, url } = request
    json(response, JSON.stringify({ method, url, headers, body: Buffer.concat(pieces).toString() }))
  })
}

const Echoed = Schema.Struct({
  method: Schema.String,
  url: Schema.String,
  headers: Schema.Record(Schema.String, Schema.String),
  body: Schema.String
})

const megabyte = 1024 * 1024

/** A body that never ends; how much of it was taken. */
const endless = () => {
  let taken = 0
  const answer: Http.RequestListener = (_, response) => {
    const piece = Buffer.alloc(65_536, 0x61)
    const more = (): void => {
      while (!response.destroyed) {
        taken += piece.length
        if (!response.write(piece)) return void response.once("drain", more)
      }
    }
    response.writeHead(200)
    more()
  }
  return { answer, taken: () => taken }
}

describe.each(names)("%s", (name) => {
  const layer = layers[name]

  it.live("carries a request and its answer", () =>
    Effect.gen(function* () {
      const { url } = yield* Server.http(echo)
      const form = new FormData()
      form.append("field", "käthe")
      form.append("file", new Blob(["in a file"]), "name.txt")
      const requests = [
        HttpClientRequest.get(`${url}/a/../b`).pipe(
          HttpClientRequest.setUrlParam("q", "ä &"),
          HttpClientRequest.setHash("h")
        ),
        HttpClientRequest.post(url).pipe(HttpClientRequest.bodyText(`{"a":"käthe"}`, "application/json")),
        HttpClientRequest.post(url).pipe(HttpClientRequest.setBody(HttpBody.raw("raw"))),
        HttpClientRequest.put(url).pipe(
          HttpClientRequest.bodyStream(Stream.make(Uint8Array.of(0x61), Uint8Array.of(0x62, 0x63)))
        ),
        HttpClientRequest.post(url).pipe(HttpClientRequest.bodyFormData(form)),
        HttpClientRequest.delete(url).pipe(HttpClientRequest.setHeader("x-own", "kept"))
      ]
      const seen = yield* Effect.forEach(requests, (request) =>
        Effect.flatMap(HttpClient.execute(request), HttpClientResponse.schemaBodyJson(Echoed))
      )
      const [get, text, raw, streamed, formed, deleted] = seen
      assert.strictEqual(get?.url, "/b?q=%C3%A4+%26")
      assert.deepInclude(text, { method: "POST", body: `{"a":"käthe"}` })
      assert.deepInclude(text?.headers, { "content-type": "application/json", "content-length": "14" })
      assert.strictEqual(raw?.body, "raw")
      assert.deepInclude(streamed, { method: "PUT", body: "abc" })
      assert.match(formed?.headers["content-type"] ?? "", /^multipart\/form-data; boundary=/)
      assert.match(formed?.body ?? "", /käthe[\s\S]*filename="name.txt"[\s\S]*in a file/)
      assert.deepInclude(deleted, { method: "DELETE", body: "" })
      assert.strictEqual(deleted?.headers["x-own"], "kept")
    }).pipe(Effect.provide(layer))
  )

  it.live("gives status, headers, cookies and each form of the body", () =>
    Effect.gen(function* () {
      const { url } = yield* Server.http((_, response) => {
        response.writeEarlyHints({ link: "</style>; rel=preload" })
        const headers = { "Set-Cookie": ["a=1", "b=2; Path=/"], "X-Twice": ["1", "2"] }
        setTimeout(() => json(response, "1", headers), 20)
      })
      const response = yield* HttpClient.get(`${url}/path?a=1#fragment`)
      assert.strictEqual(response.status, 200)
      assert.strictEqual(response.url, `${url}/path?a=1`)
      assert.strictEqual(response.headers["x-twice"], "1, 2")
      assert.strictEqual(response.headers["content-type"], "application/json")
      assert.strictEqual(response.cookies.cookies["b"]?.value, "2")
      assert.strictEqual(yield* response.text, "1")
      assert.strictEqual(yield* response.json, 1)
      assert.deepStrictEqual(new Uint8Array(yield* response.arrayBuffer), Uint8Array.of(0x31))
      assert.deepInclude(JSON.parse(JSON.stringify(response)), { status: 200 })
      const refused = yield* Effect.flip(response.upgrade)
      assert.strictEqual(refused.reason._tag, "StatusCodeError")

      const form = yield* Server.http((_, response) =>
        response.writeHead(200, { "content-type": "application/x-www-form-urlencoded" }).end("a=1&b=%C3%A4")
      )
      const formed = yield* HttpClient.get(form.url)
      assert.deepStrictEqual(Array.from(yield* formed.urlParamsBody), [
        ["a", "1"],
        ["b", "ä"]
      ])
      assert.strictEqual((yield* formed.formData).get("b"), "ä")
      const notJson = yield* Effect.flip(formed.json)
      assert.strictEqual(notJson.reason._tag, "DecodeError")
      assert.strictEqual(notJson.response?.status, 200)
    }).pipe(Effect.provide(layer))
  )

  it.live.each([0, 1, 65_536, 3 * megabyte])("reads a body of %i bytes, whole and as a stream", (size) =>
    Effect.gen(function* () {
      const body = Buffer.alloc(size, "0123456789abcdef")
      const { connections, url } = yield* Server.http((_, response) => response.writeHead(200).end(body))
      const whole = yield* Effect.flatMap(HttpClient.get(url), (response) => response.arrayBuffer)
      assert.isTrue(body.equals(new Uint8Array(whole)))
      const chunks = yield* Stream.runCollect(HttpClientResponse.stream(HttpClient.get(url)))
      assert.isTrue(body.equals(Buffer.concat(chunks)))
      const text = yield* Effect.flatMap(HttpClient.get(url), (response) => response.text)
      assert.strictEqual(text.length, size)
      // undici takes a moment until it uses a connection again.
      assert.isAtMost(connections(), 2)
    }).pipe(Effect.provide(layer))
  )

  it.live("asks for what the URL says, and says what that was", () =>
    Effect.gen(function* () {
      const { url } = yield* Server.http((request, response) => void response.end(request.url))
      const twoHosts = [url, url.replace("127.0.0.1", "localhost")]
      const rest = ["", "/", "?", "/?", "?a=1", "/?a=1", "/p/q?a=%20&b", "/p/../q?a=1", "/p%20q?a=1", "/p q?a=1"]
      const more = ["/ ?a=1", "/p?a=b c", "/p?a='", "/p?a=ä", "/p?a=1#f", "/#f?a=1", "/#?a=1", "/p?a=?", "/p?a=1 "]
      for (const path of [...rest, ...more]) {
        for (const host of twoHosts) {
          const expected = new URL(host + path)
          const response = yield* HttpClient.get(host + path)
          assert.strictEqual(yield* response.text, expected.pathname + expected.search)
          assert.strictEqual(response.url, expected.href.slice(0, expected.href.length - expected.hash.length))
        }
      }
      const params = yield* HttpClient.get(`${url}/?a=1`, { urlParams: { b: "2" } })
      assert.strictEqual(yield* params.text, "/?a=1&b=2")
    }).pipe(Effect.provide(layer))
  )

  it.live("HEAD and 204 have no body", () =>
    Effect.gen(function* () {
      const { url } = yield* Server.http((request, response) =>
        response.writeHead(request.method === "HEAD" ? 200 : 204).end()
      )
      for (const response of [yield* HttpClient.head(url), yield* HttpClient.get(url)]) {
        assert.strictEqual(yield* response.text, "")
      }
    }).pipe(Effect.provide(layer))
  )

  it.live("takes no more of a body than its reader", () =>
    Effect.gen(function* () {
      const { answer, taken } = endless()
      const { open, url } = yield* Server.http(answer)
      const response = yield* HttpClient.get(url)
      let isSettled = taken()
      do {
        isSettled = taken()
        yield* Effect.sleep("100 millis")
      } while (taken() !== isSettled)
      assert.isBelow(taken(), 16 * megabyte)
      const before = taken()
      yield* response.stream.pipe(
        Stream.mapAccum(
          () => 0,
          (sum, chunk) => [sum + chunk.length, [sum + chunk.length]] as const
        ),
        Stream.takeUntil((sum) => sum > before + 4 * megabyte),
        Stream.runDrain
      )
      yield* Server.eventually(() => open() === 0, "who stops reading closes the connection")
    }).pipe(Effect.provide(layer))
  )

  it.live("an interruption closes the connection, whatever is being waited for", () =>
    Effect.gen(function* () {
      const server = yield* Server.http((request, response) => {
        if (request.url === "/body") response.writeHead(200, { "content-length": "100" }).write("half")
      })
      const get = (path: string) => HttpClient.get(`${server.url}${path}`)
      for (const waiting of [
        get("/head"),
        Effect.flatMap(get("/body"), (response) => response.text),
        Stream.runDrain(HttpClientResponse.stream(get("/body")))
      ]) {
        const fiber = yield* Effect.forkChild(waiting)
        yield* Server.eventually(() => server.open() === 1, "the request arrives")
        yield* Effect.sleep("20 millis")
        yield* Fiber.interrupt(fiber)
        yield* Server.eventually(() => server.open() === 0, "the connection is closed")
      }
    }).pipe(Effect.provide(layer))
  )

  it.live("the end of a request's scope closes the connection", () =>
    Effect.gen(function* () {
      const server = yield* Server.http((request, response) => {
        if (request.url === "/body") response.writeHead(200, { "content-length": "100" }).write("half")
      })
      const client = HttpClient.withScope(yield* HttpClient.HttpClient)
      for (const path of ["/head", "/body"]) {
        const scope = yield* Scope.make()
        const fiber = yield* client
          .get(`${server.url}${path}`)
          .pipe(Scope.provide(scope), Effect.exit, Effect.forkChild)
        yield* Server.eventually(() => server.open() === 1, "the request arrives")
        yield* Effect.sleep("20 millis")
        yield* Scope.close(scope, Exit.void)
        yield* Server.eventually(() => server.open() === 0, "the connection is closed")
        yield* Fiber.join(fiber)
      }
    }).pipe(Effect.provide(layer))
  )

  it.live("an answer that is forgotten closes its connection", () =>
    Effect.gen(function* () {
      const server = yield* Server.http((_, response) =>
        response.writeHead(200, { "content-length": "100" }).write("half")
      )
      yield* HttpClient.get(server.url)
      assert.strictEqual(server.open(), 1)
      yield* Server.eventually(() => {
        collect()
        return server.open() === 0
      }, "the connection is closed")
    }).pipe(Effect.provide(layer))
  )

  it.live("the end of the layer closes idle connections and ends what is under way", () =>
    Effect.gen(function* () {
      const server = yield* Server.http((request, response) => void (request.url === "/idle" && response.end("ok")))
      const scope = yield* Scope.make()
      const client = yield* Layer.buildWithScope(layer, scope)
      yield* HttpClient.get(`${server.url}/idle`).pipe(
        Effect.flatMap((response) => response.text),
        Effect.provide(client)
      )
      const fiber = yield* HttpClient.get(server.url).pipe(Effect.flip, Effect.provide(client), Effect.forkChild)
      yield* Effect.sleep("20 millis")
      assert.isAbove(server.open(), 0)
      yield* Scope.close(scope, Exit.void)
      assert.strictEqual((yield* Fiber.join(fiber)).reason._tag, "TransportError")
      yield* Server.eventually(() => server.open() === 0, "all connections are closed")
      const after = yield* HttpClient.get(server.url).pipe(Effect.flip, Effect.provide(client))
      assert.strictEqual(after.reason._tag, "TransportError")
    })
  )

  it.live("follows no redirect, unless the program says so", () =>
    Effect.gen(function* () {
      const { url } = yield* Server.http((request, response) =>
        request.url === "/" ? response.writeHead(307, { location: "/there" }).end() : response.end("there")
      )
      assert.strictEqual((yield* HttpClient.get(url)).status, 307)
      const follows = HttpClient.followRedirects(yield* HttpClient.HttpClient)
      assert.strictEqual(yield* Effect.flatMap(follows.get(url), (response) => response.text), "there")
    }).pipe(Effect.provide(layer))
  )

  const head = "HTTP/1.1 200 OK\r\n"
  it.live.each([
    ["nobody there", Server.nobody, "ECONNREFUSED"],
    ["a host without an address", Effect.succeed("http://host.invalid"), /ENOTFOUND|EAI_AGAIN/],
    [
      "TLS to somebody who does not speak it",
      Effect.map(Server.raw("HTTP/1.1 400 Bad Request\r\n\r\n"), ({ url }) => url.replace("http:", "https:")),
      /SSL|EPROTO/
    ],
    ["what is not HTTP", Effect.map(Server.raw("SSH-2.0-OpenSSH_9.9\r\n"), ({ url }) => url), "HTTPParserError"],
    [
      "too many headers",
      Effect.map(Server.raw(`${head}x: ${"x".repeat(20_000)}\r\n\r\n`), ({ url }) => url),
      "UND_ERR_HEADERS_OVERFLOW"
    ]
  ] as const)("fails typed: %s", ([, target, code]) =>
    Effect.gen(function* () {
      const url = yield* target
      const { reason } = yield* Effect.flip(HttpClient.get(url))
      assert.strictEqual(reason._tag, "TransportError")
      const { code: found, name } = Object(reason.cause)
      assert.match(`${found} ${name}`, new RegExp(code))
    }).pipe(Effect.provide(layer))
  )

  it.live("fails typed: a reset in the body, a bad URL, an upload that fails", () =>
    Effect.gen(function* () {
      const reset = yield* Server.http((_, response) => {
        response.writeHead(200, { "content-length": "100" }).write("half")
        setTimeout(() => response.destroy(), 20)
      })
      const inBody = yield* Effect.flip(Effect.flatMap(HttpClient.get(reset.url), (response) => response.text))
      assert.strictEqual(inBody.reason._tag, "DecodeError")
      const inStream = yield* Effect.flip(Stream.runDrain(HttpClientResponse.stream(HttpClient.get(reset.url))))
      assert.strictEqual(inStream.reason._tag, "DecodeError")

      assert.strictEqual((yield* Effect.flip(HttpClient.get("http://"))).reason._tag, "InvalidUrlError")

      const { open, url } = yield* Server.http(() => {})
      const upload = Stream.concat(Stream.make(Uint8Array.of(1)), Stream.fail("broken"))
      const failed = yield* HttpClientRequest.post(url).pipe(
        HttpClientRequest.bodyStream(upload),
        HttpClient.execute,
        Effect.flip
      )
      assert.strictEqual(failed.reason._tag, "TransportError")
      yield* Server.eventually(() => open() === 0, "the connection is closed")

      const unsent = Readable.from(["never read"])
      yield* HttpClientRequest.post(yield* Server.nobody).pipe(
        HttpClientRequest.setBody(HttpBody.raw(unsent)),
        HttpClient.execute,
        Effect.flip
      )
      assert.isTrue(unsent.destroyed)
    }).pipe(Effect.provide(layer))
  )
})

/** Collects all garbage: an answer that nobody reads closes its connection then. */
const collect = (): void => {
  setFlagsFromString("--expose-gc")
  runInNewContext("gc()")
}

/** A scheduler that makes a fiber wait before its nth step. */
const waitingAt = (n: number, millis: number): Scheduler.Scheduler => {
  let steps = 0
  const scheduler = new Scheduler.MixedScheduler("async", (run) => {
    const timer = setTimeout(run, millis)
    return () => clearTimeout(timer)
  })
  return {
    executionMode: "async",
    makeDispatcher: () => scheduler.makeDispatcher(),
    shouldYield: () => ++steps === n
  }
}

describe("a reader that waits at any step", () => {
  const slowly: Http.RequestListener = (_, response) => {
    response.writeHead(200).flushHeaders()
    setTimeout(() => response.end("all of it"), 20)
  }
  const readers = {
    "as a whole": (response: HttpClientResponse.HttpClientResponse) => response.text,
    "as a stream": (response: HttpClientResponse.HttpClientResponse) =>
      Stream.mkString(Stream.decodeText(response.stream))
  }

  const cases = names.flatMap((name) => Object.entries(readers).map(([how, reader]) => [how, name, reader] as const))

  it.live.each(cases)("gets the body, %s: %s", ([, name, reader]) =>
    Effect.gen(function* () {
      const { url } = yield* Server.http(slowly)
      const bodies = yield* Effect.forEach(
        Array.from({ length: 80 }, (_, n) => n),
        (n) =>
          Effect.flatMap(HttpClient.get(url), reader).pipe(
            Effect.provideService(Scheduler.Scheduler, waitingAt(n, 40)),
            Effect.forkChild,
            Effect.flatMap(Fiber.join),
            Effect.timeoutOrElse({ duration: "3 seconds", orElse: () => Effect.succeed(`hangs at step ${n}`) })
          ),
        { concurrency: "unbounded" }
      )
      assert.deepStrictEqual([...new Set(bodies)], ["all of it"])
    }).pipe(Effect.provide(layers[name]))
  )

  // Where it goes the other way, Effect's `HttpClient.make` may forget the connection.
  it.live.each(Object.entries(readers))("closes the connection when it is interrupted, %s", ([, reader]) =>
    Effect.gen(function* () {
      const { open, url } = yield* Server.http((_, response) => response.writeHead(200).write("some of it"))
      const fibers = yield* Effect.forEach(
        Array.from({ length: 80 }, (_, n) => n),
        (n) =>
          Effect.flatMap(HttpClient.get(url), reader).pipe(
            Effect.provideService(Scheduler.Scheduler, waitingAt(n, 1000)),
            Effect.forkChild
          )
      )
      // Whoever does not wait for the scheduler by then waits for the rest of the body.
      yield* Effect.sleep("300 millis")
      assert.isAbove(open(), 0)
      yield* Fiber.interruptAll(fibers)
      yield* Effect.sync(collect)
      yield* Server.eventually(() => open() === 0, "closed connections")
    }).pipe(Effect.provide(layers["ours, without a tracer"]))
  )
})

describe("a dispatcher that cannot send, as that of Bun's undici", () => {
  const dispatcher = Object.assign(new Agent(), { dispatch: undefined })

  it.effect("is a defect of the layer, and of no call", () =>
    Effect.gen(function* () {
      const exit = yield* Effect.exit(
        Effect.provide(
          Effect.void,
          UndiciHttpClient.layerDispatcher(() => dispatcher)
        )
      )
      const defect = Exit.isFailure(exit) ? Cause.squash(exit.cause) : undefined
      assert.instanceOf(defect, UndiciHttpClient.DispatcherUnusable)
      assert.match(defect.message, /FetchHttpClient\.layer/)
      assert.throws(() => UndiciHttpClient.make(dispatcher), UndiciHttpClient.DispatcherUnusable)
    })
  )
})

/** The operations that are documented as GET: everything in the query, nothing in a body. */
import { CircuitBreaker, ClientError, Quota, RetryPolicy, type UntypedOperation, ZimClient } from "@effect-zim/client"
import { UndiciHttpClient } from "@effect-zim/node"
import { Catalog, type Operation, Query, QueryConversationList } from "@effect-zim/protocol"
import { ServerSecret, Signature } from "@effect-zim/signing"
import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as FetchHttpClient from "effect/http/FetchHttpClient"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import * as Tracer from "effect/Tracer"
import { createServer, type IncomingMessage, type Server } from "node:http"
import { text } from "node:stream/consumers"
import * as FakeService from "./fakeService.ts"
import * as SpanRecorder from "./spanRecorder.ts"

const run = <A, E>(service: FakeService.FakeService, call: Effect.Effect<A, E, ZimClient.ZimClient>) =>
  Effect.provide(call, Layer.provide(FakeService.clientOf(service.layer), [Quota.layer(), CircuitBreaker.layer()]))

// ---- over real sockets ----

interface Received {
  readonly method: string | undefined
  readonly url: URL
  readonly headers: IncomingMessage["headers"]
  readonly body: string
}

const serve = Effect.acquireRelease(
  Effect.callback<{ readonly url: string; readonly received: Array<Received>; readonly server: Server }>((resume) => {
    const received: Array<Received> = []
    const server = createServer((request, response) => {
      void text(request).then((body) => {
        const url = new URL(request.url ?? "", "http://127.0.0.1")
        received.push({ method: request.method, url, headers: request.headers, body })
        return response.setHeader("content-type", "application/json").end(`{"Code":0,"RequestId":"1"}`)
      })
    }).listen(0, "127.0.0.1", () => {
      const address = server.address()
      const port = typeof address === "object" && address !== null ? address.port : 0
      resume(Effect.succeed({ url: `http://127.0.0.1:${port}`, received, server }))
    })
  }),
  ({ server }) => Effect.sync(() => server.close().closeAllConnections())
)

const commonParameters = ["Action", "AppId", "SignatureNonce", "Timestamp", "SignatureVersion", "Signature"]

const gets = [...Catalog.operations].filter(([, { method }]) => method === "GET")

/** What has to be told apart on the way: digits, letters beyond ASCII, what a query has a meaning for. */
const asked = {
  FromUserId: "käthe &=?#+% 😀[]",
  Next: 2n ** 60n + 1n,
  Limit: 100,
  Mute: true,
  UserId: ["ada", "grace & co", "+"],
  MuteRoleList: [1, 2]
}

const clients = {
  fetch: FetchHttpClient.layer,
  undici: NodeHttpClient.layerUndici,
  "node:http": NodeHttpClient.layerNodeHttp,
  ours: UndiciHttpClient.layer
}

describe("over sockets", () => {
  it.live.each(["fetch", "undici", "node:http", "ours"] as const)(
    "each of the 20 documented operations arrives as a GET, signed, with everything in the query: through %s",
    (client) =>
      Effect.gen(function* () {
        const { received, url } = yield* serve
        const layer = FakeService.clientOf(clients[client], url).pipe(Layer.provide(Quota.layer({ limit: 1000 })))
        yield* Effect.provide(
          Effect.forEach(gets, ([action]) => ZimClient.call(action, asked)),
          layer
        )

        assert.deepStrictEqual(
          received.map((request) => request.url.searchParams.get("Action")),
          gets.map(([action]) => action)
        )
        assert.strictEqual(received.length, 20)
        for (const { body, headers, method, url } of received) {
          assert.deepStrictEqual([method, url.pathname, body], ["GET", "/", ""])
          for (const name of ["content-type", "content-length", "transfer-encoding"]) assert.notProperty(headers, name)
          const signed = [...url.searchParams].slice(0, commonParameters.length)
          assert.deepStrictEqual(
            signed.map(([name]) => name),
            commonParameters
          )
          yield* Signature.verify({
            appId: FakeService.app.appId,
            serverSecret: ServerSecret.make(FakeService.app.serverSecret),
            parameters: Object.fromEntries(signed)
          })
          assert.deepStrictEqual([...url.searchParams].slice(commonParameters.length), [
            ["FromUserId", asked.FromUserId],
            ["Next", "1152921504606846977"],
            ["Limit", "100"],
            ["Mute", "true"],
            ["UserId[]", "ada"],
            ["UserId[]", "grace & co"],
            ["UserId[]", "+"],
            ["MuteRoleList[]", "1"],
            ["MuteRoleList[]", "2"]
          ])
        }
        const nonces = received.map(({ url }) => url.searchParams.get("SignatureNonce"))
        assert.strictEqual(new Set(nonces).size, 20)
      })
  )

  it.live("the other 51 arrive as a POST with a body of JSON", () =>
    Effect.gen(function* () {
      const { received, url } = yield* serve
      const posts = [...Catalog.operations.keys()].filter((action) => Catalog.operations.get(action)?.method === "POST")
      yield* Effect.forEach(posts, (action) => ZimClient.call(action, { FromUserId: "ada", UserIds: ["grace"] })).pipe(
        Effect.provide(
          FakeService.clientOf(UndiciHttpClient.layer, url).pipe(Layer.provide(Quota.layer({ limit: 1000 })))
        )
      )
      assert.strictEqual(received.length, 51)
      for (const { body, headers, method, url } of received) {
        assert.deepStrictEqual(
          [method, headers["content-type"], body, [...url.searchParams.keys()]],
          ["POST", "application/json", '{"FromUserId":"ada","UserIds":["grace"]}', commonParameters]
        )
      }
    })
  )
})

describe("a GET by its name", () => {
  const sentBy = (call: Effect.Effect<unknown, ClientError.AnyError, ZimClient.ZimClient>) =>
    Effect.gen(function* () {
      const service = FakeService.answering(FakeService.envelope({}))
      yield* run(service, call)
      const [sent] = service.sent
      if (sent === undefined) return assert.fail("nothing was sent")
      return [sent.method, sent.body, sent.url.search.replace(/^.*&Signature=[0-9a-f]+&?/, "")]
    })

  it.effect("takes a text for its values, a name with brackets as it is, and nothing at all", () =>
    Effect.gen(function* () {
      const name = "QueryFriendList"
      const json = '{"Next": 971503777289036701, "A[]": ["x"], "B[]": "y", "Twice": 1, "Twice": 2.50}'
      assert.deepStrictEqual(yield* sentBy(ZimClient.call(name, json)), [
        "GET",
        "",
        "Next=971503777289036701&A%5B%5D=x&B%5B%5D=y&Twice=2.5"
      ])
      assert.deepStrictEqual(yield* sentBy(ZimClient.call(name)), ["GET", "", ""])
    })
  )

  it.effect("is one where the call says so, and only there, whatever is documented", () =>
    Effect.gen(function* () {
      const body = { UserId: ["ada"] }
      const methods: ReadonlyArray<readonly [action: string, method: Catalog.Method | undefined, sent: string]> = [
        ["SomeAction", undefined, "POST"],
        ["SomeAction", "POST", "POST"],
        ["SomeAction", "GET", "GET"],
        ["QueryFriendList", undefined, "GET"],
        ["QueryFriendList", "POST", "POST"],
        ["QueryUserInfos", "GET", "GET"],
        // Names are case-sensitive.
        ["queryFriendList", undefined, "POST"]
      ]
      for (const [action, method, expected] of methods) {
        const sent = yield* sentBy(ZimClient.call(action, body, { method }))
        assert.deepStrictEqual(
          sent,
          expected === "GET" ? ["GET", "", "UserId%5B%5D=ada"] : ["POST", '{"UserId":["ada"]}', ""]
        )
      }
    })
  )

  it.effect.each<readonly [UntypedOperation.Body, string]>([
    [{ UserId: null }, "null, which a query cannot say: leave the parameter out"],
    ['{"UserId":null}', "null, which a query cannot say: leave the parameter out"],
    [{ User: { Id: "a" } }, "nested, which a query cannot say"],
    [
      { UserId: [["a"]] },
      'nested, which a query cannot say: give text, a number, a boolean, or a list of these at ["UserId"][0]'
    ],
    [{ UserId: [] }, "an empty list, which a query cannot say"],
    ['{"Limit":1e400}', 'a number that is not finite at ["Limit"]'],
    [{ Timestamp: 0 }, 'the name of a common parameter, which the client sends at ["Timestamp"]'],
    [{ Action: 1 }, "the name of a common parameter"],
    ["[1]", "Expected a JSON object"],
    ["{", "not valid JSON"]
  ])("is refused here, and nothing is sent: %j", ([body, problem]) =>
    Effect.gen(function* () {
      const service = FakeService.answering(FakeService.envelope({}))
      const error = yield* Effect.flip(run(service, ZimClient.call("MuteGroup", body)))
      assert.instanceOf(error, ClientError.RequestInvalid)
      assert.include(error.message, `MuteGroup: ${problem}`)
      assert.notInclude(error.message, "\n")
      assert.isTrue(Schema.isSchemaError(error.cause))
      assert.strictEqual(service.sent.length, 0)
    })
  )

  it.effect("as a POST may have what a query cannot say", () =>
    Effect.gen(function* () {
      const [method, body] = yield* sentBy(
        ZimClient.call("ModifyGroupAttribute", { Action: 1, Attributes: [{}, null] })
      )
      assert.deepStrictEqual([method, body], ["POST", '{"Action":1,"Attributes":[{},null]}'])
    })
  )

  it.effect("is repeated where it only reads, each time with a signature of its own", () =>
    Effect.gen(function* () {
      const sentOf = (action: string, options?: UntypedOperation.Options) =>
        Effect.gen(function* () {
          const service = FakeService.answering(FakeService.code(1), FakeService.envelope({}))
          yield* FakeService.inTime(Effect.exit(run(service, ZimClient.call(action, { FromUserId: "ada" }, options))))
          const nonces = service.sent.map(({ url }) => url.searchParams.get("SignatureNonce"))
          assert.strictEqual(new Set(nonces).size, nonces.length)
          assert.isTrue(service.sent.every(({ url }) => url.search.endsWith("&FromUserId=ada")))
          return nonces.length
        })
      for (const [action, { kind }] of gets) assert.strictEqual(yield* sentOf(action), kind === "Read" ? 2 : 1, action)
      assert.strictEqual(yield* sentOf("QueryFriendList", { kind: "Write" }), 1)
      assert.strictEqual(yield* sentOf("DismissGroup", { kind: "Read" }), 2)
    })
  )
})

describe("a typed operation that is a GET", () => {
  const { operation } = QueryConversationList
  const byGet: Operation.Operation<QueryConversationList.Types> = {
    ...operation,
    query: (request) => Query.encode(Schema.encodeSync(operation.request)(request))
  }

  it.effect("is sent as one, and its span says so without what it asks", () =>
    Effect.gen(function* () {
      const { spans, tracer } = SpanRecorder.make()
      const service = FakeService.answering(FakeService.page(FakeService.entries(3)))
      const page = yield* run(service, ZimClient.execute(byGet, { userId: "canary-user" })).pipe(
        Effect.provideService(Tracer.Tracer, tracer)
      )
      assert.strictEqual(page.conversations.length, 3)
      assert.match(service.sent[0]?.url.search ?? "", /&FromUserId=canary-user&Limit=500&Next=0$/)
      const attempt = spans.find(({ name }) => name === "GET")
      assert.strictEqual(attempt?.attributes.get("http.request.method"), "GET")
      assert.strictEqual(attempt?.attributes.get("url.full"), "http://127.0.0.1:1/?Action=QueryConversationList")
      for (const { attributes, name } of spans) assert.notInclude(JSON.stringify([name, ...attributes]), "canary")
    })
  )

  it.effect("is refused before anything is sent, or waited for, where a query cannot say it", () =>
    Effect.gen(function* () {
      const service = FakeService.answering(FakeService.page([]))
      const nested: typeof byGet = { ...byGet, query: () => Query.encode({ User: { Id: "canary" } }) }
      const exit = yield* Effect.exit(
        run(service, RetryPolicy.provide(ZimClient.execute(nested, { userId: "ada" }), RetryPolicy.none))
      )
      assert.isTrue(Exit.isFailure(exit))
      assert.match(String(exit), /RequestInvalid/)
      assert.notMatch(String(exit), /canary/)
      assert.strictEqual(service.sent.length, 0)
    })
  )
})

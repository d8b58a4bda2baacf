/** The escape hatch: any operation by its name, with JSON in and JSON out, through the same pipeline as a typed call. */
import {
  CircuitBreaker,
  ClientError,
  type UntypedOperation,
  Quota,
  RetryPolicy,
  Telemetry,
  Timeout,
  ZimClient
} from "@effect-zim/client"
import { Emulator, ServiceQuota, World } from "@effect-zim/emulator"
import * as EmulatorServer from "@effect-zim/emulator/EmulatorServer"
import { OperationCode, QueryConversationList, ReturnCode, WireJson } from "@effect-zim/protocol"
import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
import { assert, describe, it } from "@effect/vitest"
import * as Arbitrary from "effect/Arbitrary"
import * as Cause from "effect/Cause"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Metric from "effect/Metric"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { createServer, type Server } from "node:http"
import { text } from "node:stream/consumers"
import * as FakeService from "./fakeService.ts"

// ---- JSON, with its numbers as they are written ----

interface Written {
  readonly written: string
}

/** A value as it must be on the wire: numbers are told apart digit by digit. `-0` is written `0`, as JSON does. */
const written = (value: UntypedOperation.Json): unknown => {
  if (typeof value === "bigint") return { written: String(value) } satisfies Written
  if (typeof value === "number") return { written: JSON.stringify(value) } satisfies Written
  if (Array.isArray(value)) return value.map(written)
  if (typeof value !== "object" || value === null) return value
  return new Map(Object.entries(value).map(([name, member]) => [name, written(member)]))
}

/** A text, read by Node alone. */
const readText = (json: string): unknown =>
  JSON.parse(json, (_key, value: unknown, context?: { readonly source?: string }) => {
    if (typeof value === "number") return { written: context?.source } satisfies { written: unknown }
    return typeof value !== "object" || value === null || Array.isArray(value) ? value : new Map(Object.entries(value))
  })

const big = Schema.BigInt.check(Schema.isBetweenBigInt({ minimum: -(10n ** 40n), maximum: 10n ** 40n }))

const AnyJson: Schema.Codec<UntypedOperation.Json> = Schema.Union([
  Schema.String,
  Schema.Finite,
  big,
  Schema.Boolean,
  Schema.Null,
  Schema.Array(Schema.suspend(() => AnyJson)),
  Schema.Record(
    Schema.String,
    Schema.suspend(() => AnyJson)
  )
])
const anyBody = Arbitrary.schema(Schema.Record(Schema.String, AnyJson))

/** What gets lost in careless hands. */
const precious: ReadonlyArray<UntypedOperation.JsonObject> = [
  {},
  { "": "", " ": [[], {}, [[]]], null: null },
  JSON.parse(`{"__proto__":{"polluted":true},"constructor":{"prototype":1},"toJSON":"text","then":[]}`),
  { safe: Number.MAX_SAFE_INTEGER, unsafe: 2n ** 53n + 1n, negative: -(2n ** 64n) - 1n, long: 10n ** 307n + 7n },
  { tiny: 5e-324, huge: 1.7976931348623157e308, exponent: 1e21, fraction: 0.1 + 0.2 },
  { lone: "\uD800", pair: "😀", separators: "\u2028\u2029\u0000\u007f", "ключ 群": "ключ 群" },
  { Code: 7, Message: ["not", "a", "string"], RequestId: null, Action: "Other", Signature: "none" },
  Array.from({ length: 490 }).reduce<UntypedOperation.JsonObject>((inner) => ({ inner }), {}),
  Object.create(null, { own: { value: 1, enumerable: true } })
]

/** Members that are valid JSON, and that values of JavaScript cannot hold as they are. */
const exactTexts = [
  '"n":12345678901234567.89',
  '"n":1.0,"e":1E2,"z":-0',
  '"n":1e400,"m":-1e400',
  `"n":${"9".repeat(400)}`,
  '"b":1,"10":2,"9":3',
  '"twice":1,"twice":2',
  '"text":"\\u0041\\/\\ud800"'
]

// ---- calls ----

const run = <A, E>(service: FakeService.FakeService, call: Effect.Effect<A, E, ZimClient.ZimClient>) =>
  call.pipe(Effect.provide(Layer.provide(FakeService.clientOf(service.layer), [Quota.layer(), CircuitBreaker.layer()])))

const failureOf = <A, E>(exit: Exit.Exit<A, E>): E => {
  if (Exit.isSuccess(exit)) return assert.fail("it succeeded")
  assert.isFalse(Cause.hasDies(exit.cause), `a defect: ${Cause.pretty(exit.cause)}`)
  return Option.getOrElse(Exit.findErrorOption(exit), () => assert.fail("no error"))
}

describe("the body", () => {
  const arrivesUnchanged = (body: UntypedOperation.JsonObject) =>
    Effect.gen(function* () {
      const service = FakeService.answering(FakeService.envelope({}))
      yield* run(service, ZimClient.call("SomeAction", body))
      const [sent] = service.sent
      assert.deepStrictEqual(readText(sent?.body ?? ""), written(body))
      assert.strictEqual(sent?.method, "POST")
      assert.strictEqual(sent?.url.searchParams.get("Action"), "SomeAction")
      assert.strictEqual(service.sent.length, 1)
    })

  it.effect.prop("arrives unchanged, whatever it is", [anyBody], ([body]) => arrivesUnchanged(body), {
    arbitrary: { seed: 71, runs: 300 }
  })

  it.effect("arrives unchanged, whatever is precious about it", () => Effect.forEach(precious, arrivesUnchanged))

  it.effect("as text is sent as it is, whatever number, space or key is in it", () =>
    Effect.forEach(exactTexts, (fields) =>
      Effect.gen(function* () {
        const text = `\n{ ${fields} }\n`
        const service = FakeService.answering(FakeService.envelope({}))
        yield* run(service, ZimClient.call("SomeAction", text))
        assert.strictEqual(service.sent[0]?.body, text)
      })
    )
  )

  it.effect("left out is an empty object", () =>
    Effect.gen(function* () {
      const service = FakeService.answering(FakeService.envelope({}))
      yield* run(service, ZimClient.call("SomeAction"))
      assert.strictEqual(service.sent[0]?.body, "{}")
    })
  )
})

describe("the answer", () => {
  const comesBackUnchanged = (fields: UntypedOperation.JsonObject) =>
    Effect.gen(function* () {
      const { Code: _, Message: __, RequestId: ___, ...others } = fields
      const json = WireJson.stringify({ Code: 0, ...others, Message: "well done", RequestId: 971503777289036701n })
      const service = FakeService.answering(FakeService.text(json))
      const answer = yield* run(service, ZimClient.call("SomeAction"))
      assert.deepStrictEqual(written(answer.body), readText(json))
      assert.strictEqual(answer.code, 0)
      assert.strictEqual(answer.message, "well done")
      assert.strictEqual(answer.requestId, "971503777289036701")
    })

  it.effect.prop("comes back unchanged, whatever it is", [anyBody], ([fields]) => comesBackUnchanged(fields), {
    arbitrary: { seed: 72, runs: 300 }
  })

  it.effect("comes back unchanged, whatever is precious about it", () => Effect.forEach(precious, comesBackUnchanged))

  it.effect("may have an odd envelope or none but the code", () =>
    Effect.gen(function* () {
      for (const json of ['{"Code":0}', '{"Code":"0","Message":{"a":1},"RequestId":[1]}']) {
        const answer = yield* run(FakeService.answering(FakeService.text(json)), ZimClient.call("SomeAction"))
        assert.deepStrictEqual(answer, {
          code: 0,
          message: "",
          requestId: undefined,
          body: JSON.parse(json),
          text: json
        })
      }
    })
  )

  it.effect("is there as the text it came as, whatever number, space or key is in it", () =>
    Effect.forEach(exactTexts, (fields) =>
      Effect.gen(function* () {
        const json = `{"Code": 0, ${fields}}\n`
        const answer = yield* run(FakeService.answering(FakeService.text(json)), ZimClient.call("SomeAction"))
        assert.strictEqual(answer.text, json)
        assert.deepStrictEqual(answer.body, WireJson.parse(json))
      })
    )
  )

  it.effect("is refused, not altered, where the nesting has no end", () =>
    Effect.gen(function* () {
      const deep = (levels: number) => `{"Code":0,"a":${"[".repeat(levels)}${"]".repeat(levels)}}`
      for (const json of [deep(500), deep(4000)]) {
        const service = FakeService.answering(FakeService.text(json))
        const error = failureOf(yield* Effect.exit(run(service, ZimClient.call("SomeAction"))))
        assert.instanceOf(error, ClientError.ResponseUnreadable)
        assert.strictEqual(error.reason._tag, "WrongShape")
      }
      const kept = yield* run(FakeService.answering(FakeService.text(deep(498))), ZimClient.call("SomeAction"))
      assert.strictEqual(WireJson.stringify(kept.body), deep(498))
    })
  )

  it.effect.prop(
    "never makes a defect, whatever it is",
    [Schema.Json, Schema.String, Schema.Literals([200, 204, 302, 400, 404, 500])],
    ([json, garbage, status]) =>
      Effect.forEach([JSON.stringify(json), garbage], (text) =>
        Effect.gen(function* () {
          const service = FakeService.answering(FakeService.text(text, { status }))
          const call = ZimClient.call("SomeAction").pipe(RetryPolicy.provide(RetryPolicy.none))
          const exit = yield* Effect.exit(run(service, call))
          if (Exit.isFailure(exit)) failureOf(exit)
        })
      ),
    { arbitrary: { seed: 73, runs: 150 } }
  )
})

describe("what cannot be right", () => {
  const isRefused = (
    call: Effect.Effect<unknown, ClientError.AnyError, ZimClient.ZimClient>,
    ...parts: Array<string>
  ) =>
    Effect.gen(function* () {
      const service = FakeService.answering(FakeService.envelope({}))
      const error = failureOf(yield* Effect.exit(run(service, call)))
      assert.instanceOf(error, ClientError.RequestInvalid)
      for (const part of parts) assert.include(error.message, part)
      assert.notInclude(error.message, "\n")
      assert.isBelow(error.message.length, 300)
      assert.isTrue(Schema.isSchemaError(error.cause))
      assert.strictEqual(service.sent.length, 0, "it was sent")
    })

  it.effect.each(["", " ", "Two Words", "Line\n", "Ünï", "A&B", "A?B=C", "../A", "1A", "A".repeat(65)])(
    "is refused here, and nothing is sent: the name %j",
    (action) => isRefused(ZimClient.call(action), "the name of an operation", '"')
  )

  const cyclic: Record<string, UntypedOperation.Json> = {}
  cyclic["again"] = [cyclic]

  it.effect.each<readonly [string, UntypedOperation.Body, string]>([
    ["no text of JSON", "{a:1}", "not valid JSON"],
    ["the text of a list", "[1]", "a JSON object"],
    ["the text of what has no end", '{"a":'.repeat(100_000) + "1" + "}".repeat(100_000), "500 deep"],
    ["a number that is none", { list: [1, { n: NaN }] }, 'not finite, or has more than 308 digits at ["list"][1]["n"]'],
    ["an infinite number", { n: -Infinity }, 'at ["n"]'],
    ["a part of itself", cyclic, "nested more than 500 deep, or a part of itself"],
    ["without end", Array.from({ length: 100_000 }).reduce<UntypedOperation.JsonObject>((a) => ({ a }), {}), "500 deep"]
  ])("is refused here, and nothing is sent: a body with %s", ([, body, problem]) =>
    isRefused(ZimClient.call("SomeAction", body), "SomeAction: ", problem)
  )

  // @ts-expect-error what the compiler refuses, JavaScript does not
  const untyped = (body: unknown) => ZimClient.call("SomeAction", body)

  it.effect.each<readonly [unknown, string]>([
    [null, "Expected a JSON object"],
    [[1], "Expected a JSON object"],
    ["text", "not valid JSON"],
    [new Map([["a", 1]]), "Expected a JSON object"],
    [{ at: new Date(0) }, 'an instance of a class, not JSON at ["at"]'],
    [{ a: undefined }, 'undefined, which is not JSON at ["a"]'],
    [{ list: Array.from({ length: 1 }) }, 'undefined, which is not JSON at ["list"][0]'],
    [{ f: () => 1 }, 'function, which is not JSON at ["f"]'],
    [{ s: Symbol("s") }, 'symbol, which is not JSON at ["s"]']
  ])("is refused here, and nothing is sent: %s", ([body, problem]) => isRefused(untyped(body), problem))
})

describe("return codes", () => {
  it.effect.each([
    ...ReturnCode.table.map(({ code, error }) => [code, error] as const),
    ...OperationCode.table.map(({ code }) => [code, "OperationFailed"] as const)
  ])("%i arrives as %s", ([code, tag]) =>
    Effect.gen(function* () {
      const service = FakeService.answering(FakeService.code(code, "the vendor's words", "77000123456789012345"))
      const call = ZimClient.call("SomeAction").pipe(RetryPolicy.provide(RetryPolicy.none))
      const error = failureOf(yield* Effect.exit(run(service, call)))
      assert.strictEqual(error._tag, tag)
      if (!("vendorMessage" in error)) return assert.fail(error._tag)
      assert.deepStrictEqual(
        [error.code, error.vendorMessage, error.requestId, error.action, error.attempts],
        [code, "the vendor's words", "77000123456789012345", "SomeAction", 1]
      )
    })
  )

  it.effect.each(OperationCode.table.filter(({ category }) => category === "RateLimit"))(
    "$code is repeated and counted like any rejection",
    (known) =>
      Effect.gen(function* () {
        const service = FakeService.answering(FakeService.code(known.code, "", "1"))
        const error = failureOf(yield* FakeService.inTime(Effect.exit(run(service, ZimClient.call("SomeAction")))))
        assert.strictEqual(service.sent.length, 9)
        assert.strictEqual(ClientError.traits(error).count, "Rejected")
        assert.include(error.message, `${known.code} ${known.meaning} (`)
        assert.strictEqual(ClientError.advice(error), known.advice)
      })
  )

  it.effect("says whom the operation was for, of whom the service does not know", () =>
    Effect.gen(function* () {
      const service = FakeService.answering(FakeService.code(660500002, "", "1"))
      for (const body of [{ FromUserId: "ada" }, '{"FromUserId":"ada"}']) {
        const error = failureOf(yield* Effect.exit(run(service, ZimClient.call("SomeAction", body))))
        assert.strictEqual(error._tag === "UserNotRegistered" ? error.userId : error._tag, "ada")
      }
    })
  )

  it.effect("a code that nobody documented is UnknownReturnCode, at once and whole", () =>
    Effect.gen(function* () {
      const service = FakeService.answering(FakeService.code(424242, "the vendor's words", "77000123456789012345"))
      const error = failureOf(yield* Effect.exit(run(service, ZimClient.call("SomeAction", {}, { kind: "Read" }))))
      assert.strictEqual(error._tag, "UnknownReturnCode")
      assert.include(error.message, "424242 Unknown return code: the vendor's words (request id 77000123456789012345;")
      assert.strictEqual(service.sent.length, 1)
    })
  )
})

describe("repeats", () => {
  const html = FakeService.text("<h1>503</h1>", { status: 503 })
  const lost: FakeService.Answer = (sent) => FakeService.transportError(sent)
  const silence: FakeService.Answer = () => Effect.never
  const doubtful = { busy: FakeService.code(1), database: FakeService.code(105001), html, lost, silence }
  const rejected = {
    "the quota": FakeService.code(660300005),
    "the system's setting": FakeService.code(7),
    "HTTP 429": FakeService.text("", { status: 429 })
  }
  const sentIn = (reply: FakeService.Reply | FakeService.Answer, options?: UntypedOperation.Options) =>
    Effect.gen(function* () {
      const service = FakeService.answering(reply, reply, FakeService.envelope({ done: true }))
      const exit = yield* FakeService.inTime(Effect.exit(run(service, ZimClient.call("SomeAction", {}, options))))
      return [service.sent.length, exit._tag]
    })

  it.effect("nothing that may have been done, unless it is a read", () =>
    Effect.gen(function* () {
      for (const [name, reply] of Object.entries(doubtful)) {
        assert.deepStrictEqual(yield* sentIn(reply), [1, "Failure"], name)
        assert.deepStrictEqual(yield* sentIn(reply, { kind: "Write" }), [1, "Failure"], name)
        assert.deepStrictEqual(yield* sentIn(reply, { kind: "Read" }), [3, "Success"], name)
      }
    })
  )

  it.effect("what was rejected, whatever it is", () =>
    Effect.gen(function* () {
      for (const [name, reply] of Object.entries(rejected)) {
        assert.deepStrictEqual(yield* sentIn(reply), [3, "Success"], name)
        assert.deepStrictEqual(yield* sentIn(reply, { kind: "Read" }), [3, "Success"], name)
      }
    })
  )
})

describe("goes through the same pipeline", () => {
  it.effect("the quota holds it back, the deadline ends it, the metrics count it", () =>
    Effect.gen(function* () {
      const service = FakeService.answering(FakeService.envelope({}))
      const call = ZimClient.call("Piped")
      const layer = FakeService.clientOf(service.layer).pipe(
        Layer.provide(Quota.layer({ limit: 1, window: "1 minute", grace: "1 minute" }))
      )
      const exits = yield* Effect.all(
        [call, call, Effect.provideService(call, Timeout.Deadline, Duration.seconds(2))].map(Effect.exit)
      ).pipe(Effect.provide(layer), FakeService.inTime())
      assert.deepStrictEqual(
        exits.map((exit) => (Exit.isSuccess(exit) ? "Success" : failureOf(exit)._tag)),
        ["Success", "Success", "DeadlineExceeded"]
      )
      assert.isAtLeast((service.sent[1]?.time ?? 0) - (service.sent[0]?.time ?? 0), 60_000)
      const counted = yield* Metric.value(
        Metric.withAttributes(Telemetry.calls, { "zim.action": "Piped", outcome: "Success" })
      )
      assert.strictEqual(counted.count, 2)
    })
  )
})

// ---- over real sockets ----

/** Sends the body of each request back in its answer, character by character. */
const echo = Effect.acquireRelease(
  Effect.callback<Server>((resume) => {
    const server = createServer((request, response) => {
      void text(request).then((body) =>
        response.setHeader("content-type", "application/json").end(`{"Code":0,"RequestId":"1","Echo":${body}}`)
      )
    }).listen(0, "127.0.0.1", () => resume(Effect.succeed(server)))
  }),
  (server) => Effect.sync(() => server.close().closeAllConnections())
)

const urlOf = (server: Server): string => {
  const address = server.address()
  return typeof address === "object" && address !== null ? `http://127.0.0.1:${address.port}` : assert.fail("no port")
}

describe("over sockets", () => {
  it.live("a body and an answer stay what they are", () =>
    Effect.gen(function* () {
      const server = yield* echo
      const samples = yield* Arbitrary.sampleEffect(anyBody, { seed: 74, count: 50 })
      yield* Effect.forEach([...samples, ...precious], (body) =>
        Effect.gen(function* () {
          const answer = yield* ZimClient.call("SomeAction", body)
          const json = `{"Code":0,"RequestId":"1","Echo":${WireJson.stringify(body)}}`
          assert.deepStrictEqual(written(answer.body), readText(json))
        })
      ).pipe(
        Effect.provide(
          FakeService.clientOf(NodeHttpClient.layerUndici, urlOf(server)).pipe(
            Layer.provide(Quota.layer({ limit: 1_000_000, window: "1 milli" }))
          )
        )
      )
    })
  )

  const world = World.make({
    apps: [FakeService.app],
    users: [{ userId: "user-42", conversations: FakeService.entries(250) }]
  })
  const emulated = EmulatorServer.layer().pipe(
    Layer.provideMerge(Emulator.layer({ world, quota: ServiceQuota.unlimited })),
    Layer.orDie
  )

  it.live("QueryConversationList by its name says what the typed operation says", () =>
    Effect.gen(function* () {
      const { url } = yield* EmulatorServer.EmulatorServer
      const { operation } = QueryConversationList
      yield* Effect.gen(function* () {
        let next: UntypedOperation.Json = 0
        let cursor = "0"
        for (const entries of [100, 100, 50]) {
          const answer: UntypedOperation.Response = yield* ZimClient.call(
            operation.action,
            { FromUserId: "user-42", Limit: 100, Next: next },
            { kind: "Read" }
          )
          const page = yield* ZimClient.execute(operation, { userId: "user-42", pageSize: 100, cursor })
          assert.strictEqual(answer.message, "success")
          assert.match(answer.requestId ?? "", /^\d+$/)
          const payload: QueryConversationList.Payload = yield* Schema.decodeUnknownEffect(
            QueryConversationList.Payload
          )(answer.body)
          const list = payload.List ?? []
          assert.strictEqual(list.length, entries)
          assert.deepStrictEqual(
            list.map((wire) => [wire.ConvId, wire.ConvType ?? 0, wire.UpdateTime]),
            page.conversations.map(({ id, typeCode, updatedAtMillis }) => [id, typeCode, updatedAtMillis])
          )
          assert.strictEqual(payload.TotalCount, Option.getOrUndefined(page.totalCount))
          assert.strictEqual(
            String(payload.Next),
            Option.getOrElse(page.next, () => "0")
          )
          next = payload.Next
          cursor = String(payload.Next)
        }
        assert.strictEqual(next, 0)
      }).pipe(Effect.provide(FakeService.clientOf(NodeHttpClient.layerUndici, url)))
    }).pipe(Effect.provide(emulated))
  )

  it.live("what the service refuses is the error that it is", () =>
    Effect.gen(function* () {
      const { url } = yield* EmulatorServer.EmulatorServer
      const tagOf = (action: string, body: UntypedOperation.JsonObject) =>
        ZimClient.call(action, body).pipe(
          Effect.flip,
          Effect.map((error) => ("code" in error ? `${error._tag} ${error.code}` : error._tag)),
          Effect.provide(FakeService.clientOf(NodeHttpClient.layerUndici, url))
        )
      assert.strictEqual(yield* tagOf("QueryConversationlist", {}), "MalformedRequest 100000007")
      assert.strictEqual(yield* tagOf("QueryConversationList", {}), "InvalidInput 660000002")
      assert.strictEqual(yield* tagOf("QueryConversationList", { FromUserId: "nobody" }), "UserNotRegistered 660500002")
    }).pipe(Effect.provide(emulated))
  )
})

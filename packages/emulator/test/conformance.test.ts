import { Emulator, Quota } from "@effect-zim/emulator"
import { ReturnCode } from "@effect-zim/protocol"
import { assert, describe, it, layer } from "@effect/vitest"
import * as Arbitrary from "effect/Arbitrary"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as TestClock from "effect/testing/TestClock"
import {
  appId,
  ask,
  codeOf,
  envelopeOf,
  groups,
  parts,
  payloadOf,
  send,
  textOf,
  toRequest,
  worldOf
} from "./support.ts"
import type { Parts } from "./support.ts"

const world = worldOf({ u1: groups(250), empty: [] })
const emulator = Emulator.layer({ world, quota: Quota.unlimited })
const body = { FromUserId: "u1" }

const query =
  (change: Readonly<Record<string, string | undefined>>) =>
  (sent: Parts): Parts => ({ ...sent, query: { ...sent.query, ...change } })
const withBody =
  (text: string | undefined) =>
  (sent: Parts): Parts => ({ ...sent, body: text })

/** Everything that can be wrong with a request by itself, in the order in which it is found, with its code. */
const defects: ReadonlyArray<readonly [string, number, (sent: Parts) => Parts]> = [
  ["no Action", 100000006, query({ Action: undefined })],
  ["an unknown Action", 100000007, query({ Action: "QueryFriendList" })],
  ["no AppId", 100000001, query({ AppId: undefined })],
  ["no Timestamp", 100000002, query({ Timestamp: undefined })],
  ["no SignatureNonce", 100000008, query({ SignatureNonce: undefined })],
  ["no Signature", 100000009, query({ Signature: undefined })],
  ["no SignatureVersion", 100000013, query({ SignatureVersion: undefined })],
  ["an old Timestamp", 100000004, query({ Timestamp: "1000" })],
  ["a wrong Signature", 100000005, query({ Signature: "0".repeat(32) })],
  ["a body that is no JSON", 100000012, withBody("{")]
]

layer(emulator)("common parameters", (it) => {
  it.effect.each([
    ...defects,
    ["an empty Action", 100000006, query({ Action: "" })],
    ["an Action in other letters", 100000007, query({ Action: "queryConversationList" })],
    ["the Action as an old page spelt it", 100000007, query({ Action: "QueryConverstaionList" })],
    ["an empty AppId", 100000001, query({ AppId: "" })],
    ["a malformed AppId", 100000001, query({ AppId: "12345x" })],
    ["an AppId beyond uint32", 100000001, query({ AppId: "4294967296" })],
    ["an unknown AppId", 100000001, query({ AppId: "54321" })],
    ["an empty Timestamp", 100000002, query({ Timestamp: "" })],
    ["a malformed Timestamp", 100000003, query({ Timestamp: "today" })],
    ["a fractional Timestamp", 100000003, query({ Timestamp: "1.5" })],
    ["an empty SignatureNonce", 100000008, query({ SignatureNonce: "" })],
    ["a SignatureNonce that is not 8 bytes of hex", 100000008, query({ SignatureNonce: "random" })],
    ["another SignatureNonce than signed", 100000005, query({ SignatureNonce: "0123456789abcdef" })],
    ["an empty Signature", 100000009, query({ Signature: "" })],
    ["an empty SignatureVersion", 100000013, query({ SignatureVersion: "" })],
    ["signature version 1.0", 100000014, query({ SignatureVersion: "1.0" })],
    ["a body that broke off", 100000012, withBody(undefined)],
    ["an empty body", 100000012, withBody("")],
    [
      "another content type",
      100000012,
      (sent: Parts) => ({ ...sent, contentType: "application/x-www-form-urlencoded" })
    ],
    ["no content type", 100000012, (sent: Parts) => ({ ...sent, contentType: undefined })]
  ] as const)("%s gets its code", ([, code, spoil]) =>
    Effect.gen(function* () {
      const reply = yield* send(spoil(yield* parts(body)))
      const envelope = envelopeOf(reply)
      assert.strictEqual(envelope.code, code)
      assert.strictEqual(envelope.message, ReturnCode.lookup(code)?.meaning)
      assert.strictEqual(reply.status, 200)
    })
  )

  it.effect("the signature in capitals is wrong", () =>
    Effect.gen(function* () {
      const sent = yield* parts(body)
      const signature = sent.query["Signature"]?.toUpperCase()
      assert.strictEqual(envelopeOf(yield* send(query({ Signature: signature })(sent))).code, 100000005)
    })
  )

  it.effect("a parameter given twice gets the code of a malformed one", () =>
    Effect.gen(function* () {
      const { handle } = yield* Emulator.Emulator
      const request = toRequest(yield* parts(body))
      const code = (extra: string) =>
        Effect.map(handle({ ...request, target: `${request.target}&${extra}` }), (reply) => envelopeOf(reply).code)
      assert.strictEqual(yield* code(`AppId=${appId}`), 100000001)
      assert.strictEqual(yield* code("Timestamp=1"), 100000003)
      assert.strictEqual(yield* code("Action=QueryConversationList"), 100000007)
      assert.strictEqual(yield* code("SignatureVersion=2.0"), 100000014)
    })
  )

  it.effect.prop(
    "of several defects the first one in the documented order decides",
    { chosen: Schema.Array(Schema.Literals(defects.map((_, index) => index))) },
    ({ chosen }) =>
      Effect.gen(function* () {
        const found = [...new Set(chosen)].toSorted((a, b) => a - b).flatMap((index) => defects.slice(index, index + 1))
        const sent = found.reduceRight((sent, [, , spoil]) => spoil(sent), yield* parts(body))
        assert.strictEqual(envelopeOf(yield* send(sent)).code, found[0]?.[1] ?? 0)
      })
  )
})

layer(emulator)("the body", (it) => {
  it.effect.each([
    [660000002, {}],
    [660000002, []],
    [660000002, null],
    [660000002, "u1"],
    [660000002, { FromUserId: null }],
    [660000002, { FromUserId: 1 }],
    [660000002, { FromUserId: "" }],
    [660000002, { FromUserId: "it's" }],
    [660000002, { FromUserId: "ü" }],
    [660000012, { FromUserId: "x".repeat(33) }],
    [660000012, { FromUserId: "ü".repeat(17) }],
    [660000002, { FromUserId: "u1", Limit: "100" }],
    [660000002, { FromUserId: "u1", Limit: 1.5 }],
    [660000002, { FromUserId: "u1", Limit: null }],
    [660000002, { FromUserId: "u1", Next: "0" }],
    [660000002, { FromUserId: "u1", Next: null }],
    [660000002, { FromUserId: "u1", Next: 0.5 }],
    [660000002, { FromUserId: "u1", Next: 100 }],
    [660000002, { FromUserId: "u1", Next: -1 }],
    [660000002, { FromUserId: "u1", Next: 971503777289036700n }],
    [660500002, { FromUserId: "nobody" }],
    [660500002, { FromUserId: "U1" }],
    [660500002, { FromUserId: "nobody", Next: 100 }],
    [660000002, { fromUserId: "u1" }]
  ] as const)("gets %j", ([code, wrong]) =>
    Effect.gen(function* () {
      assert.strictEqual(yield* codeOf(wrong), code)
    })
  )

  it.effect("fields that the documentation does not know are ignored", () =>
    Effect.gen(function* () {
      assert.strictEqual(yield* codeOf({ FromUserId: "u1", Unknown: 1 }), 0)
    })
  )

  it.effect("deep nesting and a prototype's name do no harm", () =>
    Effect.gen(function* () {
      const sent = yield* parts(body)
      assert.strictEqual(envelopeOf(yield* send(withBody("[".repeat(200_000))(sent))).code, 100000012)
      assert.strictEqual(envelopeOf(yield* send(withBody(`{"__proto__":{"FromUserId":"u1"}}`)(sent))).code, 660000002)
    })
  )

  it.effect("more than 1 MiB is not read", () =>
    Effect.gen(function* () {
      const sent = yield* parts(body)
      const text = JSON.stringify({ ...body, Padding: "x".repeat(1_048_576) })
      assert.strictEqual(envelopeOf(yield* send(withBody(text)(sent))).code, 100000012)
    })
  )
})

layer(emulator)("answers", (it) => {
  it.effect("a success says so, and has a request id of digits, never twice", () =>
    Effect.gen(function* () {
      const answers = yield* Effect.all(Array.from({ length: 50 }, () => ask(body)))
      for (const { code, message, requestId } of answers) {
        assert.strictEqual(code, 0)
        assert.strictEqual(message, "success")
        assert.match(requestId ?? "", /^[1-9][0-9]{17}$/)
      }
      assert.strictEqual(new Set(answers.map(({ requestId }) => requestId)).size, 50)
    })
  )

  it.effect("an error has its three fields and no more", () =>
    Effect.gen(function* () {
      const text = textOf(yield* send(yield* parts({ FromUserId: "nobody" })))
      assert.match(text, /^\{"Code":660500002,"Message":"User not registered","RequestId":"[0-9]{18}"\}$/)
    })
  )

  it.effect("the content type is JSON, the date is the emulator's", () =>
    Effect.gen(function* () {
      yield* TestClock.setTime(1_615_186_943_999)
      const { headers } = yield* send(yield* parts(body))
      assert.strictEqual(headers["content-type"], "application/json; charset=utf-8")
      assert.strictEqual(headers["date"], "Mon, 08 Mar 2021 07:02:23 GMT")
    })
  )

  it.effect("anything but POST / is refused", () =>
    Effect.gen(function* () {
      const { handle } = yield* Emulator.Emulator
      const request = toRequest(yield* parts(body))
      const get = yield* handle({ ...request, method: "GET", target: "/", body: "" })
      assert.strictEqual(get.status, 405)
      assert.strictEqual(get.headers["allow"], "POST")
      assert.strictEqual(envelopeOf(get).code, 2)
      const elsewhere = yield* handle({ ...request, target: `/v1${request.target}` })
      assert.strictEqual(elsewhere.status, 404)
      assert.strictEqual(envelopeOf(elsewhere).code, 100000000)
    })
  )
})

layer(emulator)("whatever comes", (it) => {
  const documented = new Set([0, ...ReturnCode.table.map(({ code }) => code)])
  const names = ["Action", "AppId", "SignatureNonce", "Timestamp", "SignatureVersion", "Signature", "Other"] as const
  const values = Schema.Union([Schema.String, Schema.Literals(["QueryConversationList", "12345", "2.0", "0"])])
  const anything = Schema.Union([
    Schema.Literals(["u1", "nobody", 0, 100]),
    Schema.String,
    Schema.Int,
    Schema.Finite,
    Schema.Boolean,
    Schema.Null,
    Schema.Array(Schema.String)
  ])
  const keys = ["FromUserId", "Limit", "Next", "Other"] as const
  const objects = Schema.Array(Schema.Tuple([Schema.Literals(keys), anything]))
  const texts = Arbitrary.map(
    Arbitrary.all({
      entries: Arbitrary.schema(objects),
      text: Arbitrary.schema(Schema.String),
      plain: Arbitrary.schema(Schema.Boolean)
    }),
    ({ entries, plain, text }) => (plain ? text : JSON.stringify(Object.fromEntries(entries)))
  )

  it.effect.prop(
    "the answer is well-formed, with a documented code",
    {
      path: Schema.Union([Schema.Literals(["/", "/?"]), Schema.String]),
      query: Schema.Union([Schema.String, Schema.Array(Schema.Tuple([Schema.Literals(names), values]))]),
      method: Schema.Union([Schema.Literals(["POST", "GET"]), Schema.String]),
      contentType: Schema.Union([
        Schema.Literals(["application/json", "text/plain"]),
        Schema.UndefinedOr(Schema.String)
      ]),
      body: texts
    },
    ({ body, contentType, method, path, query }) =>
      Effect.gen(function* () {
        const { handle } = yield* Emulator.Emulator
        const search =
          typeof query === "string"
            ? query
            : new URLSearchParams(query.map(([name, value]) => [name, value])).toString()
        const reply = yield* handle({ method, target: `${path}?${search}`, contentType, body })
        assert.isTrue([200, 404, 405].includes(reply.status))
        const { code, requestId } = envelopeOf(reply)
        assert.isTrue(documented.has(code))
        assert.match(requestId ?? "", /^[0-9]{18}$/)
      }),
    { arbitrary: { runs: 500 } }
  )

  it.effect.prop("the same with a valid signature", { body: texts }, ({ body }) =>
    Effect.gen(function* () {
      const { code } = envelopeOf(yield* send({ ...(yield* parts({})), body }))
      assert.isTrue([0, 100000012, 660000002, 660000012, 660500002].includes(code))
    })
  )
})

describe("Limit", () => {
  const corrected = (limit: number | bigint): number => (limit <= 0 ? 100 : limit > 500 ? 500 : Number(limit))
  const bigints = Schema.BigInt.check(Schema.isBetweenBigInt({ minimum: -(10n ** 300n), maximum: 10n ** 300n }))
  const list = Emulator.layer({ world: worldOf({ u1: groups(1000) }), quota: Quota.unlimited })
  const lengthOf = (sent: unknown) =>
    Effect.map(ask(sent), (envelope) => payloadOf(envelope).List?.length).pipe(Effect.provide(list))

  it.effect.prop(
    "is corrected, never rejected",
    {
      limit: Schema.Union([Schema.Int, bigints, Schema.Int.check(Schema.isBetween({ minimum: -3, maximum: 503 }))])
    },
    ({ limit }) =>
      Effect.gen(function* () {
        assert.strictEqual(yield* lengthOf({ FromUserId: "u1", Limit: limit }), corrected(limit))
      })
  )

  it.effect.each([
    [undefined, 100],
    [0, 100],
    [-1, 100],
    [1, 1],
    [499, 499],
    [500, 500],
    [501, 500]
  ] as const)("%j", ([limit, length]) =>
    Effect.gen(function* () {
      assert.strictEqual(yield* lengthOf({ FromUserId: "u1", ...(limit !== undefined && { Limit: limit }) }), length)
    })
  )
})

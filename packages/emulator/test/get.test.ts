/** Operations that are documented and not served: what the emulator says of how they are sent. */
import { Emulator, type HttpExchange, ServiceQuota } from "@effect-zim/emulator"
import { Catalog, Query } from "@effect-zim/protocol"
import { ServerSecret, Signature } from "@effect-zim/signing"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import { appId, envelopeOf, secret, worldOf } from "./support.ts"

const provide = Effect.provide(Emulator.layer({ world: worldOf({}), quota: ServiceQuota.unlimited }))

/** A request by the vendor's documentation, and what is changed of it. */
const ask = Effect.fnUntraced(function* (
  action: string,
  change: Partial<HttpExchange.Request> & { readonly asked?: string; readonly secret?: string } = {}
) {
  const { asked, secret: other, ...changed } = change
  const serverSecret = ServerSecret.make(other ?? secret)
  const signed = Signature.toQuery(yield* Signature.sign({ appId, serverSecret }), action)
  const isGet = Catalog.operations.get(action)?.method === "GET"
  const query = asked ?? (isGet ? Result.getOrThrow(Query.encode({ FromUserId: "ada", UserId: ["ada", "grace"] })) : "")
  const emulator = yield* Emulator.Emulator
  const reply = yield* emulator.handle({
    method: isGet ? "GET" : "POST",
    target: `/?${signed}&${query}`,
    contentType: isGet ? undefined : "application/json",
    body: isGet ? "" : "{}",
    ...changed
  })
  const [entry] = (yield* emulator.journal.entries).slice(-1)
  return { status: reply.status, code: envelopeOf(reply).code, reason: entry?.reason, allow: reply.headers["allow"] }
})

const notServed = {
  status: 200,
  code: 100000007,
  reason: "sent as documented, but the emulator does not serve it",
  allow: undefined
}

const others = [...Catalog.operations].filter(([action]) => action !== "QueryConversationList")

describe("what is documented and not served", () => {
  it.effect("is told from what is not documented, once everything about the request is right", () =>
    Effect.gen(function* () {
      for (const [action] of others) assert.deepStrictEqual(yield* ask(action), notServed, action)
      assert.strictEqual(others.length, 70)
      for (const action of ["NoSuchAction", "queryFriendList"]) {
        const { code, reason } = yield* ask(action)
        assert.deepStrictEqual([code, reason], [100000007, "there is no such Action"])
      }
    }).pipe(provide)
  )

  it.effect("is refused by another method than its own", () =>
    Effect.gen(function* () {
      for (const [action, { method }] of Catalog.operations) {
        for (const wrong of ["GET", "POST", "PUT", "HEAD"].filter((one) => one !== method)) {
          const refused = { status: 405, code: 2, reason: `the method is not ${method}`, allow: method }
          assert.deepStrictEqual(yield* ask(action, { method: wrong }), refused, action)
        }
      }
    }).pipe(provide)
  )

  it.effect("is refused with a wrong signature, or over the quota", () =>
    Effect.gen(function* () {
      assert.strictEqual((yield* ask("QueryFriendList", { secret: "another-secret-of-32-characters" })).code, 100000005)
      const { quota } = yield* Emulator.Emulator
      yield* quota.set(ServiceQuota.sliding({ limit: 2 }))
      const codes = yield* Effect.forEach([1, 2, 3], () => ask("QueryFriendList"))
      assert.deepStrictEqual(
        codes.map(({ code }) => code),
        [100000007, 100000007, 660300005]
      )
    }).pipe(provide)
  )

  it.effect("has all that a GET asks in the query, and a list with brackets", () =>
    Effect.gen(function* () {
      const action = "QueryUserOnlineState"
      const withBody = yield* ask(action, { body: '{"UserId":["ada"]}', contentType: "application/json" })
      assert.deepStrictEqual([withBody.code, withBody.reason], [2, "a GET has no body"])
      for (const asked of ["UserId=a&UserId=b", "UserId=a&UserId[]=b", "UserId[]=a&UserId=b", "A=&B[]=1&A="]) {
        const { code, reason } = yield* ask(action, { asked })
        assert.deepStrictEqual([code, reason?.slice(0, 23)], [2, "a parameter comes twice"], asked)
      }
      for (const asked of [
        "",
        "UserId[]=a&UserId[]=a",
        "UserId%5B%5D=a&UserId[]=b&FromUserId=",
        "__proto__=1&toString[]=2"
      ]) {
        assert.deepStrictEqual(yield* ask(action, { asked }), notServed, asked)
      }
      assert.strictEqual((yield* ask("SendPeerMessage", { body: "{" })).code, 100000012)
    }).pipe(provide)
  )
})

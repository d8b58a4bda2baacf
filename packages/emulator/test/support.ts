import { Emulator, World } from "@effect-zim/emulator"
import type { HttpExchange } from "@effect-zim/emulator"
import type { Conversation } from "@effect-zim/protocol"
import { Envelope, QueryConversationList, WireJson } from "@effect-zim/protocol"
import { ServerSecret, Signature, SignatureNonce } from "@effect-zim/signing"
import { assert } from "@effect/vitest"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"

export const secret = "canary-secret-9193cc662a4c0ec135"
export const appId = 12345

/** `count` group conversations, ascending by time, called `g1` to `gN`. */
export const groups = (count: number): ReadonlyArray<Conversation.Wire> =>
  Array.from({ length: count }, (_, i) => ({ ConvId: `g${i + 1}`, ConvType: 2, UpdateTime: 1_700_000_000_000 + i }))

export const worldOf = (lists: Readonly<Record<string, ReadonlyArray<Conversation.Wire>>>): World.World =>
  World.make({
    apps: [{ appId, serverSecret: secret }],
    users: Object.entries(lists).map(([userId, conversations]) => ({ userId, conversations }))
  })

/** What a request has that is worth breaking. An undefined parameter is left out. */
export interface Parts {
  readonly query: Readonly<Record<string, string | undefined>>
  readonly body: string | undefined
  readonly contentType: string | undefined
}

/** A correct request, by the vendor's documentation. */
export const parts = Effect.fnUntraced(function* (
  body: unknown,
  at?: { readonly timestamp?: number; readonly appId?: number }
) {
  const timestamp = at?.timestamp ?? Math.floor((yield* Clock.currentTimeMillis) / 1000)
  const id = at?.appId ?? appId
  const nonce = yield* SignatureNonce.next
  const signed = Signature.signWith({ appId: id, nonce, timestamp, serverSecret: ServerSecret.make(secret) })
  const query = Object.fromEntries(new URLSearchParams(Signature.toQuery(signed, "QueryConversationList")))
  const built: Parts = { query, body: WireJson.stringify(body), contentType: "application/json" }
  return built
})

export const toRequest = ({ body, contentType, query }: Parts): HttpExchange.Request => {
  const params = Object.entries(query).flatMap(([key, value]) => (value === undefined ? [] : [[key, value]]))
  return { method: "POST", target: `/?${new URLSearchParams(params)}`, contentType, body }
}

const decodePayload = Schema.decodeUnknownSync(QueryConversationList.operation.payload)

/** The text of an answer, which is no stream. */
export const textOf = (reply: HttpExchange.Reply): string =>
  typeof reply.body === "string" ? reply.body : assert.fail("the body is a stream")

export const envelopeOf = (reply: HttpExchange.Reply): Envelope.Envelope =>
  Result.getOrThrow(Envelope.parse(textOf(reply)))

/** The operation's own fields of a successful answer, checked against its schema. */
export const payloadOf = (envelope: Envelope.Envelope): QueryConversationList.Payload => {
  assert.strictEqual(envelope.code, 0)
  return decodePayload(envelope.body)
}

/** Sends parts to the emulator. */
export const send = Effect.fnUntraced(function* (sent: Parts) {
  const emulator = yield* Emulator.Emulator
  return yield* emulator.handle(toRequest(sent))
})

/** Sends a correct request with this body; the envelope of the answer. */
export const ask = Effect.fnUntraced(function* (body: unknown) {
  return envelopeOf(yield* send(yield* parts(body)))
})

/** Sends a correct request with this body; the payload of the answer, which must be a success. */
export const page = (body: unknown) => Effect.map(ask(body), payloadOf)

export const codeOf = (body: unknown) => Effect.map(ask(body), ({ code }) => code)

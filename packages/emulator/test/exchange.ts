import { Fault } from "@effect-zim/emulator"
import { ServerSecret, Signature } from "@effect-zim/signing"
import { assert } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as HttpClient from "effect/http/HttpClient"
import type * as HttpClientError from "effect/http/HttpClientError"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import { appId, secret } from "./support.ts"

/** What a client sees of an answer. */
export interface Seen {
  readonly status: number
  readonly headers: Readonly<Record<string, string | undefined>>
  readonly text: string
}

/** Posts a signed request with Effect's `HttpClient` and reads the answer to its end. */
export const post = Effect.fnUntraced(function* (base: string, body: unknown) {
  const signed = yield* Signature.sign({ appId, serverSecret: ServerSecret.make(secret) })
  const response = yield* HttpClient.execute(
    HttpClientRequest.post(`${base}/?${Signature.toQuery(signed, "QueryConversationList")}`).pipe(
      HttpClientRequest.bodyText(JSON.stringify(body), "application/json")
    )
  )
  const seen: Seen = { status: response.status, headers: response.headers, text: yield* response.text }
  return seen
})

/** What became of a request: its answer, or the reason of its failure. */
export const outcome = <A extends object>(
  request: Effect.Effect<A, HttpClientError.HttpClientError, HttpClient.HttpClient>
): Effect.Effect<A | { readonly failure: string }, never, HttpClient.HttpClient> =>
  Effect.catch(request, (error) => Effect.succeed({ failure: error.reason._tag }))

const json = "application/json; charset=utf-8"

/** What a client sees of each fault, the same in-process and over a socket. */
export const visible: ReadonlyArray<{
  readonly fault: Fault.Fault
  readonly expected:
    | { readonly failure: string }
    | { readonly status: number; readonly type: string | undefined; readonly text: RegExp }
}> = [
  { fault: Fault.connectionReset, expected: { failure: "TransportError" } },
  { fault: Fault.answerLost, expected: { failure: "TransportError" } },
  { fault: Fault.truncatedBody, expected: { failure: "DecodeError" } },
  {
    fault: Fault.returnCode(1),
    expected: { status: 200, type: json, text: /^\{"Code":1,"Message":"Server busy","RequestId":"[0-9]+"\}$/ }
  },
  { fault: Fault.httpStatus(502), expected: { status: 502, type: "text/html", text: /^<html>.*502/ } },
  { fault: Fault.httpStatus(503, "<p>down</p>"), expected: { status: 503, type: "text/html", text: /^<p>down<\/p>$/ } },
  {
    fault: Fault.retryAfter("1 minute", { status: 503 }),
    expected: { status: 503, type: "text/html", text: /^<html>.*503/ }
  },
  {
    fault: Fault.retryAfter("1 minute", { code: 7 }),
    expected: { status: 429, type: "application/json", text: /^\{"Code":7,"Message":".+","RequestId":".+"\}$/ }
  },
  { fault: Fault.notJson, expected: { status: 200, type: "application/json", text: /^upstream/ } },
  {
    fault: Fault.rawBody(`{"Code":0}`),
    expected: { status: 200, type: "application/json", text: /^\{"Code":0\}$/ }
  },
  { fault: Fault.emptyBody, expected: { status: 200, type: "application/json", text: /^$/ } },
  {
    fault: Fault.wrongContentType,
    expected: { status: 200, type: "text/html; charset=utf-8", text: /^\{"Code":0,.*"ConvId":"g1"/ }
  },
  { fault: Fault.redirect("/elsewhere"), expected: { status: 302, type: undefined, text: /^$/ } },
  {
    fault: Fault.oversizedBody(1_000_000),
    expected: { status: 200, type: json, text: /^\{"Code":0,.*"Padding":" {1000000}"\}$/ }
  },
  {
    fault: Fault.nextCursor(2n ** 62n + 1n),
    expected: { status: 200, type: json, text: /"Next":4611686018427387905,/ }
  }
]

export const assertSeen = (
  seen: Seen | { readonly failure: string },
  expected: (typeof visible)[number]["expected"]
): void => {
  if ("failure" in expected) return assert.deepStrictEqual<unknown>(seen, expected)
  if ("failure" in seen) return assert.fail(seen.failure)
  assert.strictEqual(seen.status, expected.status)
  assert.strictEqual(seen.headers["content-type"], expected.type)
  assert.match(seen.text, expected.text)
}

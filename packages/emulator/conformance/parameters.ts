/** Sections 2 and 3 of the contract: common parameters and signature. */
import { Fault } from "@effect-zim/emulator"
import { ServerSecret, Signature, SignatureNonce } from "@effect-zim/signing"
import { Effect, Redacted } from "effect"
import { deepStrictEqual, equal, match, ok } from "node:assert/strict"
import { createHash } from "node:crypto"
import { ask, codeOf, me, send, steer, jsonOf } from "./Call.ts"
import { fact, open } from "./Case.ts"
import { Target } from "./Target.ts"

const now = () => Math.floor(Date.now() / 1000)

/** The code of a right request with one parameter changed. */
const withParameter = Effect.fnUntraced(function* (name: string, value: string | undefined) {
  return yield* codeOf(yield* me, { query: { [name]: value } })
})

const names = ["Action", "AppId", "SignatureNonce", "Timestamp", "SignatureVersion", "Signature"] as const

export const parameters = [
  fact(
    "query-string",
    "All of them go into the query string, although the request is a `POST`.",
    Effect.gen(function* () {
      const { app } = yield* Target
      const signed = yield* Signature.sign(app)
      const inBody = Object.fromEntries(new URLSearchParams(Signature.toQuery(signed, "QueryConversationList")))
      const query = Object.fromEntries(names.map((name) => [name, undefined]))
      equal(yield* codeOf({ ...(yield* me), ...inBody }, { query }), 100000006)
    })
  ),
  fact(
    "action",
    "The operation's name.",
    Effect.gen(function* () {
      equal(yield* withParameter("Action", undefined), 100000006)
      equal(yield* withParameter("Action", "NoSuchOperation"), 100000007)
    })
  ),
  fact(
    "app-id",
    "an unsigned 32-bit integer.",
    Effect.gen(function* () {
      for (const value of [undefined, "", "abc", "-1", "4294967296"]) {
        equal(yield* withParameter("AppId", value), 100000001, value)
      }
    })
  ),
  fact(
    "nonce",
    "8 random bytes as 16 hexadecimal characters.",
    Effect.gen(function* () {
      equal(yield* codeOf(yield* me, { nonce: yield* SignatureNonce.next }), 0)
      equal(yield* withParameter("SignatureNonce", undefined), 100000008)
    })
  ),
  fact(
    "timestamp",
    "The current Unix time in seconds. Up to 10 minutes off is accepted.",
    Effect.gen(function* () {
      const fields = yield* me
      for (const off of [0, -590, 590]) equal(yield* codeOf(fields, { timestamp: now() + off }), 0, `${off} s`)
      for (const off of [-610, 610]) equal(yield* codeOf(fields, { timestamp: now() + off }), 100000004, `${off} s`)
      equal(yield* codeOf(fields, { timestamp: Date.now() }), 100000004)
      equal(yield* withParameter("Timestamp", undefined), 100000002)
      equal(yield* withParameter("Timestamp", "today"), 100000003)
    })
  ),
  fact(
    "version",
    "`2.0`.",
    Effect.gen(function* () {
      equal(yield* withParameter("SignatureVersion", "2.0"), 0)
      equal(yield* withParameter("SignatureVersion", undefined), 100000013)
      equal(yield* withParameter("SignatureVersion", "1.0"), 100000014)
    })
  ),
  fact(
    "status-of-errors",
    "HTTP status of an error",
    Effect.gen(function* () {
      const answers = [yield* ask({}), yield* ask(yield* me, { query: { Signature: "0".repeat(32) } })]
      deepStrictEqual(
        answers.map(({ status }) => status),
        [200, 200]
      )
    })
  ),
  open(
    "content-type",
    "Content type of an answer",
    "application/json",
    Effect.gen(function* () {
      return (yield* ask(yield* me)).headers.get("content-type")?.split(";")[0]
    })
  ),
  fact(
    "redirects",
    "None, except `Fault.redirect`.",
    Effect.gen(function* () {
      const { status } = yield* ask(yield* me)
      ok(status < 300 || status > 399)
    })
  ),
  fact(
    "size",
    "Size of an answer",
    Effect.gen(function* () {
      const emulator = yield* steer
      yield* emulator.faults.set([Fault.oversizedBody(9_000_000)])
      ok((yield* ask(yield* me)).text.length > 9_000_000)
    })
  ),
  open(
    "nonce-malformed",
    "Nonces that are not 16 hexadecimal digits",
    { ABCDEF0123456789: 0, random: 100000008, "0123456789abcde": 100000008, "0123456789abcdeg": 100000008 },
    Effect.gen(function* () {
      const nonces = ["ABCDEF0123456789", "random", "0123456789abcde", "0123456789abcdeg"]
      const fields = yield* me
      const codes = yield* Effect.forEach(nonces, (nonce) =>
        Effect.map(codeOf(fields, { nonce }), (code) => [nonce, code] as const)
      )
      return Object.fromEntries(codes)
    })
  ),
  open(
    "nonce-twice",
    "A nonce used twice",
    { Accept: [0, 0], Reject: [0, 100000005] },
    Effect.gen(function* () {
      const fields = yield* me
      const twice = Effect.gen(function* () {
        const nonce = yield* SignatureNonce.next
        return [yield* codeOf(fields, { nonce }), yield* codeOf(fields, { nonce })]
      })
      const { emulator } = yield* Target
      const first = yield* twice
      if (emulator._tag === "None") return first
      yield* emulator.value.reading.update((reading) => ({ ...reading, nonceReuse: "Reject" as const }))
      return { Accept: first, Reject: yield* twice }
    })
  ),
  open(
    "date",
    "The service's clock: does every answer have a `Date`?",
    { near: true, moved: true },
    Effect.gen(function* () {
      const { emulator } = yield* Target
      const date = Effect.map(ask(yield* me), ({ headers }) => Date.parse(headers.get("date") ?? ""))
      const near = (time: number, of: number) => Math.abs(time - of) < 60_000
      const shown = yield* date
      if (emulator._tag === "None") return { near: near(shown, Date.now()) }
      yield* emulator.value.clock.step("1 hour")
      return { near: near(shown, Date.now()), moved: near(yield* date, Date.now() + 3_600_000) }
    })
  )
]

export const signature = [
  fact(
    "signature",
    "The signature is the MD5, in lowercase hexadecimal, of four texts put together without anything between them",
    Effect.gen(function* () {
      const { app } = yield* Target
      const fields = yield* me
      const signed = yield* Signature.sign(app)
      // Another implementation than the one that signs.
      const md5 = (separator: string) => {
        const texts = [app.appId, signed.SignatureNonce, Redacted.value(app.serverSecret), signed.Timestamp]
        return createHash("md5").update(texts.join(separator)).digest("hex")
      }
      const codeFor = (Signature: string | undefined) =>
        codeOf(fields, {
          query: { SignatureNonce: signed.SignatureNonce, Timestamp: String(signed.Timestamp), Signature }
        })
      match(md5(""), /^[0-9a-f]{32}$/)
      equal(yield* codeFor(md5("")), 0)
      equal(yield* codeFor(md5("").toUpperCase()), 100000005)
      equal(yield* codeFor(md5("&")), 100000005)
      equal(yield* codeFor(undefined), 100000009)
      equal(yield* codeOf(fields, { serverSecret: "not-the-secret" }), 100000005)
    })
  ),
  fact(
    "signature-as-sent",
    "Nonce and timestamp must be sent as they were signed",
    Effect.gen(function* () {
      equal(yield* withParameter("SignatureNonce", "0123456789abcdef"), 100000005)
      equal(yield* withParameter("Timestamp", String(now() - 5)), 100000005)
    })
  ),
  fact(
    "worked-example",
    "The vendor publishes one worked example",
    Effect.sync(() => {
      const parts = { appId: 12345, nonce: "4fd24687296dd9f3", timestamp: 1615186943 }
      const secret = "9193cc662a4c0ec135ec71fb57194b38"
      const expected = "43e5cfcca828314675f91b001390566a"
      const text = `${parts.appId}${parts.nonce}${secret}${parts.timestamp}`
      equal(createHash("md5").update(text).digest("hex"), expected)
      equal(Signature.compute({ ...parts, serverSecret: ServerSecret.make(secret) }), expected)
    })
  ),
  fact(
    "unsigned-body",
    "Neither the action nor the body is signed.",
    Effect.gen(function* () {
      const { userId } = yield* Target
      const nonce = yield* SignatureNonce.next
      const timestamp = now()
      equal((yield* send(jsonOf({ FromUserId: userId, Limit: 1 }), { nonce, timestamp })).code, 0)
      // The same signature, another body, another action.
      const reading = yield* codeOf({ FromUserId: userId, Limit: 2 }, { nonce, timestamp })
      if (reading !== 0) equal(reading, 100000005)
      equal(yield* codeOf({}, { nonce, timestamp, query: { Action: "NoSuchOperation" } }), 100000007)
    })
  )
]

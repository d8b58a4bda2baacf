import { ServerSecret, Signature, SignatureNonce } from "@effect-zim/signing"
import { assert, describe, it } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import * as TestClock from "effect/testing/TestClock"

const app = { appId: 12345, serverSecret: ServerSecret.make("9193cc662a4c0ec135ec71fb57194b38") }
const vector = { ...app, nonce: "4fd24687296dd9f3", timestamp: 1615186943 }
const published = "43e5cfcca828314675f91b001390566a"

const between = (minimum: number, maximum: number) => Schema.Int.check(Schema.isBetween({ minimum, maximum }))
const appId = between(0, 0xffffffff)
const seed = between(0, 1e9)
const millis = between(0, 4e12)

/** What a server reads from the URL of a signed request. */
const receive = (signed: Signature.SignedParameters): Record<string, string> =>
  Object.fromEntries(new URLSearchParams(Signature.toQuery(signed, "QueryConversationList")))

const rejection = <A, R>(effect: Effect.Effect<A, Signature.SignatureRejected, R>) =>
  Effect.map(Effect.flip(effect), (error) => error.reason)

describe("compute", () => {
  it("gives the published vector", () => {
    assert.strictEqual(Signature.compute(vector), published)
    assert.strictEqual(Signature.signWith(vector).Signature, published)
  })
})

describe("sign", () => {
  it.effect.prop(
    "every signature made verifies",
    { appId, serverSecret: ServerSecret.ServerSecret, seed, millis },
    ({ appId, millis, seed, serverSecret }) =>
      Effect.gen(function* () {
        yield* TestClock.setTime(millis)
        const signed = yield* Signature.sign({ appId, serverSecret })
        yield* Signature.verify({ appId, serverSecret, parameters: signed })
        yield* Signature.verify({ appId, serverSecret, parameters: receive(signed) })
      }).pipe(Effect.provide(SignatureNonce.layerSeeded(seed)))
  )

  it.effect.prop(
    "stamps the time of the clock, plus the offset, in whole seconds",
    { millis, offset: between(-1e7, 1e7), inSeconds: Schema.Boolean },
    ({ inSeconds, millis, offset }) =>
      Effect.gen(function* () {
        yield* TestClock.setTime(millis)
        assert.strictEqual((yield* Signature.sign(app)).Timestamp, Math.floor(millis / 1000))
        const clockOffset = inSeconds ? Duration.seconds(offset) : offset
        const shifted = millis + (inSeconds ? offset * 1000 : offset)
        assert.strictEqual((yield* Signature.sign({ ...app, clockOffset })).Timestamp, Math.floor(shifted / 1000))
      })
  )

  it.effect("signs afresh whenever it runs: new nonce, new time", () =>
    Effect.gen(function* () {
      const sign = Signature.sign(app)
      const first = yield* sign
      yield* TestClock.adjust("61 seconds")
      const second = yield* sign
      assert.strictEqual(second.Timestamp - first.Timestamp, 61)
      assert.notStrictEqual(second.SignatureNonce, first.SignatureNonce)
      assert.notStrictEqual(second.Signature, first.Signature)
    })
  )

  it.effect("uses the nonce it sends", () =>
    Effect.gen(function* () {
      const signed = yield* Signature.sign(app)
      assert.strictEqual(signed.SignatureNonce, SignatureNonce.seeded(7)())
      assert.isTrue(SignatureNonce.isSignatureNonce(signed.SignatureNonce))
    }).pipe(Effect.provide(SignatureNonce.layerSeeded(7)))
  )
})

describe("toQuery", () => {
  it("carries the action and every common parameter", () => {
    assert.strictEqual(
      Signature.toQuery(Signature.signWith(vector), "QueryConversationList"),
      "Action=QueryConversationList&AppId=12345&SignatureNonce=4fd24687296dd9f3&Timestamp=1615186943" +
        `&SignatureVersion=2.0&Signature=${published}`
    )
  })

  it.effect.prop(
    "is read back as it was written, whatever the action and the received signature",
    { action: Schema.String, signature: Schema.NonEmptyString },
    ({ action, signature }) =>
      Effect.gen(function* () {
        const odd = yield* Signature.decode({ ...receive(Signature.signWith(vector)), Signature: signature })
        assert.deepStrictEqual(Object.fromEntries(new URLSearchParams(Signature.toQuery(odd, `${action}&x=\ud800`))), {
          ...receive(Signature.signWith(vector)),
          Action: `${action}&x=\ud800`.toWellFormed(),
          Signature: signature.toWellFormed()
        })
      })
  )
})

describe("decode", () => {
  const query = receive(Signature.signWith(vector))
  const order = ["AppId", "Timestamp", "SignatureNonce", "Signature", "SignatureVersion"] as const

  it.effect("reads what was signed", () =>
    Effect.gen(function* () {
      const signed = yield* Signature.decode(query)
      assert.strictEqual(signed.AppId, 12345)
      assert.strictEqual(signed.Timestamp, 1615186943)
      assert.strictEqual(signed.SignatureNonce, "4fd24687296dd9f3")
      assert.strictEqual(signed.SignatureVersion, "2.0")
      assert.strictEqual(signed.Signature, published)
    })
  )

  it.effect.each(order)("says that %s is missing or repeated, in the documented order", (parameter) =>
    Effect.gen(function* () {
      // Everything after the parameter is wrong as well: the first in order is reported.
      const before = Object.fromEntries(order.slice(0, order.indexOf(parameter)).map((name) => [name, query[name]]))
      for (const absent of [{}, { [parameter]: undefined }, { [parameter]: "" }]) {
        assert.deepStrictEqual(yield* rejection(Signature.decode({ ...before, ...absent })), {
          _tag: "Missing",
          parameter
        })
      }
      assert.deepStrictEqual(yield* rejection(Signature.decode({ ...before, [parameter]: ["1", "1"] })), {
        _tag: "Malformed",
        parameter,
        problem: "is given more than once"
      })
    })
  )

  it.effect.each([
    [
      "AppId",
      "is not a decimal number from 0 to 4294967295",
      ["-1", "4294967296", "1.5", "012", "+1", "1e3", "0x1", " 1", "1 ", "1\n", "app", "١", "NaN", "-0"]
    ],
    [
      "Timestamp",
      "is not a Unix time in whole seconds",
      ["now", "1.5", "1e9", "012", "+1", " 1", "9007199254740992", "99999999999999999999", "Infinity", "-0"]
    ],
    [
      "SignatureNonce",
      "is not 16 hexadecimal characters",
      ["1", "4fd24687296dd9f", "4fd24687296dd9f30", "4fd24687296dd9fg", " fd24687296dd9f3", "4fd24687296dd9f3\n"]
    ]
  ] as const)("says that %s is malformed", ([parameter, problem, values]) =>
    Effect.gen(function* () {
      for (const value of values) {
        const reason = yield* rejection(Signature.decode({ ...query, [parameter]: value }))
        assert.deepStrictEqual(reason, { _tag: "Malformed", parameter, problem }, JSON.stringify(value))
      }
    })
  )

  it.effect.prop("accepts any uint32 AppId and any second", { appId, timestamp: between(-1e12, 1e12) }, (valid) =>
    Effect.gen(function* () {
      const signed = yield* Signature.decode({
        ...query,
        AppId: `${valid.appId}`,
        Timestamp: `${valid.timestamp}`
      })
      assert.strictEqual(signed.AppId, valid.appId)
      assert.strictEqual(signed.Timestamp, valid.timestamp)
    })
  )

  it.effect.each(["1.0", "2", "2.00", "02.0", " 2.0"])("does not support version %j", (version) =>
    Effect.gen(function* () {
      const reason = yield* rejection(Signature.decode({ ...query, SignatureVersion: version }))
      assert.deepStrictEqual(reason, { _tag: "UnsupportedVersion" })
    })
  )

  it.effect.prop(
    "ends as a value or a rejection, whatever it gets",
    [Schema.Record(Schema.String, Schema.String)],
    ([any]) =>
      Effect.exit(Signature.decode({ ...query, ...any })).pipe(
        Effect.map((exit) =>
          assert.isTrue(exit._tag === "Success" || !exit.cause.reasons.some((r) => r._tag === "Die"))
        )
      )
  )
})

describe("verify", () => {
  const at = (seconds: number) => seconds * 1000
  const verifyAt = (now: number, window?: Duration.Input) =>
    Signature.verify({ ...app, parameters: receive(Signature.signWith(vector)), now, window })

  it.effect.prop(
    "changing any one character of any part does not verify",
    { appId, seed, timestamp: between(1, 4e9), character: Schema.Literals("0123456789abcdefABCDEF-+ gz".split("")) },
    ({ appId, character, seed, timestamp }) =>
      Effect.gen(function* () {
        const secret = Redacted.value(app.serverSecret)
        const nonce = SignatureNonce.seeded(seed)()
        const query = receive(Signature.signWith({ ...app, appId, nonce, timestamp }))
        const now = at(timestamp)
        const verify = (changed: Partial<Parameters<typeof Signature.verify>[0]>) =>
          rejection(Signature.verify({ ...app, appId, now, window: Duration.infinity, parameters: query, ...changed }))
        yield* Signature.verify({ ...app, appId, now, parameters: query })

        for (const parameter of ["AppId", "SignatureNonce", "Timestamp", "Signature"]) {
          for (const [text, isPlain] of mutants(query[parameter] ?? "", character)) {
            const reason = yield* verify({ parameters: { ...query, [parameter]: text } })
            if (parameter === "Signature" || isPlain) assert.strictEqual(reason._tag, "Wrong", `${parameter} ${text}`)
            else assert.include(["Wrong", "Malformed"], reason._tag, `${parameter} ${text}`)
          }
        }
        for (const [text] of mutants(secret, character === " " ? "x" : character)) {
          assert.strictEqual((yield* verify({ serverSecret: ServerSecret.make(text) }))._tag, "Wrong")
        }
        // An application that is really called by the changed id, which only the signature can tell.
        for (const [text, isPlain] of mutants(`${appId}`, character)) {
          if (!isPlain || Number(text) > 0xffffffff) continue
          const reason = yield* verify({ appId: Number(text), parameters: { ...query, AppId: text } })
          assert.strictEqual(reason._tag, "Wrong")
        }
      }),
    { arbitrary: { runs: 50 } }
  )

  it.effect.each([
    [-601, { _tag: "Expired", direction: "Future", seconds: 1 }],
    [-600, undefined],
    [-599.001, undefined],
    [0, undefined],
    [600, undefined],
    [600.999, undefined],
    [601, { _tag: "Expired", direction: "Past", seconds: 1 }],
    [637, { _tag: "Expired", direction: "Past", seconds: 37 }]
  ] as const)("%s s after signing: %j", ([seconds, expected]) =>
    Effect.gen(function* () {
      yield* TestClock.setTime(at(vector.timestamp + seconds))
      const verify = Signature.verify({ ...app, parameters: receive(Signature.signWith(vector)) })
      if (expected === undefined) return yield* verify
      assert.deepStrictEqual(yield* rejection(verify), expected)
    })
  )

  it.effect.prop(
    "accepts exactly the window, both ends included, and says by how much a signature missed it",
    { window: between(0, 2000), beyond: between(1, 1e6), share: between(0, 100), past: Schema.Boolean },
    ({ beyond, past, share, window }) =>
      Effect.gen(function* () {
        const sign = past ? 1 : -1
        const signedAt = vector.timestamp
        yield* verifyAt(at(signedAt + sign * Math.floor((window * share) / 100)), Duration.seconds(window))
        yield* verifyAt(at(signedAt + sign * window), Duration.seconds(window))
        const reason = yield* rejection(verifyAt(at(signedAt + sign * (window + beyond)), Duration.seconds(window)))
        assert.deepStrictEqual(reason, {
          _tag: "Expired",
          direction: past ? "Past" : "Future",
          seconds: beyond
        })
      })
  )

  it.effect("checks form, then time, then signature", () =>
    Effect.gen(function* () {
      const stale = { ...receive(Signature.signWith(vector)), Signature: "wrong" }
      const now = at(vector.timestamp + 700)
      const verify = (changed: Record<string, string>, when = now) =>
        Effect.map(
          rejection(Signature.verify({ ...app, parameters: { ...stale, ...changed }, now: when })),
          (r) => r._tag
        )
      assert.strictEqual(yield* verify({ SignatureVersion: "1.0" }), "UnsupportedVersion")
      assert.strictEqual(yield* verify({}), "Expired")
      assert.strictEqual(yield* verify({}, at(vector.timestamp)), "Wrong")
    })
  )

  it.effect.each([
    ["upper-case", published.toUpperCase()],
    ["longer", `${published}0`],
    ["shorter", published.slice(0, -1)],
    ["with a code unit above 255", `\u0134${published.slice(1)}`],
    ["of zero bytes", "\u0000".repeat(32)]
  ])("a signature that is %s is wrong", ([, signature]) =>
    Effect.gen(function* () {
      const parameters = { ...receive(Signature.signWith(vector)), Signature: signature }
      const reason = yield* rejection(Signature.verify({ ...app, parameters, now: at(vector.timestamp) }))
      assert.deepStrictEqual(reason, { _tag: "Wrong" })
    })
  )

  it.effect("takes an upper-case nonce, signed as sent, and no other for it", () =>
    Effect.gen(function* () {
      const nonce = vector.nonce.toUpperCase()
      const now = at(vector.timestamp)
      const parameters = receive(Signature.signWith({ ...vector, nonce }))
      yield* Signature.verify({ ...app, parameters, now })
      const lowered = { ...parameters, SignatureNonce: vector.nonce }
      assert.strictEqual((yield* rejection(Signature.verify({ ...app, parameters: lowered, now })))._tag, "Wrong")
    })
  )

  it.effect("refuses a valid signature of another application", () =>
    Effect.gen(function* () {
      const parameters = receive(Signature.signWith(vector))
      const reason = yield* rejection(Signature.verify({ ...app, appId: 54321, parameters, now: at(vector.timestamp) }))
      assert.deepStrictEqual(reason, { _tag: "Wrong" })
    })
  )
})

describe("SignatureRejected", () => {
  it.effect.each([
    [{ Timestamp: "" }, 0, "Timestamp is missing or empty"],
    [{ Timestamp: "now" }, 0, "Timestamp is not a Unix time in whole seconds"],
    [{ SignatureVersion: "1.0" }, 0, 'SignatureVersion is not supported: send "2.0"'],
    [{}, 637, "expired by 37 s: check the clock and sign each request when it is sent"],
    [{}, -637, "37 s in the future beyond the window: check the clock of the sender"],
    [
      { Timestamp: "1615186943000" },
      0,
      `${1615186943000 - 1615186943 - 600} s in the future beyond the window: Timestamp counts seconds, not milliseconds`
    ],
    [
      { Signature: "x" },
      0,
      "Signature is wrong: check AppId and ServerSecret, and that nonce and timestamp are sent as they were signed"
    ]
  ] as const)("says what to do: %j %s s", ([changed, seconds, message]) =>
    Effect.gen(function* () {
      const parameters = { ...receive(Signature.signWith(vector)), ...changed }
      const now = (vector.timestamp + seconds) * 1000
      const error = yield* Effect.flip(Signature.verify({ ...app, parameters, now }))
      assert.strictEqual(error.message, message)
    })
  )
})

/** Every text that differs from the given one in one character, and whether it is still a plain decimal number. */
function mutants(text: string, character: string): ReadonlyArray<readonly [string, boolean]> {
  return Array.from(text, (_, i) => text.slice(0, i) + character + text.slice(i + 1))
    .filter((mutant) => mutant !== text)
    .map((mutant) => [mutant, /^(0|[1-9][0-9]*)$/.test(mutant) && Number(mutant) <= 0xffffffff] as const)
}

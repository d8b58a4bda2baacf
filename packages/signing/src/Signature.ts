/**
 * Signature 2.0: `md5(AppId + SignatureNonce + ServerSecret + Timestamp)` in lowercase hex (contract, sections 2 and 3).
 *
 * The signature covers neither the action nor the body: whoever sees a signed URL can call any operation until its
 * timestamp runs out. A signed URL is a credential.
 */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Inspectable from "effect/Inspectable"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import * as Md5 from "./internal/md5.ts"
import type { ServerSecret } from "./ServerSecret.ts"
import * as SignatureNonce from "./SignatureNonce.ts"

/** What goes into a signature. */
interface Parts {
  /** The application id from the vendor's console, a uint32. */
  readonly appId: number
  /** The nonce, as it will be sent. */
  readonly nonce: string
  /** The application's server secret. */
  readonly serverSecret: ServerSecret
  /** Unix time in whole seconds, as it will be sent. */
  readonly timestamp: number
}

/**
 * The signature of the given parts: 32 lowercase hexadecimal characters. Pure and synchronous.
 *
 * @example
 * ```ts
 * import { ServerSecret, Signature } from "@effect-zim/signing"
 *
 * const signature = Signature.compute({
 *   appId: 12345,
 *   nonce: "4fd24687296dd9f3",
 *   serverSecret: ServerSecret.make("9193cc662a4c0ec135ec71fb57194b38"),
 *   timestamp: 1615186943
 * })
 * console.log(signature) // 43e5cfcca828314675f91b001390566a
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const compute = ({ appId, nonce, serverSecret, timestamp }: Parts): string =>
  Md5.hash(`${appId}${nonce}${Redacted.value(serverSecret)}${timestamp}`)

/**
 * The signed common parameters of one request, by the vendor's names. Made by `sign` and `decode`.
 *
 * Nonce and signature are readable but do not enumerate: logging, spreading, cloning, inspecting or serialising the
 * value by accident does not show them. `toQuery` is the one way out.
 *
 * @example
 * ```ts
 * import { ServerSecret, Signature } from "@effect-zim/signing"
 * import * as Effect from "effect/Effect"
 *
 * const signed = Effect.runSync(Signature.sign({ appId: 12345, serverSecret: ServerSecret.make("secret") }))
 * console.log(JSON.stringify(signed))
 * // {"AppId":12345,"SignatureNonce":"<redacted>","Timestamp":...,"SignatureVersion":"2.0","Signature":"<redacted>"}
 * ```
 *
 * @category models
 * @since 0.1.0
 */
export class SignedParameters extends Inspectable.Class {
  /** The application id. */
  readonly AppId: number
  /** Unix time in whole seconds. */
  readonly Timestamp: number
  /** The only version there is. */
  readonly SignatureVersion = "2.0"
  readonly #nonce: string
  readonly #signature: string

  constructor(appId: number, nonce: string, timestamp: number, signature: string) {
    super()
    this.AppId = appId
    this.Timestamp = timestamp
    this.#nonce = nonce
    this.#signature = signature
  }

  /** The nonce: 16 hexadecimal characters. */
  get SignatureNonce(): string {
    return this.#nonce
  }

  /** The signature. Part of a credential. */
  get Signature(): string {
    return this.#signature
  }

  /** What logs and inspectors see. */
  override toJSON(): unknown {
    return {
      AppId: this.AppId,
      SignatureNonce: "<redacted>",
      Timestamp: this.Timestamp,
      SignatureVersion: this.SignatureVersion,
      Signature: "<redacted>"
    }
  }
}

/**
 * Signs with a nonce and a timestamp of your choice, synchronously: for replaying a vector or making a stale signature
 * in a test. Requests are signed with {@link sign}, which never uses a nonce twice.
 *
 * @example
 * ```ts
 * import { ServerSecret, Signature } from "@effect-zim/signing"
 *
 * const signed = Signature.signWith({
 *   appId: 12345,
 *   nonce: "4fd24687296dd9f3",
 *   serverSecret: ServerSecret.make("9193cc662a4c0ec135ec71fb57194b38"),
 *   timestamp: 1615186943
 * })
 * console.log(signed.Signature) // 43e5cfcca828314675f91b001390566a
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const signWith = (parts: Parts): SignedParameters =>
  new SignedParameters(parts.appId, parts.nonce, parts.timestamp, compute(parts))

/**
 * Signs one request: a new nonce from `SignatureNonce.Source`, the time from Effect's `Clock` in whole seconds. Every
 * request, and every retry of one, needs a new signature: run the effect again.
 *
 * `clockOffset` (milliseconds or any duration, may be negative; default 0) is added to the clock, for a machine whose
 * clock is known to be off.
 *
 * @example
 * ```ts
 * import { ServerSecret, Signature } from "@effect-zim/signing"
 * import * as Effect from "effect/Effect"
 *
 * const serverSecret = ServerSecret.make("9193cc662a4c0ec135ec71fb57194b38")
 * const program = Effect.gen(function* () {
 *   const signed = yield* Signature.sign({ appId: 12345, serverSecret, clockOffset: "-3 seconds" })
 *   return `https://zim-api.zego.im/?${Signature.toQuery(signed, "QueryConversationList")}`
 * })
 * Effect.runSync(program)
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const sign = (options: {
  readonly appId: number
  readonly serverSecret: ServerSecret
  readonly clockOffset?: Duration.Input | undefined
}): Effect.Effect<SignedParameters> =>
  Effect.withFiberSucceed(({ context }) => {
    const nonce = Context.get(context, SignatureNonce.Source)()
    const offset = options.clockOffset === undefined ? 0 : Duration.toMillis(options.clockOffset)
    if (!Number.isFinite(offset)) throw new RangeError(`clockOffset is a finite time, not ${offset}`)
    const timestamp = Math.floor((Context.get(context, Clock.Clock).currentTimeMillisUnsafe() + offset) / 1000)
    return signWith({ appId: options.appId, nonce, serverSecret: options.serverSecret, timestamp })
  })

/**
 * The query string of a signed request, without the question mark: `Action` and all common parameters. The result is a
 * credential: keep it out of logs, errors and spans.
 *
 * @example
 * ```ts
 * import { ServerSecret, Signature } from "@effect-zim/signing"
 * import * as Effect from "effect/Effect"
 *
 * const query = Signature.sign({ appId: 12345, serverSecret: ServerSecret.make("secret") }).pipe(
 *   Effect.map((signed) => Signature.toQuery(signed, "QueryConversationList"))
 * )
 * console.log(Effect.runSync(query).startsWith("Action=QueryConversationList&AppId=12345&")) // true
 * ```
 *
 * @category converting
 * @since 0.1.0
 */
export const toQuery = (signed: SignedParameters, action: string): string =>
  `Action=${encodeURIComponent(action.toWellFormed())}&AppId=${signed.AppId}&SignatureNonce=${signed.SignatureNonce}` +
  `&Timestamp=${signed.Timestamp}&SignatureVersion=${signed.SignatureVersion}` +
  `&Signature=${encodeURIComponent(signed.Signature.toWellFormed())}`

// The side of the server. Marked, so that a program that only signs does not carry it.

const Parameter = /* @__PURE__ */ Schema.Literals([
  "AppId",
  "Timestamp",
  "SignatureNonce",
  "Signature",
  "SignatureVersion"
])
type Parameter = typeof Parameter.Type

/**
 * Why signed parameters were not accepted, for `Effect.catchReason("SignatureRejected", ...)`:
 *
 * - `Missing`: the parameter is absent or empty.
 * - `Malformed`: the parameter is not what the contract asks for; `problem` says how.
 * - `UnsupportedVersion`: `SignatureVersion` is not `2.0`.
 * - `Expired`: the timestamp lies outside the window, in the past or in the future, by `seconds`.
 * - `Wrong`: the signature does not belong to these parameters and this secret.
 *
 * @example
 * ```ts
 * import type { Signature } from "@effect-zim/signing"
 *
 * const reason: typeof Signature.Reason.Type = { _tag: "Expired", direction: "Past", seconds: 37 }
 * console.log(reason.direction)
 * ```
 *
 * @category errors
 * @since 0.1.0
 */
export const Reason = /* @__PURE__ */ (() =>
  Schema.Union([
    Schema.TaggedStruct("Missing", { parameter: Parameter }),
    Schema.TaggedStruct("Malformed", { parameter: Parameter, problem: Schema.String }),
    Schema.TaggedStruct("UnsupportedVersion", {}),
    Schema.TaggedStruct("Expired", { direction: Schema.Literals(["Past", "Future"]), seconds: Schema.Int }),
    Schema.TaggedStruct("Wrong", {})
  ]))()

/** A timestamp this many seconds ahead, thousands of years, was given in milliseconds. */
const millisecondsLookLike = 100_000_000_000

const describe = (reason: typeof Reason.Type): string => {
  switch (reason._tag) {
    case "Missing":
      return `${reason.parameter} is missing or empty`
    case "Malformed":
      return `${reason.parameter} ${reason.problem}`
    case "UnsupportedVersion":
      return `SignatureVersion is not supported: send "2.0"`
    case "Expired":
      return reason.direction === "Past"
        ? `expired by ${reason.seconds} s: check the clock and sign each request when it is sent`
        : `${reason.seconds} s in the future beyond the window: ` +
            (reason.seconds > millisecondsLookLike
              ? "Timestamp counts seconds, not milliseconds"
              : "check the clock of the sender")
    case "Wrong":
      return "Signature is wrong: check AppId and ServerSecret, and that nonce and timestamp are sent as they were signed"
  }
}

/**
 * Signed parameters were not accepted; `reason` says why. It never carries a secret, a signature, a nonce or any other
 * received text.
 *
 * @example
 * ```ts
 * import { Signature } from "@effect-zim/signing"
 *
 * const error = new Signature.SignatureRejected({ reason: { _tag: "Missing", parameter: "Signature" } })
 * console.log(error.message) // Signature is missing or empty
 * ```
 *
 * @category errors
 * @since 0.1.0
 */
export class SignatureRejected
  extends /* @__PURE__ */ Schema.TaggedError<SignatureRejected>("@effect-zim/signing/SignatureRejected")(
    "SignatureRejected",
    {
      reason: Reason
    }
  )
{
  override get message(): string {
    return describe(this.reason)
  }
}

const reject = (reason: typeof Reason.Type): Effect.Effect<never, SignatureRejected> =>
  Effect.fail(new SignatureRejected({ reason }))

/** Query parameters as servers parse them: a repeated one is an array. */
type Query = Readonly<Record<string, string | ReadonlyArray<string> | undefined>>

/** A parameter that is there once and is not empty. */
const read = (query: Query, parameter: Parameter): Effect.Effect<string, SignatureRejected> => {
  const value = query[parameter]
  if (value === undefined || value === "") return reject({ _tag: "Missing", parameter })
  if (typeof value !== "string") return reject({ _tag: "Malformed", parameter, problem: "is given more than once" })
  return Effect.succeed(value)
}

const decimal = /^(?:0|-?[1-9][0-9]*)$/
const nonceOfAnyCase = /^[0-9a-fA-F]{16}$/

const readInteger = /* @__PURE__ */ Effect.fnUntraced(function* (
  query: Query,
  parameter: Parameter,
  [min, max]: readonly [number, number],
  problem: string
) {
  const text = yield* read(query, parameter)
  const value = Number(text)
  return decimal.test(text) && value >= min && value <= max
    ? value
    : yield* reject({ _tag: "Malformed", parameter, problem })
})

/**
 * Reads the signed parameters of a received query string, without checking time or signature: a server decodes first,
 * looks up the application's secret by `AppId`, then verifies. Fails with {@link SignatureRejected}, reasons `Missing`,
 * `Malformed` and `UnsupportedVersion`, in the order AppId, Timestamp, SignatureNonce, Signature, SignatureVersion.
 *
 * Numbers must be plain decimals, as the signature covers their digits. The nonce must be 16 hexadecimal characters, of
 * either case: the contract asks for no more, and the signature covers them as sent. (Older tables of the vendor say
 * only "a random string"; such nonces are rejected.)
 *
 * @example
 * ```ts
 * import { Signature } from "@effect-zim/signing"
 * import * as Effect from "effect/Effect"
 *
 * const program = Signature.decode({ AppId: "12345", Timestamp: "now" }).pipe(
 *   Effect.catchReason("SignatureRejected", "Malformed", ({ parameter }) => Effect.succeed(parameter))
 * )
 * console.log(Effect.runSync(program)) // Timestamp
 * ```
 *
 * @category converting
 * @since 0.1.0
 */
export const decode: (parameters: Query) => Effect.Effect<SignedParameters, SignatureRejected> =
  /* @__PURE__ */ Effect.fnUntraced(function* (query) {
    const appId = yield* readInteger(query, "AppId", [0, 0xffffffff], "is not a decimal number from 0 to 4294967295")
    const timestamp = yield* readInteger(
      query,
      "Timestamp",
      [Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER],
      "is not a Unix time in whole seconds"
    )
    const nonce = yield* read(query, "SignatureNonce")
    if (!nonceOfAnyCase.test(nonce)) {
      return yield* reject({
        _tag: "Malformed",
        parameter: "SignatureNonce",
        problem: "is not 16 hexadecimal characters"
      })
    }
    const signature = yield* read(query, "Signature")
    if ((yield* read(query, "SignatureVersion")) !== "2.0") return yield* reject({ _tag: "UnsupportedVersion" })
    return new SignedParameters(appId, nonce, timestamp, signature)
  })

/** Compares in a time that depends on the length alone. */
const equals = (expected: string, received: string): boolean => {
  let difference = expected.length ^ received.length
  for (let i = 0; i < expected.length; i++) difference |= expected.charCodeAt(i) ^ received.charCodeAt(i)
  return difference === 0
}

/**
 * Checks the signed parameters of a received request against an application's id and secret, in the order {@link decode},
 * `Expired`, `Wrong`. The timestamp may be off by `window` (default 10 minutes) in either direction, both ends
 * included, counted in whole seconds. `now` (Unix time in milliseconds) replaces Effect's `Clock`. The signature must be
 * lowercase and is compared in constant time.
 *
 * It does not remember nonces: a request replayed within the window verifies again.
 *
 * @example
 * ```ts
 * import { ServerSecret, Signature } from "@effect-zim/signing"
 * import * as Effect from "effect/Effect"
 *
 * const app = { appId: 12345, serverSecret: ServerSecret.make("9193cc662a4c0ec135ec71fb57194b38") }
 * const program = Effect.gen(function* () {
 *   const url = new URL(`https://localhost/?${Signature.toQuery(yield* Signature.sign(app), "QueryConversationList")}`)
 *   yield* Signature.verify({ ...app, parameters: Object.fromEntries(url.searchParams) })
 *   return "accepted"
 * }).pipe(Effect.catchTag("SignatureRejected", (error) => Effect.succeed(error.message)))
 * console.log(Effect.runSync(program)) // accepted
 * ```
 *
 * @category guards
 * @since 0.1.0
 */
export const verify: (options: {
  readonly appId: number
  readonly serverSecret: ServerSecret
  readonly parameters: Query | SignedParameters
  readonly window?: Duration.Input | undefined
  readonly now?: number | undefined
}) => Effect.Effect<void, SignatureRejected> = /* @__PURE__ */ Effect.fnUntraced(function* (options) {
  const { appId, parameters, serverSecret } = options
  const signed = parameters instanceof SignedParameters ? parameters : yield* decode(parameters)
  const now = Math.floor((options.now ?? (yield* Clock.currentTimeMillis)) / 1000)
  const age = now - signed.Timestamp
  const seconds = Math.abs(age) - Duration.toSeconds(options.window ?? "10 minutes")
  if (seconds > 0) {
    return yield* reject({ _tag: "Expired", direction: age > 0 ? "Past" : "Future", seconds: Math.ceil(seconds) })
  }
  const expected = compute({ appId, nonce: signed.SignatureNonce, serverSecret, timestamp: signed.Timestamp })
  if (!equals(expected, signed.Signature) || signed.AppId !== appId) return yield* reject({ _tag: "Wrong" })
})

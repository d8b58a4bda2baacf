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
import { compute, type Parts, SignedParameters } from "./internal/signedParameters.ts"
import type { ServerSecret } from "./ServerSecret.ts"
import * as SignatureNonce from "./SignatureNonce.ts"

export { compute, SignedParameters } from "./internal/signedParameters.ts"
export { decode, Reason, SignatureRejected, verify } from "./internal/verification.ts"

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

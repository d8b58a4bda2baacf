/** What is signed, and the signature of it. */
import * as Inspectable from "effect/Inspectable"
import * as Redacted from "effect/Redacted"
import type { ServerSecret } from "../ServerSecret.ts"
import * as Md5 from "./md5.ts"

/** What goes into a signature. */
export interface Parts {
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

/**
 * The nonce of a signature: 8 random bytes as 16 lowercase hexadecimal characters (contract, section 2).
 */
import type * as Brand from "effect/Brand"
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import * as Hex from "effect/encoding/Hex"
import * as Layer from "effect/Layer"
import * as Md5 from "./internal/md5.ts"

/**
 * 16 lowercase hexadecimal characters: the hex of 8 bytes. Used once and never again.
 *
 * @example
 * ```ts
 * import { SignatureNonce } from "@effect-zim/signing"
 *
 * const nonce: SignatureNonce.SignatureNonce = SignatureNonce.seeded("docs")()
 * console.log(nonce.length) // 16
 * ```
 *
 * @category models
 * @since 0.1.0
 */
export type SignatureNonce = string & Brand.Brand<"SignatureNonce">

const pattern = /^[0-9a-f]{16}$/

/**
 * Whether a text is a nonce as this package makes them: 16 lowercase hexadecimal characters.
 *
 * @example
 * ```ts
 * import { SignatureNonce } from "@effect-zim/signing"
 *
 * console.log(SignatureNonce.isSignatureNonce("4fd24687296dd9f3")) // true
 * console.log(SignatureNonce.isSignatureNonce("4FD24687296DD9F3")) // false
 * ```
 *
 * @category guards
 * @since 0.1.0
 */
export const isSignatureNonce = (text: string): text is SignatureNonce => pattern.test(text)

const characters = 16

/** Not `Brand.nominal`, which brings what a program that only signs has no other use for. */
const brand = (text: string): SignatureNonce => {
  if (!isSignatureNonce(text)) throw new Error("not a nonce")
  return text
}

/** Drawn when it is used: what is drawn ahead is in every process that starts from a snapshot of this one, too. */
const drawn = (): SignatureNonce => brand(Hex.encode(globalThis.crypto.getRandomValues(new Uint8Array(characters / 2))))

/**
 * Where nonces come from: a synchronous generator. By default Web Crypto (`globalThis.crypto.getRandomValues`), asked for
 * each nonce when it is used, so that copies of a process share none. Replace it by {@link layerSeeded} in tests, or by a source
 * of your own, which must never return the same nonce twice.
 *
 * @example
 * ```ts
 * import { SignatureNonce } from "@effect-zim/signing"
 * import * as Effect from "effect/Effect"
 *
 * const program = Effect.provideService(SignatureNonce.next, SignatureNonce.Source, SignatureNonce.seeded(1))
 * console.log(Effect.runSync(program))
 * ```
 *
 * @category references
 * @since 0.1.0
 */
export const Source: Context.Reference<() => SignatureNonce> = Context.Reference("@effect-zim/signing/SignatureNonce", {
  defaultValue: () => drawn
})

/**
 * A new nonce from the {@link Source} in force when the effect runs.
 *
 * @example
 * ```ts
 * import { SignatureNonce } from "@effect-zim/signing"
 * import * as Effect from "effect/Effect"
 *
 * console.log(Effect.runSync(SignatureNonce.next).length) // 16
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const next: Effect.Effect<SignatureNonce> = /* @__PURE__ */ Source.useSync((draw) => draw())

/**
 * A generator that returns the same nonces for the same seed. For tests only: its nonces can be predicted.
 *
 * @example
 * ```ts
 * import { SignatureNonce } from "@effect-zim/signing"
 *
 * console.log(SignatureNonce.seeded(42)() === SignatureNonce.seeded(42)()) // true
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const seeded = (seed: number | string): (() => SignatureNonce) => {
  let drawn = 0
  return () => brand(Md5.hash(`${seed}/${drawn++}`).slice(0, characters))
}

/**
 * Replaces the {@link Source} by a {@link seeded} one, which starts anew each time the layer is built. For tests only.
 *
 * @example
 * ```ts
 * import { SignatureNonce } from "@effect-zim/signing"
 * import * as Effect from "effect/Effect"
 *
 * const program = SignatureNonce.next.pipe(Effect.provide(SignatureNonce.layerSeeded("my test")))
 * console.log(Effect.runSync(program) === Effect.runSync(program)) // true
 * ```
 *
 * @category layers
 * @since 0.1.0
 */
export const layerSeeded = (seed: number | string): Layer.Layer<never> => Layer.sync(Source, () => seeded(seed))

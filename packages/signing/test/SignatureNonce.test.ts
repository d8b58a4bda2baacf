import { SignatureNonce } from "@effect-zim/signing"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { afterEach, vi } from "vitest"

const seed = Schema.Union([Schema.String, Schema.Int])
const take = (draw: () => SignatureNonce.SignatureNonce, count: number) => Array.from({ length: count }, draw)
const drawMany = (count: number) => Effect.all(Array.from({ length: count }, () => SignatureNonce.next))

afterEach(() => vi.restoreAllMocks())

describe("SignatureNonce", () => {
  it.effect("is 16 lowercase hexadecimal characters and never repeats", () =>
    Effect.gen(function* () {
      const nonces = yield* drawMany(100_000)
      assert.isTrue(nonces.every((nonce) => /^[0-9a-f]{16}$/.test(nonce)))
      assert.strictEqual(new Set(nonces).size, nonces.length)
    })
  )

  it.effect("uses every position and every digit", () =>
    Effect.gen(function* () {
      const seen = Array.from({ length: 16 }, () => new Set<string>())
      for (const nonce of yield* drawMany(2000)) seen.forEach((digits, i) => digits.add(nonce.charAt(i)))
      assert.deepStrictEqual(
        seen.map((digits) => digits.size),
        seen.map(() => 16)
      )
    })
  )

  it.effect("draws fresh bytes from Web Crypto for each, when it is used", () =>
    Effect.gen(function* () {
      let serial = 0n
      vi.spyOn(globalThis.crypto, "getRandomValues").mockImplementation((block) => {
        if (block !== null) new DataView(block.buffer, block.byteOffset, block.byteLength).setBigUint64(0, serial++)
        return block
      })
      const nonces = yield* drawMany(1000)
      assert.deepStrictEqual(
        nonces.map((nonce) => Number.parseInt(nonce, 16)),
        nonces.map((_, i) => i)
      )
    })
  )

  it.effect("comes from the source in force when the effect runs", () =>
    Effect.gen(function* () {
      const draw = SignatureNonce.seeded("custom")
      const expected = take(SignatureNonce.seeded("custom"), 2)
      const program = Effect.all([SignatureNonce.next, SignatureNonce.next])
      assert.deepStrictEqual(yield* Effect.provideService(program, SignatureNonce.Source, draw), [...expected])
    })
  )

  it.prop("recognises what it makes, and nothing else", { seed, text: Schema.String }, ({ seed, text }) => {
    const nonce = SignatureNonce.seeded(seed)()
    assert.isTrue(SignatureNonce.isSignatureNonce(nonce))
    for (const other of [text, `${nonce}0`, nonce.slice(1), ` ${nonce.slice(1)}`, `g${nonce.slice(1)}`, `${nonce}\n`]) {
      assert.isFalse(SignatureNonce.isSignatureNonce(other))
    }
    assert.isFalse(SignatureNonce.isSignatureNonce("ABCDEF0123456789"))
  })

  describe("seeded", () => {
    it.effect.prop("repeats itself for the same seed, from the start for each layer", { seed }, ({ seed }) =>
      Effect.gen(function* () {
        const nonces = take(SignatureNonce.seeded(seed), 20)
        assert.deepStrictEqual(take(SignatureNonce.seeded(seed), 20), nonces)
        for (let i = 0; i < 2; i++) {
          assert.deepStrictEqual(yield* drawMany(20).pipe(Effect.provide(SignatureNonce.layerSeeded(seed))), nonces)
        }
      })
    )

    it.prop("differs for different seeds", { a: seed, b: seed }, ({ a, b }) => {
      const nonces = [...take(SignatureNonce.seeded(a), 20), ...take(SignatureNonce.seeded(b), 20)]
      // Seeds are hashed as UTF-8, which has one sign for all lone surrogates.
      assert.strictEqual(new Set(nonces).size, String(a).toWellFormed() === String(b).toWellFormed() ? 20 : 40)
    })

    it("never repeats a nonce", () => {
      assert.strictEqual(new Set(take(SignatureNonce.seeded(1), 100_000)).size, 100_000)
    })
  })
})

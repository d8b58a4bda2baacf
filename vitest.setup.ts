/**
 * Makes `npm test` repeatable: properties take their seeds from Effect's `Random`, and that takes from `Math.random`. Each
 * test file begins with the same seed. `PROPERTY_SEED=random` looks elsewhere, and a failure prints how to replay it.
 */
const text = process.env["PROPERTY_SEED"] ?? "effect-zim"

if (text !== "random") {
  let state = 0
  for (const character of text) state = (Math.imul(state, 31) + (character.codePointAt(0) ?? 0)) | 0
  // Mulberry32: small, fast, and good enough to choose examples with.
  Math.random = () => {
    state = (state + 0x6d_2b_79_f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

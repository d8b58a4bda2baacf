/** Seeded chance, quick enough for millions of throws. */
export interface Dice {
  /** A whole number from 0 up to, and without, `n`. */
  readonly below: (n: number) => number
  readonly pick: <A>(items: readonly [A, ...ReadonlyArray<A>]) => A
  /** True once in `n` times. */
  readonly oneIn: (n: number) => boolean
  /** So many random bytes. */
  readonly bytes: (length: number) => Uint8Array<ArrayBuffer>
  /** A text of up to so many characters, printable ones for the most part. */
  readonly text: (length: number) => string
}

/** The same seed throws the same numbers (xorshift32). */
export const make = (seed: number): Dice => {
  let state = (seed * 2_654_435_761 + 0x9e37_79b9) >>> 0 || 1
  const next = (): number => {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    return (state >>>= 0)
  }
  const below = (n: number): number => next() % n
  const pick = <A>(items: readonly [A, ...ReadonlyArray<A>]): A => items[below(items.length)] ?? items[0]
  const oneIn = (n: number): boolean => below(n) === 0
  const bytes = (length: number) => Uint8Array.from({ length }, () => below(256))
  const text = (length: number): string =>
    Array.from({ length: below(length + 1) }, () =>
      String.fromCodePoint(oneIn(20) ? below(0xd800) : 32 + below(95))
    ).join("")
  return { below, pick, oneIn, bytes, text }
}

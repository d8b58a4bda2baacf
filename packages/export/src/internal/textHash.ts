/**
 * A 64-bit hash of text, in two halves. It is not for secrets: it tells inputs apart and recognizes ids. A start that
 * nobody can guess keeps people who choose their own ids from making two of them alike.
 */

export interface Hash {
  readonly high: number
  readonly low: number
}

export const zero: Hash = { high: 0, low: 0 }

const scramble = (number: number): number => {
  let n = number
  n = Math.imul(n ^ (n >>> 16), 0x7feb352d)
  n = Math.imul(n ^ (n >>> 15), 0x846ca68b)
  return (n ^ (n >>> 16)) >>> 0
}

/** The hash of a text, given that of everything before it. */
export const add = (before: Hash, text: string): Hash => {
  let high = before.high ^ text.length
  let low = before.low ^ 0x5bd1e995
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i)
    high = Math.imul((high << 7) ^ (high >>> 25) ^ code, 0x9e3779b1)
    low = Math.imul((low << 11) ^ (low >>> 21) ^ (code + high), 0x85ebca77)
  }
  const mixed = scramble(high ^ scramble(low))
  return { high: mixed, low: scramble(low ^ mixed) }
}

const hex = (number: number): string => number.toString(16).padStart(8, "0")

/** 16 hexadecimal digits. */
export const format = ({ high, low }: Hash): string => hex(high) + hex(low)

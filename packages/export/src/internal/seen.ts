/**
 * The ids that have come, as 64-bit hashes in one array: about 16 bytes for an id of any length.
 */
import * as Hash from "./hash.ts"

/** How full the array may get before it doubles. */
const fullest = 0.6

export class Seen {
  readonly #start: Hash.Hash
  #table: Uint32Array
  #size = 0

  /** `start` should be random: see `hash.ts`. */
  constructor(start: Hash.Hash, capacity = 4096) {
    this.#start = start
    this.#table = new Uint32Array(2 * capacity)
  }

  /** Whether the id is new. From now on it is not. */
  add(id: string): boolean {
    if ((this.#size + 1) * 2 > this.#table.length * fullest) this.#grow()
    const { high, low } = Hash.add(this.#start, id)
    // A pair of zeros marks a free place.
    const isNew = place(this.#table, high, low === 0 && high === 0 ? 1 : low)
    if (isNew) this.#size++
    return isNew
  }

  #grow(): void {
    const larger = new Uint32Array(2 * this.#table.length)
    for (let i = 0; i < this.#table.length; i += 2) {
      const high = this.#table[i] ?? 0
      const low = this.#table[i + 1] ?? 0
      if (high !== 0 || low !== 0) place(larger, high, low)
    }
    this.#table = larger
  }
}

const place = (table: Uint32Array, high: number, low: number): boolean => {
  const places = table.length / 2
  let i = low % places
  while (table[2 * i] !== 0 || table[2 * i + 1] !== 0) {
    if (table[2 * i] === high && table[2 * i + 1] === low) return false
    i = (i + 1) % places
  }
  table[2 * i] = high
  table[2 * i + 1] = low
  return true
}

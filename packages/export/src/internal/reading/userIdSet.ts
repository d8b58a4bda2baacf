/**
 * The ids that have come, as 64-bit hashes: about 11 bytes for an id of any length.
 */
import * as Hash from "../textHash.ts"

/** Many small tables: one that grows is there twice, and for that time only. */
const tables = 256

/** How full a table may get before it grows, and by how much: more costs memory, less costs time. */
const fullest = 0.8
const growth = 1.25
const smallest = 32

class HashTable {
  #places = new Uint32Array(2 * smallest)
  #size = 0

  /** `high` and `low` must not both be 0: that is a free place. */
  add(high: number, low: number): boolean {
    if (2 * (this.#size + 1) > this.#places.length * fullest) this.#grow()
    const isNew = insert(this.#places, high, low)
    if (isNew) this.#size++
    return isNew
  }

  #grow(): void {
    const larger = new Uint32Array(2 * Math.ceil((this.#places.length / 2) * growth))
    for (let i = 0; i < this.#places.length; i += 2) {
      const high = this.#places[i] ?? 0
      const low = this.#places[i + 1] ?? 0
      if (high !== 0 || low !== 0) insert(larger, high, low)
    }
    this.#places = larger
  }
}

const insert = (places: Uint32Array, high: number, low: number): boolean => {
  const count = places.length / 2
  let i = low % count
  while (places[2 * i] !== 0 || places[2 * i + 1] !== 0) {
    if (places[2 * i] === high && places[2 * i + 1] === low) return false
    i = (i + 1) % count
  }
  places[2 * i] = high
  places[2 * i + 1] = low
  return true
}

export class UserIdSet {
  readonly #start: Hash.Hash
  readonly #tables = Array.from({ length: tables }, () => new HashTable())

  /** `start` should be random: see `textHash.ts`. */
  constructor(start: Hash.Hash) {
    this.#start = start
  }

  /** Whether the id is new. From now on it is not. */
  add(id: string): boolean {
    const { high, low } = Hash.add(this.#start, id)
    return this.#tables[high % tables]?.add(high, low === 0 && high === 0 ? 1 : low) ?? false
  }
}

/**
 * A map that remembers at least the `capacity` latest entries, and at most twice as many, so that memory stays flat. It
 * forgets a generation at a time: deleting the oldest entry of a `Map` one by one gets slower with every deletion.
 */
export class RecentMap<A> {
  readonly #capacity: number
  #young = new Map<string, A>()
  #old = new Map<string, A>()

  constructor(capacity: number) {
    this.#capacity = capacity
  }

  get(key: string): A | undefined {
    return this.#young.get(key) ?? this.#old.get(key)
  }

  set(key: string, value: A): void {
    if (this.#young.size >= this.#capacity && !this.#young.has(key)) {
      this.#old = this.#young
      this.#young = new Map()
    }
    this.#young.set(key, value)
  }
}

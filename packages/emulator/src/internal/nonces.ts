/** How long a signature is good on either side of its timestamp, in seconds. */
const windowSeconds = 600

/** The oldest are forgotten beyond this many, so that memory stays flat. */
const capacity = 100_000

/** The nonces that each app has used, for as long as their signatures are good. They never leave this class. */
export class Nonces {
  readonly #used = new Map<string, number>()

  /** Remembers the nonce of a valid signature; says whether it was used before. `now` in Unix seconds. */
  use(appId: number, nonce: string, timestamp: number, now: number): boolean {
    const key = `${appId}/${nonce}`
    const reused = (this.#used.get(key) ?? -Infinity) + windowSeconds >= now
    this.#used.delete(key)
    this.#used.set(key, timestamp)
    for (const [oldest, time] of this.#used) {
      if (this.#used.size <= capacity && time + windowSeconds >= now) break
      this.#used.delete(oldest)
    }
    return reused
  }
}

import { RecentMap } from "../recentMap.ts"

/** How long a signature is good on either side of its timestamp, in seconds. */
const windowSeconds = 600

/** So many are remembered, so that memory stays flat. */
const capacity = 100_000

/** The nonces that each app has used, for as long as their signatures are good. They never leave this class. */
export class UsedNonces {
  readonly #used = new RecentMap<{ readonly timestamp: number; readonly times: number }>(capacity)

  /** Remembers the nonce of a valid signature; how often it has been used now. `now` in Unix seconds. */
  use(appId: number, nonce: string, timestamp: number, now: number): number {
    const key = `${appId}/${nonce}`
    const before = this.#used.get(key)
    if (before === undefined || before.timestamp + windowSeconds < now) {
      this.#used.set(key, { timestamp, times: 1 })
      return 1
    }
    const times = before.times + 1
    // Until the last of its signatures is no longer good.
    this.#used.set(key, { timestamp: Math.max(timestamp, before.timestamp), times })
    return times
  }
}

import type * as Clock from "effect/Clock"
import * as ServiceQuota from "../ServiceQuota.ts"
import type { App } from "../World.ts"

/** Reads a clock's time in whole milliseconds since the epoch, as it would be had nobody set the clock since. */
const steadily = (clock: Clock.Clock): ((clock: Clock.Clock) => number) => {
  const begin = clock.currentTimeMillisUnsafe()
  const origin = clock.monotonicTimeNanosUnsafe()
  // A millisecond that is short of rounded nanoseconds only is over: a client that sleeps for it would come too soon.
  return (clock) => begin + Math.floor((Number(clock.monotonicTimeNanosUnsafe() - origin) + 1000) / 1e6)
}

/**
 * The running counts of all budgets. An app with a quota of its own is counted by that. Time begins at what the clock
 * shows, and goes on by its monotonic one.
 */
export class Budgets {
  readonly #time: (clock: Clock.Clock) => number
  #quota = ServiceQuota.unlimited
  readonly #counted = new Map<
    string,
    { readonly quota: ServiceQuota.ServiceQuota; readonly meter: ServiceQuota.Meter }
  >()

  constructor(clock: Clock.Clock) {
    this.#time = steadily(clock)
  }

  /** Another quota, counted from zero. */
  set(quota: ServiceQuota.ServiceQuota): void {
    this.#quota = quota
    this.#counted.clear()
  }

  #budget(app: App, action: string) {
    const quota = app.quota ?? this.#quota
    const budget = ServiceQuota.budgetOf(quota, { appId: app.appId, action })
    const known = this.#counted.get(budget)
    // A world may bring another quota for an app: it starts from zero.
    if (known !== undefined && known.quota === quota) return { budget, ...known }
    const counted = { quota, meter: ServiceQuota.meter(quota) }
    this.#counted.set(budget, counted)
    return { budget, ...counted }
  }

  /** Counts a call. */
  take(app: App, action: string, clock: Clock.Clock): ServiceQuota.Admission {
    return this.#budget(app, action).meter.take(this.#time(clock))
  }

  /** What the meters of these apps and actions show. */
  gauges(apps: Iterable<App>, actions: ReadonlyArray<string>, clock: Clock.Clock): ReadonlyArray<ServiceQuota.Gauge> {
    const now = this.#time(clock)
    const gauges = new Map<string, ServiceQuota.Gauge>()
    for (const app of apps) {
      for (const action of actions) {
        const { budget, meter, quota } = this.#budget(app, action)
        const perAction = quota.model !== "Unlimited" && quota.per === "Action"
        gauges.set(budget, { appId: app.appId, action: perAction ? action : undefined, quota, ...meter.state(now) })
      }
    }
    return [...gauges.values()]
  }
}

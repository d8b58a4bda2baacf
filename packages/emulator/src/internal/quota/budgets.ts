import * as ServiceQuota from "../../ServiceQuota.ts"
import type { App } from "../../World.ts"

/** The running counts of all budgets. An app with a quota of its own is counted by that. */
export class Budgets {
  #quota = ServiceQuota.unlimited
  readonly #counted = new Map<
    string,
    { readonly quota: ServiceQuota.ServiceQuota; readonly meter: ServiceQuota.Meter }
  >()

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
  take(app: App, action: string, now: number): ServiceQuota.Admission {
    return this.#budget(app, action).meter.take(now)
  }

  /** What the meters of these apps and actions show. */
  gauges(apps: ReadonlyArray<App>, actions: ReadonlyArray<string>, now: number): ReadonlyArray<ServiceQuota.Gauge> {
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

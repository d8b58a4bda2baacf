/** What a client is made of. */
import type { Policies, Timeout } from "@effect-zim/policies"
import type * as SharedQuota from "@effect-zim/policies/SharedQuota"
import type * as Duration from "effect/Duration"
import type * as Redacted from "effect/Redacted"
import type * as Endpoint from "../Endpoint.ts"
import type * as RetryPolicy from "../RetryPolicy.ts"

/**
 * What a client is made of.
 *
 * @category models
 * @since 0.1.0
 */
export interface Options {
  /** The app's id, from the vendor's console. */
  readonly appId: number
  /** The app's secret, from the vendor's console. */
  readonly serverSecret: Redacted.Redacted
  /** The region nearest to this machine. Default: the host that serves any region. */
  readonly region?: Endpoint.Region | undefined
  /** Instead of a region, a URL of one's own: an emulator, a proxy. Plain http for loopback hosts only. */
  readonly baseUrl?: string | undefined
  /**
   * Other regions to turn to, in this order, while calls to the first one fail. Default: none. The data of an app is the
   * same in every region, the latency is higher.
   */
  readonly failover?: ReadonlyArray<Endpoint.Region> | undefined
  /**
   * What those policies are made of that all clients of the app in this process share, however many are made, and
   * whenever. `Quota.layer` and its like make one of the client's own, which wins.
   */
  readonly policies?: Policies.Shared | undefined
}

/**
 * The settings of a client and of its policies, each by its name.
 *
 * @category models
 * @since 0.1.0
 */
export interface SettingsByName extends Omit<Options, "policies">, Policies.Shared {
  /** `whenUnavailable` is for a quota over Redis, which a setting alone does not make. */
  readonly quota?: SharedQuota.Options | undefined
  readonly retry?: RetryPolicy.RetryPolicy | undefined
  readonly timeout?: Timeout.Options | undefined
  /** What to add to this machine's clock, whatever the service says. Default: the service's clock is followed. */
  readonly clockOffset?: Duration.Input | undefined
}

/**
 * What a client is made of, and the policies beside it.
 *
 * @category models
 * @since 0.1.0
 */
export interface Settings extends Pick<SettingsByName, "quota" | "retry" | "timeout" | "clockOffset"> {
  readonly client: Options
}

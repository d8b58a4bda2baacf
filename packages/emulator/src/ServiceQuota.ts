/**
 * How the service counts calls: the models of its frequency limit.
 *
 * The documentation gives a number, 20 calls per second, and says neither how the window is aligned nor whether rejected
 * calls count (contract, section 5). So the model is a value: a client that stays within the strictest of them stays
 * within the real one.
 */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as DurationSchemas from "./internal/durationSchemas.ts"
import * as QuotaMeters from "./internal/quotaMeters.ts"

export type { Admission, Meter, State } from "./internal/quotaMeters.ts"

const Count = Schema.Int.check(Schema.isGreaterThanOrEqualTo(0))
// Far beyond what is sold, and small enough to keep the times of as many calls.
const Limit = Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 1_000_000 }))

const common = {
  limit: Limit.pipe(Schema.withDecodingDefaultKey(Effect.succeed(20))),
  window: DurationSchemas.Positive.pipe(Schema.withDecodingDefaultKey(Effect.succeed(1000))),
  per: Schema.Literals(["App", "Action"]).pipe(Schema.withDecodingDefaultKey(Effect.succeed("App")))
}
const flag = (value: boolean) => Schema.Boolean.pipe(Schema.withDecodingDefaultKey(Effect.succeed(value)))

/**
 * A limit, and how it is counted. As JSON: `{ "model": "Fixed", "limit": 50, "window": "1 second" }`, everything but the
 * model being optional.
 *
 * - `Sliding`: at most `limit` calls in any window, wherever it starts.
 * - `Fixed`: at most `limit` calls in each window, so twice as many can pass around an edge. `aligned` windows start at
 *   multiples of their length since the epoch, as the clock showed it when the emulator began; others at the first call after the one before has ended.
 * - `TokenBucket`: a bucket of `burst` tokens (left out: `limit`), filled with `limit` tokens per window, evenly. A call takes one.
 * - `Leaky`: calls are processed evenly, one every `window / limit`. One that comes too early waits, if fewer than
 *   `queue` wait already; else it is rejected.
 * - `Unlimited`: nothing is rejected.
 *
 * The functions below throw a `SchemaError` that names the option where a number is out of its range.
 *
 * `limit` is calls per window, 0 to 1,000,000. `countRejected` says whether a rejected call takes a place in the window.
 * `per` says what has a budget of its own: each app, or each action of each app.
 *
 * @example
 * ```ts
 * import { ServiceQuota } from "@effect-zim/emulator"
 * import * as Schema from "effect/Schema"
 *
 * const quota = Schema.decodeUnknownSync(ServiceQuota.ServiceQuota)({ model: "TokenBucket", limit: 50, burst: 10 })
 * ```
 *
 * @category schemas
 * @since 0.1.0
 */
export const ServiceQuota = Schema.Union([
  Schema.Struct({ model: Schema.Literal("Sliding"), ...common, countRejected: flag(false) }),
  Schema.Struct({ model: Schema.Literal("Fixed"), ...common, countRejected: flag(false), aligned: flag(true) }),
  Schema.Struct({ model: Schema.Literal("TokenBucket"), ...common, burst: Schema.optionalKey(Count) }),
  Schema.Struct({
    model: Schema.Literal("Leaky"),
    ...common,
    queue: Count.pipe(Schema.withDecodingDefaultKey(Effect.succeed(0)))
  }),
  Schema.Struct({ model: Schema.Literal("Unlimited") })
]).annotate({
  identifier: "@effect-zim/emulator/Quota",
  message: "Expected a quota whose model is one of Sliding, Fixed, TokenBucket, Leaky, Unlimited"
})

/**
 * The type of {@link ServiceQuota}.
 *
 * @category schemas
 * @since 0.1.0
 */
export type ServiceQuota = typeof ServiceQuota.Type

/**
 * A quota as JSON has it.
 *
 * @category models
 * @since 0.1.0
 */
export type Json = typeof ServiceQuota.Encoded

/** What can be said of every {@link ServiceQuota} that limits. */
interface Limits {
  /** Calls per window, default 20. */
  readonly limit?: number | undefined
  /** Default one second. */
  readonly window?: Duration.Input | undefined
  /** Default `App`, as the text of the return code says. */
  readonly per?: "App" | "Action" | undefined
}

/**
 * What can be said of a windowed {@link ServiceQuota}.
 *
 * @category models
 * @since 0.1.0
 */
export interface Options extends Limits {
  /** Default `false`. */
  readonly countRejected?: boolean | undefined
}

const { match } = Schema.toTaggedUnion("model")(ServiceQuota)

const checked = Schema.decodeUnknownSync(Schema.toType(ServiceQuota))

const limits = ({ limit = 20, per = "App", window = "1 second" }: Limits) => ({
  limit,
  window: Duration.fromInputUnsafe(window),
  per
})

/**
 * At most `limit` calls in any window: the strictest of the windows, and the default. What keeps to it passes everywhere
 * but in a `leaky` quota, which has no bursts, or a `tokenBucket` of a smaller burst.
 *
 * @example
 * ```ts
 * import { ServiceQuota } from "@effect-zim/emulator"
 *
 * const quota = ServiceQuota.sliding({ limit: 5, countRejected: true })
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const sliding = ({ countRejected = false, ...options }: Options = {}): ServiceQuota =>
  checked({ model: "Sliding", ...limits(options), countRejected })

/**
 * At most `limit` calls in each window, aligned to the epoch or, with `aligned: false`, to the calls.
 *
 * @example
 * ```ts
 * import { ServiceQuota } from "@effect-zim/emulator"
 *
 * // A window that begins with the first call, and counts what it rejects.
 * const strict = ServiceQuota.fixed({ limit: 20, aligned: false, countRejected: true })
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const fixed = ({
  aligned = true,
  countRejected = false,
  ...options
}: Options & { readonly aligned?: boolean | undefined } = {}): ServiceQuota =>
  checked({ model: "Fixed", ...limits(options), countRejected, aligned })

/**
 * A bucket of `burst` tokens (default `limit`), filled with `limit` tokens per window.
 *
 * @example
 * ```ts
 * import { ServiceQuota } from "@effect-zim/emulator"
 *
 * const quota = ServiceQuota.tokenBucket({ limit: 20, burst: 40 })
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const tokenBucket = ({
  burst,
  ...options
}: Limits & { readonly burst?: number | undefined } = {}): ServiceQuota =>
  checked({ model: "TokenBucket", ...limits(options), ...(burst !== undefined && { burst }) })

/**
 * One call every `window / limit`; up to `queue` calls (default 0) wait for their turn instead of being rejected.
 *
 * @example
 * ```ts
 * import { ServiceQuota } from "@effect-zim/emulator"
 *
 * const quota = ServiceQuota.leaky({ limit: 20, queue: 5 })
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const leaky = ({ queue = 0, ...options }: Limits & { readonly queue?: number | undefined } = {}): ServiceQuota =>
  checked({ model: "Leaky", ...limits(options), queue })

/**
 * No limit.
 *
 * @example
 * ```ts
 * import { Emulator, ServiceQuota, World } from "@effect-zim/emulator"
 *
 * const layer = Emulator.layer({ world: World.generate({ seed: 1, users: 10 }), quota: ServiceQuota.unlimited })
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const unlimited: ServiceQuota = { model: "Unlimited" }

/**
 * What one budget shows: the state of its meter, and whose it is.
 *
 * @category models
 * @since 0.1.0
 */
export interface Gauge extends QuotaMeters.State {
  readonly appId: number
  /** `undefined` where all actions of the app share a budget. */
  readonly action: string | undefined
  readonly quota: ServiceQuota
}

/**
 * Starts counting, from zero.
 *
 * @example
 * ```ts
 * import { ServiceQuota } from "@effect-zim/emulator"
 *
 * const meter = ServiceQuota.meter(ServiceQuota.sliding({ limit: 1 }))
 * meter.admit(0) // true
 * meter.admit(999) // false
 * meter.state(999) // { used: 1, available: 0, wait: 1 }
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const meter = (quota: ServiceQuota): QuotaMeters.Meter =>
  match(quota, {
    Sliding: ({ countRejected, limit, window }) => QuotaMeters.sliding(limit, Duration.toMillis(window), countRejected),
    Fixed: ({ aligned, countRejected, limit, window }) =>
      QuotaMeters.fixed(limit, Duration.toMillis(window), countRejected, aligned),
    TokenBucket: ({ burst, limit, window }) =>
      QuotaMeters.tokenBucket(limit, Duration.toMillis(window), burst ?? limit),
    Leaky: ({ limit, queue, window }) => QuotaMeters.leaky(limit, Duration.toMillis(window), queue),
    Unlimited: () => QuotaMeters.unlimited
  })

/**
 * Which of a quota's meters a call is counted by.
 *
 * @example
 * ```ts
 * import { ServiceQuota } from "@effect-zim/emulator"
 *
 * const call = { appId: 12345, action: "QueryConversationList" }
 * const meterOf = (quota: ServiceQuota.ServiceQuota): string => ServiceQuota.budgetOf(quota, call)
 * ```
 *
 * @category accessors
 * @since 0.1.0
 */
export const budgetOf = (quota: ServiceQuota, call: { readonly appId: number; readonly action: string }): string =>
  quota.model !== "Unlimited" && quota.per === "Action" ? `${call.appId}/${call.action}` : `${call.appId}`

/**
 * In one line: `TokenBucket: 20 per 1s, burst 20, per App`.
 *
 * @example
 * ```ts
 * import { ServiceQuota } from "@effect-zim/emulator"
 *
 * ServiceQuota.describe(ServiceQuota.tokenBucket()) // TokenBucket: 20 per 1s, burst 20, per App
 * ```
 *
 * @category converting
 * @since 0.1.0
 */
export const describe = (quota: ServiceQuota): string => {
  if (quota.model === "Unlimited") return "Unlimited"
  return [
    `${quota.model}: ${quota.limit} per ${Duration.format(quota.window)}`,
    ...(quota.model === "Fixed" && !quota.aligned ? ["from the first call"] : []),
    ...("countRejected" in quota && quota.countRejected ? ["rejected calls count"] : []),
    ...(quota.model === "TokenBucket" ? [`burst ${quota.burst ?? quota.limit}`] : []),
    ...(quota.model === "Leaky" ? [`queue ${quota.queue}`] : []),
    `per ${quota.per}`
  ].join(", ")
}

/**
 * What the client tells about itself: spans, metrics, logs.
 *
 * With a `Tracer` in the context each call has a span, `zim <action>`, with a child span, `POST`, for each attempt, after
 * OpenTelemetry's semantic conventions for HTTP clients plus `zim.action`, `zim.code`, `zim.request_id`, `zim.attempt` and
 * `zim.quota.wait_ms`. Without one no span is made. The metrics below are Effect `Metric`s: any exporter of Effect's
 * finds them. Debug logs say when a call is made again, when and why it is given up, and when a circuit opens or closes.
 * At level `Trace` each request and each answer is logged: the wire log.
 * Nothing of it holds a secret, a signature, a nonce or a signed URL.
 *
 * @since 0.1.0
 */
import { Metrics } from "@effect-zim/policies"
import * as Context from "effect/Context"
import * as Metric from "effect/Metric"

/**
 * The boundaries of the histograms: from half a millisecond to more than two minutes, in milliseconds.
 *
 * @category constants
 * @since 0.1.0
 */
export const durationBoundaries: ReadonlyArray<number> = Metric.exponentialBoundaries({
  start: 0.5,
  factor: 2,
  count: 20
})

// By this attribute an exporter of Effect's finds the unit.
const inMillis = (id: string, description: string) =>
  Metric.histogram(id, { description, boundaries: durationBoundaries, attributes: { time_unit: "milliseconds" } })

/**
 * Calls by `zim.action` and `outcome`: `Success` or the tag of the error.
 *
 * @example
 * ```ts
 * import { Telemetry } from "@effect-zim/client"
 * import { Effect, Metric } from "effect"
 *
 * // Any exporter of Effect's finds the metrics of this module; a program can look, too.
 * const succeeded = Metric.withAttributes(Telemetry.calls, {
 *   "zim.action": "QueryConversationList",
 *   outcome: "Success"
 * })
 * const count = Effect.map(Metric.value(succeeded), ({ count }) => count)
 * ```
 *
 * @category metrics
 * @since 0.1.0
 */
export const calls = Metric.counter("zim.client.calls", { description: "Calls by outcome", incremental: true })

/**
 * Attempts by `zim.action` and `outcome`: `Success` or the tag of the error. Rejections are those of `RateLimited` and
 * `Throttled`.
 *
 * @category metrics
 * @since 0.1.0
 */
export const attempts = Metric.counter("zim.client.attempts", { description: "Attempts by outcome", incremental: true })

/**
 * How long calls take by `zim.action`, in milliseconds, waiting included.
 *
 * @category metrics
 * @since 0.1.0
 */
export const callDuration = inMillis("zim.client.call.duration", "Duration of calls in milliseconds")

/**
 * How long attempts take by `zim.action`, in milliseconds, from the permit to the decoded answer.
 *
 * @category metrics
 * @since 0.1.0
 */
export const attemptDuration = inMillis("zim.client.attempt.duration", "Duration of attempts in milliseconds")

/**
 * How long attempts wait for the quota by `zim.action`, in milliseconds.
 *
 * @category metrics
 * @since 0.1.0
 */
export const quotaWait = inMillis("zim.client.quota.wait", "Wait for a permit of the quota in milliseconds")

/**
 * Permits that are out: requests under way.
 *
 * @category metrics
 * @since 0.1.0
 */
export const permitsInUse = Metric.gauge("zim.client.quota.permits_in_use", { description: "Requests under way" })

/**
 * Tokens left in the retry budget; of several in one process, the one that changed last.
 *
 * @category metrics
 * @since 0.1.0
 */
export const retryBudget = Metrics.retryBudget

/**
 * The service's clock minus this machine's, in milliseconds: positive where this machine's is behind.
 *
 * @category metrics
 * @since 0.1.0
 */
export const clockOffset = Metrics.clockOffset

/**
 * The state of the circuit to each `server.address`: 0 closed, 1 half open, 2 open. Shows up when a circuit first opens.
 *
 * @category metrics
 * @since 0.1.0
 */
export const breakerState = Metrics.breakerState

/**
 * Whether requests carry the trace headers `traceparent` and `b3` to the service. It has no use for them, and they tell
 * it about your traces. Default: false.
 *
 * @example
 * ```ts
 * import { Conversations, Telemetry } from "@effect-zim/client"
 * import { Effect } from "effect"
 *
 * const page = Conversations.page("user-42").pipe(Effect.provideService(Telemetry.PropagateTrace, true))
 * ```
 *
 * @category references
 * @since 0.1.0
 */
export const PropagateTrace = Context.Reference<boolean>("@effect-zim/client/Telemetry/PropagateTrace", {
  defaultValue: () => false
})

/**
 * When a failed call is made again: `RetryPolicy` of `@effect-zim/policies`, with the failures of this client.
 *
 * | Kind        | Failures                                                                                        |
 * | ----------- | ----------------------------------------------------------------------------------------------- |
 * | `rateLimit` | 660300005, 7, HTTP 429                                                                          |
 * | `transient` | 1, 660000001, 660000003, HTTP 408, 425, 500, 502, 503, 504                                      |
 * | `bounded`   | 660800053, 105001, gateway codes, an answer that is empty or no JSON                            |
 * | `transport` | No answer, or none in time; or not sent, because the store of a shared quota does not answer    |
 * | `circuit`   | Not sent, because the circuit breaker is open                                                   |
 *
 * A call that changes something is repeated only where it was surely not done: it was rejected, or not sent.
 *
 * @since 0.1.0
 */
import type { ServiceError } from "@effect-zim/protocol"
import { Policies, RetryPolicy as Base } from "@effect-zim/policies"
import * as Context from "effect/Context"
import * as Layer from "effect/Layer"
import { type CallError, traits } from "./ClientError.ts"

/**
 * The kinds of failure that a policy has schedules for.
 *
 * @category models
 * @since 0.1.0
 */
export type Kind = Base.Kind

/**
 * Exponential back-off with full jitter.
 *
 * @example
 * ```ts
 * import { RetryPolicy } from "@effect-zim/client"
 *
 * const policy: RetryPolicy.RetryPolicy = {
 *   ...RetryPolicy.standard,
 *   transient: RetryPolicy.backoff({ base: "1 second", cap: "10 seconds", times: 3 })
 * }
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const backoff = Base.backoff

/**
 * No retries: the first failure is the call's.
 *
 * @category constants
 * @since 0.1.0
 */
export const none: RetryPolicy = Base.none

/**
 * The default, for a caller that waits for the answer.
 *
 * @category constants
 * @since 0.1.0
 */
export const standard: RetryPolicy = Base.standard

/**
 * For a batch job that would rather wait than fail. Raise `Timeout.Deadline` with it.
 *
 * @category constants
 * @since 0.1.0
 */
export const patient: RetryPolicy = Base.patient

/**
 * What a schedule of a policy sees: the error of the attempt.
 *
 * @category errors
 * @since 0.1.0
 */
export type Failure = CallError<ServiceError.ServiceError>

/**
 * A retry policy: a schedule for each kind of failure, whose input is the error and whose output is not used.
 *
 * @category models
 * @since 0.1.0
 */
export type RetryPolicy = Base.RetryPolicy<Failure>

/**
 * The policy in force: provide another one to the client's layer with {@link layer}, or to one effect or stream with
 * {@link provide}.
 *
 * @example
 * ```ts
 * import { RetryPolicy } from "@effect-zim/client"
 * import { Effect } from "effect"
 *
 * const usesBudget = Effect.map(RetryPolicy.Current, (policy) => policy.usesBudget)
 * ```
 *
 * @category references
 * @since 0.1.0
 */
export const Current = Context.Reference<RetryPolicy>("@effect-zim/client/RetryPolicy", {
  defaultValue: () => Base.standard
})

/**
 * A policy for every client built on this layer.
 *
 * @example
 * ```ts
 * import { RetryPolicy, ZimClient } from "@effect-zim/client"
 * import { Layer } from "effect"
 *
 * const client = ZimClient.layerConfig().pipe(Layer.provide(RetryPolicy.layer(RetryPolicy.none)))
 * ```
 *
 * @category layers
 * @since 0.1.0
 */
export const layer = (policy: RetryPolicy): Layer.Layer<never> => Layer.succeed(Current, policy)

/**
 * Runs the calls of an effect or a stream under a policy.
 *
 * @example
 * ```ts
 * import { Conversations, RetryPolicy } from "@effect-zim/client"
 *
 * const snapshot = Conversations.snapshot("user-42").pipe(RetryPolicy.provide(RetryPolicy.patient))
 * const stream = Conversations.stream("user-42").pipe(RetryPolicy.provide(RetryPolicy.patient))
 * ```
 *
 * @category combinators
 * @since 0.1.0
 */
export const provide: Policies.Provide<RetryPolicy> = /* @__PURE__ */ Policies.makeProvide((policy) =>
  Context.make(Current, policy)
)

/**
 * What kind of failure an error is; `undefined` where the same call would fail again.
 *
 * @example
 * ```ts
 * import { Conversations, RetryPolicy } from "@effect-zim/client"
 * import { Effect } from "effect"
 *
 * const readOrLater = Conversations.snapshot("user-42").pipe(
 *   Effect.catchTags({ RateLimited: (error) => Effect.log(RetryPolicy.kindOf(error)) }) // rateLimit
 * )
 * ```
 *
 * @category accessors
 * @since 0.1.0
 */
export const kindOf = (error: Failure): Kind | undefined => traits(error).retry

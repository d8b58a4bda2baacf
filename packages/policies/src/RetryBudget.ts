/**
 * What all calls to a service together may spend on retries: in an outage they stop once the budget is spent.
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Metric from "effect/Metric"
import { inRange } from "./internal/inRange.ts"
import { makeProvideOf, type Provide } from "./internal/providePolicy.ts"
import * as Metrics from "./Metrics.ts"

/**
 * A budget of tokens, shared by all clients of a key in this process, or by those that were given it. Retries spend, successes refill. When it is empty a failed call
 * is not made again, so in a total outage `n` callers send at most `n + capacity / cost` requests, whatever their
 * policies. Rejections for going too fast cost nothing: the quota holds them back.
 *
 * @example
 * ```ts
 * import { RetryBudget } from "@effect-zim/policies"
 *
 * const left = RetryBudget.RetryBudget.use((budget) => budget.left)
 * ```
 *
 * @category services
 * @since 0.1.0
 */
export class RetryBudget extends Context.Service<
  RetryBudget,
  {
    /** Takes tokens for a retry, if there are enough. */
    readonly spend: (tokens: number) => Effect.Effect<boolean>
    /** Puts tokens back, up to the capacity. */
    readonly refill: (tokens: number) => Effect.Effect<void>
    /** The tokens left. */
    readonly left: Effect.Effect<number>
    readonly costs: Costs
  }
>()("@effect-zim/policies/RetryBudget") {}

/**
 * What things cost and bring, in tokens.
 *
 * @category models
 * @since 0.1.0
 */
export interface Costs {
  /** A retry of a failure that was answered. Default: 5. */
  readonly retry: number
  /** A retry after no answer came, which weighs more on a service that is slow. Default: 10. */
  readonly timeoutRetry: number
  /** What a call that succeeds at first brings; one that succeeds after a retry brings back what that cost. Default: 1. */
  readonly success: number
}

/**
 * What a budget is made of: finite numbers, 0 or more. A budget of any other dies with a `RangeError` that names the
 * option.
 *
 * @category models
 * @since 0.1.0
 */
export interface Options extends Partial<Costs> {
  /** The most tokens, and those at the start. Default: 500. */
  readonly capacity?: number | undefined
}

const checked = (name: keyof Options, value: number): number =>
  inRange(`the retry budget's ${name}`, value, Number.isFinite(value) && value >= 0, "a finite number, 0 or more")

/**
 * A budget within this process.
 *
 * @example
 * ```ts
 * import { RetryBudget } from "@effect-zim/policies"
 * import { Effect } from "effect"
 *
 * // A job with a budget of its own.
 * const withOwnBudget = Effect.fnUntraced(function* <A, E, R>(job: Effect.Effect<A, E, R>) {
 *   const budget = yield* RetryBudget.make({ capacity: 50 })
 *   const result = yield* RetryBudget.provide(job, budget)
 *   return [result, yield* budget.left] as const
 * })
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = (options: Options = {}): Effect.Effect<RetryBudget["Service"]> =>
  Effect.suspend(() => {
    const capacity = checked("capacity", options.capacity ?? 500)
    const costs: Costs = {
      retry: checked("retry", options.retry ?? 5),
      timeoutRetry: checked("timeoutRetry", options.timeoutRetry ?? 10),
      success: checked("success", options.success ?? 1)
    }
    let tokens = capacity
    const change = (to: number) => {
      tokens = to
      return Metric.update(Metrics.retryBudget, tokens)
    }
    const budget: RetryBudget["Service"] = {
      spend: (cost) =>
        Effect.suspend(() => {
          if (cost > tokens) return Effect.succeed(false)
          return cost === 0 ? Effect.succeed(true) : Effect.as(change(tokens - cost), true)
        }),
      refill: (gain) =>
        Effect.suspend(() => (tokens === capacity ? Effect.void : change(Math.min(capacity, tokens + gain)))),
      left: Effect.sync(() => tokens),
      costs
    }
    return Effect.as(change(capacity), budget)
  })

/**
 * A budget for every client built on this layer.
 *
 * @example
 * ```ts
 * import { RetryBudget } from "@effect-zim/policies"
 *
 * const layer = RetryBudget.layer({ capacity: 100 })
 * ```
 *
 * @category layers
 * @since 0.1.0
 */
export const layer = (options?: Options): Layer.Layer<RetryBudget> => Layer.effect(RetryBudget, make(options))

/**
 * Runs the calls of an effect or a stream under a budget of their own.
 *
 * @example
 * ```ts
 * import { RetryBudget } from "@effect-zim/policies"
 * import { Effect } from "effect"
 *
 * const sparing = <A, E, R>(job: Effect.Effect<A, E, R>) =>
 *   Effect.flatMap(RetryBudget.make({ capacity: 50 }), (budget) => RetryBudget.provide(job, budget))
 * ```
 *
 * @category combinators
 * @since 0.1.0
 */
export const provide: Provide<RetryBudget["Service"], RetryBudget> = /* @__PURE__ */ makeProvideOf(RetryBudget)

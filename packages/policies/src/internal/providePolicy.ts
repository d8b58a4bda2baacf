/** Runs the calls of an effect or of a stream under a policy: what every `provide` is. */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import { dual } from "effect/Function"
import * as Stream from "effect/Stream"

/**
 * What a policy can be provided to.
 *
 * @category models
 * @since 0.1.0
 */
export type Program = Effect.Effect<unknown, unknown, unknown> | Stream.Stream<unknown, unknown, unknown>

/**
 * An effect or a stream that was given a policy: its types are as before, but for the service `I`, which it has now.
 *
 * @category models
 * @since 0.1.0
 */
export type Provided<Self, I = never> =
  Self extends Stream.Stream<infer A, infer E, infer R>
    ? Stream.Stream<A, E, Exclude<R, I>>
    : Self extends Effect.Effect<infer A, infer E, infer R>
      ? Effect.Effect<A, E, Exclude<R, I>>
      : never

/**
 * The `provide` of a policy: for an effect and for a stream, data-last and data-first.
 *
 * @category models
 * @since 0.1.0
 */
export interface Provide<in Policy, in out I = never> {
  (policy: Policy): <Self extends Program>(self: Self) => Provided<Self, I>
  <Self extends Program>(self: Self, policy: Policy): Provided<Self, I>
}

/**
 * The `provide` of a policy of one's own, such as a reference that {@link make} is told of.
 *
 * @example
 * ```ts
 * import { Policies, RetryPolicy } from "@effect-zim/policies"
 * import { Context, Effect } from "effect"
 *
 * const Retry = Context.Reference("weather/Retry", { defaultValue: () => RetryPolicy.standard })
 * const provide = Policies.makeProvide((policy: RetryPolicy.RetryPolicy) => Context.make(Retry, policy))
 * const once = Effect.void.pipe(provide(RetryPolicy.none))
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const makeProvide = <Policy, I>(contextOf: (policy: Policy) => Context.Context<I>): Provide<Policy, I> => {
  function provide<Self extends Program>(self: Self, policy: Policy): Provided<Self, I>
  function provide(self: Program, policy: Policy): Program {
    const context = contextOf(policy)
    // @effect-diagnostics-next-line anyUnknownInErrorContext:off Of any program: `Provided` has its types.
    return Stream.isStream(self) ? Stream.provideContext(self, context) : Effect.provideContext(self, context)
  }
  return dual(2, provide)
}

/** The `provide` of a policy that is one service or reference. */
export const makeProvideOf = <I, Policy>(key: Context.Key<I, Policy>): Provide<Policy, I> =>
  makeProvide((policy) => Context.make(key, policy))

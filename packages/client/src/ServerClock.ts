/**
 * The service's clock, as far as its answers tell: `ServerClock` of `@effect-zim/policies`.
 *
 * @since 0.1.0
 */
export * from "@effect-zim/policies/ServerClock"

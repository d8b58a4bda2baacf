/**
 * Keeps calls back while a host keeps failing: `CircuitBreaker` of `@effect-zim/policies`.
 *
 * @since 0.1.0
 */
export * from "@effect-zim/policies/CircuitBreaker"

/**
 * What all calls to an app together may spend on retries: `RetryBudget` of `@effect-zim/policies`.
 *
 * @since 0.1.0
 */
export * from "@effect-zim/policies/RetryBudget"

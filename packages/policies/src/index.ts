/**
 * Policies for calls to a service that counts them: a quota, retries and their budget, a circuit breaker, timeouts, and
 * the service's clock.
 *
 * @since 0.1.0
 */
export * as Call from "./Call.ts"
export * as CircuitBreaker from "./CircuitBreaker.ts"
export * as Meaning from "./Meaning.ts"
export * as Metrics from "./Metrics.ts"
export { AttemptTimedOut, CircuitOpen, DeadlineExceeded, type PolicyError, QuotaUnavailable } from "./PolicyError.ts"
export * as Policies from "./Policies.ts"
export * as Quota from "./Quota.ts"
export * as RetryBudget from "./RetryBudget.ts"
export * as RetryPolicy from "./RetryPolicy.ts"
export * as ServerClock from "./ServerClock.ts"
export * as Timeout from "./Timeout.ts"

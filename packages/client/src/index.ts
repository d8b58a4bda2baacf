/**
 * A client for ZEGOCLOUD's ZIM server API: typed calls, policies, and conversation lists as streams.
 *
 * @since 0.1.0
 */
export { CircuitBreaker, Quota, RetryBudget, ServerClock, Timeout } from "@effect-zim/policies"
export * as ClientError from "./ClientError.ts"
export * as Conversations from "./Conversations.ts"
export * as Endpoint from "./Endpoint.ts"
export * as UntypedOperation from "./UntypedOperation.ts"
export * as Paging from "./Paging.ts"
export { ResponseLimit } from "./ResponseLimit.ts"
export * as RetryPolicy from "./RetryPolicy.ts"
export * as Telemetry from "./Telemetry.ts"
export * as ZimClient from "./ZimClient.ts"

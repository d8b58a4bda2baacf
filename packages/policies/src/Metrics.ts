/**
 * What the policies tell about themselves, as Effect `Metric`s: any exporter of Effect's finds them.
 *
 * @since 0.1.0
 */
import * as Metric from "effect/Metric"

/**
 * Tokens left in the retry budget; of several in one process, the one that changed last.
 *
 * @category metrics
 * @since 0.1.0
 */
export const retryBudget = Metric.gauge("policies.retry_budget.left", { description: "Tokens left for retries" })

/**
 * The service's clock minus this machine's, in milliseconds: positive where this machine's is behind.
 *
 * @category metrics
 * @since 0.1.0
 */
export const clockOffset = Metric.gauge("policies.clock.offset", {
  description: "Clock offset in milliseconds",
  // By this name an exporter of Effect's finds the unit.
  attributes: { time_unit: "milliseconds" }
})

/**
 * The state of the circuit to each `server.address`: 0 closed, 1 half open, 2 open. Shows up when a circuit first opens.
 *
 * @category metrics
 * @since 0.1.0
 */
export const breakerState = Metric.gauge("policies.circuit_breaker.state", {
  description: "Circuit: 0 closed, 1 half open, 2 open"
})

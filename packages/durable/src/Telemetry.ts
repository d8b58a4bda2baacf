/**
 * What a worker counts. Each batch that it reads has a span, too: `zim.export.batch`.
 *
 * @since 0.1.0
 */
import * as Metric from "effect/Metric"

/**
 * Lines that are done and saved, by `zim.app_id`.
 *
 * @category metrics
 * @since 0.1.0
 */
export const lines = Metric.counter("zim.export.lines", {
  description: "Lines of durable exports that are done and saved",
  incremental: true
})

/**
 * Conversations that were read and saved, by `zim.app_id`.
 *
 * @category metrics
 * @since 0.1.0
 */
export const conversations = Metric.counter("zim.export.conversations", {
  description: "Conversations of durable exports that were read and saved",
  incremental: true
})

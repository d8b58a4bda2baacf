/** Lines without a list, as records. */
import type { Failed, Outcome } from "../Sink.ts"

export const isFailed = (outcome: Outcome): outcome is Failed => outcome._tag === "Failed"

/** One JSON object per line. */
export const toNdjson = (failures: ReadonlyArray<Failed>): string =>
  failures
    .map(
      ({ code, error, line, message, requestId, userId }) =>
        `${JSON.stringify({ line, userId, error, code, requestId, message })}\n`
    )
    .join("")

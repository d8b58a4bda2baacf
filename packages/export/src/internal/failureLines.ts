/** What an export writes of lines without a list: JSON. */
import type { Failed } from "../ExportSink.ts"

/** One JSON object per line. */
export const failureLines = (failures: ReadonlyArray<Failed>): string =>
  failures
    .map(
      ({ code, error, line, message, requestId, userId }) =>
        `${JSON.stringify({ line, userId, error, code, requestId, message })}\n`
    )
    .join("")

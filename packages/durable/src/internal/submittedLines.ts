/** What a store makes of the lines of an export: batches, and failures of those whose user came before. */

/** At the least, so that a small export is shared by several workers too. */
const fewestLines = 20

/** At the most: which of them are left is looked up several times a second. */
const mostBatches = 500

/** The lines of a batch: from 1, the last included. */
export interface Range {
  readonly from: number
  readonly to: number
}

/** The batches of so many lines, in their order. */
export const divide = (lines: number): ReadonlyArray<Range> => {
  const size = Math.max(fewestLines, Math.ceil(lines / mostBatches))
  return Array.from({ length: Math.ceil(lines / size) }, (_, i) => ({
    from: i * size + 1,
    to: Math.min(lines, (i + 1) * size)
  }))
}

/** A line whose user came before. */
export const duplicate = (line: number, text: string) =>
  ({
    _tag: "Failed",
    line,
    userId: text.slice(0, 64),
    error: "DuplicateUser",
    code: undefined,
    requestId: undefined,
    message: "this user has come before"
  }) as const

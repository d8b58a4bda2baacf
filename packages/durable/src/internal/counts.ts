/** Sums of what has been done. */
import type { Checkpoint } from "@effect-zim/export"

export const add = (a: Checkpoint.Counts, b: Checkpoint.Counts): Checkpoint.Counts => ({
  lines: a.lines + b.lines,
  users: a.users + b.users,
  conversations: a.conversations + b.conversations,
  calls: a.calls + b.calls,
  failed: a.failed + b.failed,
  invalid: a.invalid + b.invalid,
  duplicates: a.duplicates + b.duplicates,
  changedWhileReading: a.changedWhileReading + b.changedWhileReading,
  atCap: a.atCap + b.atCap
})

/** How long calls are kept together by which the pace is told, in milliseconds. */
export const bucket = 10_000

/** The time by which it is told. */
export const paceOver = 60_000

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

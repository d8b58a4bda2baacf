/** What goes wrong with a file of SQLite, in words. */
import * as Effect from "effect/Effect"
import * as Predicate from "effect/Predicate"
import * as ExportSink from "../../ExportSink.ts"
import { codeOf, meaningOf } from "../systemErrors.ts"

/** SQLite's primary result codes. */
const meanings: Readonly<Record<number, string>> = {
  5: "another program keeps it locked",
  6: "another program keeps it locked",
  8: "it is read-only",
  10: "the device failed, or has no more room",
  11: "the database is damaged",
  13: "no space left on the device",
  14: "it cannot be opened: the folder may be read-only",
  22: "the file system has no locks",
  23: "permission denied",
  26: "it is no SQLite database"
}

/** Extended ones: a lock could not be read, taken or looked for. */
const withoutLocks: ReadonlySet<number> = new Set([10 | (9 << 8), 10 | (15 << 8), 10 | (14 << 8)])

const errcodeOf = (error: unknown): number =>
  Predicate.hasProperty(error, "errcode") && typeof error.errcode === "number" ? error.errcode : 0

/** Whether somebody else has locked it. Deno has only the message. */
export const isBusy = (error: unknown): boolean =>
  (errcodeOf(error) & 255) === 5 || (error instanceof Error && error.message === "database is locked")

/** Whether it is no database at all. */
export const isNoDatabase = (error: unknown): boolean => (errcodeOf(error) & 255) === 26

/** Whether it is a database in part only. */
export const isDamaged = (error: unknown): boolean => (errcodeOf(error) & 255) === 11

const problemOf = (error: unknown): string => {
  const code = errcodeOf(error)
  if (withoutLocks.has(code)) return "the file system has no locks"
  return meanings[code & 255] ?? meaningOf(codeOf(error)) ?? String(error)
}

const attemptTo =
  (operation: "read" | "write") =>
  <A>(path: string, run: () => A): Effect.Effect<A, ExportSink.SinkFailed> =>
    Effect.try({
      try: run,
      catch: (cause) => new ExportSink.SinkFailed({ path, operation, problem: problemOf(cause), cause })
    })

/** Runs what throws where the file fails. */
export const attempt = attemptTo("write")

/** The same for what only reads. */
export const attemptRead = attemptTo("read")

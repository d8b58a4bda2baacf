/** Runs what SQLite does, and tells its errors apart. */
import * as Effect from "effect/Effect"
import * as ExportSink from "../../ExportSink.ts"
import { errcodeOf } from "../fileErrors.ts"

/** Whether somebody else has locked it. Deno has only the message. */
export const isBusy = (error: unknown): boolean =>
  (errcodeOf(error) & 255) === 5 || (error instanceof Error && error.message === "database is locked")

/** Whether it is no database at all. */
export const isNoDatabase = (error: unknown): boolean => (errcodeOf(error) & 255) === 26

/** Whether it is a database in part only. */
export const isDamaged = (error: unknown): boolean => (errcodeOf(error) & 255) === 11

const attemptTo =
  (operation: "read" | "write") =>
  <A>(path: string, run: () => A): Effect.Effect<A, ExportSink.SinkFailed> =>
    Effect.try({
      try: run,
      catch: (cause) => ExportSink.failed(path, operation, cause)
    })

/** Runs what throws where the file fails. */
export const attempt = attemptTo("write")

/** The same for what only reads. */
export const attemptRead = attemptTo("read")

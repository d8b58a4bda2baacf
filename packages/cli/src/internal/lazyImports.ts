/** What is loaded when it is needed, so that everything else starts without it: chunks of the bundle. */
import * as Effect from "effect/Effect"

/** Exports in a database, with the cluster and PostgreSQL. */
export const importDurable = Effect.promise(() => import("./durableExports.ts"))

/** SQLite. Node says up to version 22 that it is experimental: that is not for users of a command. */
export const importSqlite = Effect.promise(async () => {
  const { emitWarning } = process
  process.emitWarning = () => undefined
  try {
    return await import("@effect-zim/export/SqliteSink")
  } finally {
    process.emitWarning = emitWarning
  }
})

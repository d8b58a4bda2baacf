/** SQLite, loaded when it is needed. */
import * as Effect from "effect/Effect"

/** Node says that SQLite is experimental up to version 22: that is not for users of a command. */
export const importSqlite = Effect.promise(async () => {
  const { emitWarning } = process
  process.emitWarning = () => undefined
  try {
    return await import("@effect-zim/export/SqliteSink")
  } finally {
    process.emitWarning = emitWarning
  }
})

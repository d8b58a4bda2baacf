/** What the other packages do. Each is loaded by its row alone: a runtime may lack what one of them imports. */
import * as Effect from "effect/Effect"
import { type Check, type Checks, Wrong } from "./Check.ts"

const loading =
  (load: () => Promise<{ readonly check: Check }>): Check =>
  (given) =>
    Effect.flatMap(
      Effect.tryPromise({
        try: load,
        catch: (error) => new Wrong({ message: error instanceof Error ? error.message : String(error) })
      }),
      ({ check }) => check(given)
    )

export const checks: Checks = {
  "`@effect-zim/node`: `UndiciHttpClient`": loading(() => import("./undici.ts")),
  "`@effect-zim/emulator`: in the process": loading(() => import("./emulator.ts")),
  "`@effect-zim/emulator`: over HTTP": loading(() => import("./emulatorServer.ts")),
  "`@effect-zim/testing`: laws in virtual time": loading(() => import("./testing.ts")),
  "`@effect-zim/durable`: an export in memory": loading(() => import("./durable.ts")),
  "`@effect-zim/export`: to NDJSON": loading(() => import("./ndjson.ts")),
  "`@effect-zim/export`: to SQLite": loading(() => import("./sqlite.ts"))
}

/** Exports in a database, loaded when they are needed: the other commands start without the cluster and PostgreSQL. */
import * as Effect from "effect/Effect"

export const importDurable = Effect.promise(() => import("./exportsInDatabase.ts"))

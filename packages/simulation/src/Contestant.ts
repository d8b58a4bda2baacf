/** What takes part: a way to keep to a limit, as its authors define it. */
import type * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type { Wire } from "./NetworkPath.ts"

/** A call, with the retries that belong to the contestant: whether it was answered in the end. */
export type Call = Effect.Effect<boolean>

/** Starts a process: how it makes its calls over its wire. */
export type Process = (wire: Wire) => Effect.Effect<Call, never, Scope.Scope>

export interface Contestant {
  readonly name: string
  /** Sets up what the processes share. */
  readonly start: Effect.Effect<Process, never, Scope.Scope>
}

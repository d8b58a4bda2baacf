/** What an output, its checkpoint or a setting is refused for. */
import * as Effect from "effect/Effect"
import { CheckpointInvalid, type InvalidReason } from "../Checkpoint.ts"
import { OutputUnusable } from "../ExportSink.ts"

export const unusable = (path: string, problem: string): OutputUnusable => new OutputUnusable({ path, problem })

export const invalid = (path: string, reason: InvalidReason["_tag"], problem: string): CheckpointInvalid =>
  new CheckpointInvalid({ path, reason: { _tag: reason }, problem })

/** An output goes on with the app that it is of. */
export const assertOfApp = (path: string, found: number, appId: number): Effect.Effect<void, CheckpointInvalid> =>
  found === appId
    ? Effect.void
    : Effect.fail(invalid(path, "OtherApp", `it is of app ${found}, these settings are of app ${appId}`))

/** A number is in its range; else it throws a `RangeError` that names it. */
export const assertInRange = (what: string, value: number, isValid: boolean, range: string): void => {
  if (!isValid) throw new RangeError(`${what} is ${range}, not ${value}`)
}

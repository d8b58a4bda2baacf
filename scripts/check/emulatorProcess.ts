/**
 * `zim emulator start` as a process.
 */
import { Effect, Schema } from "effect"
import * as Command from "./Command.ts"
import * as ReadyLine from "./ReadyLine.ts"

const Ready = Schema.Struct({ url: Schema.String, adminUrl: Schema.String, conversations: Schema.Int })
const decode = Schema.decodeResult(Schema.fromJsonString(Ready))

export type Ready = typeof Ready.Type

/** Runs it on free ports for as long as the scope lasts, and waits for its line; `command` is how to run `zim`. */
export const start = (command: readonly [string, ...Array<string>], args: ReadonlyArray<string>) =>
  Effect.map(
    ReadyLine.start([...command, "emulator", "start", "--port", "0", ...args], (line) => decode(line), {
      cwd: Command.root
    }),
    ({ line }) => line
  )

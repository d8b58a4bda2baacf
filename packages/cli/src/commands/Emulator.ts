/**
 * `zim emulator`: the service without an account.
 */
import * as Command from "effect/cli/Command"
import { start } from "./EmulatorStart.ts"

/**
 * The command.
 */
export const emulator = Command.make("emulator").pipe(
  Command.withDescription("Run the service without an account."),
  Command.withShortDescription("Run the service without an account"),
  Command.withSubcommands([start])
)

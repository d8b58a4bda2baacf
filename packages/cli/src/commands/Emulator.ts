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
  Command.withExamples([{ command: "zim emulator start", description: "A generated world; its settings are printed" }]),
  Command.withSubcommands([start])
)

/**
 * `zim conversations`: everything about conversation lists.
 */
import * as Command from "effect/cli/Command"
import { list } from "./ConversationsList.ts"

/**
 * The command.
 */
export const conversations = Command.make("conversations").pipe(
  Command.withDescription("Read conversation lists."),
  Command.withShortDescription("Read conversation lists"),
  Command.withExamples([{ command: "zim conversations list user-42", description: "A user's conversations" }]),
  Command.withSubcommands([list])
)

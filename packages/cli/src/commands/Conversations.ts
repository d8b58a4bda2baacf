/**
 * `zim conversations`: everything about conversation lists.
 */
import * as Command from "effect/cli/Command"
import { exportCommand } from "./ConversationsExport.ts"
import { list } from "./ConversationsList.ts"
import { stats } from "./ConversationsStats.ts"

/**
 * The command.
 */
export const conversations = Command.make("conversations").pipe(
  Command.withDescription("Read conversation lists."),
  Command.withShortDescription("Read conversation lists"),
  Command.withExamples([
    { command: "zim conversations list user-42", description: "A user's conversations" },
    { command: "zim conversations export --users users.txt --out lists.ndjson", description: "Everybody's" }
  ]),
  Command.withSubcommands([list, exportCommand, stats])
)

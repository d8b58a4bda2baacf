/**
 * `zim exports`: exports that are kept in a database, and read by workers.
 */
import * as Command from "effect/cli/Command"
import { cancel, pause, resume } from "./ExportsChange.ts"
import { failures } from "./ExportsFailures.ts"
import { list } from "./ExportsList.ts"
import { show } from "./ExportsShow.ts"
import { submit } from "./ExportsSubmit.ts"

/**
 * The command.
 */
export const exportsCommand = Command.make("exports").pipe(
  Command.withDescription(
    "Exports that outlive a machine: kept in a PostgreSQL database, and read by any number of workers."
  ),
  Command.withShortDescription("Exports by workers, kept in a database"),
  Command.withExamples([
    { command: "zim exports submit --users users.txt", description: "Prints its id" },
    { command: "zim exports show ID --watch", description: "Follow it until it ends" }
  ]),
  Command.withSubcommands([submit, list, show, failures, pause, resume, cancel])
)

/**
 * `zim worker`: who reads exports that are kept in a database.
 */
import * as Command from "effect/cli/Command"
import { start } from "./WorkerStart.ts"

/**
 * The command.
 */
export const worker = Command.make("worker").pipe(
  Command.withDescription("Read exports that are kept in a PostgreSQL database: zim exports submits them."),
  Command.withShortDescription("Read exports that are kept in a database"),
  Command.withExamples([{ command: "zim worker start", description: "With ZIM_DATABASE_URL set" }]),
  Command.withSubcommands([start])
)

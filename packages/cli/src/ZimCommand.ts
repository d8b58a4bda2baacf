/**
 * The `zim` command: parses the command line, runs the command, and turns whatever happens into output and an exit code.
 */
import * as Cause from "effect/Cause"
import * as CliConfig from "effect/cli/CliConfig"
import * as Command from "effect/cli/Command"
import * as GlobalFlag from "effect/cli/GlobalFlag"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import { call } from "./commands/Call.ts"
import { codes } from "./commands/Codes.ts"
import { exportCommand } from "./commands/ConversationsExport.ts"
import * as ConversationsList from "./commands/ConversationsList.ts"
import { stats } from "./commands/ConversationsStats.ts"
import { doctor } from "./commands/Doctor.ts"
import { emulator } from "./commands/Emulator.ts"
import { cancel, pause, resume } from "./commands/ExportsControl.ts"
import { failures } from "./commands/ExportsFailures.ts"
import * as ExportsList from "./commands/ExportsList.ts"
import { show } from "./commands/ExportsShow.ts"
import { submit } from "./commands/ExportsSubmit.ts"
import { worker } from "./commands/Worker.ts"
import * as ErrorReport from "./ErrorReport.ts"
import * as ExitCode from "./ExitCode.ts"
import { CompletionScript } from "./internal/completions.ts"
import { Quiet, quietLogs } from "./internal/flags.ts"
import * as Help from "./internal/help.ts"
import * as Output from "./internal/output.ts"
import * as Terminal from "./internal/terminal.ts"
import { version } from "./internal/version.ts"

/** Everything about conversation lists. */
const conversations = Command.make("conversations").pipe(
  Command.withDescription("Read conversation lists."),
  Command.withShortDescription("Read conversation lists"),
  Command.withExamples([
    { command: "zim conversations list user-42", description: "A user's conversations" },
    { command: "zim conversations export --users users.txt --out lists.ndjson", description: "Everybody's" }
  ]),
  Command.withSubcommands([ConversationsList.list, exportCommand, stats])
)

/** Exports that are kept in a database, and read by workers. */
const exportsCommand = Command.make("exports").pipe(
  Command.withDescription(
    "Exports that outlive a machine: kept in a PostgreSQL database, and read by any number of workers."
  ),
  Command.withShortDescription("Exports by workers, kept in a database"),
  Command.withExamples([
    { command: "zim exports submit --users users.txt", description: "Prints its id" },
    { command: "zim exports show ID --watch", description: "Follow it until it ends" }
  ]),
  Command.withSubcommands([submit, ExportsList.list, show, failures, pause, resume, cancel])
)

/**
 * The root command.
 */
export const zim = Command.make("zim").pipe(
  Command.withDescription("ZEGOCLOUD's ZIM server API on the command line."),
  Command.withExamples([
    { command: "zim conversations list user-42", description: "A user's conversations" },
    { command: "zim conversations export --users users.txt --out lists.ndjson", description: "Everybody's" },
    { command: "zim exports submit --users users.txt", description: "The same, by workers on several machines" },
    { command: "zim emulator start", description: "The service without an account" },
    { command: "zim doctor", description: "Why it does not work" },
    { command: "zim codes 660300005", description: "What a return code means" },
    { command: "zim --completions zsh", description: "A completion script for bash, zsh, fish or PowerShell" }
  ]),
  Command.withSubcommands([conversations, exportsCommand, worker, call, doctor, emulator, codes]),
  Command.provide(quietLogs),
  Command.withGlobalFlags([Quiet])
)

const services = Layer.mergeAll(
  CliConfig.layer({
    builtIns: [Help.HelpText, Help.VersionText, GlobalFlag.LogLevel, CompletionScript]
  }),
  Help.layer,
  Terminal.layer,
  // Standard output is for results.
  Layer.succeed(Logger.LogToStderr, true)
)

/**
 * Runs a command line, given without the name of the program, to its exit code. Errors are printed, in two lines;
 * interruption is passed on.
 */
export const run = (args: ReadonlyArray<string>): Effect.Effect<number, never, Command.Environment> =>
  Command.runWith(zim, { version })(args).pipe(
    // A group of commands without one of them: the help is shown.
    Effect.catchTag("ShowHelp", (error) => (error.errors.length === 0 ? Effect.void : Effect.fail(error))),
    Output.printAnswer,
    Effect.as(ExitCode.table.Ok.code),
    Effect.catchCause((cause) => {
      if (Cause.hasInterruptsOnly(cause)) return Effect.interrupt
      const report = ErrorReport.reportCause(cause)
      return Terminal.errorWidth.pipe(
        Effect.flatMap((width) => Console.error(ErrorReport.lines(report, width))),
        Effect.as(ExitCode.table[report.exit].code)
      )
    }),
    Effect.provide(services)
  )

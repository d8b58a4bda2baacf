/** `--completions`: a script for a shell, with every command and every flag. */
import * as Completions from "effect/cli/Completions"
import * as GlobalFlag from "effect/cli/GlobalFlag"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Output from "./output.ts"

/** What a shell needs to know of the flags that every command has: Effect's scripts have only a command's own. */
const everywhere: ReadonlyArray<Completions.FlagDescriptor> = [
  { name: "help", aliases: ["h"], description: "Show help information", type: { _tag: "Boolean" }, negation: false },
  {
    name: "version",
    aliases: ["v"],
    description: "Show version information",
    type: { _tag: "Boolean" },
    negation: false
  },
  {
    name: "quiet",
    aliases: ["q"],
    description: "Print results and errors only",
    type: { _tag: "Boolean" },
    negation: false
  },
  {
    name: "log-level",
    aliases: [],
    description: "Sets the minimum log level",
    type: { _tag: "Choice", values: ["all", "trace", "debug", "info", "warn", "error", "fatal", "none"] }
  },
  {
    name: "completions",
    aliases: [],
    description: "Print shell completion script",
    type: { _tag: "Choice", values: ["bash", "zsh", "fish", "powershell"] }
  }
]

/** Flags whose value names a file, if it is text at all. */
const files = new Set(["users", "out", "failures", "from", "world", "faults", "apps"])

const complete = (command: Completions.CommandDescriptor): Completions.CommandDescriptor => ({
  ...command,
  flags: [
    ...command.flags.map((flag): Completions.FlagDescriptor => ({
      ...flag,
      type: flag.type._tag === "String" && files.has(flag.name) ? { _tag: "Path", pathType: "either" } : flag.type
    })),
    ...everywhere
  ],
  subcommands: command.subcommands.map(complete)
})

/** The flag. */
export const CompletionScript: typeof GlobalFlag.Completions = GlobalFlag.Action({
  flag: GlobalFlag.Completions.flag,
  run: (shell, { command }) =>
    Option.match(shell, {
      onNone: () => Effect.void,
      onSome: (shell) => {
        const descriptor = complete(Completions.fromCommand(command))
        return Output.answer(Completions.generate(command.name, shell, descriptor))
      }
    })
})

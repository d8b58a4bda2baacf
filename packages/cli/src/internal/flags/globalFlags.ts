/** Flags that every command has, beside those that Effect brings. */
import * as Completions from "effect/cli/Completions"
import * as Flag from "effect/cli/Flag"
import * as GlobalFlag from "effect/cli/GlobalFlag"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as References from "effect/References"
import { boolean } from "./commonFlags.ts"
import * as Output from "../output.ts"

/** `--quiet`: results and errors, and nothing that is only nice to know. */
export const Quiet = GlobalFlag.Setting("quiet")({
  flag: boolean("quiet").pipe(Flag.withAlias("q"), Flag.withDescription("Print results and errors only"))
})

/** Makes one of Effect's a flag that takes no word for its value, and has no opposite: that it is given is what counts. */
const alone = (flag: Flag.Flag<boolean>): Flag.Flag<boolean> =>
  flag.pipe(Flag.withOptionalValue("true"), Flag.withoutNegation)

export const HelpText: typeof GlobalFlag.Help = GlobalFlag.Action({
  flag: alone(GlobalFlag.Help.flag),
  run: GlobalFlag.Help.run
})
export const VersionText: typeof GlobalFlag.Version = GlobalFlag.Action({
  flag: alone(GlobalFlag.Version.flag),
  run: GlobalFlag.Version.run
})

/** Warnings are no errors: `--quiet` leaves them out, unless `--log-level` asks for more. */
export const quietLogs = Layer.effect(
  References.MinimumLogLevel,
  Effect.gen(function* () {
    const level = yield* References.MinimumLogLevel
    return (yield* Quiet) && level === "Info" ? "Error" : level
  })
)

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

/** `--completions`: a script for a shell, with every command and every flag. */
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

/** `--help` and `--version`, laid out for a terminal of 80 columns. */
import * as CliOutput from "effect/cli/CliOutput"
import * as Flag from "effect/cli/Flag"
import * as GlobalFlag from "effect/cli/GlobalFlag"
import type * as HelpDoc from "effect/cli/HelpDoc"
import * as TerminalCapabilities from "effect/cli/TerminalCapabilities"
import * as Effect from "effect/Effect"
import type * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as ExitCode from "../ExitCode.ts"
import * as Colors from "./colors.ts"
import * as Output from "./output.ts"
import { type Cell, rows, standardWidth, wrap } from "./printableText.ts"

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

const layout = { width: standardWidth, indent: 2 }

const settings: ReadonlyArray<readonly [name: string, meaning: string]> = [
  ["ZIM_APP_ID", "The app's id, from the vendor's console"],
  ["ZIM_SERVER_SECRET", "The app's secret, from the vendor's console"],
  ["ZIM_REGION", "Optional: sha, hkg, fra, lax, bom or sgp, the nearest to this machine"],
  ["ZIM_BASE_URL", "Optional, instead of a region: an emulator or a proxy"],
  ["NO_COLOR", "Set to anything: no colors"]
]

const table = (entries: ReadonlyArray<readonly [left: string, right: string]>): ReadonlyArray<string> =>
  rows(
    entries.map(([left, right]): ReadonlyArray<Cell> => [{ text: left }, { text: right }]),
    layout
  )

const describe = (description: Option.Option<string>): string => Option.getOrElse(description, () => "")

const flagName = (flag: HelpDoc.FlagDoc): string => {
  const names = [...flag.aliases, `--${flag.name}`].join(", ")
  if (flag.type === "[=boolean]") return names
  // A list of choices is in the description already.
  return `${names} ${flag.type === "choice" || flag.type.includes("|") ? "CHOICE" : flag.type}`
}

const flags = (docs: ReadonlyArray<HelpDoc.FlagDoc>): ReadonlyArray<string> =>
  table(docs.map((flag) => [flagName(flag), describe(flag.description)]))

/** All of it; or, where nobody asked for help, what shows on a small terminal. */
const format = (doc: HelpDoc.HelpDoc, style: Colors.Style, isWhole: boolean): string => {
  const sections: Array<ReadonlyArray<string>> = []
  const section = (title: string, lines: ReadonlyArray<string>): void => {
    if (lines.length > 0) sections.push([style.bold(title), ...lines])
  }
  sections.push(wrap(doc.description, standardWidth))
  const required = doc.flags.filter((flag) => flag.required).map((flag) => `${flagName(flag)} `)
  section("USAGE", [`  ${doc.usage.replace("[flags]", `${required.join("")}[flags]`)}`])
  section(
    "ARGUMENTS",
    table((doc.args ?? []).map((arg) => [arg.name, `${describe(arg.description)}${arg.required ? "" : " (optional)"}`]))
  )
  section(
    "COMMANDS",
    table(
      (doc.subcommands ?? []).flatMap(({ commands }) =>
        commands.map((command) => [command.name, command.shortDescription ?? command.description] as const)
      )
    )
  )
  if (!isWhole) {
    const [example] = doc.examples ?? []
    section("EXAMPLE", example === undefined ? [] : [`  ${example.command}`])
    sections.push([`All flags, settings and exit codes: ${doc.usage.split(" <", 1).join()} --help`])
    return sections.map((lines) => lines.join("\n")).join("\n\n")
  }
  section("FLAGS", flags(doc.flags))
  section("GLOBAL FLAGS", flags(doc.globalFlags ?? []))
  section(
    "EXAMPLES",
    (doc.examples ?? []).flatMap(({ command, description }) => [
      ...(description === undefined ? [] : [style.dim(`  # ${description}`)]),
      `  ${command}`
    ])
  )
  if (doc.commandPath?.length === 1) {
    section("ENVIRONMENT", table(settings))
    section("EXIT CODES", table(Object.values(ExitCode.table).map(({ code, meaning }) => [String(code), meaning])))
  }
  return sections.map((lines) => lines.join("\n")).join("\n\n")
}

/** Errors of the command line are not shown here: they get their two lines like every other error. */
const present = (event: CliOutput.Presenter.Event): Effect.Effect<void> => {
  switch (event._tag) {
    case "Help":
      return Effect.flatMap(TerminalCapabilities.TerminalCapabilities, ({ canColor }) =>
        Output.answer(format(event.helpDoc, Colors.make(canColor), event.reason === "Requested"))
      )
    case "InvalidInvocation":
      return Effect.void
    case "Version":
      return Output.answer(`${event.name} ${event.version}`)
  }
}

export const layer: Layer.Layer<never> = CliOutput.layerPresenter({ present })

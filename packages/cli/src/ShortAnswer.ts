/**
 * The answers that need neither the parser nor Effect's runtime. They are what `ZimCommand.run` prints, made by the same
 * functions; every other command line, and every error, is left to it.
 */
import * as TerminalCapabilities from "effect/cli/TerminalCapabilities"
import * as Context from "effect/Context"
import { env } from "node:process"
import * as CodesText from "./internal/codesText.ts"
import * as Colors from "./internal/colors.ts"
import * as Version from "./internal/version.ts"

const codes = (found: ReadonlyArray<CodesText.KnownCode>): string => {
  const { canColor } = Context.get(Context.empty(), TerminalCapabilities.TerminalCapabilities)
  return `${CodesText.lines(found, Colors.make(canColor && !Colors.isUnwanted(env["FORCE_COLOR"]))).join("\n")}\n`
}

/**
 * What to print on standard output; `undefined` where it takes the whole program to know.
 */
export const find = ([first, second, ...others]: ReadonlyArray<string>): string | undefined => {
  if (others.length > 0) return undefined
  if (first === "codes") {
    // Words may be flags.
    if (second !== undefined && !CodesText.isNumber(second)) return undefined
    const found = CodesText.search(second === undefined ? [] : [second])
    return found.length === 0 ? undefined : codes(found)
  }
  return (first === "--version" || first === "-v") && second === undefined ? `${Version.line}\n` : undefined
}

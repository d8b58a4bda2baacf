/**
 * The terminal: what it can and may, and how wide it is. Apart from `colors.ts`: the answers that come before the program
 * need none of it.
 */
import * as TerminalCapabilities from "effect/cli/TerminalCapabilities"
import * as Config from "effect/Config"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Stdio from "effect/Stdio"
import * as Terminal from "effect/Terminal"
import { isUnwanted } from "./colors.ts"
import { standardWidth } from "./columns.ts"

export const layer: Layer.Layer<never, never, Stdio.Stdio> = Layer.effect(
  TerminalCapabilities.TerminalCapabilities,
  Effect.gen(function* () {
    const { canAnimate, canColor, canPrompt } = yield* TerminalCapabilities.TerminalCapabilities
    const forceColor = yield* Effect.orDie(Config.withDefault(Config.String("FORCE_COLOR"), ""))
    return { canAnimate, canPrompt, canColor: canColor && !isUnwanted(forceColor) }
  })
).pipe(Layer.provide(TerminalCapabilities.layer))

/** Whether standard output is one. */
export const isThere = Stdio.Stdio.use(({ stdoutIsTerminal }) => stdoutIsTerminal)

const widthWhere = Effect.fnUntraced(function* (isTerminal: Effect.Effect<boolean, never, Stdio.Stdio>) {
  const terminal = yield* Terminal.Terminal
  if (!(yield* isTerminal)) return undefined
  const columns = yield* terminal.columns
  return columns > 0 ? columns : standardWidth
})

/** The terminal's width; `undefined` where standard output is none, so that nothing need fit. */
export const width = widthWhere(isThere)

/** The same for standard error. */
export const errorWidth = widthWhere(Stdio.Stdio.use(({ stderrIsTerminal }) => stderrIsTerminal))

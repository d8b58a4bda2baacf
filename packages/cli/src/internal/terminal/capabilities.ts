/** What the terminal can, and may. Apart from `colors.ts`: the answers that come before the program need none of it. */
import * as TerminalCapabilities from "effect/cli/TerminalCapabilities"
import * as Config from "effect/Config"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Stdio from "effect/Stdio"
import { isUnwanted } from "./colors.ts"

export const layer: Layer.Layer<never, never, Stdio.Stdio> = Layer.effect(
  TerminalCapabilities.TerminalCapabilities,
  Effect.gen(function* () {
    const { canAnimate, canColor, canPrompt } = yield* TerminalCapabilities.TerminalCapabilities
    const forceColor = yield* Effect.orDie(Config.withDefault(Config.String("FORCE_COLOR"), ""))
    return { canAnimate, canPrompt, canColor: canColor && !isUnwanted(forceColor) }
  })
).pipe(Layer.provide(TerminalCapabilities.layer))

/** Bold, dim and colored text, where the terminal shows it and `NO_COLOR` does not forbid it. */
import * as TerminalCapabilities from "effect/cli/TerminalCapabilities"
import * as Effect from "effect/Effect"

export interface Style {
  readonly bold: (text: string) => string
  readonly dim: (text: string) => string
  readonly red: (text: string) => string
  readonly green: (text: string) => string
  readonly yellow: (text: string) => string
}

const paint =
  (canColor: boolean, code: number) =>
  (text: string): string =>
    canColor && text !== "" ? `\u001B[${code}m${text}\u001B[0m` : text

export const make = (canColor: boolean): Style => ({
  bold: paint(canColor, 1),
  dim: paint(canColor, 2),
  red: paint(canColor, 31),
  green: paint(canColor, 32),
  yellow: paint(canColor, 33)
})

/** Whether `FORCE_COLOR` says that colors are not wanted: Effect only takes it for not forced. */
export const isUnwanted = (forceColor: string | undefined): boolean => forceColor === "0" || forceColor === "false"

export const style: Effect.Effect<Style> = Effect.map(TerminalCapabilities.TerminalCapabilities, ({ canColor }) =>
  make(canColor)
)

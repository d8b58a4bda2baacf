/** The terminal: one live line while lists are read, or a plain one now and then where there is no terminal. */
import { Console, Effect, Schedule } from "effect"
import { TerminalCapabilities } from "effect/cli"

export interface Progress {
  users: number
  conversations: number
  pages: number
  mishaps: number
}

const paint = (canColor: boolean, code: number) => (text: string) =>
  canColor ? `\u001B[${code}m${text}\u001B[0m` : text

export const palette = Effect.map(TerminalCapabilities.TerminalCapabilities, ({ canColor }) => ({
  bold: paint(canColor, 1),
  dim: paint(canColor, 2),
  red: paint(canColor, 31),
  green: paint(canColor, 32),
  cyan: paint(canColor, 36)
}))

export type Palette = Effect.Success<typeof palette>

export const count = (number: number, singular: string, plural = `${singular}s`): string =>
  `${number.toLocaleString("en-US")} ${number === 1 ? singular : plural}`

const barWidth = 24

const bar = (share: number): string => {
  const full = Math.round(share * barWidth)
  return "━".repeat(full) + "─".repeat(barWidth - full)
}

/** Shows progress while an effect runs, and a last time when it has ended. `refresh` brings it up to date. */
export const withProgress =
  (progress: Progress, total: number, startedAt: number, refresh: Effect.Effect<void>) =>
  <A, E, R>(self: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
    Effect.gen(function* () {
      const { canAnimate } = yield* TerminalCapabilities.TerminalCapabilities
      const { cyan } = yield* palette
      const facts = (): string => {
        const seconds = (performance.now() - startedAt) / 1000
        const mishaps = progress.mishaps === 0 ? "" : `  ${count(progress.mishaps, "mishap")}`
        return `${progress.users}/${total} users  ${count(progress.conversations, "conversation")}${mishaps}  ${seconds.toFixed(0)} s`
      }
      const show = canAnimate
        ? Effect.sync(() => process.stdout.write(`\r\u001B[2K  ${cyan(bar(progress.users / total))}  ${facts()}`))
        : Effect.suspend(() => Console.log(`  ${facts()}`))
      const live = Effect.andThen(refresh, show).pipe(
        Effect.repeat(Schedule.spaced(canAnimate ? "80 millis" : "1500 millis"))
      )
      const result = yield* Effect.raceFirst(self, Effect.andThen(live, Effect.never))
      yield* Effect.andThen(refresh, show)
      if (canAnimate) yield* Console.log("")
      return result
    })

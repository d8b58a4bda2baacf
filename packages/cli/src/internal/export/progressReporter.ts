/** Shows how an export is getting on, on standard error: a line that is rewritten, or one every few seconds. */
import * as Config from "effect/Config"
import * as Console from "effect/Console"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Schedule from "effect/Schedule"
import type * as Scope from "effect/Scope"
import * as Stdio from "effect/Stdio"
import * as Stream from "effect/Stream"
import * as Terminal from "effect/Terminal"
import { standardWidth } from "../terminal/terminalText.ts"

const every = { terminal: Duration.millis(200), pipe: Duration.seconds(5) }

const clearLine = "\r\u001B[2K"

export interface Reporter {
  /** Prints a line of its own. */
  readonly say: (line: string) => Effect.Effect<void>
}

/** Shows a line, which may have a width, until the scope ends. `quiet` shows nothing. */
export const start = Effect.fnUntraced(function* (
  line: (width?: number) => Effect.Effect<string>,
  quiet: boolean
): Effect.fn.Return<Reporter, never, Scope.Scope | Stdio.Stdio | Terminal.Terminal> {
  if (quiet) return { say: () => Effect.void }
  const stdio = yield* Stdio.Stdio
  const term = yield* Effect.orElseSucceed(Config.withDefault(Config.String("TERM"), ""), () => "")
  if (!(yield* stdio.stderrIsTerminal) || term === "dumb") {
    const show = Effect.flatMap(line(), (line) => Console.error(line))
    yield* Effect.forkScoped(Effect.repeat(Effect.delay(show, every.pipe), Schedule.forever))
    return { say: (line) => Console.error(line) }
  }
  const terminal = yield* Terminal.Terminal
  // Progress is not worth an error: whoever closed standard error does not look.
  const write = (text: string) => Effect.ignore(Stream.run(Stream.make(text), stdio.stderr()))
  const show = Effect.gen(function* () {
    const columns = yield* terminal.columns
    // There the terminal shows ^C, and some begin a new line at the last column.
    const free = 4
    yield* write(clearLine + (yield* line((columns > 0 ? columns : standardWidth) - free)))
  })
  yield* Effect.addFinalizer(() => write(clearLine))
  yield* Effect.forkScoped(Effect.repeat(show, Schedule.spaced(every.terminal)))
  return { say: (line) => write(`${clearLine}${line}\n`) }
})

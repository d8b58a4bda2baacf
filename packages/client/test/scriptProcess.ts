/** A script of the tests in a process of its own. */
import * as Effect from "effect/Effect"
import { spawn } from "node:child_process"
import { once } from "node:events"
import { fileURLToPath } from "node:url"

/** What has Node run our sources. */
export const condition = "--conditions=@effect-zim/source"

/** A process of a script beside the tests, what it has printed, and how it ends. It ends with the scope. */
export const start = (script: string, ...parameters: ReadonlyArray<string>) =>
  Effect.acquireRelease(
    Effect.sync(() => {
      const path = fileURLToPath(new URL(script, import.meta.url))
      const child = spawn(process.execPath, [condition, path, ...parameters])
      let output = ""
      child.stdout.on("data", (data: Buffer) => (output += data.toString()))
      child.stderr.on("data", (data: Buffer) => (output += data.toString()))
      const ended = once(child, "exit").then((): unknown => child.exitCode)
      /** Waits until it has said so, and gives what it has said. A process that ends before never will. */
      const said = (what: RegExp) =>
        Effect.gen(function* () {
          while (!what.test(output)) {
            if (child.exitCode !== null || child.signalCode !== null) {
              return yield* Effect.die(new Error(`${script} ended before it said ${what}:\n${output}`))
            }
            yield* Effect.sleep("10 millis")
          }
          return output
        })
      return { child, ended: Effect.promise(() => ended), output: () => output, said }
    }),
    ({ child }) => Effect.sync(() => void child.kill("SIGKILL"))
  )

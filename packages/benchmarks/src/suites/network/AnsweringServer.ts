/** The child process that answers. */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { fork } from "node:child_process"
import * as Paths from "../../Paths.ts"
import type { Script } from "./serverProgram.ts"

/** Starts a server that answers by the script, until the scope ends. Its URL, without a slash at the end. */
export const start = (script: Script): Effect.Effect<string, never, Scope.Scope> =>
  Effect.gen(function* () {
    const child = yield* Effect.acquireRelease(
      Effect.sync(() => fork(Paths.beside("suites/network/serverProgram"))),
      (child) => Effect.sync(() => child.kill())
    )
    const port = yield* Effect.callback<number>((resume) => {
      child.once("message", (port) => resume(Effect.succeed(Number(port))))
      child.once("exit", (code) => resume(Effect.die(`the server ended with ${code}`)))
      child.send(script)
    })
    return `http://127.0.0.1:${port}`
  })

const count = async (url: string): Promise<number> => Number(await (await fetch(url)).text())

/** How many requests a server answered so far. */
export const calls = (url: string): Effect.Effect<number> => Effect.promise(() => count(url))

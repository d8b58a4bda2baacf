/**
 * Runs programs: output is captured and shown only when the program fails.
 */
import { Duration, Effect, Stream } from "effect"
import { ChildProcess, type ChildProcessSpawner } from "effect/process"
import { CheckFailed } from "./Step.ts"

/** The workspace's root folder. */
export const root = new URL("../..", import.meta.url).pathname.replace(/\/$/, "")

/** As under `npm run`, so that the steps also work when `scripts/check.ts` is run directly. */
export const path = `${root}/node_modules/.bin:${process.env["PATH"] ?? ""}`

export interface Options {
  readonly cwd?: string
  /** Added to this process's environment; `undefined` removes a variable. */
  readonly env?: Record<string, string | undefined>
  readonly timeout?: Duration.Input
  /** `inherit` shows the output while the program runs instead of capturing it. */
  readonly output?: "capture" | "inherit"
}

export interface Result {
  readonly code: number
  readonly output: string
}

/** Runs a program of `node_modules/.bin` or of the system to its end, without standard input. */
export const run = Effect.fnUntraced(function* (
  program: string,
  args: ReadonlyArray<string>,
  options: Options = {}
): Effect.fn.Return<Result, CheckFailed, ChildProcessSpawner.ChildProcessSpawner> {
  const timeout = Duration.fromInputUnsafe(options.timeout ?? "5 minutes")
  const channel = options.output === "inherit" ? "inherit" : "pipe"
  let output = ""
  const fail = (problem: string) =>
    Effect.fail(new CheckFailed({ output: `$ ${[program, ...args].join(" ")}\n${output}${problem}` }))
  return yield* Effect.gen(function* () {
    const child = yield* ChildProcess.make(program, args, {
      cwd: options.cwd ?? root,
      env: {
        PATH: path,
        NO_COLOR: channel === "inherit" && process.stdout.isTTY ? undefined : "1",
        FORCE_COLOR: undefined,
        ...options.env
      },
      extendEnv: true,
      stdin: "ignore",
      stdout: channel,
      stderr: channel,
      forceKillAfter: "3 seconds"
    })
    yield* Stream.runForEach(Stream.decodeText(child.all), (text) => Effect.sync(() => (output += text)))
    return { code: yield* child.exitCode, output }
  }).pipe(
    Effect.scoped,
    Effect.catchTag("PlatformError", (error) => fail(error.message)),
    Effect.timeoutOrElse({
      duration: timeout,
      orElse: () => fail(`\n(did not finish within ${Duration.format(timeout)})`)
    })
  )
})

/** Runs a program that must exit with 0; returns its output. */
export const succeed = Effect.fnUntraced(function* (
  program: string,
  args: ReadonlyArray<string>,
  options: Options = {}
) {
  const { code, output } = yield* run(program, args, options)
  if (code === 0) return output
  const line = [program, ...args].join(" ")
  return yield* new CheckFailed({ output: `$ ${line}\n${output.trimEnd()}\n(exit code ${code})` })
})

/** Runs the pnpm that the scripts of `package.json` run. */
export const pnpm = (args: ReadonlyArray<string>, options?: Options) =>
  succeed("npx", ["-y", "pnpm@12.21.0", ...args], options)

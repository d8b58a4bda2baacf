/** A program that runs in the background, and says in a line when it is ready. */
import { Deferred, Effect, type Result, Stream } from "effect"
import { ChildProcess } from "effect/process"
import { CheckFailed } from "./Step.ts"

/**
 * Runs it for as long as the scope lasts, and waits for the first line that can be read; that is looked for in what it
 * prints, or in what it writes to its fourth file descriptor. With that comes what it has printed so far.
 */
export const start = Effect.fnUntraced(function* <A>(
  [program, ...args]: readonly [string, ...ReadonlyArray<string>],
  read: (line: string) => Result.Result<A, unknown>,
  options: { readonly cwd: string; readonly env?: Record<string, string>; readonly isOnFd3?: boolean }
) {
  const { cwd, env, isOnFd3 = false } = options
  const child = yield* ChildProcess.make(program, args, {
    cwd,
    env: env ?? {},
    extendEnv: true,
    stdin: "ignore",
    forceKillAfter: "3 seconds",
    additionalFds: isOnFd3 ? { fd3: { type: "output" } } : {}
  })
  let printed = ""
  const silent = Effect.suspend(
    () =>
      new CheckFailed({
        output: `${[program, ...args].join(" ")}\ndoes not say that it is ready; it printed:\n${printed}`
      })
  )
  const ready = yield* Deferred.make<A, CheckFailed>()
  const looking = <E>(lines: Stream.Stream<string, E>) =>
    lines.pipe(
      Stream.splitLines,
      Stream.filterMap(read),
      Stream.runForEach((line) => Deferred.succeed(ready, line)),
      Effect.andThen(Deferred.completeWith(ready, silent))
    )
  const output = Stream.decodeText(child.all).pipe(Stream.tap((text) => Effect.sync(() => (printed += text))))
  yield* Effect.forkScoped(isOnFd3 ? Stream.runDrain(output) : looking(output))
  if (isOnFd3) yield* Effect.forkScoped(looking(Stream.decodeText(child.getOutputFd(3))))
  const line = yield* Deferred.await(ready).pipe(Effect.timeoutOrElse({ duration: "30 seconds", orElse: () => silent }))
  return { line, printed: () => printed }
})

/**
 * `zim emulator start` as a process.
 */
import { Deferred, Effect, Schema, Stream } from "effect"
import { ChildProcess } from "effect/process"
import * as Command from "./Command.ts"
import { CheckFailed } from "./Step.ts"

const Ready = Schema.Struct({ url: Schema.String, adminUrl: Schema.String, conversations: Schema.Int })
const decode = Schema.decodeResult(Schema.fromJsonString(Ready))

export type Ready = typeof Ready.Type

/** Runs it on free ports for as long as the scope lasts, and waits for its line; `command` is how to run `zim`. */
export const start = Effect.fnUntraced(function* (command: readonly [string, ...Array<string>], args: Array<string>) {
  const [program, ...before] = command
  const child = yield* ChildProcess.make(program, [...before, "emulator", "start", "--port", "0", ...args], {
    cwd: Command.root,
    stdin: "ignore",
    forceKillAfter: "3 seconds"
  })
  let printed = ""
  const silent = Effect.suspend(
    () =>
      new CheckFailed({
        output: `${command.join(" ")} emulator start\nhas no line {"url":...}; it printed:\n${printed}`
      })
  )
  const ready = yield* Deferred.make<Ready, CheckFailed>()
  yield* Stream.decodeText(child.all).pipe(
    Stream.tap((text) => Effect.sync(() => (printed += text))),
    Stream.splitLines,
    Stream.filterMap((line) => decode(line)),
    Stream.runForEach((line) => Deferred.succeed(ready, line)),
    Effect.andThen(Deferred.completeWith(ready, silent)),
    Effect.forkScoped
  )
  return yield* Deferred.await(ready).pipe(Effect.timeoutOrElse({ duration: "30 seconds", orElse: () => silent }))
})

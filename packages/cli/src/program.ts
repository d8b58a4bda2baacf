/** `zim` in full: the parser, all commands, and what they need. */
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as NodeServices from "@effect/platform-node/NodeServices"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as MutableRef from "effect/MutableRef"
import * as Stdio from "effect/Stdio"
import { readFileSync } from "node:fs"
import { basename } from "node:path"
import process, { env, stderr } from "node:process"
import * as ExitCode from "./ExitCode.ts"
import * as ZimCommand from "./ZimCommand.ts"

/** A file of Linux about a process; empty where there is none. */
const proc = (path: string): string => {
  try {
    return readFileSync(`/proc/${path}`, "utf8")
  } catch {
    return ""
  }
}

/**
 * Whether it was started under `nohup`. Node forgets at its start that SIGHUP was ignored, but there are traces: the shell
 * names the command that it has started, the shell of a script still ignores the signal (the lowest bit), and GNU's `nohup`
 * puts something that cannot be read in the place of the terminal.
 */
const isUnderNohup = (): boolean =>
  basename(env["_"] ?? "") === "nohup" ||
  /^SigIgn:.*[13579bdf]$/m.test(proc(`${process.ppid}/status`)) ||
  /^flags:.*1$/m.test(proc("self/fdinfo/0"))

/** Lets SIGHUP (the terminal was closed, or the connection to it) stop the program as SIGTERM does, once: a closed terminal sends several. Under `nohup` the program goes on. */
const listenToHangUp = (): void => {
  let isHeard = isUnderNohup()
  process.on("SIGHUP", () => {
    if (isHeard) return
    isHeard = true
    process.emit("SIGTERM", "SIGTERM")
  })
}

const whenInterrupted = MutableRef.make<number>(ExitCode.table.Interrupted.code)

const program = Stdio.Stdio.use(({ args }) => Effect.flatMap(args, ZimCommand.run)).pipe(
  Effect.provideService(ExitCode.WhenInterrupted, whenInterrupted),
  Effect.provide(NodeServices.layer)
)

// Progress and logs are not worth an error: whoever closed standard error does not look.
stderr.on("error", () => undefined)

listenToHangUp()
NodeRuntime.runMain(program, {
  disableErrorReporting: true,
  // `ZimCommand.run` succeeds with the exit code whatever happens: what is left is interruption by a signal.
  teardown: (exit, onExit) =>
    onExit(Exit.isSuccess(exit) && typeof exit.value === "number" ? exit.value : MutableRef.get(whenInterrupted))
})

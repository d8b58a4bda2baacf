/** `zim` in full: the parser, all commands, and what they need. */
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as NodeServices from "@effect/platform-node/NodeServices"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as MutableRef from "effect/MutableRef"
import * as Stdio from "effect/Stdio"
import { stderr } from "node:process"
import * as ExitCode from "./ExitCode.ts"
import * as HangUpSignal from "./internal/terminal/hangUpSignal.ts"
import * as ZimCommand from "./ZimCommand.ts"

const whenInterrupted = MutableRef.make<number>(ExitCode.table.Interrupted.code)

const program = Stdio.Stdio.use(({ args }) => Effect.flatMap(args, ZimCommand.run)).pipe(
  Effect.provideService(ExitCode.WhenInterrupted, whenInterrupted),
  Effect.provide(NodeServices.layer)
)

// Progress and logs are not worth an error: whoever closed standard error does not look.
stderr.on("error", () => undefined)

HangUpSignal.listen()
NodeRuntime.runMain(program, {
  disableErrorReporting: true,
  // `ZimCommand.run` succeeds with the exit code whatever happens: what is left is interruption by a signal.
  teardown: (exit, onExit) =>
    onExit(Exit.isSuccess(exit) && typeof exit.value === "number" ? exit.value : MutableRef.get(whenInterrupted))
})

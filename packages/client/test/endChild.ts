import * as Effect from "effect/Effect"
import type { ChildProcess } from "node:child_process"

/** Ends a process by a signal, and waits until it is gone. */
export const endChild = (child: ChildProcess, signal: NodeJS.Signals): Effect.Effect<void> =>
  Effect.callback((resume) => {
    if (child.exitCode !== null || child.signalCode !== null) return resume(Effect.void)
    child.on("exit", () => resume(Effect.void))
    child.kill(signal)
  })

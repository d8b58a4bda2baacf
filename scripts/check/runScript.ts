/** The end of a script beside `npm test`: what is wrong goes to standard error, and the exit code says so. */
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as NodeServices from "@effect/platform-node/NodeServices"
import { Console, Effect } from "effect"
import type { CheckFailed, Requirements } from "./Step.ts"

export const runScript = (program: Effect.Effect<void, CheckFailed, Requirements>): void =>
  program.pipe(
    Effect.scoped,
    Effect.catchTag("CheckFailed", ({ output }) =>
      Effect.andThen(
        Console.error(output),
        Effect.sync(() => (process.exitCode = 1))
      )
    ),
    Effect.provide(NodeServices.layer),
    NodeRuntime.runMain
  )

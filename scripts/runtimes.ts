/**
 * `npm run runtimes`: measures every runtime and bundler, and writes the tables of `docs/runtimes.md`.
 */
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as NodeServices from "@effect/platform-node/NodeServices"
import { Console, Effect } from "effect"
import { write } from "./check/runtimesStep.ts"

write.pipe(
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

import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import { Effect } from "effect"
import { report } from "./report.ts"
import { services } from "./services.ts"

report(process.argv.slice(2)).pipe(
  Effect.flatMap((count) => Effect.log(`${count} conversations`)),
  Effect.provide(services),
  NodeRuntime.runMain
)

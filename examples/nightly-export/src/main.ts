import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import { Console, Effect } from "effect"
import { nightlyExport } from "./nightlyExport.ts"
import { services } from "./services.ts"

nightlyExport("users.txt").pipe(
  Effect.flatMap((changed) => Console.log(`${changed.length} conversations are new or have changed`)),
  Effect.provide(services),
  NodeRuntime.runMain
)

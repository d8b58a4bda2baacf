import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import { Console, Effect } from "effect"
import { conversationsOf } from "./conversationsOf.ts"
import { Tenants } from "./Tenants.ts"

const [appId, userId = ""] = process.argv.slice(2)

conversationsOf(Number(appId), userId).pipe(
  Effect.flatMap((count) => Console.log(`${count} conversations`)),
  Effect.provide(Tenants.layer),
  NodeRuntime.runMain
)

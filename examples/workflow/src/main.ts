import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import { Console, Effect } from "effect"
import { DailyDigest } from "./DailyDigest.ts"
import { services } from "./services.ts"

const [userId = "user-1", day = "today"] = process.argv.slice(2)

// Asks for the digest, and waits for it; with `{ discard: true }` it would not wait.
DailyDigest.execute({ userId, day }).pipe(Effect.flatMap(Console.log), Effect.provide(services), NodeRuntime.runMain)

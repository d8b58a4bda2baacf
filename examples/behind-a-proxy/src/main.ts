import { ClientError, Conversations } from "@effect-zim/client"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import { Console, Effect } from "effect"
import { client } from "./proxied.ts"

const [userId = "user-1"] = process.argv.slice(2)

Conversations.snapshot(userId).pipe(
  Effect.flatMap(({ conversations }) => Console.log(`${conversations.length} conversations`)),
  Effect.tapError((error) => Console.error(ClientError.advice(error))),
  Effect.provide(client),
  NodeRuntime.runMain
)

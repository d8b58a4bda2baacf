/**
 * A workflow of two steps: read a user's list, then send a digest of it. Whatever process it runs in may be killed at any
 * time: a step that has ended is not run again, wherever the workflow goes on.
 */
import { Conversations } from "@effect-zim/client"
import { DateTime, Effect, Schema } from "effect"
import { Activity, Workflow } from "effect/workflow"
import { Outbox } from "./Outbox.ts"

export class DailyDigest extends Workflow.make("DailyDigest", {
  payload: { userId: Schema.String, day: Schema.String },
  success: Schema.String,
  error: Conversations.ListError,
  // The same user and day are the same workflow, however often it is asked for.
  idempotencyKey: ({ day, userId }) => `${userId}/${day}`
}) {}

export const layer = DailyDigest.toLayer(
  Effect.fnUntraced(function* ({ userId }) {
    const { conversations } = yield* Activity.make({
      name: "read",
      success: Conversations.Snapshot,
      error: Conversations.ListError,
      execute: Conversations.snapshot(userId)
    })
    const latest = conversations.slice(-3).map(({ id, updatedAt }) => `${id} (${DateTime.formatIsoDateUtc(updatedAt)})`)
    const text = `${conversations.length} conversations, the latest are ${latest.join(", ")}`
    yield* Activity.make({
      name: "send",
      // Killed half-way, a step runs again: who receives it knows it by its key.
      execute: Effect.gen(function* () {
        const outbox = yield* Outbox
        // A database that is away is no result: the step is tried again when the workflow is.
        yield* Effect.orDie(outbox.send({ key: yield* Activity.idempotencyKey("send"), userId, text }))
      })
    })
    return text
  })
)

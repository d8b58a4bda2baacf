/**
 * A small job with spans of its own: the client's are within them, one for each call and one for each attempt.
 */
import { Conversations } from "@effect-zim/client"
import { Effect, Metric, Stream } from "effect"

const listed = Metric.counter("report.conversations", {
  description: "Conversations that were read",
  incremental: true
})

const readUser = Effect.fn("report.user")(function* (userId: string) {
  yield* Effect.annotateCurrentSpan("user.id", userId)
  const { conversations, verdict } = yield* Conversations.snapshot(userId)
  yield* Metric.update(listed, conversations.length)
  if (verdict !== "Complete") yield* Effect.logWarning(`${userId}: ${verdict}`)
  return conversations.length
})

export const report = Effect.fn("report")(function* (userIds: Iterable<string>) {
  return yield* Stream.fromIterable(userIds).pipe(
    Stream.mapEffect((userId) => readUser(userId), { concurrency: 4 }),
    Stream.runSum
  )
})

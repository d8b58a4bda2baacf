/**
 * One night: reads the list of each user in a file, and writes to PostgreSQL what is new in it.
 */
import { ZimClient } from "@effect-zim/client"
import { Export, UserList } from "@effect-zim/export"
import * as SqlSink from "@effect-zim/export/SqlSink"
import { Effect, Schedule, Schema, Stream } from "effect"
import { SqlClient } from "effect/sql"

const Changed = Schema.Struct({ userId: Schema.String, conversationId: Schema.String })

/** What the last finished run wrote: a plain table, for SQL and for whatever else reads it. */
const changedTonight = Effect.gen(function* () {
  const { appId } = yield* ZimClient.ZimClient
  const sql = yield* SqlClient.SqlClient
  const rows = yield* sql`
    SELECT user_id AS "userId", conversation_id AS "conversationId" FROM zim.conversations
    WHERE app_id = ${appId} AND changed_run = (
      SELECT max(id) FROM zim.runs WHERE app_id = ${appId} AND name = 'nightly' AND state = 'finished'
    ) ORDER BY updated_at`
  return yield* Schema.decodeUnknownEffect(Schema.Array(Changed))(rows)
})

export const nightlyExport = Effect.fn("nightlyExport")(function* (usersFile: string) {
  const sink = yield* SqlSink.make({ name: "nightly" })
  yield* Export.run(UserList.file(usersFile), { sink, mode: "resume" }).pipe(
    Stream.runForEach((event) =>
      event._tag === "UserFailed" ? Effect.logWarning(`line ${event.line}: ${event.message}`) : Effect.void
    ),
    // The database is away: what was saved stays saved, and the run goes on from there.
    Effect.retry({
      while: (error) => error._tag === "SinkFailed" && error.reason._tag === "Unreachable",
      schedule: Schedule.spaced("1 minute").pipe(Schedule.upTo({ times: 60 }))
    })
  )
  return yield* changedTonight
})

import type { Conversations, ZimClient } from "@effect-zim/client"
import { type Checkpoint, Export, NdjsonSink, type Progress, type ExportSink, UserList } from "@effect-zim/export"
import * as SqlSink from "@effect-zim/export/SqlSink"
import * as SqliteSink from "@effect-zim/export/SqliteSink"
import { describe, expectTypeOf, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import type * as FileSystem from "effect/FileSystem"
import type * as Path from "effect/Path"
import type * as SqlClient from "effect/sql/SqlClient"
import * as Stream from "effect/Stream"

describe("types", () => {
  it("an export fails with what its users, its sink and the client fail with, and nothing else", () => {
    const sink = SqliteSink.make({ path: "unused.db" })
    expectTypeOf(Export.run(UserList.file("unused"), { sink })).toEqualTypeOf<
      Stream.Stream<
        Progress.Event,
        | UserList.UserListUnreadable
        | ExportSink.OutputExists
        | ExportSink.OutputInUse
        | ExportSink.OutputUnusable
        | ExportSink.SameFile
        | ExportSink.SinkFailed
        | Checkpoint.CheckpointInvalid
        | Export.NobodyExported
        | Export.UsersVanished
        | Conversations.ListError,
        FileSystem.FileSystem | ZimClient.ZimClient
      >
    >()
  })

  it("file sinks need a file system, PostgreSQL a client, SQLite needs nothing", () => {
    expectTypeOf(NdjsonSink.make).returns.toEqualTypeOf<
      Effect.Effect<ExportSink.ExportSink, never, FileSystem.FileSystem | Path.Path>
    >()
    expectTypeOf(SqlSink.make).returns.toEqualTypeOf<
      Effect.Effect<ExportSink.ExportSink, ExportSink.OutputUnusable, SqlClient.SqlClient>
    >()
    expectTypeOf(SqliteSink.make).returns.toEqualTypeOf<ExportSink.ExportSink>()
  })

  it("each reason is caught with its tag", () => {
    const caught = Stream.runDrain(
      Export.run(UserList.file("unused"), { sink: SqliteSink.make({ path: "unused.db" }) })
    ).pipe(
      Effect.catchReason("CheckpointInvalid", "OutputChanged", () => Effect.void),
      Effect.catchReason("UserListUnreadable", "NotUtf8", () => Effect.void),
      Effect.catchReason("SinkFailed", "NoSpace", (reason) =>
        Effect.succeed(expectTypeOf(reason).toEqualTypeOf<{ readonly _tag: "NoSpace" }>())
      )
    )
    expectTypeOf<Effect.Error<typeof caught>>().toExtend<{ readonly _tag: string }>()
  })
})

/**
 * Exports to a file of JSON objects, one on each line.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import type * as FileSystem from "effect/FileSystem"
import type * as Path from "effect/Path"
import * as FileSink from "./internal/files/fileSink.ts"
import type * as OutputFiles from "./internal/files/outputFiles.ts"
import type { ExportSink } from "./ExportSink.ts"

/**
 * @category models
 * @since 0.1.0
 */
export interface Options extends OutputFiles.Options {}

/**
 * A sink that writes `{"userId","conversationId","type","typeCode","updatedAt"}`, a line for each conversation, a user's
 * together and ascending by time.
 *
 * While the export runs, the output is `PATH.part`; it becomes `PATH` when all users are done. `PATH.checkpoint` is where
 * to go on from, and stays as a record of the finished run. Lines of the input without a list are recorded in
 * `PATH.failures.ndjson`, and in `PATH.failures.ndjson.part` until then. One export at a time writes there: the others
 * fail with `OutputInUse` (see `Lock`). What somebody else cuts, replaces or removes meanwhile ends it with
 * `OutputUnusable`.
 *
 * @example
 * ```ts
 * import { Export, NdjsonSink, UserList } from "@effect-zim/export"
 * import { Effect, Stream } from "effect"
 *
 * const program = Effect.gen(function* () {
 *   const sink = yield* NdjsonSink.make({ path: "conversations.ndjson" })
 *   yield* Stream.runDrain(Export.run(UserList.file("users.txt"), { sink, mode: "resume" }))
 * })
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = (options: Options): Effect.Effect<ExportSink, never, FileSystem.FileSystem | Path.Path> =>
  FileSink.make(
    {
      name: "ndjson",
      header: "",
      encode: (records) => Effect.succeed(records.map((record) => `${JSON.stringify(record)}\n`).join(""))
    },
    options
  )

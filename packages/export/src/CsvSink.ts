/**
 * Exports to a CSV file.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Csv from "effect/encoding/Csv"
import type * as FileSystem from "effect/FileSystem"
import type * as Path from "effect/Path"
import * as Stream from "effect/Stream"
import * as FileSink from "./internal/fileSink.ts"
import { escape, keys, record } from "./internal/record.ts"
import type { Sink } from "./Sink.ts"

/**
 * @since 0.1.0
 */
export interface Options extends FileSink.Options {}

/** A record for each row of cells, as RFC 4180 has it. */
const encode = (rows: ReadonlyArray<Csv.Row>): Effect.Effect<string> =>
  Stream.fromArray(rows).pipe(Stream.pipeThroughChannel(Csv.encodeString<never>()), Stream.mkString)

/**
 * A sink that writes a header, `userId,conversationId,type,typeCode,updatedAt`, and a record for each conversation, a
 * user's together and ascending by time. Half a character, which UTF-8 cannot hold, and U+0000 are written as in JSON:
 * `\ud800`, `\u0000`; and so is the backslash of an id that holds just these characters: `\u005cud800`. Files beside it
 * are those of `NdjsonSink`.
 *
 * @example
 * ```ts
 * import { CsvSink, Export } from "@effect-zim/export"
 * import { Effect, Stream } from "effect"
 *
 * const program = Effect.gen(function* () {
 *   const sink = yield* CsvSink.make({ path: "conversations.csv", failures: "failures.ndjson" })
 *   yield* Stream.runDrain(Export.run(Stream.make("ada", "grace"), { sink }))
 * })
 * ```
 *
 * @since 0.1.0
 */
export const make: (options: Options) => Effect.Effect<Sink, never, FileSystem.FileSystem | Path.Path> =
  Effect.fnUntraced(function* (options) {
    return yield* FileSink.make(
      {
        name: "csv",
        header: yield* encode([keys]),
        encode: (exported) =>
          encode(
            exported.flatMap(({ conversations, userId }) =>
              conversations.map((conversation) =>
                Object.values(record(userId, conversation)).map((cell) => escape(String(cell)))
              )
            )
          )
      },
      options
    )
  })

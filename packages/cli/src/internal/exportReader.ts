/** Reads an export back, whatever its format. */
import { ConversationRecord } from "@effect-zim/export"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Csv from "effect/encoding/Csv"
import * as FileSystem from "effect/FileSystem"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import { CommandFailed, whyUnreadable } from "../ErrorReport.ts"
import { importSqlite } from "./lazyImports.ts"

/** What is told of a conversation. */
export interface Entry {
  readonly userId: string
  readonly conversationId: string
  readonly type: string
  /** Milliseconds since the epoch. */
  readonly updatedAt: number
}

const { ConversationRecord: Line } = ConversationRecord

const decodeLine = Schema.decodeUnknownResult(Schema.fromJsonString(Line))
const decodeRow = Schema.decodeUnknownResult(Schema.toCodecStringTree(Line))

const cannotRead = (advice: string) => (path: string, problem: string) =>
  new CommandFailed({ problem: `cannot read ${path}: ${problem}`, advice, exit: "Failure" })

const unreadable = cannotRead("Check the path and the permissions.")
const noExport = cannotRead("Give a file that zim conversations export has written: ndjson, csv or SQLite.")

const entryOf =
  (path: string) =>
  (
    decoded: Result.Result<ConversationRecord.ConversationRecord, unknown>,
    line: number
  ): Effect.Effect<Entry, CommandFailed> => {
    if (Result.isFailure(decoded)) return Effect.fail(noExport(path, `line ${line} is no conversation of an export`))
    const { conversationId, type, updatedAt, userId } = decoded.success
    return Effect.succeed({ userId, conversationId, type, updatedAt: DateTime.toEpochMillis(updatedAt) })
  }

const sqliteHeader = "SQLite format 3\0"

/** What the file begins with. */
const beginningOf = Effect.fnUntraced(function* (path: string) {
  const fs = yield* FileSystem.FileSystem
  const file = yield* fs.open(path, { flag: "r" })
  const bytes = yield* file.readAlloc(sqliteHeader.length)
  return Option.match(bytes, { onNone: () => "", onSome: (bytes) => new TextDecoder().decode(bytes) })
}, Effect.scoped)

/** The conversations of an export, a user's together. */
export const read = (path: string): Stream.Stream<Entry, CommandFailed, FileSystem.FileSystem> =>
  Stream.unwrap(
    Effect.gen(function* () {
      const fs = yield* FileSystem.FileSystem
      const beginning = yield* Effect.mapError(beginningOf(path), (error) => unreadable(path, whyUnreadable(error)))
      if (beginning === sqliteHeader) {
        const SqliteSink = yield* importSqlite
        return Stream.mapError(SqliteSink.conversations(path), (error) =>
          (error._tag === "SinkFailed" ? unreadable : noExport)(path, error.problem)
        )
      }
      const text = Stream.decodeText(
        Stream.mapError(fs.stream(path), (error) => unreadable(path, whyUnreadable(error)))
      )
      const entry = entryOf(path)
      return beginning.startsWith("userId,")
        ? text.pipe(
            Stream.pipeThroughChannel(Csv.decodeString<CommandFailed>({ headers: true })),
            Stream.mapError((error) => (error._tag === "CsvError" ? noExport(path, error.message) : error)),
            // The header is line 1.
            Stream.mapEffect((row, i) => entry(decodeRow(row), i + 2))
          )
        : text.pipe(
            Stream.splitLines,
            Stream.mapEffect((line, i) => entry(decodeLine(line), i + 1))
          )
    })
  )

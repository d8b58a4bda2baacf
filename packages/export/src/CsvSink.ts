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
import { escape } from "./internal/escapedText.ts"
import * as FileSink from "./internal/files/fileSink.ts"
import type * as OutputFiles from "./internal/files/outputFiles.ts"
import * as ConversationRecord from "./ConversationRecord.ts"
import type { ExportSink } from "./ExportSink.ts"

/**
 * @category models
 * @since 0.1.0
 */
export interface Options extends OutputFiles.Options {
  /**
   * For a spreadsheet: a byte-order mark says that it is UTF-8, and no id is taken for a formula, see {@link cell}. Other
   * programs read the ids as they are where this is left out. Default: false.
   */
  readonly spreadsheet?: boolean | undefined
}

/** What makes a cell a formula, and the sign that keeps it from being one: two cells must not become one. */
const special = /^[=+\-@\t\r\n'\uFF1D\uFF0B\uFF0D\uFF20]/

/**
 * A text as a cell has it: as it is, but for half a character, which UTF-8 cannot hold, U+0000, and the backslash of a text
 * that holds just what stands for these: `\ud800`, `\u0000`, `\u005cud800`. For a `spreadsheet`, an apostrophe comes before
 * what begins like a formula (`=`, `+`, `-`, `@`, a tab, a line end) or with an apostrophe. Two texts never become one.
 *
 * @example
 * ```ts
 * import { CsvSink } from "@effect-zim/export"
 *
 * CsvSink.cell("=1+1", { spreadsheet: true }) // "'=1+1"
 * ```
 *
 * @category converting
 * @since 0.1.0
 */
export const cell = (text: string, options?: Pick<Options, "spreadsheet">): string =>
  options?.spreadsheet === true && special.test(text) ? `'${escape(text)}` : escape(text)

/**
 * What a file for a spreadsheet begins with: it says that the file is in UTF-8.
 *
 * @category constants
 * @since 0.1.0
 */
export const byteOrderMark = "\uFEFF"

/** A record for each row of cells, as RFC 4180 has it. */
const encode = (rows: ReadonlyArray<Csv.Row>): Effect.Effect<string> =>
  Stream.fromArray(rows).pipe(Stream.pipeThroughChannel(Csv.encodeString<never>()), Stream.mkString)

/**
 * A sink that writes a header, `userId,conversationId,type,typeCode,updatedAt`, and a record for each conversation, a
 * user's together and ascending by time, with ids as {@link cell} has them. Files beside it are those of `NdjsonSink`.
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
 * @category constructors
 * @since 0.1.0
 */
export const make: (options: Options) => Effect.Effect<ExportSink, never, FileSystem.FileSystem | Path.Path> =
  Effect.fnUntraced(function* (options) {
    const header = yield* encode([ConversationRecord.keys])
    return yield* FileSink.make(
      {
        name: options.spreadsheet === true ? "csv for a spreadsheet" : "csv",
        header: options.spreadsheet === true ? byteOrderMark + header : header,
        encode: (records) =>
          encode(
            records.map((record) =>
              Object.values(record).map((value) => (typeof value === "string" ? cell(value, options) : String(value)))
            )
          )
      },
      options
    )
  })

/** Which sink an export goes to, and where its failures are. */
import { CsvSink, NdjsonSink } from "@effect-zim/export"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Option from "effect/Option"
import * as Path from "effect/Path"
import { CommandFailed } from "../ErrorReport.ts"
import { importSqlite } from "./lazyImports.ts"

export const formats = ["ndjson", "csv", "sqlite"] as const

export type Format = (typeof formats)[number]

const formatOfExtension: Readonly<Record<string, Format>> = {
  ".csv": "csv",
  ".db": "sqlite",
  ".sqlite": "sqlite",
  ".sqlite3": "sqlite"
}

export interface Options {
  /** The users file; none for standard input. */
  readonly users: Option.Option<string>
  readonly out: string
  readonly format: Option.Option<Format>
  readonly failures: Option.Option<string>
  readonly spreadsheet: boolean
}

const assertFolder = Effect.fnUntraced(function* (folder: string) {
  const fs = yield* FileSystem.FileSystem
  if (yield* Effect.orElseSucceed(fs.exists(folder), () => true)) return
  return yield* new CommandFailed({
    problem: `there is no folder ${folder}`,
    advice: "Make it, or choose another place for what is written.",
    exit: "Failure"
  })
})

/** Only CSV is for spreadsheets. */
export const assertCsv = Effect.fnUntraced(function* (spreadsheet: boolean, format: string) {
  if (!spreadsheet || format === "csv") return
  return yield* new CommandFailed({
    problem: `--spreadsheet is for csv, this is ${format}`,
    advice: "Add --format csv, or leave --spreadsheet out.",
    exit: "Usage"
  })
})

/** The sink; and in words where to look for the failures, of an export that is finished and of one that is not. */
export const target = Effect.fnUntraced(function* (options: Options) {
  const path = yield* Path.Path
  const { failures, out } = options
  for (const file of [out, ...Option.toArray(failures)]) yield* assertFolder(path.dirname(file))
  const format = Option.getOrElse(options.format, () => formatOfExtension[path.extname(out).toLowerCase()] ?? "ndjson")
  yield* assertCsv(options.spreadsheet, format)
  // For its lock every sink needs SQLite.
  const SqliteSink = yield* importSqlite
  // Standard input may be a file, too; where it is none that has a name, it is nobody's output.
  const fs = yield* FileSystem.FileSystem
  const input = Option.isSome(options.users) ? options.users : yield* Effect.option(fs.realPath("/dev/stdin"))
  const files = { path: out, failures: Option.getOrUndefined(failures), inputs: Option.toArray(input) }
  if (format === "sqlite") {
    const table = `the table "failures" of ${out}`
    return { sink: SqliteSink.make(files), failures: Option.getOrElse(failures, () => table), unfinished: table }
  }
  const file = Option.getOrElse(failures, () => `${out}.failures.ndjson`)
  const sink =
    format === "csv"
      ? yield* CsvSink.make({ ...files, spreadsheet: options.spreadsheet })
      : yield* NdjsonSink.make(files)
  return { sink, failures: file, unfinished: `${file}.part` }
})

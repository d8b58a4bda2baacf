/** Which sink an export goes to, and where its failures are. */
import { CsvSink, NdjsonSink, type Sink } from "@effect-zim/export"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Option from "effect/Option"
import * as Path from "effect/Path"
import * as Stream from "effect/Stream"
import { CommandFailed } from "../Failure.ts"
import { importSqlite } from "./sqlite.ts"

export const formats = ["ndjson", "csv", "sqlite"] as const

export type Format = (typeof formats)[number]

const formatOfExtension: Readonly<Record<string, Format>> = {
  ".csv": "csv",
  ".db": "sqlite",
  ".sqlite": "sqlite",
  ".sqlite3": "sqlite"
}

export interface Options {
  readonly out: string
  readonly format: Option.Option<Format>
  readonly failures: Option.Option<string>
}

export interface Target {
  readonly sink: Sink.Sink
  /** Where to look for the failures, in words. */
  readonly failures: string
  /** To be run when the sink is done. */
  readonly afterwards: Effect.Effect<void, CommandFailed, FileSystem.FileSystem>
}

/** A database has its failures in a table; who asks for a file gets them there too. */
const sqlite = Effect.fnUntraced(function* ({ failures, out }: Options) {
  const SqliteSink = yield* importSqlite
  const copy = (file: string) =>
    Effect.gen(function* () {
      const fs = yield* FileSystem.FileSystem
      const lines = SqliteSink.failures(out).pipe(
        Stream.map(({ _tag, ...failure }) => `${JSON.stringify(failure)}\n`),
        Stream.encodeText
      )
      yield* Stream.run(lines, fs.sink(`${file}.tmp`))
      yield* fs.rename(`${file}.tmp`, file)
    }).pipe(
      Effect.mapError(
        (error) =>
          new CommandFailed({
            problem: `cannot write the failures file ${file}: ${error.message}`,
            advice: `They are in the table "failures" of ${out}.`,
            exit: "Failure"
          })
      )
    )
  return {
    sink: SqliteSink.make({ path: out }),
    failures: Option.getOrElse(failures, () => `the table "failures" of ${out}`),
    afterwards: Option.match(failures, { onNone: () => Effect.void, onSome: copy })
  } satisfies Target
})

const assertFolder = Effect.fnUntraced(function* (folder: string) {
  const fs = yield* FileSystem.FileSystem
  if (yield* Effect.orElseSucceed(fs.exists(folder), () => true)) return
  return yield* new CommandFailed({
    problem: `there is no folder ${folder}`,
    advice: "Make it, or choose another place for what is written.",
    exit: "Failure"
  })
})

export const target: (options: Options) => Effect.Effect<Target, CommandFailed, FileSystem.FileSystem | Path.Path> =
  Effect.fnUntraced(function* (options) {
    const path = yield* Path.Path
    const { failures, out } = options
    for (const file of [out, ...Option.toArray(failures)]) yield* assertFolder(path.dirname(file))
    const format = Option.getOrElse(
      options.format,
      () => formatOfExtension[path.extname(out).toLowerCase()] ?? "ndjson"
    )
    if (format === "sqlite") return yield* sqlite(options)
    const make = format === "csv" ? CsvSink.make : NdjsonSink.make
    return {
      sink: yield* make({ path: out, failures: Option.getOrUndefined(failures) }),
      failures: Option.getOrElse(failures, () => `${out}.failures.ndjson`),
      afterwards: Effect.void
    }
  })

/** Files that must be different ones: `--restart` would replace one by another. */
export const assertDifferent = Effect.fnUntraced(function* (files: Readonly<Record<string, string | undefined>>) {
  const fs = yield* FileSystem.FileSystem
  const path = yield* Path.Path
  const seen = new Map<string, string>()
  for (const [flag, file] of Object.entries(files)) {
    if (file === undefined) continue
    const real = yield* Effect.orElseSucceed(fs.realPath(file), () => path.resolve(file))
    const other = seen.get(real)
    if (other !== undefined) {
      return yield* new CommandFailed({
        problem: `${other} and ${flag} are the same file`,
        advice: "Give each a file of its own.",
        exit: "Usage"
      })
    }
    seen.set(real, flag)
  }
})

/**
 * Exports to a SQLite database, and later again into the same one: only what has changed is written. Node only.
 *
 * Tables, all with indexes:
 *
 * - `conversations`: `user_id`, `type_code`, `conversation_id`, `type`, `updated_at` (milliseconds since the epoch),
 *   `first_run`, `changed_run`.
 * - `users`: `user_id`, `conversations` (how many), `verdict`, `changed_run`, `last_run` (the last that read the list).
 * - `disappeared`: conversations that a run found no longer: `run`, the columns of a conversation, and `reason`: `Gone`, or
 *   `OutOfReach` where newer ones have pushed it out of the 1000 that the service returns.
 * - `failures`: `run`, `line`, `user_id`, `error`, `code`, `request_id`, `message`.
 * - `runs`: `id`, `app_id`, `state` (`running`, `finished`, `abandoned`), `started_at`, `finished_at`, counts, checkpoint.
 *
 * What no text of a database can hold, half a character and U+0000, stands in an id as JSON writes it: `\ud800`, `\u0000`;
 * and so does the backslash of an id that holds just these characters: `\u005cud800`. {@link conversations} and
 * {@link failures} give the ids themselves.
 *
 * @since 0.1.0
 */
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import * as Fs from "node:fs"
import type { DatabaseSync, SQLOutputValue } from "node:sqlite"
import type * as Checkpoint from "./Checkpoint.ts"
import type * as ExportSink from "./ExportSink.ts"
import * as FileInspector from "./internal/files/fileInspector.ts"
import { failureLine } from "./internal/files/fileSink.ts"
import { attempt, attemptRead, nodeFiles } from "./internal/files/nodeFiles.ts"
import { assertOfApp, unusable } from "./internal/refusals.ts"
import * as Database from "./internal/sqlite/database.ts"
import * as RunWriter from "./internal/sqlite/runWriter.ts"
import * as SqliteLock from "./internal/sqlite/sqliteLock.ts"
import * as Tables from "./internal/tableRows.ts"

/**
 * @category models
 * @since 0.1.0
 */
export interface Options {
  /**
   * The database: a new one, or one of an earlier export; where it is a symbolic link, the file that it leads to. Any other
   * file is refused and left as it is.
   */
  readonly path: string
  /** Where to write the failures of a run too, as NDJSON, when it is done; default: only into the table. */
  readonly failures?: string | undefined
  /** Files that the export reads. It is refused where one of them is a file that it would write. */
  readonly inputs?: ReadonlyArray<string> | undefined
}

const lastRun = (database: DatabaseSync) =>
  database.prepare("SELECT id, app_id, state, checkpoint FROM runs ORDER BY id DESC LIMIT 1").get()

const failuresOfLastRun = "SELECT * FROM failures WHERE run = (SELECT max(id) FROM runs) ORDER BY line"

/** Writes the failures of the last run to a file, which has its name when it is complete. */
const copyFailures = (database: DatabaseSync, path: string): void => {
  const unfinished = `${path}.part`
  Fs.rmSync(unfinished, { force: true })
  const failures = Fs.openSync(unfinished, "wx")
  try {
    for (const row of database.prepare(failuresOfLastRun).iterate()) {
      Fs.writeFileSync(failures, failureLine(Tables.failedOf(row)))
    }
    Fs.fsyncSync(failures)
  } finally {
    Fs.closeSync(failures)
  }
  Fs.renameSync(unfinished, path)
}

/** The real names of an export's files, locked until the scope ends. */
const occupy = Effect.fnUntraced(function* (options: Options) {
  const out = yield* FileInspector.follow(nodeFiles, options.path)
  const { failures: named } = options
  const failures = named === undefined ? undefined : yield* FileInspector.follow(nodeFiles, named)
  const inPlace = {
    "the output": out,
    "its log": `${out}-wal`,
    "its index": `${out}-shm`,
    "its journal": `${out}-journal`
  }
  const beginning = Object.fromEntries(
    ["", "-wal", "-shm", "-journal"].map((ending) => [`the new output${ending}`, `${out}.new${ending}`])
  )
  const besides = failures && { "the failures": failures, "the unfinished failures": `${failures}.part` }
  const written = {
    parts: { ...inPlace, ...beginning, ...besides },
    outputs: failures ? [out, failures] : [out],
    inPlace: Object.values(inPlace)
  }
  return {
    out,
    failures,
    assertLocked: yield* FileInspector.occupy(nodeFiles, SqliteLock.acquire, written, options.inputs)
  }
})

/**
 * A sink that writes to a database. Each save is a transaction, so that data and checkpoint are always of the same moment.
 *
 * With `new` and `resume`, a database whose last run is finished gets another run: incremental, it rewrites what has changed
 * and records what has disappeared. An unfinished run is gone on with by `resume`, and left unfinished by `restart`, which
 * keeps all data. Users who are no longer among the input keep their rows, with an older `last_run`.
 *
 * One export at a time writes there: the others fail with `OutputInUse`. A database or log that somebody else cuts, replaces
 * or removes meanwhile ends it with `OutputUnusable`; at the end every page is read.
 *
 * @example
 * ```ts
 * import { Export, UserList } from "@effect-zim/export"
 * import * as SqliteSink from "@effect-zim/export/SqliteSink"
 * import { Stream } from "effect"
 *
 * const nightly = Export.run(UserList.file("users.txt"), {
 *   sink: SqliteSink.make({ path: "conversations.db" }),
 *   mode: "resume"
 * }).pipe(Stream.runDrain)
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = (options: Options): ExportSink.ExportSink => {
  const open: ExportSink.ExportSink["open"] = Effect.fnUntraced(function* ({ initial, mode }) {
    const { assertLocked, failures, out: path } = yield* occupy(options)
    const database = yield* Database.open(path, mode)
    const watch = yield* Database.watch(path)
    const assertAsLeft = Effect.andThen(assertLocked, watch.assertAsLeft)
    const write = <A>(run: () => A) => Effect.tap(Effect.andThen(assertAsLeft, attempt(path, run)), watch.note)

    const last = yield* attemptRead(path, () => lastRun(database))
    yield* assertOfApp(path, Number(last?.["app_id"] ?? initial.appId), initial.appId)
    const unfinished = yield* Tables.unfinishedOf(last && Tables.runOf(last), mode, path)
    const run = unfinished?.id ?? (yield* write(() => RunWriter.begin(database, initial)))
    const writer = yield* attempt(path, () => RunWriter.make(database, run))

    const save: ExportSink.Session["save"] = Effect.fnUntraced(function* (outcomes, checkpoint) {
      const now = DateTime.formatIso(yield* DateTime.now)
      yield* write(() =>
        Database.transaction(database, () => {
          for (const outcome of outcomes) writer.put(outcome)
          writer.save(checkpoint, now)
        })
      )
    })

    return {
      checkpoint: unfinished?.checkpoint ?? initial,
      save,
      finish: Effect.fnUntraced(function* (checkpoint) {
        // Before the run is finished: if there is no room for them, it can be gone on with.
        if (failures !== undefined) yield* attempt(failures, () => copyFailures(database, failures))
        yield* save([], checkpoint)
        yield* assertAsLeft
        // The run is finished, whether or not there is room for what makes the file quicker and its log empty.
        yield* Effect.ignore(attempt(path, () => database.exec("PRAGMA optimize; PRAGMA wal_checkpoint(TRUNCATE)")))
        if (yield* attemptRead(path, () => Database.isWhole(path, run))) return
        return yield* unusable(path, "it has been damaged while the export was writing")
      })
    }
  })
  return { location: options.path, open }
}

/**
 * What reading an export can fail with.
 *
 * @category errors
 * @since 0.1.0
 */
export type ReadError = ExportSink.OutputUnusable | ExportSink.SinkFailed | Checkpoint.CheckpointInvalid

const rowsOf = (path: string, query: string) =>
  Stream.unwrap(
    Effect.gen(function* () {
      const database = yield* Database.openReadOnly(path)
      const rows = yield* attemptRead(path, () => database.prepare(query).iterate())
      // Any of them may be the one that cannot be read.
      const take = () => {
        const taken: Array<Record<string, SQLOutputValue>> = []
        while (taken.length < Stream.DefaultChunkSize) {
          const next = rows.next()
          if (next.done === true) return [taken, Option.none<void>()] as const
          taken.push(next.value)
        }
        return [taken, Option.some<void>(undefined)] as const
      }
      return Stream.paginate(undefined, () => attemptRead(path, take))
    })
  )

/**
 * The failures of the last run, ascending by line.
 *
 * @example
 * ```ts
 * import * as SqliteSink from "@effect-zim/export/SqliteSink"
 * import { Stream } from "effect"
 *
 * const failed = SqliteSink.failures("conversations.db").pipe(Stream.map(({ line }) => line))
 * ```
 *
 * @category running
 * @since 0.1.0
 */
export const failures = (path: string): Stream.Stream<ExportSink.Failed, ReadError> =>
  Stream.map(rowsOf(path, failuresOfLastRun), Tables.failedOf)

/**
 * A conversation as it stands in the database.
 *
 * @category models
 * @since 0.1.0
 */
export type Row = Tables.Row

/**
 * All conversations, a user's together and ascending by time.
 *
 * @example
 * ```ts
 * import * as SqliteSink from "@effect-zim/export/SqliteSink"
 * import { Stream } from "effect"
 *
 * const users = SqliteSink.conversations("conversations.db").pipe(
 *   Stream.map(({ userId }) => userId),
 *   Stream.changes
 * )
 * ```
 *
 * @category running
 * @since 0.1.0
 */
export const conversations = (path: string): Stream.Stream<Row, ReadError> =>
  Stream.map(
    rowsOf(path, "SELECT * FROM conversations ORDER BY user_id, updated_at, type_code, conversation_id"),
    Tables.rowOf
  )

/** A SQLite file of this package: how it is made, recognized and opened. Node only. */
import * as Effect from "effect/Effect"
import * as Fs from "node:fs"
import { DatabaseSync } from "node:sqlite"
import { pathToFileURL } from "node:url"
import * as Checkpoint from "../../Checkpoint.ts"
import type * as ExportSink from "../../ExportSink.ts"
import { isDamaged, isNoDatabase } from "../failureReasons.ts"
import { assertAsLeft } from "../files/fileInspector.ts"
import { attempt, attemptRead, idAt, nodeFiles } from "../files/nodeFiles.ts"
import { invalid, unusable } from "../refusals.ts"

/** Marks a file as an export: "ZIMX". */
const applicationId = 0x5a494d58

const schema = `
BEGIN IMMEDIATE;
CREATE TABLE runs (
  id INTEGER PRIMARY KEY,
  name TEXT NOT NULL,
  app_id INTEGER NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('running', 'finished', 'abandoned')),
  started_at TEXT NOT NULL,
  finished_at TEXT,
  lines INTEGER NOT NULL,
  users INTEGER NOT NULL,
  conversations INTEGER NOT NULL,
  failed INTEGER NOT NULL,
  invalid INTEGER NOT NULL,
  duplicates INTEGER NOT NULL,
  changed_while_reading INTEGER NOT NULL,
  at_cap INTEGER NOT NULL,
  checkpoint TEXT NOT NULL
) STRICT;
CREATE TABLE users (
  user_id TEXT NOT NULL PRIMARY KEY,
  conversations INTEGER NOT NULL,
  verdict TEXT NOT NULL,
  changed_run INTEGER NOT NULL REFERENCES runs,
  last_run INTEGER NOT NULL REFERENCES runs
) STRICT, WITHOUT ROWID;
CREATE INDEX users_by_last_run ON users (last_run);
CREATE TABLE conversations (
  user_id TEXT NOT NULL,
  type_code INTEGER NOT NULL,
  conversation_id TEXT NOT NULL,
  type TEXT NOT NULL,
  updated_at INTEGER NOT NULL,
  first_run INTEGER NOT NULL REFERENCES runs,
  changed_run INTEGER NOT NULL REFERENCES runs,
  PRIMARY KEY (user_id, type_code, conversation_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX conversations_by_time ON conversations (updated_at);
CREATE INDEX conversations_by_id ON conversations (conversation_id);
CREATE TABLE disappeared (
  run INTEGER NOT NULL REFERENCES runs,
  user_id TEXT NOT NULL,
  type_code INTEGER NOT NULL,
  conversation_id TEXT NOT NULL,
  type TEXT NOT NULL,
  updated_at INTEGER NOT NULL,
  reason TEXT NOT NULL CHECK (reason IN ('Gone', 'OutOfReach')),
  PRIMARY KEY (run, user_id, type_code, conversation_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX disappeared_by_user ON disappeared (user_id);
CREATE TABLE failures (
  run INTEGER NOT NULL REFERENCES runs,
  line INTEGER NOT NULL,
  user_id TEXT NOT NULL,
  error TEXT NOT NULL,
  code INTEGER,
  request_id TEXT,
  message TEXT NOT NULL,
  PRIMARY KEY (run, line)
) STRICT, WITHOUT ROWID;
CREATE INDEX failures_by_user ON failures (user_id);
PRAGMA application_id = ${applicationId};
PRAGMA user_version = ${Checkpoint.version};
COMMIT;
PRAGMA journal_mode = WAL
`

/** A database, once it has done this; else it is closed. */
export const openWith = (database: DatabaseSync, statements: string): DatabaseSync => {
  try {
    database.exec(statements)
    return database
  } catch (error) {
    database.close()
    throw error
  }
}

const untilClosed = (opened: Effect.Effect<DatabaseSync, ExportSink.SinkFailed>) =>
  Effect.acquireRelease(opened, (database) => Effect.sync(() => database.close()))

/** The changes of `run`, all or none. */
export const transaction = <A>(database: DatabaseSync, run: () => A): A => {
  database.exec("BEGIN IMMEDIATE")
  try {
    const result = run()
    database.exec("COMMIT")
    return result
  } catch (error) {
    if (database.isTransaction) database.exec("ROLLBACK")
    throw error
  }
}

/** Made under another name: a file with the right one is never half made. */
const create = (path: string): void => {
  const unfinished = `${path}.new`
  for (const suffix of ["", "-journal", "-wal", "-shm"]) Fs.rmSync(`${unfinished}${suffix}`, { force: true })
  openWith(new DatabaseSync(unfinished), schema).close()
  Fs.renameSync(unfinished, path)
}

/**
 * A database as its file has it, without a lock or a file beside it: nothing is changed. SQLite opens it, since a process
 * that closes a file itself loses all locks that SQLite has on it elsewhere in the process.
 */
const openImmutable = (path: string): DatabaseSync => {
  const url = pathToFileURL(path)
  url.searchParams.set("immutable", "1")
  const open = () => new DatabaseSync(url, { readOnly: true })
  if (!("Deno" in globalThis)) return open()
  try {
    // Deno takes a URL for a path, unless it was allowed everything, and asks for the permission to read that.
    return new DatabaseSync(path, { readOnly: true })
  } catch {
    return open()
  }
}

/** What a file says that it is; undefined where it is no database. */
const pragmasOf = (path: string) => {
  Fs.accessSync(path, Fs.constants.R_OK)
  if (Fs.statSync(path).size === 0) return undefined
  const database = openImmutable(path)
  try {
    const number = (pragma: string) => Number(Object.values(database.prepare(`PRAGMA ${pragma}`).get() ?? {})[0])
    return { applicationId: number("application_id"), version: number("user_version") }
  } catch (error) {
    if (isNoDatabase(error)) return undefined
    throw error
  } finally {
    database.close()
  }
}

const recognize = Effect.fnUntraced(function* (path: string) {
  const found = yield* attemptRead(path, () => pragmasOf(path))
  if (found === undefined) return yield* unusable(path, "it is no SQLite database")
  if (found.applicationId !== applicationId) return yield* unusable(path, "it is a SQLite database of something else")
  if (found.version === Checkpoint.version) return
  const problem = `it is of version ${found.version}, this program makes version ${Checkpoint.version}`
  return yield* invalid(path, "OtherVersion", problem)
})

/** Whether there is an export; what is something else is refused, and left as it is. */
const exists = Effect.fnUntraced(function* (path: string) {
  const stat = yield* attemptRead(path, () => Fs.statSync(path, { throwIfNoEntry: false }))
  if (stat === undefined) return false
  if (!stat.isFile()) return yield* unusable(path, "it is not a regular file")
  if (stat.size === 0) return false
  yield* recognize(path)
  return true
})

/** Makes an export where there is none. A log that a lost database has left is refused, unless that is to be replaced. */
const createAfter = Effect.fnUntraced(function* (path: string, mode: ExportSink.Mode) {
  // SQLite would take what is in them for a part of the database, whichever that is.
  for (const log of [`${path}-wal`, `${path}-journal`]) {
    if (!(yield* nodeFiles.lstat(log))?.size) continue
    if (mode !== "restart") return yield* unusable(log, "it is a part of a database that is not there")
    yield* attempt(log, () => Fs.rmSync(log))
  }
  yield* attempt(path, () => create(path))
})

/** Opens an export, made where there is none, until the scope ends. Whoever opens it has its lock. */
export const open = Effect.fnUntraced(function* (path: string, mode: ExportSink.Mode) {
  if (!(yield* exists(path))) yield* createAfter(path, mode)
  const id = yield* idAt(path)
  // In WAL mode a commit may be lost when the power goes, but never a part of one, and never one before another.
  const settings = "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA cache_size = -8192"
  const database = yield* untilClosed(
    attempt(path, () => openWith(new DatabaseSync(path, { timeout: 5000 }), settings))
  )
  if (id === (yield* idAt(path))) return database
  return yield* unusable(path, "it has been replaced while it was opened")
})

/**
 * Looks whether the files of an open database are still those that SQLite has open, and none of them has been cut: SQLite
 * itself goes on writing into a file without a name.
 */
export const watch = Effect.fnUntraced(function* (path: string) {
  const files = ["", "-wal", "-shm"].map((ending) => path + ending)
  const look = Effect.forEach(files, (path) => Effect.map(nodeFiles.lstat(path), (entry) => ({ path, entry })))
  let known = yield* look
  return {
    /** What it has come to by a change of one's own. */
    note: Effect.map(look, (now) => {
      known = now
    }),
    assertAsLeft: Effect.gen(function* () {
      for (const { entry, path } of known) {
        if (entry !== undefined) yield* assertAsLeft(nodeFiles, path, entry, true)
      }
    })
  }
})

/** Whether what is there under the name is whole, and ends with this run, finished: asked of a connection of its own. */
export const isWhole = (path: string, run: number): boolean => {
  const database = openToRead(path)
  try {
    const last = database.prepare("SELECT id, state FROM runs ORDER BY id DESC LIMIT 1").get()
    const check = database.prepare("PRAGMA quick_check(1)").get()
    return last?.["id"] === run && last["state"] === "finished" && check?.["quick_check"] === "ok"
  } catch (error) {
    if (isDamaged(error) || isNoDatabase(error)) return false
    throw error
  } finally {
    database.close()
  }
}

/** A database that can be read, or none. */
const reading = "PRAGMA query_only = ON; SELECT 1 FROM runs"

const openToRead = (path: string): DatabaseSync => {
  try {
    // Not `readOnly`: who may not write leaves the files behind that WAL mode needs beside the database.
    return openWith(new DatabaseSync(path, { timeout: 5000 }), reading)
  } catch (error) {
    // Nor can they be made in a folder that is read-only. Without them nobody is writing, and they are not needed.
    if (Fs.existsSync(`${path}-wal`)) throw error
    return openWith(openImmutable(path), reading)
  }
}

/** Opens an export to look at it only. */
export const openReadOnly = Effect.fnUntraced(function* (path: string) {
  yield* recognize(path)
  return yield* untilClosed(attemptRead(path, () => openToRead(path)))
})

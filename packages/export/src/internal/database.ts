/** A SQLite file of this package: how it is made, recognized and opened. Node only. */
import * as Effect from "effect/Effect"
import * as Predicate from "effect/Predicate"
import * as Fs from "node:fs"
import { DatabaseSync, type DatabaseSyncOptions } from "node:sqlite"
import { pathToFileURL } from "node:url"
import * as Checkpoint from "../Checkpoint.ts"
import * as Sink from "../Sink.ts"
import { codeOf, meaningOf } from "./platform.ts"

/** Marks a file as an export: "ZIMX". */
const applicationId = 0x5a494d58

const schema = `
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
  session TEXT NOT NULL,
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
`

/** SQLite's primary result codes, in words. */
const meanings: Readonly<Record<number, string>> = {
  5: "another program keeps it locked",
  6: "another program keeps it locked",
  8: "it is read-only",
  10: "the device failed, or has no more room",
  11: "the database is damaged",
  13: "no space left on the device",
  14: "it cannot be opened",
  23: "permission denied",
  26: "it is no SQLite database"
}

const problemOf = (error: unknown): string => {
  const code = Predicate.hasProperty(error, "errcode") && typeof error.errcode === "number" ? error.errcode & 255 : 0
  return meanings[code] ?? meaningOf(codeOf(error)) ?? String(error)
}

const attemptTo =
  (operation: "read" | "write") =>
  <A>(path: string, run: () => A): Effect.Effect<A, Sink.SinkFailed> =>
    Effect.try({
      try: run,
      catch: (cause) => new Sink.SinkFailed({ path, operation, problem: problemOf(cause), cause })
    })

/** Runs what throws where the file fails. */
export const attempt = attemptTo("write")

/** The same for what only reads. */
export const attemptRead = attemptTo("read")

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

const removeWithCompanions = (path: string): void => {
  for (const suffix of ["", "-journal", "-wal", "-shm"]) Fs.rmSync(`${path}${suffix}`, { force: true })
}

/** Made under another name: a file with the right one is never half made. */
const create = (path: string): void => {
  const unfinished = `${path}.new`
  removeWithCompanions(unfinished)
  const database = new DatabaseSync(unfinished)
  try {
    transaction(database, () => database.exec(schema))
    database.exec("PRAGMA journal_mode = WAL")
  } finally {
    database.close()
  }
  Fs.renameSync(unfinished, path)
}

const headerLength = 100

/** The first bytes, which say what a file is without changing it. */
const headerOf = (path: string): Buffer => {
  const header = Buffer.alloc(headerLength)
  const file = Fs.openSync(path, "r")
  try {
    return header.subarray(0, Fs.readSync(file, header, 0, header.length, 0))
  } finally {
    Fs.closeSync(file)
  }
}

const recognize = Effect.fnUntraced(function* (path: string) {
  const header = yield* attemptRead(path, () => headerOf(path))
  const unusable = (problem: string) => new Sink.OutputUnusable({ path, problem })
  if (header.length < headerLength || header.toString("latin1", 0, 16) !== "SQLite format 3\0") {
    return yield* unusable("it is no SQLite database")
  }
  if (header.readUInt32BE(68) !== applicationId) return yield* unusable("it is a SQLite database of something else")
  const version = header.readUInt32BE(60)
  if (version === Checkpoint.version) return undefined
  return yield* new Checkpoint.CheckpointInvalid({
    path,
    reason: "OtherVersion",
    problem: `it is of version ${version}, this program makes version ${Checkpoint.version}`
  })
})

/** Whether there is an export; what is something else is refused, and left as it is. */
const exists = Effect.fnUntraced(function* (path: string) {
  const stat = yield* attemptRead(path, () => Fs.statSync(path, { throwIfNoEntry: false }))
  if (stat === undefined) return false
  if (!stat.isFile()) return yield* new Sink.OutputUnusable({ path, problem: "it is not a regular file" })
  if (stat.size === 0) return false
  yield* recognize(path)
  return true
})

const configure = (database: DatabaseSync): DatabaseSync => {
  // In WAL mode a commit may be lost when the power goes, but never a part of one, and never one before another.
  database.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA cache_size = -8192")
  return database
}

/** Opens an export, made where there is none, until the scope ends. */
export const open = Effect.fnUntraced(function* (path: string) {
  if (!(yield* exists(path))) yield* attempt(path, () => create(path))
  return yield* Effect.acquireRelease(
    attempt(path, () => configure(new DatabaseSync(path, { timeout: 5000 }))),
    (database) => Effect.sync(() => database.close())
  )
})

/** Opens a database that can be read, or none. */
const openReadable = (path: string | URL, options: DatabaseSyncOptions): DatabaseSync => {
  const database = new DatabaseSync(path, options)
  try {
    database.exec("PRAGMA query_only = ON; SELECT 1 FROM runs")
    return database
  } catch (error) {
    database.close()
    throw error
  }
}

const openToRead = (path: string): DatabaseSync => {
  try {
    // Not `readOnly`: who may not write leaves the files behind that WAL mode needs beside the database.
    return openReadable(path, { timeout: 5000 })
  } catch (error) {
    // Nor can they be made in a folder that is read-only. Without them nobody is writing, and they are not needed.
    if (Fs.existsSync(`${path}-wal`)) throw error
    const url = pathToFileURL(path)
    url.searchParams.set("immutable", "1")
    return openReadable(url, { readOnly: true })
  }
}

/** Opens an export to look at it only. */
export const openReadOnly = Effect.fnUntraced(function* (path: string) {
  yield* recognize(path)
  return yield* Effect.acquireRelease(
    attemptRead(path, () => openToRead(path)),
    (database) => Effect.sync(() => database.close())
  )
})

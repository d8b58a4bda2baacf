/**
 * A lock of the operating system, taken by SQLite: every runtime that has files has it, and none has `flock`. Node, Bun and
 * Deno.
 *
 * The file stays empty, so that a crash leaves nothing to repair. Nothing else here may open it: a process that closes a
 * file loses the locks that it has on it, by whatever way it had opened it. So who holds it is in a file of its own.
 */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as Fs from "node:fs"
import process from "node:process"
import { DatabaseSync } from "node:sqlite"
import * as ExportSink from "../../ExportSink.ts"
import type * as Lock from "../../Lock.ts"
import { lstat } from "../files/nodeFileInspector.ts"
import { codeOf, withoutSqlite } from "../fileErrors.ts"
import { holder, host } from "../lockHolder.ts"
import * as Sqlite from "./sqliteErrors.ts"

const parse = Schema.decodeUnknownOption(Schema.fromJsonString(ExportSink.Holder))

const isAlive = (pid: number): boolean => {
  try {
    return process.kill(pid, 0)
  } catch (error) {
    return !(codeOf(error) === "ESRCH")
  }
}

/** Who wrote that it has the lock, unless that was somebody who has died since. */
const holderOf = (file: string): ExportSink.Holder | undefined => {
  try {
    const holder = Option.getOrUndefined(parse(Fs.readFileSync(file, "utf8")))
    return holder === undefined || (holder.host === host() && !isAlive(holder.pid)) ? undefined : holder
  } catch {
    return undefined
  }
}

const open = (path: string): DatabaseSync => {
  const database = new DatabaseSync(path, { timeout: 0 })
  try {
    database.exec("BEGIN IMMEDIATE")
    return database
  } catch (error) {
    database.close()
    throw error
  }
}

/** How often somebody else may take it away at the wrong moment. */
const patience = 100

/**
 * Takes the lock. Whoever had it removes the file when it ends, so that what is locked may have lost its name, while a
 * newcomer locks another file of that name: it counts where the name stands for the same file before and after. (A number of
 * a file is not given to another one as long as the file is open.)
 */
const take = Effect.fnUntraced(function* (
  path: string,
  left = patience
): Effect.fn.Return<
  { readonly database: DatabaseSync; readonly id: string | undefined },
  ExportSink.OutputUnusable | ExportSink.SinkFailed
> {
  const before = yield* Sqlite.attempt(path, () => lstat(path))
  if (Option.isNone(before)) {
    // Makes the file.
    yield* Sqlite.attempt(path, () => new DatabaseSync(path).close())
  } else {
    const { id, size, type } = before.value
    if (type !== "File" || size > 0) {
      return yield* new ExportSink.OutputUnusable({ path, problem: "it is not empty, as the lock of an export is" })
    }
    const database = yield* Sqlite.attempt(path, () => open(path))
    if (idOf(path) === id) return { database, id }
    database.close()
  }
  if (left > 0) return yield* take(path, left - 1)
  return yield* new ExportSink.OutputUnusable({ path, problem: "it is taken away again and again" })
})

const idOf = (path: string): string | undefined => {
  try {
    return Option.getOrUndefined(lstat(path))?.id
  } catch {
    return undefined
  }
}

/** Not every system removes what is open: what stays does no harm. */
const remove = (path: string): void => {
  try {
    Fs.rmSync(path, { force: true })
  } catch {
    // Then it stays.
  }
}

const tell = (file: string, holder: ExportSink.Holder): void => {
  // Whatever is there is no more than a name: it may lead to another file.
  Fs.rmSync(file, { force: true })
  Fs.writeFileSync(file, `${JSON.stringify(holder)}\n`, { flag: "wx" })
}

export const acquire: Lock.Acquire = Effect.fnUntraced(function* (path) {
  const output = path.slice(0, -".lock".length)
  const owner = `${path}.json`
  yield* Effect.try({
    try: () => new DatabaseSync(":memory:").close(),
    catch: () => new ExportSink.OutputUnusable({ path, problem: withoutSqlite })
  })
  const { id } = yield* Effect.acquireRelease(
    Effect.mapError(take(path), (error) => {
      if (error._tag !== "SinkFailed" || !Sqlite.isBusy(error.cause)) return error
      const holder = holderOf(owner)
      return new ExportSink.OutputInUse({ path: output, ...(holder === undefined ? {} : { holder }) })
    }),
    ({ database, id }) =>
      Effect.sync(() => {
        // Before it is free: then they may be another's.
        if (idOf(path) === id) for (const file of [owner, path]) remove(file)
        database.close()
      })
  )
  const self = yield* holder
  yield* Sqlite.attempt(owner, () => tell(owner, self))
  return Effect.suspend(() =>
    idOf(path) === id
      ? Effect.void
      : new ExportSink.OutputUnusable({ path: output, problem: `its lock ${path} has been taken away` })
  )
})

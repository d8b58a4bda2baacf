/**
 * A lock of the operating system, taken by SQLite: every runtime that has files has it, and none has `flock`. Node, Bun and
 * Deno.
 *
 * The file stays empty, so that a crash leaves nothing to repair. Nothing else here may open it: a process that closes a
 * file loses the locks that it has on it, by whatever way it had opened it. So who holds it is in a file of its own.
 */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Fs from "node:fs"
import process from "node:process"
import { DatabaseSync } from "node:sqlite"
import type * as ExportSink from "../../ExportSink.ts"
import type * as Lock from "../../Lock.ts"
import { codeOf, isBusy, withoutSqlite } from "../failureReasons.ts"
import * as NodeFiles from "../files/nodeFiles.ts"
import * as LockHolder from "../lockHolder.ts"
import { unusable } from "../refusals.ts"
import { openWith } from "./database.ts"

const isAlive = (pid: number): boolean => {
  try {
    return process.kill(pid, 0)
  } catch (error) {
    return codeOf(error) !== "ESRCH"
  }
}

/** Who wrote that it has the lock, unless that was somebody who has died since. */
const holderOf = (file: string): Option.Option<ExportSink.Holder> => {
  try {
    const holder = LockHolder.parse(Fs.readFileSync(file, "utf8"))
    return Option.filter(holder, ({ host, pid }) => host !== LockHolder.host() || isAlive(pid))
  } catch {
    return Option.none()
  }
}

/** How often somebody else may take it away at the wrong moment. */
const patience = 100

/**
 * Takes the lock. Whoever had it removes the file when it ends, so that what is locked may have lost its name, while a
 * newcomer locks another file of that name: it counts where the name stands for the same file before and after. (A number of
 * a file is not given to another one as long as the file is open.)
 */
const take = Effect.fnUntraced(function* (path: string) {
  for (let tries = 0; tries <= patience; tries++) {
    const found = yield* NodeFiles.attempt(path, () => NodeFiles.lstat(path))
    if (found === undefined) {
      // Makes the file.
      yield* NodeFiles.attempt(path, () => new DatabaseSync(path).close())
      continue
    }
    const { id, size, type } = found
    if (type !== "File" || size > 0) return yield* unusable(path, "it is not empty, as the lock of an export is")
    const database = yield* NodeFiles.attempt(path, () =>
      openWith(new DatabaseSync(path, { timeout: 0 }), "BEGIN IMMEDIATE")
    )
    if ((yield* idAt(path)) === id) return { database, id }
    database.close()
  }
  return yield* unusable(path, "it is taken away again and again")
})

const idAt = (path: string) => Effect.orElseSucceed(NodeFiles.idAt(path), () => undefined)

export const acquire: Lock.Acquire = Effect.fnUntraced(function* (path) {
  const output = path.slice(0, -".lock".length)
  const owner = `${path}.json`
  yield* Effect.try({
    try: () => new DatabaseSync(":memory:").close(),
    catch: () => unusable(path, withoutSqlite)
  })
  const { id } = yield* Effect.acquireRelease(
    Effect.mapError(take(path), (error) =>
      error._tag === "SinkFailed" && isBusy(error.cause) ? LockHolder.inUse(output, holderOf(owner)) : error
    ),
    Effect.fnUntraced(function* ({ database, id }) {
      // Before it is free: then they may be another's. Not every system removes what is open: what stays does no harm.
      for (const file of (yield* idAt(path)) === id ? [owner, path] : []) {
        yield* Effect.ignore(NodeFiles.attempt(file, () => Fs.rmSync(file, { force: true })))
      }
      database.close()
    })
  )
  const holder = yield* LockHolder.holder
  yield* NodeFiles.attempt(owner, () => {
    // Whatever is there is no more than a name: it may lead to another file.
    Fs.rmSync(owner, { force: true })
    Fs.writeFileSync(owner, `${JSON.stringify(holder)}\n`, { flag: "wx" })
  })
  return Effect.flatMap(idAt(path), (now) =>
    now === id ? Effect.void : unusable(output, `its lock ${path} has been taken away`)
  )
})

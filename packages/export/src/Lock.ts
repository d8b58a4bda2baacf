/**
 * The lock of an output: one export at a time, on one machine or over a file system that has locks.
 *
 * It is held by the operating system as long as the process lives, and is free the moment it ends, however it ends: there
 * are no locks of the dead to remove. Node, Bun and Deno can take it.
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as ExportSink from "./ExportSink.ts"
import { withoutSqlite } from "./internal/failureReasons.ts"

/**
 * Takes the lock `path`, the name of a file such as `lists.ndjson.lock`, until the scope ends, and fails at once where
 * somebody else has it. What it returns tells whether the lock is still held: it fails where the file has been taken away.
 *
 * @category models
 * @since 0.1.0
 */
export type Acquire = (
  path: string
) => Effect.Effect<
  Effect.Effect<void, ExportSink.OutputUnusable>,
  ExportSink.OutputInUse | ExportSink.OutputUnusable | ExportSink.SinkFailed,
  Scope.Scope
>

/**
 * How `NdjsonSink` and `CsvSink` lock their outputs; read when a sink is made, like the file system that it belongs to.
 * Default: a lock of the operating system on the file `path`, taken by the runtime's SQLite, which stays empty. A runtime
 * without `node:sqlite` cannot take it, and the export ends with `OutputUnusable`: give a lock of your own, as for a file
 * system that is none of the operating system's.
 *
 * @example
 * ```ts
 * import { Lock, NdjsonSink, ExportSink } from "@effect-zim/export"
 * import { Effect } from "effect"
 *
 * // For a file system in memory, which no other process sees.
 * const held = new Set<string>()
 * const inMemory: Lock.Acquire = (path) =>
 *   Effect.acquireRelease(
 *     Effect.suspend(() => {
 *       if (held.has(path)) return Effect.fail(new ExportSink.OutputInUse({ path }))
 *       held.add(path)
 *       return Effect.succeed(Effect.void)
 *     }),
 *     () => Effect.sync(() => held.delete(path))
 *   )
 *
 * const sink = NdjsonSink.make({ path: "/lists.ndjson" }).pipe(Effect.provideService(Lock.Lock, inMemory))
 * ```
 *
 * @category references
 * @since 0.1.0
 */
export const Lock: Context.Reference<Acquire> = Context.Reference<Acquire>("@effect-zim/export/Lock", {
  defaultValue: () => (path) =>
    Effect.flatMap(
      Effect.tryPromise({
        try: () => import("./internal/sqlite/sqliteLock.ts"),
        catch: () => new ExportSink.OutputUnusable({ path, problem: withoutSqlite })
      }),
      ({ acquire }) => acquire(path)
    )
})

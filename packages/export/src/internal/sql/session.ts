/** A connection of one's own that holds the lock of an export. */
import * as Effect from "effect/Effect"
import type * as SqlClient from "effect/sql/SqlClient"
import type { SqlError } from "effect/sql/SqlError"

/** How soon the database notices that the machine has gone, or cannot be reached: its own default is two hours. */
const keepAlive = `set_config('tcp_keepalives_idle', '60', false), set_config('tcp_keepalives_interval', '10', false),
  set_config('tcp_keepalives_count', '3', false)`

/** Takes it from the client's pool until the scope ends. It is never replaced: with the connection its lock is gone. */
export const reserve = Effect.fnUntraced(function* (sql: SqlClient.SqlClient) {
  const connection = yield* sql.reserve
  const run = (statement: string) => connection.executeUnprepared(statement, [], undefined)
  /** Runs statements there, whatever transaction the caller is in. */
  const there = Effect.provideService(sql.transactionService, [connection, 0])

  return {
    /** Whether nobody else has the lock of that name, which is then held until the scope ends. */
    lock: Effect.fnUntraced(function* (name: string) {
      const lock = sql`hashtextextended(${name}, 0)`
      return yield* Effect.acquireRelease(
        there(sql<{ locked: boolean }>`SELECT pg_try_advisory_lock(${lock}) AS locked, ${sql.literal(keepAlive)}`).pipe(
          Effect.map(([row]) => row?.locked === true)
        ),
        (isLocked) => (isLocked ? Effect.ignore(there(sql`SELECT pg_advisory_unlock(${lock})`)) : Effect.void)
      )
    }),
    /** Runs statements in a transaction. Unlike the client's, it fails where the connection is lost, and does not die. */
    transaction: <A, E, R>(self: Effect.Effect<A, E, R>): Effect.Effect<A, E | SqlError, R> =>
      run("BEGIN ISOLATION LEVEL READ COMMITTED").pipe(
        Effect.andThen(there(self)),
        Effect.tap(run("COMMIT")),
        Effect.onError(() => Effect.ignore(run("ROLLBACK")))
      )
  }
})

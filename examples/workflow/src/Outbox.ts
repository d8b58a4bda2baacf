/**
 * Where digests are sent from: a table, which the same digest enters once.
 */
import { Context, Effect, Layer } from "effect"
import { SqlClient, type SqlError } from "effect/sql"

export interface Mail {
  readonly key: string
  readonly userId: string
  readonly text: string
}

export class Outbox extends Context.Service<
  Outbox,
  { readonly send: (mail: Mail) => Effect.Effect<void, SqlError.SqlError> }
>()("workflow/Outbox") {
  static readonly layer = Layer.effect(
    this,
    Effect.gen(function* () {
      const sql = yield* SqlClient.SqlClient
      yield* sql`CREATE TABLE IF NOT EXISTS outbox (key text PRIMARY KEY, user_id text NOT NULL, text text NOT NULL)`
      return Outbox.of({
        send: Effect.fn("Outbox.send")(function* ({ key, text, userId }) {
          yield* sql`INSERT INTO outbox ${sql.insert({ key, user_id: userId, text })} ON CONFLICT (key) DO NOTHING`
        })
      })
    })
  )
}

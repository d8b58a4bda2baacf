/** A process over PostgreSQL, wired as the guide says: `postgresProcess.ts POSTGRES fail|share`. */
import * as SqlQuota from "@effect-zim/client/SqlQuota"
import * as PgClient from "@effect/sql-pg/PgClient"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as QuotaProcess from "./quotaProcess.ts"

const [url = ""] = process.argv.slice(2)

QuotaProcess.run(
  SqlQuota.layer(QuotaProcess.options).pipe(Layer.provide(Layer.orDie(PgClient.layer({ url: Redacted.make(url) })))),
  // A socket of `@effect/sql-pg` lives for as long as PostgreSQL does not close it, too.
  { teardown: (exit) => process.exit(Exit.isSuccess(exit) ? 0 : 1) }
)

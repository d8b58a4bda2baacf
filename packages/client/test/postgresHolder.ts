/** `postgresHolder.ts POSTGRES`: takes all 5 permits, says so, and keeps them. */
import * as SqlQuota from "@effect-zim/client/SqlQuota"
import * as PgClient from "@effect/sql-pg/PgClient"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import { call, outcomeOf, withPermit } from "./quotaOracle.ts"

const [url = ""] = process.argv.slice(2)

let held = 0
const hold = Effect.andThen(
  Effect.sync(() => void (++held === 5 && process.stdout.write("held\n"))),
  Effect.never
)

await SqlQuota.make({ limit: 5, window: 200, grace: 400, timeout: 10_000 }).pipe(
  Effect.flatMap((quota) =>
    Effect.forEach(
      Array.from({ length: 5 }),
      () => withPermit(quota, { ...call, attemptTimeout: Duration.seconds(1) }, () => hold, outcomeOf),
      { concurrency: "unbounded" }
    )
  ),
  Effect.scoped,
  Effect.provide(PgClient.layer({ url: Redacted.make(url) })),
  Effect.runPromise
)

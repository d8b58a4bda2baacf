/** Processes over a real PostgreSQL. */
import * as SqlQuota from "@effect-zim/client/SqlQuota"
import * as PgClient from "@effect/sql-pg/PgClient"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as PostgresServer from "./postgresServer.ts"
import { processLaws } from "./processLaws.ts"
import { call, outcomeOf, withPermit } from "./quotaOracle.ts"
import * as ScriptProcess from "./scriptProcess.ts"

processLaws({ name: "PostgreSQL", script: "postgresProcess.ts", server: PostgresServer.server })

describe("a process that is killed", { timeout: 120_000 }, () => {
  it.live("keeps its permits until their leases end, and no lock", () =>
    Effect.gen(function* () {
      const { url } = yield* PostgresServer.server
      const { child, ended, said } = yield* ScriptProcess.start("postgresHolder.ts", url)
      yield* said(/held/)
      child.kill("SIGKILL")
      yield* ended
      yield* Effect.gen(function* () {
        const sql = yield* PgClient.PgClient
        const [first] = yield* sql<{ readonly back: number }>`SELECT min(back) AS back FROM quota.quota_leases`
        const quota = yield* SqlQuota.make({ limit: 5, window: 200, grace: 400, timeout: 10_000 })
        yield* withPermit(quota, call, () => Effect.void, outcomeOf)
        const [state] = yield* sql<{ readonly at: number }>`SELECT last_grant AS at FROM quota.quota_state`
        assert.isAtLeast(state?.at ?? 0, first?.back ?? Infinity)
      }).pipe(Effect.provide(PgClient.layer({ url: Redacted.make(url) })))
    })
  )
})

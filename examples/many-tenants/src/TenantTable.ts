/**
 * Who the tenants are: here a JSON file, in a service of yours a table or a vault.
 */
import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import { Config, Context, Effect, FileSystem, Layer, type Redacted, Schema } from "effect"

const Rows = Schema.fromJsonString(
  Schema.Array(
    Schema.Struct({
      appId: Schema.Int,
      serverSecret: Schema.RedactedFromValue(Schema.String),
      /** Calls a second, as the app's plan has them. */
      limit: Schema.Int
    })
  )
)

export class TenantUnknown extends Schema.TaggedError<TenantUnknown>()("TenantUnknown", { appId: Schema.Int }) {}

export interface Tenant {
  readonly serverSecret: Redacted.Redacted
  readonly limit: number
}

export class TenantTable extends Context.Service<
  TenantTable,
  {
    readonly find: (appId: number) => Effect.Effect<Tenant, TenantUnknown>
    /** Where their calls go; the real service if it is not said. */
    readonly baseUrl: string | undefined
  }
>()("many-tenants/TenantTable") {
  static readonly layer = Layer.effect(
    this,
    Effect.gen(function* () {
      const fs = yield* FileSystem.FileSystem
      const file = yield* Config.String("TENANTS_FILE")
      const baseUrl = yield* Config.String("ZIM_BASE_URL").pipe(Config.withDefault(undefined))
      const rows = yield* Effect.flatMap(fs.readFileString(file), Schema.decodeEffect(Rows))
      const tenants = new Map(rows.map((row) => [row.appId, row]))
      return TenantTable.of({
        baseUrl,
        find: Effect.fn("TenantTable.find")(function* (appId) {
          const tenant = tenants.get(appId)
          if (tenant === undefined) return yield* new TenantUnknown({ appId })
          return tenant
        })
      })
    })
  ).pipe(Layer.provide(NodeFileSystem.layer))
}

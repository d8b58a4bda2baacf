/**
 * A client for each tenant, made when it is first asked for and closed when it has been idle.
 */
import { ZimClient } from "@effect-zim/client"
import { UndiciHttpClient } from "@effect-zim/node"
import { Effect, Layer, LayerMap } from "effect"
import { TenantTable } from "./TenantTable.ts"

export class Tenants extends LayerMap.Service<Tenants>()("many-tenants/Tenants", {
  lookup: (appId: number) =>
    Layer.unwrap(
      Effect.gen(function* () {
        const table = yield* TenantTable
        const { limit, serverSecret } = yield* table.find(appId)
        // Part of the client's options, and not `Quota.layer`: so the quota is the app's, and outlives its clients.
        return ZimClient.layer({ appId, serverSecret, baseUrl: table.baseUrl, policies: { quota: { limit } } })
      })
    ),
  idleTimeToLive: "5 minutes",
  dependencies: [UndiciHttpClient.layer, TenantTable.layer]
}) {}

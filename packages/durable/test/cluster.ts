/** Workers in processes of their own, over a PostgreSQL and an emulator of the test's own. */
import { Exports, SqlStore } from "@effect-zim/durable"
import * as NodeWorker from "@effect-zim/durable/NodeWorker"
import { Emulator, type Fault, ServiceQuota, World } from "@effect-zim/emulator"
import * as EmulatorServer from "@effect-zim/emulator/EmulatorServer"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as Schedule from "effect/Schedule"
import * as SqlClient from "effect/sql/SqlClient"
import * as Stream from "effect/Stream"
import { createHash } from "node:crypto"
import { freePort } from "../../client/test/freePort.ts"
import * as ScriptProcess from "../../client/test/scriptProcess.ts"

export const secret = "canary-secret-9193cc662a4c0ec1"

export const appIds = (apps: number) => Array.from({ length: apps }, (_, i) => 12345 + i)

/** An id that compresses as badly as real ones do. */
export const idOf = (i: number): string => createHash("md5").update(`${i}`).digest("base64url").slice(0, 16)

/** Apps with the same users, whose lists have 0 to 6 conversations. */
export const worldOf = (users: number, apps = 1, idOf = (i: number) => `user-${i}`): World.World =>
  World.make({
    apps: appIds(apps).map((appId) => ({ appId, serverSecret: secret })),
    users: Array.from({ length: users }, (_, i) => ({
      userId: idOf(i),
      conversations: Array.from({ length: i % 7 }, (_, j) => ({
        ConvId: `c-${j}`,
        ConvType: [0, 2][j % 2],
        UpdateTime: 1_700_000_000_000 + i * 1000 + j
      }))
    }))
  })

/** What must be in the database: a line for each conversation. */
export const rowsOf = (world: World.World): ReadonlyArray<string> =>
  world.users
    .flatMap(({ conversations, userId }) =>
      conversations.map(({ ConvId, ConvType = 0, UpdateTime }) => `${userId} ${ConvType} ${ConvId} ${UpdateTime}`)
    )
    .toSorted()

/** What is there. */
export const rowsIn = (appId: number) =>
  Effect.gen(function* () {
    const sql = yield* SqlClient.SqlClient
    const rows = yield* sql<{ row: string }>`
      SELECT concat_ws(' ', user_id, type_code, conversation_id, updated_at) AS row FROM zim.entries
      WHERE app_id = ${appId}`
    return rows.map(({ row }) => row).toSorted()
  })

export const emulator = (options: {
  readonly world: World.World
  readonly faults?: ReadonlyArray<Fault.Fault>
  readonly quota?: ServiceQuota.ServiceQuota
}) =>
  EmulatorServer.layer().pipe(
    Layer.provideMerge(
      Emulator.layer({ ...options, faults: options.faults ?? [], quota: options.quota ?? ServiceQuota.unlimited })
    )
  )

/** A worker that has not said yet that it is ready. */
export const startWorker = Effect.fnUntraced(function* (
  database: string,
  options: { readonly limit?: number; readonly apps?: number } = {}
) {
  const { url } = yield* EmulatorServer.EmulatorServer
  const port = yield* freePort
  const { apps = 1, limit = 20 } = options
  const settings = JSON.stringify({ database, baseUrl: url, port, appIds: appIds(apps), secret, limit })
  return { port, ...(yield* ScriptProcess.start("../../durable/test/worker.ts", settings)) }
})

export const startWorkers = (count: number, ...options: Parameters<typeof startWorker>) =>
  Effect.forEach(
    Array.from({ length: count }),
    () => Effect.tap(startWorker(...options), (worker) => worker.said(/^ready$/m)),
    { concurrency: count }
  )

/** The store, for whoever submits and looks. */
export const storeOf = (database: string) =>
  SqlStore.layer.pipe(Layer.provideMerge(NodeWorker.layerDatabase(Redacted.make(database))))

export const submit = (world: World.World, name: string, appId = 12345, options: Partial<Exports.Options> = {}) =>
  Exports.submit(Stream.fromIterable(world.users.map(({ userId }) => userId)), { name, appId, ...options })

/** Between two looks. */
export const soon = Schedule.spaced("100 millis")

/** `ZIM_CHAOS` makes it a minute. */
export const awayFor = process.env["ZIM_CHAOS"] === undefined ? "5 seconds" : "1 minute"

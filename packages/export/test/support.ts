/** Worlds, clients, and what an export of them must contain. */
import { Quota, RetryPolicy, ZimClient } from "@effect-zim/client"
import { Emulator, EmulatorClient, ServiceQuota, World } from "@effect-zim/emulator"
import type { Fault } from "@effect-zim/emulator"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as Schedule from "effect/Schedule"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"

export const app = { appId: 12345, serverSecret: "canary-secret-9193cc662a4c0ec1" }

/** A world with lists of these lengths: `user-0`, `user-1` and so on. */
export const worldOf = (lengths: ReadonlyArray<number>): World.World =>
  World.make({
    apps: [app],
    users: lengths.map((length, i) => ({
      userId: `user-${i}`,
      conversations: Array.from({ length }, (_, j) => ({
        ConvId: `${j % 7 === 0 ? 'say "hi", 群' : "c"}-${j}`,
        ConvType: [0, 2, 2, 3][j % 4],
        UpdateTime: 1_700_000_000_000 + i * 1000 + j
      }))
    }))
  })

/** The records of a user, as every text format has them. */
export const recordsOf = (world: World.World, userId: string) =>
  (world.users.find((user) => user.userId === userId)?.conversations ?? []).slice(-1000).map((wire) => ({
    userId,
    conversationId: wire.ConvId,
    type: wire.ConvType === 2 ? "Group" : (wire.ConvType ?? 0) === 0 ? "OneToOne" : "Unknown",
    typeCode: wire.ConvType ?? 0,
    updatedAt: new Date(wire.UpdateTime).toISOString()
  }))

/** Retries without waiting. */
export const impatient: RetryPolicy.RetryPolicy = {
  rateLimit: Schedule.recurs(20),
  transient: Schedule.recurs(20),
  bounded: Schedule.recurs(20),
  transport: Schedule.recurs(20),
  circuit: Schedule.recurs(0),
  usesBudget: false
}

/** A client in the same process, without a quota to wait for. */
export const layer = (options: {
  readonly world: World.World
  readonly faults?: ReadonlyArray<Fault.Fault>
  readonly appId?: number
  readonly serverSecret?: string
}): Layer.Layer<ZimClient.ZimClient | Emulator.Emulator> =>
  ZimClient.layer({
    appId: options.appId ?? app.appId,
    serverSecret: Redacted.make(options.serverSecret ?? app.serverSecret),
    baseUrl: "http://127.0.0.1"
  }).pipe(
    Layer.provide(Layer.succeed(RetryPolicy.Current, impatient)),
    Layer.provide(Quota.layer({ limit: 1_000_000, window: Duration.millis(1) })),
    Layer.provide(EmulatorClient.layer),
    Layer.provideMerge(
      Emulator.layer({ world: options.world, faults: options.faults ?? [], quota: ServiceQuota.unlimited })
    ),
    Layer.orDie
  )

/** The lines of each user, who must stand together. */
export const blocksOf = (lines: ReadonlyArray<string>, userOf: (line: string) => string) => {
  const blocks = new Map<string, Array<string>>()
  let last: string | undefined
  for (const line of lines) {
    const user = userOf(line)
    const block = blocks.get(user)
    if (block !== undefined && user !== last) throw new Error(`${user} comes in two places`)
    if (block === undefined) blocks.set(user, [line])
    else block.push(line)
    last = user
  }
  return blocks
}

/** A path for a database of the test's own. */
export const fresh = Effect.map(
  Effect.acquireRelease(
    Effect.sync(() => mkdtempSync(join(tmpdir(), "zim-export-"))),
    (folder) => Effect.sync(() => rmSync(folder, { recursive: true }))
  ),
  (folder) => join(folder, "out.db")
)

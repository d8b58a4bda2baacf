/** A small world, and calls for one page of it, each signed anew. */
import { Emulator, Quota, World } from "@effect-zim/emulator"
import { ServerSecret, Signature } from "@effect-zim/signing"
import * as Effect from "effect/Effect"

const app = { appId: 12345, serverSecret: "bench-only-9193cc662a4c0ec135ec71" }

export const emulator = Emulator.layer({
  world: World.make({
    apps: [app],
    users: [
      {
        userId: "u1",
        conversations: Array.from({ length: 10 }, (_, i) => ({ ConvId: `g${i}`, ConvType: 2, UpdateTime: 1e12 + i }))
      }
    ]
  }),
  quota: Quota.unlimited,
  journalCapacity: 10_000
})

/** So many targets, each with a nonce and a signature of its own. */
export const targets = (count: number): Effect.Effect<ReadonlyArray<string>> => {
  const signing = { appId: app.appId, serverSecret: ServerSecret.make(app.serverSecret) }
  const target = Effect.map(
    Signature.sign(signing),
    (signed) => `/?${Signature.toQuery(signed, "QueryConversationList")}`
  )
  return Effect.all(Array.from({ length: count }, () => target))
}

export const median = (values: ReadonlyArray<number>): number =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN

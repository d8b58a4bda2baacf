import { Conversations, ZimClient } from "@effect-zim/client"
import { EmulatorClient, World } from "@effect-zim/emulator"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { type Check, expect, secret } from "./Check.ts"

export const world = World.make({
  apps: [{ appId: 12345, serverSecret: secret }],
  users: Array.from({ length: 4 }, (_, i) => ({
    userId: `user-${i}`,
    conversations: [{ ConvId: `friend-of-${i}`, UpdateTime: 1 }]
  }))
})

/** Of the client that has one app of that world. */
export const findsFriend = Effect.gen(function* () {
  const { conversations } = yield* Conversations.snapshot("user-3")
  yield* expect(conversations.map(({ id }): string => id).join() === "friend-of-3", "another list")
})

export const check: Check = () => {
  const [app] = world.apps
  if (app === undefined) return Effect.die("no app")
  const http = EmulatorClient.layerWithEmulator({ world })
  return Effect.provide(findsFriend, Layer.provide(ZimClient.layer(app), http))
}

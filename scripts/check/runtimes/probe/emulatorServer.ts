import { Emulator } from "@effect-zim/emulator"
import * as EmulatorServer from "@effect-zim/emulator/EmulatorServer"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type { Check } from "./Check.ts"
import { clientOf } from "./client.ts"
import { findsFriend, world } from "./emulator.ts"

export const check: Check = () =>
  Effect.gen(function* () {
    const { url } = yield* EmulatorServer.EmulatorServer
    yield* Effect.provide(findsFriend, clientOf({ appId: 12345, url }))
  }).pipe(Effect.provide(Layer.provide(EmulatorServer.layer(), Emulator.layer({ world }))))

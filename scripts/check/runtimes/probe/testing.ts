import { Conversations } from "@effect-zim/client"
import { Arbitraries, Laws } from "@effect-zim/testing"
import * as Arbitrary from "effect/Arbitrary"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Stream from "effect/Stream"
import { type Check, expect } from "./Check.ts"

/** A law that holds, and sees where it does not. */
export const check: Check = () =>
  Effect.gen(function* () {
    const scenarios = yield* Arbitrary.sampleEffect(Arbitraries.scenario({ users: 3 }), { count: 20, seed: 1 })
    const full = scenarios.filter(({ world }) => world.users.some(({ conversations }) => conversations.length > 0))
    yield* expect(full.length > 0, "nobody has a conversation")
    for (const scenario of full) {
      yield* Laws.complete(scenario, (userId) => Conversations.stream(userId))
      const forgetful = yield* Effect.exit(Laws.complete(scenario, () => Stream.empty))
      yield* expect(Exit.isFailure(forgetful), "the law does not see what is lost")
    }
  })

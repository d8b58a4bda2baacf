/**
 * The workflow in memory and in virtual time: whatever the service goes through, however often batches crash and runners
 * stop, every user is in the result once.
 */
import { Exports, ExportStore, MemoryStore } from "@effect-zim/durable"
import { Arbitraries, ZimTest } from "@effect-zim/testing"
import { assert, describe, it } from "@effect/vitest"
import * as Arbitrary from "effect/Arbitrary"
import * as Effect from "effect/Effect"
import * as References from "effect/References"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import { runner, storage } from "./runner.ts"

/** What becomes of a save. */
const Trouble = Schema.Literals(["Fine", "Fine", "DiesBefore", "DiesAfter", "FailsBefore", "FailsAfter"])

/** A store whose first saves go wrong, each in its way. */
const troubled = (store: ExportStore.ExportStore["Service"], troubles: Iterable<typeof Trouble.Type>) => {
  const coming = [...troubles].toReversed()
  const failed = Effect.fail(new ExportStore.StoreFailed({ problem: "planted", cause: "planted" }))
  const dies = Effect.die(new Error("planted"))
  const save: typeof store.save = (...saved) => {
    const saving = store.save(...saved)
    switch (coming.pop() ?? "Fine") {
      case "DiesBefore":
        return dies
      case "DiesAfter":
        return Effect.andThen(saving, dies)
      case "FailsBefore":
        return failed
      case "FailsAfter":
        return Effect.andThen(saving, failed)
      default:
        return saving
    }
  }
  return { ...store, save }
}

describe("ExportWorkflow", () => {
  it.live.prop(
    "has everybody once, whatever crashes",
    {
      scenario: Arbitraries.scenario({ users: 40 }),
      troubles: Arbitrary.array(Arbitrary.schema(Trouble), { maxLength: 12 }),
      /** How long runners live, one after the other, in seconds; the last one lives on. */
      lives: Arbitrary.array(Arbitrary.schema(Schema.Literals([0.1, 1.5, 3, 20, 100])), { maxLength: 4 }),
      noise: Arbitrary.array(Arbitrary.schema(Schema.Literals(["", "not a user id: #", "again"])), { maxLength: 3 })
    },
    ({ lives, noise, scenario, troubles }) =>
      Effect.gen(function* () {
        const { world } = scenario
        const appId = world.apps[0]?.appId ?? 0
        const { lists, store } = yield* MemoryStore.make
        const again = world.userIds.slice(0, 1)
        const users: ReadonlyArray<string> = [
          ...world.userIds,
          ...noise.flatMap((text): ReadonlyArray<string> => (text === "again" ? again : [text]))
        ]
        const result = yield* ZimTest.runScenario(
          Effect.gen(function* () {
            const { id } = yield* Exports.submit(Stream.fromIterable(users), { name: "all", appId })
            for (const life of lives) yield* Effect.sleep(life * 1000).pipe(Effect.provide(runner))
            return yield* Effect.provide(Exports.wait(id), runner)
          }).pipe(
            Effect.provide(storage),
            Effect.provideService(ExportStore.ExportStore, troubled(store, troubles)),
            Effect.provideService(References.MinimumLogLevel, "None")
          ),
          scenario
        )
        const written = lists(appId)
        assert.sameMembers(
          [...written.keys()],
          world.users.map(({ userId }) => userId)
        )
        for (const { conversations, userId } of world.users) {
          const keys = written.get(userId)?.conversations.map(({ id, typeCode }) => `${typeCode}:${id}`) ?? []
          // The service returns no more than that.
          assert.lengthOf(keys, Math.min(1000, conversations.length))
          assert.lengthOf(new Set(keys), keys.length)
          assert.includeMembers(
            conversations.map(({ ConvId, ConvType = 0 }) => `${ConvType}:${ConvId}`),
            keys
          )
        }
        const failed = yield* Stream.runCollect(store.failures(result.id))
        assert.deepStrictEqual(
          failed.map(({ line }) => line),
          users.flatMap((user, i) => (world.users[i]?.userId === user ? [] : [i + 1]))
        )
        assert.strictEqual(result.counts.lines, users.length)
        assert.strictEqual(result.counts.users, world.users.length)
        assert.strictEqual(result.state, world.users.length > 0 || users.length === 0 ? "Finished" : "Failed")
      })
  )

  it.effect("an attempt that is over ends no later one", () =>
    Effect.gen(function* () {
      const { store } = yield* MemoryStore.make
      const late = { attempt: 1, problem: { error: "AuthenticationFailed", message: "late" } }
      yield* Effect.gen(function* () {
        const { id } = yield* Exports.submit(Stream.make("ada"), { name: "all", appId: 12345 })
        assert.isTrue(yield* store.change(id, ["Running"], "Failed", late))
        assert.strictEqual((yield* Exports.resume(id)).attempt, 2)
        assert.isFalse(yield* store.change(id, ["Running"], "Failed", late))
        assert.strictEqual((yield* Exports.get(id)).state, "Running")
        assert.isTrue(yield* store.change(id, ["Running"], "Failed", { ...late, attempt: 2 }))
      }).pipe(Effect.provideService(ExportStore.ExportStore, store))
    })
  )
})

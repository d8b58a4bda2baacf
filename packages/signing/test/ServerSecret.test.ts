import { ServerSecret } from "@effect-zim/signing"
import { assert, describe, it } from "@effect/vitest"
import * as Cause from "effect/Cause"
import * as Config from "effect/Config"
import * as ConfigProvider from "effect/ConfigProvider"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import { inspect } from "node:util"

const canary = "canary-9193cc662a4c0ec135ec71fb57194b38"

const load = (value: string) =>
  Config.schema(ServerSecret.ServerSecret, "ZIM_SERVER_SECRET").pipe(
    Effect.provide(ConfigProvider.layer(ConfigProvider.fromUnknown({ ZIM_SERVER_SECRET: value })))
  )

const renderings = (value: unknown) => [JSON.stringify(value), inspect(value, { depth: Infinity, showHidden: true })]

describe("ServerSecret", () => {
  it("prints as redacted, and holds the value", () => {
    const secret = ServerSecret.make(canary)
    assert.strictEqual(Redacted.value(secret), canary)
    assert.strictEqual(JSON.stringify(secret), `"<redacted:ServerSecret>"`)
    for (const text of renderings({ secret })) assert.notInclude(text, canary)
  })

  it.effect("is read from configuration", () =>
    Effect.gen(function* () {
      const secret = yield* load(canary)
      assert.strictEqual(Redacted.value(secret), canary)
      assert.strictEqual(JSON.stringify(secret), `"<redacted:ServerSecret>"`)
    })
  )

  it.each([
    ["", "ServerSecret is empty"],
    ["   ", "ServerSecret begins or ends with whitespace"],
    [` ${canary}`, "ServerSecret begins or ends with whitespace"],
    [`${canary}\n`, "ServerSecret begins or ends with whitespace"],
    [`\u00a0${canary}`, "ServerSecret begins or ends with whitespace"]
  ])("rejects %j and does not repeat it", async (value, message) => {
    const decode = Schema.decodeUnknownEffect(ServerSecret.ServerSecret, { errors: "all" })
    const causes: ReadonlyArray<Cause.Cause<unknown>> = [
      await Effect.runPromise(Effect.flip(Effect.sandbox(decode(value)))),
      await Effect.runPromise(Effect.flip(Effect.sandbox(Effect.sync(() => ServerSecret.make(value))))),
      // An empty variable counts as one that is not set.
      ...(value === "" ? [] : [await Effect.runPromise(Effect.flip(Effect.sandbox(load(value))))])
    ]
    for (const cause of causes) {
      assert.include(Cause.pretty(cause), message)
      for (const text of [Cause.pretty(cause), ...renderings(cause), ...renderings(Cause.squash(cause))]) {
        assert.notInclude(text, canary)
      }
    }
  })

  it.prop("whatever the schema accepts, make accepts", { secret: ServerSecret.ServerSecret }, ({ secret }) => {
    assert.deepStrictEqual(ServerSecret.make(Redacted.value(secret)), secret)
  })

  it.prop(
    "problem says what the schema says",
    { of: Schema.Array(Schema.Literals([" ", "\n", "\u00a0", "x"])) },
    ({ of }) => {
      const text = of.join("")
      const decoded = Schema.decodeUnknownResult(ServerSecret.ServerSecret)(text)
      assert.strictEqual(ServerSecret.problem(text), Result.isFailure(decoded) ? decoded.failure.message : undefined)
    }
  )
})

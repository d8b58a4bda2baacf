/** What a command's quota is made of: its flag, or else the settings. */
import { Conversations, ZimClient } from "@effect-zim/client"
import { assert, describe, it } from "@effect/vitest"
import * as ConfigProvider from "effect/ConfigProvider"
import * as Effect from "effect/Effect"
import * as HttpClient from "effect/http/HttpClient"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as TestClock from "effect/testing/TestClock"
import { quotaLayer, quotaPerSecond } from "../src/internal/flags.ts"

type Case = readonly [flag: number | undefined, env: Record<string, string>, limit: number, perSecond: number]

const cases: ReadonlyArray<Case> = [
  [undefined, {}, 20, 20],
  [30, {}, 30, 30],
  [undefined, { ZIM_QUOTA_LIMIT: "7" }, 7, 7],
  [undefined, { ZIM_QUOTA_LIMIT: "40", ZIM_QUOTA_WINDOW: "1 minute" }, 40, 0.667],
  [30, { ZIM_QUOTA_LIMIT: "40", ZIM_QUOTA_WINDOW: "1 minute" }, 30, 30]
]

describe("the quota of a command", () => {
  it.effect.each(cases)("--calls-per-second %s, %j: %d at once, %d a second", ([flag, env, limit, perSecond]) =>
    Effect.gen(function* () {
      let sent = 0
      const silent = HttpClient.make(() =>
        Effect.andThen(
          Effect.sync(() => sent++),
          Effect.never
        )
      )
      const settings = ConfigProvider.fromEnv({ env: { ZIM_APP_ID: "1", ZIM_SERVER_SECRET: "s", ...env } })
      const client = ZimClient.layerConfig().pipe(
        Layer.provide(quotaLayer(Option.fromUndefinedOr(flag))),
        Layer.provide(Layer.succeed(HttpClient.HttpClient, silent)),
        Layer.provide(ConfigProvider.layer(settings))
      )
      const calls = Effect.all(
        Array.from({ length: 60 }, () => Conversations.page("ada")),
        { concurrency: "unbounded" }
      )
      yield* Effect.forkScoped(Effect.provide(calls, client), { startImmediately: true })
      yield* TestClock.adjust(0)
      assert.strictEqual(sent, limit)
      const shown = quotaPerSecond(Option.fromUndefinedOr(flag))
      assert.strictEqual(yield* Effect.provide(shown, ConfigProvider.layer(settings)), perSecond)
    }).pipe(Effect.scoped)
  )
})

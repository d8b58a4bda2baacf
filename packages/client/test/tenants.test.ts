/**
 * Apps that are known only when they are asked for, in a `LayerMap`: made when used, evicted when idle, and made anew,
 * while the service never sees more calls of an app than its quota.
 */
import { ClientError, Quota, ZimClient } from "@effect-zim/client"
import { assert, describe, it } from "@effect/vitest"
import * as Arbitrary from "effect/Arbitrary"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import type * as HttpClient from "effect/http/HttpClient"
import * as Layer from "effect/Layer"
import * as LayerMap from "effect/LayerMap"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import * as TestClock from "effect/testing/TestClock"
import { inspect } from "node:util"
import * as FakeService from "./fakeService.ts"
import { page, read } from "./policy/support.ts"
import { between, peak } from "./quotaOracle.ts"

class TenantUnknown extends Data.TaggedError("TenantUnknown")<{ readonly appId: number }> {}

interface Tenant {
  readonly secret: string
  readonly limit: number
}

/** What a program has: who its tenants are, as far as anybody knows now, and a client for each that is in use. */
const tenantsOf = Effect.fnUntraced(function* (http: Layer.Layer<HttpClient.HttpClient>, known: Map<number, Tenant>) {
  const made: Array<number> = []
  const tenants = yield* LayerMap.make(
    (appId: number) =>
      Layer.unwrap(
        Effect.gen(function* () {
          const tenant = known.get(appId)
          if (tenant === undefined) return yield* new TenantUnknown({ appId })
          made.push(appId)
          const { limit, secret } = tenant
          return ZimClient.layer({ appId, serverSecret: Redacted.make(secret), policies: { quota: { limit } } })
        })
      ).pipe(Layer.provide(http)),
    { idleTimeToLive: "300 millis" }
  )
  return { tenants, made }
})

const apps = [
  { appId: 1, limit: 20 },
  { appId: 2, limit: 3 }
] as const

const everybody = () => new Map<number, Tenant>(apps.map(({ appId, limit }) => [appId, { secret: "s", limit }]))

/** Use of an app, and the idleness after it. */
const Step = Schema.Struct({
  appId: Schema.Literals([1, 2]),
  calls: between(0, 25),
  /** Milliseconds: shorter and longer than entries are kept, than a window, and than anybody remembers the quota. */
  pause: Schema.Literals([0, 1, 100, 299, 301, 700, 999, 1000, 1301, 5000, 3_700_000]),
  /** Whether the app is made anew, whoever uses it, and by another limit at times. */
  isInvalidated: Schema.Boolean,
  parts: Schema.Literals([1, 1, 1 / 3])
})

const timesOf = (service: FakeService.FakeService, appId: number): ReadonlyArray<number> =>
  service.sent.filter(({ url }) => url.searchParams.get("AppId") === `${appId}`).map(({ time }) => time)

describe("tenants", () => {
  it.effect.prop(
    "are evicted and made anew, and no app has more than its quota in any second",
    {
      steps: Arbitrary.array(Arbitrary.schema(Step), { minLength: 2, maxLength: 12 }),
      latency: Schema.Literals([0, 20, 400])
    },
    ({ latency, steps }) =>
      Effect.gen(function* () {
        const service = FakeService.make(() => Effect.delay(Effect.succeed(page), latency))
        const known = everybody()
        const { tenants } = yield* tenantsOf(service.layer, known)
        const calls: Array<Fiber.Fiber<unknown, unknown>> = []
        for (const { appId, calls: count, isInvalidated, parts, pause } of steps) {
          known.set(appId, { secret: "s", limit: Math.ceil(parts * (appId === 1 ? 20 : 3)) })
          for (let i = 0; i < count; i++) {
            const call = Effect.provide(read, tenants.get(appId))
            calls.push(yield* Effect.forkScoped(call, { startImmediately: true }))
          }
          yield* FakeService.settle
          if (isInvalidated) yield* tenants.invalidate(appId)
          yield* TestClock.adjust(pause)
        }
        yield* Fiber.joinAll(calls).pipe(FakeService.inTime())
        for (const { appId, limit } of apps) assert.isAtMost(peak(timesOf(service, appId), 1000), limit)
      }).pipe(Effect.scoped),
    { arbitrary: { seed: 14, runs: 60 } }
  )

  it.effect("are gone when they are idle, and what they have sent counts all the same", () =>
    Effect.gen(function* () {
      const service = FakeService.answering(page)
      const { made, tenants } = yield* tenantsOf(service.layer, everybody())
      const use = (count: number) =>
        Effect.forkScoped(
          Effect.all(
            Array.from({ length: count }, () => Effect.provide(read, tenants.get(1))),
            { concurrency: "unbounded" }
          ),
          { startImmediately: true }
        )
      const isThere = Effect.map(Effect.scoped(tenants.contextEffectOption(1)), Option.isSome)
      yield* Effect.andThen(use(20), FakeService.settle)
      assert.isTrue(yield* isThere)
      assert.lengthOf(service.sent, 20)
      yield* TestClock.adjust("500 millis")
      assert.isFalse(yield* isThere)
      yield* Effect.andThen(use(20), FakeService.settle)
      assert.deepStrictEqual(made, [1, 1])
      yield* TestClock.adjust("499 millis")
      assert.lengthOf(service.sent, 20)
      yield* TestClock.adjust("1 millis")
      assert.lengthOf(service.sent, 40)
    }).pipe(Effect.scoped)
  )

  it.effect("with a quota in the entry, which goes with it, would send twice as many", () =>
    Effect.gen(function* () {
      const service = FakeService.answering(page)
      const tenants = yield* LayerMap.make(
        (_appId: number) => FakeService.clientOf(service.layer).pipe(Layer.provide(Quota.layer({ limit: 20 }))),
        { idleTimeToLive: "300 millis" }
      )
      for (let i = 0; i < 40; i++) {
        if (i === 20) yield* TestClock.adjust("500 millis")
        yield* Effect.provide(read, tenants.get(1))
      }
      assert.strictEqual(peak(timesOf(service, FakeService.app.appId), 1000), 40)
    }).pipe(Effect.scoped)
  )

  it.effect("keep to one quota that is given to all of them, each app for itself", () =>
    Effect.gen(function* () {
      const service = FakeService.answering(page)
      class Tenants extends LayerMap.Service<Tenants>()("test/Tenants", {
        lookup: (appId: number) => ZimClient.layer({ appId, serverSecret: Redacted.make("s") }),
        idleTimeToLive: "300 millis",
        dependencies: [service.layer, Quota.layer({ limit: 5 })]
      }) {}
      const use = Effect.forEach([1, 2], (appId) => Effect.provide(read, Tenants.get(appId)))
      yield* Effect.gen(function* () {
        for (let i = 0; i < 5; i++) yield* use
        yield* TestClock.adjust("500 millis")
        yield* Effect.forkScoped(use, { startImmediately: true })
        yield* FakeService.settle
      }).pipe(Effect.provide(Tenants.layer))
      for (const appId of [1, 2]) assert.lengthOf(timesOf(service, appId), 5)
    }).pipe(Effect.scoped)
  )

  it.effect("have another quota when it was changed, and what was sent before counts", () =>
    Effect.gen(function* () {
      const service = FakeService.answering(page)
      const known = everybody()
      const { tenants } = yield* tenantsOf(service.layer, known)
      const use = Effect.andThen(
        Effect.forkScoped(
          Effect.all(
            Array.from({ length: 60 }, () => Effect.provide(read, tenants.get(1))),
            { concurrency: "unbounded" }
          ),
          { startImmediately: true }
        ),
        FakeService.settle
      )
      yield* use
      assert.lengthOf(service.sent, 20)
      known.set(1, { secret: "s", limit: 50 })
      yield* tenants.invalidate(1)
      yield* use
      for (let i = 0; i < 60; i++) yield* FakeService.settle
      assert.lengthOf(service.sent, 50)
    }).pipe(Effect.scoped)
  )

  it.effect("that nobody knows, or whose settings are wrong, are typed errors, and are asked for again", () =>
    Effect.gen(function* () {
      const known = new Map<number, Tenant>()
      const { tenants } = yield* tenantsOf(FakeService.answering(page).layer, known)
      const use = Effect.provide(read, tenants.get(7))
      assert.instanceOf(yield* Effect.flip(use), TenantUnknown)

      const wrong = { secret: "canary ", limit: 20 }
      for (const tenant of [wrong, { secret: "s", limit: 0 }]) {
        known.set(7, tenant)
        yield* tenants.invalidate(7)
        const error = yield* Effect.flip(use)
        assert.instanceOf(error, ClientError.SettingsInvalid)
        assert.strictEqual(error.setting, tenant === wrong ? "serverSecret" : "policies")
        assert.notInclude(inspect(error, { depth: 10 }), "canary")
      }
      known.set(7, { secret: "s", limit: 20 })
      yield* TestClock.adjust("1 second")
      assert.lengthOf((yield* use).conversations, 1)
    }).pipe(Effect.scoped)
  )
})

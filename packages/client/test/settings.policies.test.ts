/** The settings of policies: what each is read from, what it does, and what wins over it. */
import { ClientError, Quota, RetryPolicy, ServerClock, Timeout, ZimClient } from "@effect-zim/client"
import { assert, describe, it } from "@effect/vitest"
import * as Config from "effect/Config"
import * as ConfigProvider from "effect/ConfigProvider"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as TestClock from "effect/testing/TestClock"
import { readFileSync } from "node:fs"
import { inspect } from "node:util"
import * as FakeService from "./fakeService.ts"
import { page, read } from "./policy/support.ts"

const good = { ZIM_APP_ID: "12345", ZIM_SERVER_SECRET: FakeService.app.serverSecret }

type Environment = Record<string, string>

const given = (env: Environment) => ConfigProvider.layer(ConfigProvider.fromEnv({ env }))

const settingsOf = (env: Environment, options?: ZimClient.ConfigOptions) =>
  Effect.provide(ZimClient.readSettings(options), given({ ...good, ...env }))

/** A client of the service with these settings, and with these policies of the code's. */
const clientOf = (
  service: FakeService.FakeService,
  env: Environment,
  policies: Layer.Layer<never> | Layer.Layer<Quota.Quota> = Layer.empty
) =>
  ZimClient.layerConfig().pipe(
    Layer.provide([service.layer, given({ ...good, ZIM_BASE_URL: "http://127.0.0.1:1", ...env }), policies])
  )

/** How many of so many calls at once are sent without a wait; each with a client of its own, made for it. */
const sentAtOnce = (service: FakeService.FakeService, count: number, client: ReturnType<typeof clientOf>) =>
  Effect.gen(function* () {
    const before = service.sent.length
    yield* Effect.forkScoped(
      Effect.all(
        Array.from({ length: count }, () => Effect.provide(read, client)),
        { concurrency: "unbounded" }
      ),
      { startImmediately: true }
    )
    yield* FakeService.settle
    return service.sent.length - before
  })

const quota = { limit: undefined, window: undefined, per: undefined, whenUnavailable: undefined }
const timeout = { attempt: undefined, deadline: undefined }

/** Each setting, what it makes, and values that it cannot have. */
const table: ReadonlyArray<
  readonly [
    name: string,
    value: string,
    made: (settings: ZimClient.Settings) => unknown,
    is: unknown,
    wrong: ReadonlyArray<string>
  ]
> = [
  ["ZIM_FAILOVER", "lax,sgp", ({ client }) => client.failover, ["lax", "sgp"], ["mars", "lax,canary", "lax,"]],
  [
    "ZIM_QUOTA_LIMIT",
    "50",
    (settings) => settings.quota,
    { ...quota, limit: 50 },
    ["0", "-1", "1.5", "canary", "Infinity"]
  ],
  [
    "ZIM_QUOTA_WINDOW",
    "2 seconds",
    (settings) => settings.quota,
    { ...quota, window: Duration.seconds(2) },
    ["0 seconds", "-1 seconds", "Infinity", "10", "canary"]
  ],
  ["ZIM_QUOTA_PER", "operation", (settings) => settings.quota, { ...quota, per: "operation" }, ["canary", "KEY"]],
  [
    "ZIM_QUOTA_SHARE",
    "0.25",
    (settings) => settings.quota,
    { ...quota, whenUnavailable: { share: 0.25 } },
    ["0", "1.1", "-0.1", "canary"]
  ],
  ["ZIM_RETRY", "patient", ({ retry }) => retry?.usesBudget, false, ["canary", "Patient"]],
  ["ZIM_RETRY_ATTEMPTS", "3", ({ retry }) => [retry?.attempts, retry?.usesBudget], [3, true], ["0", "1.5", "canary"]],
  [
    "ZIM_RETRY_BUDGET",
    "100",
    ({ client }) => client.policies?.retryBudget,
    { capacity: 100 },
    ["-1", "Infinity", "canary"]
  ],
  [
    "ZIM_BREAKER_THRESHOLD",
    "0.8",
    ({ client }) => client.policies?.circuitBreaker,
    { threshold: 0.8 },
    ["0", "1.1", "-1", "canary"]
  ],
  [
    "ZIM_TIMEOUT",
    "3 seconds",
    (settings) => settings.timeout,
    { ...timeout, attempt: Duration.seconds(3) },
    ["0 seconds", "3", "-1 seconds", "canary"]
  ],
  [
    "ZIM_DEADLINE",
    "1 hour",
    (settings) => settings.timeout,
    { ...timeout, deadline: Duration.hours(1) },
    ["0 seconds", "canary"]
  ],
  ["ZIM_CLOCK_OFFSET", "-5 seconds", ({ clockOffset }) => clockOffset, Duration.seconds(-5), ["Infinity", "canary"]]
]

describe("a setting of a policy", () => {
  it.effect.each(table)("%s = %s", ([name, value, made, is]) =>
    Effect.gen(function* () {
      assert.deepStrictEqual(made(yield* settingsOf({ [name]: value })), is)
    })
  )

  const wrong = table.flatMap(([name, , , , values]) => ["", ...values].map((value) => [name, value] as const))
  it.effect.each(wrong)("%s = %j is named, and not shown", ([name, value]) =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(settingsOf({ [name]: value }))
      assert.instanceOf(error, ClientError.SettingsInvalid)
      assert.strictEqual(error.setting, name)
      assert.notInclude(error.problem, "\n")
      assert.notInclude(inspect(error, { depth: 10 }), "canary")
    })
  )

  it("is in the README's table, and no other is", () => {
    const readme = readFileSync(new URL("../../../README.md", import.meta.url), "utf8")
    const documented = Array.from(readme.matchAll(/^\| `(ZIM_[A-Z_]+)`/gm), ([, name]) => name)
    const ofClient = ["ZIM_APP_ID", "ZIM_SERVER_SECRET", "ZIM_REGION", "ZIM_BASE_URL"]
    assert.deepStrictEqual(documented, [...ofClient, ...table.map(([name]) => name)])
  })
})

describe("in force", () => {
  const unavailable = FakeService.answering(FakeService.code(1))
  const failure = (env: Environment, service = unavailable) =>
    Effect.flip(Effect.provide(read, clientOf(service, env))).pipe(FakeService.inTime())

  it.effect("ZIM_QUOTA_LIMIT is one for all clients of the app, however many are made", () =>
    Effect.gen(function* () {
      const service = FakeService.answering(page)
      assert.strictEqual(yield* sentAtOnce(service, 30, clientOf(service, { ZIM_QUOTA_LIMIT: "7" })), 7)
    }).pipe(Effect.scoped)
  )

  it.effect("ZIM_QUOTA_LIMIT and ZIM_QUOTA_WINDOW, with others of the app that say something else", () =>
    Effect.gen(function* () {
      const service = FakeService.answering(page)
      assert.strictEqual(yield* sentAtOnce(service, 5, clientOf(service, { ZIM_QUOTA_LIMIT: "5" })), 5)
      // What has been sent counts, whatever the limit was.
      assert.strictEqual(yield* sentAtOnce(service, 4, clientOf(service, { ZIM_QUOTA_LIMIT: "8" })), 3)
      assert.strictEqual(yield* sentAtOnce(service, 1, clientOf(service, { ZIM_QUOTA_LIMIT: "3" })), 0)
      yield* TestClock.adjust("1 second")
      assert.strictEqual(service.sent.length, 10)
      yield* TestClock.adjust("10 seconds")
      const slow = clientOf(service, { ZIM_QUOTA_LIMIT: "3", ZIM_QUOTA_WINDOW: "1 minute" })
      assert.strictEqual(yield* sentAtOnce(service, 6, slow), 3)
      yield* TestClock.adjust("59 seconds")
      assert.strictEqual(service.sent.length, 13)
      yield* TestClock.adjust("1 second")
      assert.strictEqual(service.sent.length, 16)
    }).pipe(Effect.scoped)
  )

  it.effect("ZIM_RETRY and ZIM_RETRY_ATTEMPTS", () =>
    Effect.gen(function* () {
      const attempts = Effect.fnUntraced(function* (env: Environment) {
        const error = yield* failure(env)
        return error._tag === "ServiceFailed" ? error.attempts : error
      })
      assert.strictEqual(yield* attempts({}), 5)
      assert.strictEqual(yield* attempts({ ZIM_RETRY: "none" }), 1)
      assert.strictEqual(yield* attempts({ ZIM_RETRY_ATTEMPTS: "2" }), 2)
      assert.strictEqual(yield* attempts({ ZIM_RETRY: "patient", ZIM_RETRY_ATTEMPTS: "7", ZIM_DEADLINE: "1 hour" }), 7)
      assert.strictEqual(yield* attempts({ ZIM_RETRY_BUDGET: "10" }), 3)
    })
  )

  it.effect("ZIM_RETRY_ATTEMPTS counts attempts of all kinds", () =>
    Effect.gen(function* () {
      const mixed = FakeService.make((sent, i) =>
        i % 2 === 0 ? Effect.succeed(FakeService.code(1)) : FakeService.transportError(sent)
      )
      yield* failure({ ZIM_RETRY_ATTEMPTS: "4" }, mixed)
      assert.lengthOf(mixed.sent, 4)
    })
  )

  it.effect("ZIM_BREAKER_THRESHOLD", () =>
    Effect.gen(function* () {
      const opensAfter = Effect.fnUntraced(function* (env: Environment) {
        // Two of three fail.
        const service = FakeService.make((_, i) => Effect.succeed(i % 3 === 0 ? page : FakeService.code(1)))
        const client = clientOf(service, { ...env, ZIM_RETRY: "none" })
        for (let i = 0; i < 60; i++) {
          yield* Effect.andThen(Effect.exit(Effect.provide(read, client)), TestClock.adjust("100 millis"))
        }
        return service.sent.length
      })
      assert.isBelow(yield* opensAfter({ ZIM_BREAKER_THRESHOLD: "0.5" }), 60)
      assert.strictEqual(yield* opensAfter({ ZIM_BREAKER_THRESHOLD: "0.8" }), 60)
    })
  )

  it.effect("ZIM_TIMEOUT and ZIM_DEADLINE", () =>
    Effect.gen(function* () {
      const silent = FakeService.make(() => Effect.never)
      const late = yield* failure({ ZIM_TIMEOUT: "3 seconds", ZIM_RETRY: "none" }, silent)
      assert.instanceOf(late, ClientError.AttemptTimedOut)
      assert.deepStrictEqual(late.timeout, Duration.seconds(3))
      const later = yield* failure({ ZIM_DEADLINE: "5 seconds" }, silent)
      assert.instanceOf(later, ClientError.DeadlineExceeded)
      assert.deepStrictEqual(later.deadline, Duration.seconds(5))
    })
  )

  it.effect("ZIM_CLOCK_OFFSET", () =>
    Effect.gen(function* () {
      const service = FakeService.answering(page)
      yield* Effect.provide(read, clientOf(service, { ZIM_CLOCK_OFFSET: "15 minutes" }))
      assert.strictEqual(service.sent[0]?.url.searchParams.get("Timestamp"), "900")
    })
  )

  it.effect("what the code gives wins", () =>
    Effect.gen(function* () {
      const env = { ZIM_QUOTA_LIMIT: "7", ZIM_TIMEOUT: "3 seconds", ZIM_RETRY: "patient", ZIM_CLOCK_OFFSET: "1 hour" }
      const silent = FakeService.make(() => Effect.never)
      const policies = Layer.mergeAll(
        Quota.layer({ limit: 1 }),
        Timeout.layer({ attempt: "1 second" }),
        RetryPolicy.layer(RetryPolicy.none),
        ServerClock.layerFixed(0)
      )
      const client = yield* Layer.build(clientOf(silent, env, policies))
      const error = yield* Effect.flip(Effect.provide(read, client)).pipe(FakeService.inTime())
      assert.instanceOf(error, ClientError.AttemptTimedOut)
      assert.deepStrictEqual([error.attempts, error.timeout], [1, Duration.seconds(1)])
      assert.strictEqual(silent.sent[0]?.url.searchParams.get("Timestamp"), "0")
      yield* TestClock.adjust("10 seconds")
      yield* Effect.forkScoped(
        Effect.all([Effect.provide(read, client), Effect.provide(read, client)], { concurrency: "unbounded" }),
        { startImmediately: true }
      )
      yield* FakeService.settle
      assert.lengthOf(silent.sent, 2)
    }).pipe(Effect.scoped)
  )
})

describe("an ordinary Config", () => {
  it.effect("by other names, with defaults, and the others by their own names", () =>
    Effect.gen(function* () {
      const settings = yield* settingsOf(
        { MY_ID: "7", MY_SECRET: "s", MY_LIMIT: "50", ZIM_DEADLINE: "1 hour" },
        {
          appId: Config.Int("MY_ID"),
          serverSecret: Config.Redacted("MY_SECRET"),
          region: Config.succeed("fra"),
          quota: Config.all({ limit: Config.Int("MY_LIMIT") }),
          clockOffset: Config.withDefault(Config.Duration("MY_OFFSET"), "1 second")
        }
      )
      const { client } = settings
      assert.strictEqual(client.appId, 7)
      assert.strictEqual(Redacted.value(client.serverSecret), "s")
      assert.strictEqual(client.region, "fra")
      assert.deepStrictEqual([settings.quota, client.policies?.quota], [{ limit: 50 }, { limit: 50 }])
      assert.strictEqual(settings.clockOffset, "1 second")
      assert.deepStrictEqual(settings.timeout, { ...timeout, deadline: Duration.hours(1) })
    })
  )

  it.effect("all of them below a name", () =>
    Effect.gen(function* () {
      const nested = Config.nested(ZimClient.settings, "STAGING")
      const env = { STAGING_ZIM_APP_ID: "7", STAGING_ZIM_SERVER_SECRET: "s", STAGING_ZIM_TIMEOUT: "1 second" }
      const settings = yield* settingsOf(env, nested)
      assert.strictEqual(settings.client.appId, 7)
      assert.deepStrictEqual(settings.timeout?.attempt, Duration.seconds(1))
      const error = yield* Effect.flip(settingsOf({ ...env, STAGING_ZIM_TIMEOUT: "canary" }, nested))
      assert.strictEqual(error.message, 'STAGING_ZIM_TIMEOUT: a time above 0, such as "30 seconds"')
    })
  )

  it("needs nothing that is asynchronous", () => {
    const env = given({ ...good, ZIM_QUOTA_LIMIT: "50" })
    assert.strictEqual(Effect.runSync(Effect.provide(ZimClient.settings, env)).quota?.limit, 50)
    assert.strictEqual(Effect.runSync(Effect.provide(ZimClient.readSettings(), env)).quota?.limit, 50)
    const client = clientOf(FakeService.answering(page), { ZIM_QUOTA_LIMIT: "50" })
    assert.strictEqual(
      Effect.runSync(ZimClient.ZimClient.useSync(({ appId }) => appId).pipe(Effect.provide(client))),
      12345
    )
  })

  const missing: ReadonlyArray<readonly [ZimClient.ConfigOptions, setting: string, problem: RegExp]> = [
    [{ appId: Config.Int("MY_ID") }, "MY_ID", /^not set: .*console/],
    [{ serverSecret: Config.Redacted("MY_SECRET") }, "MY_SECRET", /^not set: .*console/],
    [{ appId: Config.Int("MY_TEXT") }, "MY_TEXT", /^Expected/],
    [
      { serverSecret: Config.map(Config.Port("MY_TEXT"), (port) => Redacted.make(`${port}`)) },
      "MY_TEXT",
      /^malformed$/
    ],
    [{ quota: Config.all({ limit: Config.Int("MY_TEXT") }) }, "MY_TEXT", /^Expected/],
    [{ timeout: Config.all({ attempt: Config.Duration("MY_TEXT") }) }, "MY_TEXT", /^Expected/]
  ]
  it.effect.each(missing)("%# what is missing or malformed is named, and not shown", ([options, setting, problem]) =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(settingsOf({ MY_TEXT: "canary" }, options))
      assert.strictEqual(error.setting, setting)
      assert.match(error.problem, problem)
      assert.notInclude(inspect(error, { depth: 10 }), "canary")
    })
  )
})

describe("an option that is out of its range is SettingsInvalid", () => {
  const options = { appId: 12345, serverSecret: Redacted.make("s") }
  const http = FakeService.answering(page).layer
  const built = (layer: ReturnType<typeof ZimClient.layer>) =>
    Effect.flip(Layer.build(Layer.provide(layer, [http, given(good)]))).pipe(Effect.scoped)

  it.effect.each<readonly [ZimClient.Options["policies"], string]>([
    [{ quota: { limit: 0 } }, "the quota's limit is a whole number of calls, 1 or more, not 0"],
    [{ quota: { limit: Number.NaN } }, "the quota's limit is a whole number of calls, 1 or more, not NaN"],
    [{ quota: { window: 0 } }, "the quota's window is a finite time, in milliseconds, above 0, not 0"],
    [{ retryBudget: { capacity: -1 } }, "the retry budget's capacity is a finite number, 0 or more, not -1"],
    [{ circuitBreaker: { threshold: 2 } }, "the breaker's threshold is a number from 0 to 1, not 2"]
  ])("%j", ([policies, problem]) =>
    Effect.gen(function* () {
      const error = yield* built(ZimClient.layer({ ...options, policies }))
      assert.deepStrictEqual(error, new ClientError.SettingsInvalid({ setting: "policies", problem }))
    })
  )

  it.effect.each<readonly [ZimClient.ConfigOptions, string]>([
    [{ quota: Config.succeed({ limit: 0 }) }, "the quota's limit is"],
    [{ timeout: Config.succeed({ attempt: -1 }) }, "the timeout's attempt is"],
    [{ clockOffset: Config.succeed("Infinity") }, "the fixed offset is"]
  ])("of a Config: %#", ([given, problem]) =>
    Effect.gen(function* () {
      const error = yield* built(ZimClient.layerConfig(given))
      assert.strictEqual(error.setting, "policies")
      assert.include(error.problem, problem)
    })
  )
})

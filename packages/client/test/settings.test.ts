import { ClientError, Conversations, Endpoint, ZimClient } from "@effect-zim/client"
import { assert, describe, it } from "@effect/vitest"
import * as Cause from "effect/Cause"
import * as ConfigProvider from "effect/ConfigProvider"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import { afterEach, vi } from "vitest"
import { inspect } from "node:util"
import * as FakeService from "./fakeService.ts"

const good = { ZIM_APP_ID: "12345", ZIM_SERVER_SECRET: FakeService.app.serverSecret }

type Environment = Record<string, string>

/** Where one request of a client with these settings goes; or why there is no such client. */
const destination = (layer: ReturnType<typeof ZimClient.layer>) =>
  Effect.gen(function* () {
    const service = FakeService.answering(FakeService.page([]))
    yield* Effect.provide(Conversations.page("user-42"), Layer.provide(layer, service.layer))
    assert.strictEqual(service.sent.length, 1)
    return service.sent[0]?.url ?? assert.fail()
  })

const configured = (provider: ConfigProvider.ConfigProvider) =>
  destination(Layer.provide(ZimClient.layerConfig(), ConfigProvider.layer(provider)))

const fromEnvironment = (env: Environment) => configured(ConfigProvider.fromEnv({ env }))

/** What an environment says. */
const read = (env: Environment, options?: ZimClient.ConfigOptions) =>
  Effect.provide(ZimClient.readSettings(options), ConfigProvider.layer(ConfigProvider.fromEnv({ env })))

const settingError = <A>(effect: Effect.Effect<A, unknown>) =>
  Effect.gen(function* () {
    const exit = yield* Effect.exit(effect)
    if (Exit.isSuccess(exit)) return assert.fail("the settings were accepted")
    assert.isFalse(Cause.hasDies(exit.cause), Cause.pretty(exit.cause))
    const error = Option.getOrThrow(Cause.findErrorOption(exit.cause))
    assert.instanceOf(error, ClientError.SettingsInvalid)
    assert.isNotEmpty(error.problem)
    assert.notInclude(error.problem, "\n")
    assert.strictEqual(error.message, `${error.setting}: ${error.problem}`)
    return error
  })

describe("layerConfig", () => {
  it.effect("needs an AppId and a secret, and goes to the host for any region", () =>
    Effect.gen(function* () {
      const url = yield* fromEnvironment(good)
      assert.strictEqual(url.origin, "https://zim-api.zego.im")
      assert.strictEqual(url.pathname, "/")
      assert.strictEqual(url.searchParams.get("AppId"), "12345")
    })
  )

  it.effect.each(["sha", "hkg", "fra", "lax", "bom", "sgp"])("region %s", (region) =>
    Effect.gen(function* () {
      const url = yield* fromEnvironment({ ...good, ZIM_REGION: region })
      assert.strictEqual(url.origin, `https://zim-api-${region}.zego.im`)
      assert.strictEqual(url.pathname, "/")
    })
  )

  it.effect("reads from any provider", () =>
    Effect.gen(function* () {
      const nested = ConfigProvider.nested(ConfigProvider.fromUnknown({ prod: good }), "prod")
      assert.strictEqual((yield* configured(nested)).searchParams.get("AppId"), "12345")
      const numbers = ConfigProvider.fromUnknown({ ...good, ZIM_APP_ID: 4294967295 })
      assert.strictEqual((yield* configured(numbers)).searchParams.get("AppId"), "4294967295")
    })
  )

  it.effect("keeps the secret redacted", () =>
    Effect.gen(function* () {
      const settings = yield* read(good)
      const { client } = settings
      assert.strictEqual(Redacted.value(client.serverSecret), good.ZIM_SERVER_SECRET)
      assert.notInclude(inspect(settings, { depth: 10 }) + JSON.stringify(settings), good.ZIM_SERVER_SECRET)
      assert.deepStrictEqual(JSON.parse(JSON.stringify(settings)), {
        client: { appId: 12345, serverSecret: "<redacted:ServerSecret>", policies: { quota: {} } },
        quota: {},
        timeout: {}
      })
    })
  )

  it.effect.each([
    ["ZIM_APP_ID", undefined, /not set: .*console/],
    ["ZIM_APP_ID", "", /it is empty/],
    ["ZIM_APP_ID", "canary", /from 0 to 4294967295/],
    ["ZIM_APP_ID", "12345 canary", /from 0 to 4294967295/],
    ["ZIM_APP_ID", "1.5", /from 0 to 4294967295/],
    ["ZIM_APP_ID", "-1", /from 0 to 4294967295/],
    ["ZIM_APP_ID", "4294967296", /from 0 to 4294967295/],
    ["ZIM_APP_ID", "NaN", /from 0 to 4294967295/],
    ["ZIM_SERVER_SECRET", undefined, /not set: .*console/],
    ["ZIM_SERVER_SECRET", "", /it is empty/],
    ["ZIM_SERVER_SECRET", " canary", /whitespace/],
    ["ZIM_SERVER_SECRET", "canary\n", /whitespace/],
    ["ZIM_REGION", "canary", /"sha" \| "hkg" \| "fra" \| "lax" \| "bom" \| "sgp"/],
    ["ZIM_REGION", "FRA", /"fra"/],
    ["ZIM_REGION", "", /it is empty/],
    ["ZIM_BASE_URL", "", /it is empty/],
    ["ZIM_BASE_URL", "canary", /https:/],
    ["ZIM_BASE_URL", "//canary", /https:/],
    ["ZIM_BASE_URL", "http://canary.example", /loopback/],
    ["ZIM_BASE_URL", "http://10.0.0.1/canary", /loopback/],
    ["ZIM_BASE_URL", "http://0.0.0.0/canary", /loopback/],
    ["ZIM_BASE_URL", "http://127.0.0.1.canary.example", /loopback/],
    ["ZIM_BASE_URL", "http://localhost.canary.example", /loopback/],
    ["ZIM_BASE_URL", "http://canary-localhost", /loopback/],
    ["ZIM_BASE_URL", "http://[::2]/canary", /loopback/],
    ["ZIM_BASE_URL", "ftp://127.0.0.1/canary", /https:/],
    ["ZIM_BASE_URL", "file:///canary", /https:/],
    ["ZIM_BASE_URL", "https://user:canary@zim-api.zego.im", /user name or password/],
    ["ZIM_BASE_URL", "https://canary@zim-api.zego.im", /user name or password/],
    ["ZIM_BASE_URL", "https://zim-api.zego.im/?canary=1", /query/],
    ["ZIM_BASE_URL", "https://zim-api.zego.im/?", /query/],
    ["ZIM_BASE_URL", "https://zim-api.zego.im/#canary", /fragment/],
    ["ZIM_BASE_URL", "https://zim-api.zego.im/#", /fragment/]
  ] as const)("%s = %j is named, and not shown", ([setting, value, problem]) =>
    Effect.gen(function* () {
      const { [setting]: _, ...others }: Environment = { ...good, ZIM_REGION: "fra" }
      const error = yield* settingError(fromEnvironment(value === undefined ? others : { ...others, [setting]: value }))
      assert.strictEqual(error.setting, setting)
      assert.match(error.problem, problem)
      assert.notInclude(inspect(error, { depth: 10 }), "canary")
      assert.include(ClientError.advice(error), setting)
    })
  )

  it.effect.each(["ZIM_APP_ID", "ZIM_SERVER_SECRET", "ZIM_REGION", "ZIM_BASE_URL"])(
    "an empty %s is an error, whatever provides it, and whatever else there is",
    (setting) =>
      Effect.gen(function* () {
        const env = { ...good, [setting]: "" }
        const providers = [
          ConfigProvider.fromEnv({ env }),
          ConfigProvider.fromEnv({ env: { ...env, [`${setting}_OF_OTHERS`]: "1" }, preserveEmptyStrings: true }),
          ConfigProvider.fromUnknown(env),
          ConfigProvider.nested(ConfigProvider.fromUnknown({ prod: env }), "prod"),
          ConfigProvider.nested(
            ConfigProvider.fromEnv({
              env: Object.fromEntries(Object.entries(env).map(([name, value]) => [`PROD_${name}`, value]))
            }),
            "PROD"
          )
        ]
        for (const provider of providers) {
          const error = yield* settingError(configured(provider))
          assert.strictEqual(error.setting, setting)
        }
      })
  )

  it.effect("a name that only begins like a setting's is none", () =>
    Effect.gen(function* () {
      const url = yield* fromEnvironment({ ...good, ZIM_BASE_URL_OF_OTHERS: "", ZIM_REGION_2: "" })
      assert.strictEqual(url.origin, "https://zim-api.zego.im")
    })
  )

  it.effect("the emulator's secret never goes to the real service", () =>
    Effect.gen(function* () {
      const hosts = [
        "ZIM-API.zego.im:443",
        "zim-api-new.zego.im",
        "zim-api.zego.im.",
        "zim-api.zego.im.:8443",
        "zego.im"
      ]
      const emulators = { ZIM_APP_ID: "12345", ZIM_SERVER_SECRET: "emulator-only-not-a-real-secret" }
      for (const where of [{}, { ZIM_REGION: "fra" }, ...hosts.map((host) => ({ ZIM_BASE_URL: `https://${host}/` }))]) {
        const error = yield* settingError(fromEnvironment({ ...emulators, ...where }))
        assert.match(error.problem, /the secret is that of the emulator/)
      }
      for (const base of ["http://127.0.0.1:9460", "https://not-zego.im", "https://zego.im.example"]) {
        const url = yield* fromEnvironment({ ...emulators, ZIM_BASE_URL: base })
        assert.strictEqual(url.origin, base)
      }
    })
  )

  it.effect("an environment that may not be read is an error that says so", () =>
    Effect.gen(function* () {
      const env = new Proxy<Record<string, string>>(
        {},
        {
          getOwnPropertyDescriptor: () => {
            throw new Error("Requires env access, run again with the --allow-env flag")
          }
        }
      )
      const error = yield* settingError(fromEnvironment(env))
      assert.strictEqual(error.setting, "ZIM_APP_ID")
      assert.match(error.problem, /^cannot be read: Requires env access, run again with the --allow-env flag$/)
    })
  )

  it.effect("a provider that fails is an error too", () =>
    Effect.gen(function* () {
      const broken = ConfigProvider.make(() =>
        Effect.fail(new ConfigProvider.SourceError({ message: "the vault is sealed" }))
      )
      const error = yield* settingError(configured(broken))
      assert.strictEqual(error.setting, "ZIM_APP_ID")
      assert.include(error.problem, "the vault is sealed")
    })
  )

  it.effect("every missing setting is named, one after the other", () =>
    Effect.gen(function* () {
      assert.strictEqual((yield* settingError(fromEnvironment({}))).setting, "ZIM_APP_ID")
      assert.strictEqual((yield* settingError(fromEnvironment({ ZIM_APP_ID: "1" }))).setting, "ZIM_SERVER_SECRET")
    })
  )
})

describe("base URL", () => {
  it.effect.each([
    ["https://zim-api.zego.im", "https://zim-api.zego.im/"],
    ["https://proxy.example:8443", "https://proxy.example:8443/"],
    ["https://proxy.example/zim", "https://proxy.example/zim/"],
    ["https://proxy.example/zim/", "https://proxy.example/zim/"],
    ["https://proxy.example/a%20b/c", "https://proxy.example/a%20b/c/"],
    ["http://127.0.0.1:8080", "http://127.0.0.1:8080/"],
    ["http://127.8.9.1", "http://127.8.9.1/"],
    ["http://[::1]:8080/x", "http://[::1]:8080/x/"],
    ["http://localhost:8080", "http://localhost:8080/"],
    ["http://zim.localhost:8080", "http://zim.localhost:8080/"],
    ["http://LOCALHOST:8080", "http://localhost:8080/"]
  ] as const)("%s is asked at %s", ([baseUrl, root]) =>
    Effect.gen(function* () {
      const url = yield* fromEnvironment({ ...good, ZIM_BASE_URL: baseUrl })
      assert.strictEqual(`${url.origin}${url.pathname}`, root)
      assert.strictEqual(url.searchParams.get("Action"), "QueryConversationList")
      assert.strictEqual(url.hash, "")
    })
  )

  it.effect("wins over a region", () =>
    Effect.gen(function* () {
      const url = yield* fromEnvironment({ ...good, ZIM_REGION: "fra", ZIM_BASE_URL: "http://localhost:1" })
      assert.strictEqual(url.origin, "http://localhost:1")
    })
  )

  it("of a region", () => {
    assert.strictEqual(Endpoint.ofRegion(), "https://zim-api.zego.im")
    for (const region of Endpoint.Region.literals) {
      assert.isTrue(Schema.is(Endpoint.BaseUrl)(Endpoint.ofRegion(region)))
    }
  })

  it.prop(
    "of any host: plain http only where the host is this machine",
    [Schema.String.check(Schema.isPattern(/^[a-z0-9.:[\]-]{1,24}$/))],
    ([host]) => {
      const text = `http://${host}/`
      if (!Schema.is(Endpoint.BaseUrl)(text)) return
      const { hostname } = new URL(text)
      assert.match(hostname, /^(?:.*\.)?localhost$|^127\.\d+\.\d+\.\d+$|^\[::1\]$/)
    },
    { arbitrary: { seed: 21, runs: 2000 } }
  )
})

describe("layer", () => {
  const options: ZimClient.Options = { appId: 12345, serverSecret: Redacted.make(FakeService.app.serverSecret) }

  it.effect("takes the same settings as values", () =>
    Effect.gen(function* () {
      assert.strictEqual((yield* destination(ZimClient.layer(options))).origin, "https://zim-api.zego.im")
      const regional = yield* destination(ZimClient.layer({ ...options, region: "sgp" }))
      assert.strictEqual(regional.origin, "https://zim-api-sgp.zego.im")
    })
  )

  it.effect.each([
    ["appId", { appId: -1 }],
    ["appId", { appId: 1.5 }],
    ["appId", { appId: 2 ** 32 }],
    ["appId", { appId: NaN }],
    ["serverSecret", { serverSecret: Redacted.make("") }],
    ["serverSecret", { serverSecret: Redacted.make("canary\n") }],
    ["baseUrl", { baseUrl: "http://zim-api.zego.im" }],
    ["baseUrl", { baseUrl: "" }]
  ] as ReadonlyArray<readonly [string, Partial<ZimClient.Options>]>)("names a wrong %s", ([setting, wrong]) =>
    Effect.gen(function* () {
      const error = yield* settingError(destination(ZimClient.layer({ ...options, ...wrong })))
      assert.strictEqual(error.setting, setting)
      assert.notInclude(inspect(error, { depth: 10 }), "canary")
    })
  )
})

describe("a region that a JavaScript caller passes", () => {
  const options = { appId: 12345, serverSecret: Redacted.make(FakeService.app.serverSecret) }

  it.effect("is checked", () =>
    Effect.gen(function* () {
      // @ts-expect-error TypeScript callers cannot: it would become part of a host's name.
      const error = yield* settingError(destination(ZimClient.layer({ ...options, region: "x.evil.example/" })))
      assert.strictEqual(error.setting, "region")
    })
  )

  it.effect("is checked for fail-over too", () =>
    Effect.gen(function* () {
      // @ts-expect-error TypeScript callers cannot: it would become part of a host's name.
      const error = yield* settingError(destination(ZimClient.layer({ ...options, failover: ["fra", "mars"] })))
      assert.strictEqual(error.setting, "failover")
    })
  )
})

describe("in a browser", () => {
  afterEach(() => {
    vi.unstubAllGlobals()
  })
  const build = Effect.scoped(
    Layer.build(
      ZimClient.layer({ appId: 1, serverSecret: Redacted.make("canary") }).pipe(
        Layer.provide(FakeService.answering().layer)
      )
    )
  )

  it("refuses to run: a page", () => {
    for (const name of ["window", "document", "navigator"]) vi.stubGlobal(name, {})
    const { process } = globalThis
    Reflect.deleteProperty(globalThis, "process")
    const exit = Effect.runSyncExit(Effect.flip(build))
    globalThis.process = process
    if (Exit.isFailure(exit)) assert.fail(Cause.pretty(exit.cause))
    assert.instanceOf(exit.value, ClientError.SettingsInvalid)
    assert.strictEqual(exit.value.setting, "runtime")
    assert.match(exit.value.problem, /browser.*server/)
  })

  it("refuses to run: a worker of a page", () => {
    for (const name of ["WorkerGlobalScope", "importScripts"]) vi.stubGlobal(name, () => {})
    assert.strictEqual(Effect.runSync(Effect.flip(build)).setting, "runtime")
  })

  it("a test environment with a document, on a server, is none; nor is an edge runtime", () => {
    for (const name of ["window", "document", "navigator"]) vi.stubGlobal(name, {})
    assert.isTrue(Exit.isSuccess(Effect.runSyncExit(build)))
    vi.unstubAllGlobals()
    for (const name of ["navigator", "caches", "WebSocketPair"]) vi.stubGlobal(name, {})
    assert.isTrue(Exit.isSuccess(Effect.runSyncExit(build)))
  })
})

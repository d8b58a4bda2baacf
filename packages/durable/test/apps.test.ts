import { Apps } from "@effect-zim/durable"
import { assert, describe, it } from "@effect/vitest"
import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import { ConfigProvider, Duration, Effect, FileSystem, Logger, Redacted } from "effect"

const canary = "canary-secret-9193cc662a4c0ec1"

const acme = { ZIM_APP_ID: 12345, ZIM_SERVER_SECRET: canary }
const beta = { ZIM_APP_ID: 12346, ZIM_SERVER_SECRET: canary, ZIM_QUOTA_LIMIT: 50, ZIM_FAILOVER: ["fra", "hkg"] }

/** Reads a file with this text, and gives what was logged, too. */
const readFile = Effect.fnUntraced(
  function* (text: string, mode = 0o600) {
    const fs = yield* FileSystem.FileSystem
    const path = `${yield* fs.makeTempDirectoryScoped()}/apps.json`
    yield* fs.writeFileString(path, text)
    yield* fs.chmod(path, mode)
    const logs: Array<unknown> = []
    const logger = Logger.make(({ message }) => void logs.push(message))
    const result = yield* Effect.result(Apps.readFile(path)).pipe(Effect.provide(Logger.layer([logger])))
    return { path, result, logs: JSON.stringify(logs) }
  },
  Effect.scoped,
  Effect.provide(NodeFileSystem.layer)
)

const readEnvironment = (env: Record<string, string>) =>
  Apps.readConfig.pipe(
    Effect.provideService(ConfigProvider.ConfigProvider, ConfigProvider.fromEnv({ env })),
    Effect.provide(NodeFileSystem.layer)
  )

const refusedFile = Effect.fnUntraced(function* (text: string) {
  const { result } = yield* readFile(text)
  if (result._tag === "Success") return assert.fail("it was not refused")
  assert.notInclude(JSON.stringify(result.failure) + result.failure.message + result.failure.stack, canary)
  return result.failure.message.replace(/\/.*?apps\.json/, "apps.json")
})

const refusedEnvironment = (env: Record<string, string>) =>
  Effect.map(Effect.flip(readEnvironment(env)), (error) => {
    assert.notInclude(JSON.stringify(error) + error.message, canary)
    return error.message
  })

const environment = {
  ZIM_APPS_ACME_APP_ID: "12345",
  ZIM_APPS_ACME_SERVER_SECRET: canary,
  ZIM_APPS_Beta2_APP_ID: "12346",
  ZIM_APPS_Beta2_SERVER_SECRET: canary,
  ZIM_APPS_Beta2_QUOTA_LIMIT: "50",
  ZIM_APPS_Beta2_RETRY_ATTEMPTS: "7"
}

describe("apps in a file", () => {
  it.effect("each has every setting of a client", () =>
    Effect.gen(function* () {
      const { logs, result } = yield* readFile(JSON.stringify({ acme, "beta of Ltd.": beta }))
      const apps = yield* Effect.fromResult(result)
      assert.deepStrictEqual(
        apps.map(({ name, settings }) => [
          name,
          settings.client.appId,
          settings.quota?.limit,
          settings.client.failover
        ]),
        [
          ["acme", 12345, undefined, undefined],
          ["beta of Ltd.", 12346, 50, ["fra", "hkg"]]
        ]
      )
      assert.deepStrictEqual(
        apps.map(({ settings }) => Redacted.value(settings.client.serverSecret)),
        [canary, canary]
      )
      assert.strictEqual(logs, "[]")
    })
  )

  it.effect("what is wrong is named, and no value is shown", () =>
    Effect.gen(function* () {
      const refused = (apps: unknown) => refusedFile(JSON.stringify(apps))
      const { ZIM_SERVER_SECRET, ...secretless } = acme
      assert.strictEqual(ZIM_SERVER_SECRET, canary)
      assert.match(yield* refused({ acme: secretless }), /^the app acme: ZIM_SERVER_SECRET: not set/)
      assert.match(yield* refused({ acme, beta: { ...beta, ZIM_APP_ID: canary } }), /^the app beta: ZIM_APP_ID: /)
      assert.match(
        yield* refused({ acme: { ...acme, ZIM_SERVER_SECRET: ` ${canary}` } }),
        /^the app acme: ZIM_SERVER_SECRET: /
      )
      assert.match(yield* refused({ acme: { ...acme, ZIM_REGION: "" } }), /^the app acme: ZIM_REGION: it is empty/)
      assert.strictEqual(
        yield* refused({ acme: { ...acme, ZIM_QUOTA_LIMT: 5 } }),
        "the app acme: ZIM_QUOTA_LIMT: it is no setting of a client"
      )
      assert.strictEqual(
        yield* refused({ acme, other: { ...beta, ZIM_APP_ID: 12345 } }),
        "the app other: ZIM_APP_ID: it is that of acme, too"
      )
      assert.strictEqual(yield* refused({}), "cannot use the apps in apps.json: there is no app in it")
      for (const apps of [[acme], acme, null, canary, { acme: canary }, { acme: { ...acme, ZIM_REGION: null } }]) {
        assert.match(yield* refused(apps), /^cannot use the apps in apps.json: it must be an object/)
      }
      assert.strictEqual(
        yield* refusedFile(`{"acme":{"ZIM_SERVER_SECRET":"${canary}",}}`),
        "cannot use the apps in apps.json: it is not valid JSON"
      )
      const missing = yield* Effect.flip(Apps.readFile("/nowhere/apps.json")).pipe(Effect.provide(NodeFileSystem.layer))
      assert.strictEqual(missing.message, "cannot use the apps in /nowhere/apps.json: there is no such file")
    })
  )

  it.effect("one that all users of the machine may read is worth a warning", () =>
    Effect.gen(function* () {
      const { logs, path, result } = yield* readFile(JSON.stringify({ acme }), 0o644)
      assert.strictEqual(result._tag, "Success")
      assert.include(logs, `all users of this machine may read ${path}`)
      assert.notInclude(logs, canary)
      assert.strictEqual((yield* readFile(JSON.stringify({ acme }), 0o640)).logs, "[]")
    })
  )
})

describe("apps in the environment", () => {
  it.effect("by prefix, or else the one app", () =>
    Effect.gen(function* () {
      const one = { ZIM_APP_ID: "1", ZIM_SERVER_SECRET: canary, ZIM_DEADLINE: "3 seconds" }
      const several = yield* readEnvironment({ ...one, ...environment })
      assert.deepStrictEqual(
        several.map(({ name, settings }) => [
          name,
          settings.client.appId,
          settings.quota?.limit,
          settings.retry?.attempts
        ]),
        [
          ["ACME", 12345, undefined, undefined],
          ["Beta2", 12346, 50, 7]
        ]
      )
      // Nothing is inherited.
      assert.isUndefined(several[0]?.settings.timeout?.deadline)
      const [alone] = yield* readEnvironment(one)
      assert.strictEqual(alone?.name, "1")
      assert.deepStrictEqual(alone?.settings.timeout?.deadline, Duration.seconds(3))
    })
  )

  it.effect("a file that is named there comes first", () =>
    Effect.gen(function* () {
      const error = yield* refusedEnvironment({ ...environment, ZIM_APPS_FILE: "/nowhere.json" })
      assert.strictEqual(error, "cannot use the apps in /nowhere.json: there is no such file")
    })
  )

  it.effect("what is wrong is named as it is there", () =>
    Effect.gen(function* () {
      assert.match(
        yield* refusedEnvironment({ ZIM_APPS_ACME_REGION: "fra" }),
        /^the app ACME: ZIM_APPS_ACME_APP_ID: not set/
      )
      assert.match(
        yield* refusedEnvironment({ ...environment, ZIM_APPS_ACME_SERVER_SECRET: "" }),
        /^the app ACME: ZIM_APPS_ACME_SERVER_SECRET: it is empty/
      )
      assert.match(
        yield* refusedEnvironment({ ...environment, ZIM_APPS_ACME_SECRET: canary }),
        /^the app ACME: ZIM_APPS_ACME_SECRET: it is no setting/
      )
      assert.match(
        yield* refusedEnvironment({ ...environment, ZIM_APPS_Beta2_APP_ID: "12345" }),
        /^the app Beta2: ZIM_APPS_Beta2_APP_ID: it is that of ACME, too/
      )
      for (const name of ["12345", "x-y"]) {
        assert.match(
          yield* refusedEnvironment({ [`ZIM_APPS_${name}_APP_ID`]: "1" }),
          /: a name is letters and digits, and begins with a letter$/
        )
      }
      assert.match(yield* refusedEnvironment({}), /ZIM_APP_ID/)
    })
  )
})

/** What a client is made of, and the same as the `ConfigProvider` has it. Who is given the settings needs no `Config`. */
import { type Policies, ServerClock, Timeout } from "@effect-zim/policies"
import type * as SharedQuota from "@effect-zim/policies/SharedQuota"
import { AppId } from "@effect-zim/protocol"
import { ServerSecret } from "@effect-zim/signing"
import * as Config from "effect/Config"
import * as ConfigProvider from "effect/ConfigProvider"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import { SettingsInvalid } from "../ClientError.ts"
import * as Endpoint from "../Endpoint.ts"
import * as RetryPolicy from "../RetryPolicy.ts"

/**
 * What a client is made of.
 *
 * @category models
 * @since 0.1.0
 */
export interface Options {
  /** The app's id, from the vendor's console. */
  readonly appId: number
  /** The app's secret, from the vendor's console. */
  readonly serverSecret: Redacted.Redacted
  /** The region nearest to this machine. Default: the host that serves any region. */
  readonly region?: Endpoint.Region | undefined
  /** Instead of a region, a URL of one's own: an emulator, a proxy. Plain http for loopback hosts only. */
  readonly baseUrl?: string | undefined
  /**
   * Other regions to turn to, in this order, while calls to the first one fail. Default: none. The data of an app is the
   * same in every region, the latency is higher.
   */
  readonly failover?: ReadonlyArray<Endpoint.Region> | undefined
  /**
   * What those policies are made of that all clients of the app in this process share, however many are made, and
   * whenever. `Quota.layer` and its like make one of the client's own, which wins.
   */
  readonly policies?: Policies.Shared | undefined
}

/**
 * The settings of a client and of its policies, each by its name.
 *
 * @category models
 * @since 0.1.0
 */
export interface SettingsByName extends Omit<Options, "policies">, Policies.Shared {
  /** `whenUnavailable` is for a quota over Redis, which a setting alone does not make. */
  readonly quota?: SharedQuota.Options | undefined
  readonly retry?: RetryPolicy.RetryPolicy | undefined
  readonly timeout?: Timeout.Options | undefined
  /** What to add to this machine's clock, whatever the service says. Default: the service's clock is followed. */
  readonly clockOffset?: Duration.Input | undefined
}

/**
 * What a client is made of, and the policies beside it.
 *
 * @category models
 * @since 0.1.0
 */
export interface Settings extends Pick<SettingsByName, "quota" | "retry" | "timeout" | "clockOffset"> {
  readonly client: Options
}

/** What is wrong, in the first line of an error: those after it say where, which the setting's name says better. */
export const firstLine = (error: Error): string => error.message.split("\n", 1).join()

/** A setting that may be missing. */
const optional = <A>(schema: Schema.Codec<A, string>, name: string): Config.Config<A | undefined> =>
  orUndefined(Config.schema(schema, name))

const orUndefined = /* @__PURE__ */ Config.withDefault(undefined)

const numberThat = (isValid: (value: number) => boolean, expected: string) =>
  Schema.NumberFromString.check(Schema.makeFilter((value) => isValid(value) || expected))

const timeThat = (isValid: (time: Duration.Duration) => boolean, expected: string) => {
  const decode = Schema.decodeOption(Schema.DurationFromString)
  const isTime = Schema.makeFilter((text: string) => Option.exists(decode(text), isValid) || expected)
  return Schema.String.check(isTime).pipe(Schema.decodeTo(Schema.DurationFromString))
}

const policies = { standard: RetryPolicy.standard, patient: RetryPolicy.patient, none: RetryPolicy.none }

/** What each setting is read from, unless something else is given; the names are those of the environment. */
const defaults = /* @__PURE__ */ (() => {
  const count = (what: string) =>
    numberThat((value) => Number.isSafeInteger(value) && value > 0, `a whole number of ${what}, 1 or more`)
  const part = (what: string) => numberThat((value) => value > 0 && value <= 1, `${what}: above 0, and 1 at most`)
  const time = timeThat(Duration.isPositive, 'a time above 0, such as "30 seconds"')
  const window = timeThat((time) => Duration.isPositive(time) && Duration.isFinite(time), 'a time, such as "1 second"')
  const offset = timeThat(Duration.isFinite, 'a time, such as "0 seconds"')
  const tokens = numberThat((value) => value >= 0 && value < Infinity, "a number of tokens, 0 or more")
  return {
    appId: Config.schema(AppId.FromString, "ZIM_APP_ID"),
    serverSecret: Config.schema(ServerSecret.ServerSecret, "ZIM_SERVER_SECRET"),
    region: optional(Endpoint.Region, "ZIM_REGION"),
    baseUrl: optional(Endpoint.BaseUrl, "ZIM_BASE_URL"),
    failover: orUndefined(Config.Array(Endpoint.Region, "ZIM_FAILOVER")),
    quota: Config.all({
      limit: optional(count("calls"), "ZIM_QUOTA_LIMIT"),
      window: optional(window, "ZIM_QUOTA_WINDOW"),
      per: optional(Schema.Literals(["key", "operation"]), "ZIM_QUOTA_PER"),
      whenUnavailable: orUndefined(Config.all({ share: Config.schema(part("a part of the quota"), "ZIM_QUOTA_SHARE") }))
    }),
    retry: Config.map(
      Config.all({
        policy: optional(Schema.Literals(["standard", "patient", "none"]), "ZIM_RETRY"),
        attempts: optional(count("attempts"), "ZIM_RETRY_ATTEMPTS")
      }),
      ({ attempts, policy }): RetryPolicy.RetryPolicy | undefined =>
        attempts === undefined && policy === undefined ? undefined : { ...policies[policy ?? "standard"], attempts }
    ),
    retryBudget: orUndefined(Config.all({ capacity: Config.schema(tokens, "ZIM_RETRY_BUDGET") })),
    circuitBreaker: orUndefined(
      Config.all({ threshold: Config.schema(part("a part of the calls"), "ZIM_BREAKER_THRESHOLD") })
    ),
    timeout: Config.all({ attempt: optional(time, "ZIM_TIMEOUT"), deadline: optional(time, "ZIM_DEADLINE") }),
    clockOffset: optional(offset, "ZIM_CLOCK_OFFSET")
  }
})()

const settingsOf = ({ clockOffset, quota, retry, timeout, ...others }: SettingsByName): Settings => {
  const { circuitBreaker, retryBudget, ...client } = others
  return { client: { ...client, policies: { quota, retryBudget, circuitBreaker } }, quota, retry, timeout, clockOffset }
}

export const settings: Config.Config<Settings> = /* @__PURE__ */ Config.map(
  /* @__PURE__ */ Config.all(defaults),
  settingsOf
)

type Configs = typeof defaults

/** Others in place of those above. */
export type Given = { readonly [Key in keyof SettingsByName]?: Config.Config<SettingsByName[Key]> | undefined }

const names: { readonly [Key in keyof Configs]: readonly [string, ...ReadonlyArray<string>] } = {
  appId: ["ZIM_APP_ID"],
  serverSecret: ["ZIM_SERVER_SECRET"],
  region: ["ZIM_REGION"],
  baseUrl: ["ZIM_BASE_URL"],
  failover: ["ZIM_FAILOVER"],
  quota: ["ZIM_QUOTA_LIMIT", "ZIM_QUOTA_WINDOW", "ZIM_QUOTA_PER", "ZIM_QUOTA_SHARE"],
  retry: ["ZIM_RETRY", "ZIM_RETRY_ATTEMPTS"],
  retryBudget: ["ZIM_RETRY_BUDGET"],
  circuitBreaker: ["ZIM_BREAKER_THRESHOLD"],
  timeout: ["ZIM_TIMEOUT", "ZIM_DEADLINE"],
  clockOffset: ["ZIM_CLOCK_OFFSET"]
}

/** Whether there is a key of that name with nothing in it: most providers give nothing at all for an empty text. */
const isEmpty = /* @__PURE__ */ Effect.fnUntraced(function* (name: string) {
  const provider = yield* ConfigProvider.ConfigProvider
  // In an environment, a name is a path as well.
  for (const path of [[name], name.split("_")]) {
    const around = yield* provider.load(path.slice(0, -1))
    const isKey = around?._tag === "Record" && around.keys.has(path.at(-1) ?? "")
    const node = isKey ? yield* provider.load(path) : undefined
    if (isKey && (node === undefined || node.value === "")) return true
  }
  return false
})

const invalid = ({ cause }: Config.ConfigError, setting: string, problem = firstLine(cause)): SettingsInvalid => {
  const path = cause._tag === "SchemaError" && cause.issue._tag === "Pointer" ? cause.issue.path : []
  return new SettingsInvalid({ setting: path.length === 0 ? setting : path.join("_"), problem })
}

/** Reads a setting, as somebody else describes it or as it is by default, where it is an error to set it to nothing. */
const read = /* @__PURE__ */ Effect.fnUntraced(
  function* <A>(key: keyof Configs, given: Config.Config<A> | undefined, byDefault: Config.Config<A>) {
    if (given !== undefined) {
      // Nobody knows what is in a text about a secret that is malformed.
      const problem = key === "serverSecret" ? "malformed" : undefined
      return yield* Effect.mapError(given, (error) => invalid(error, key, problem))
    }
    for (const setting of names[key]) {
      const unreadable = ({ message }: ConfigProvider.SourceError) => new SettingsInvalid({ setting, problem: message })
      if (yield* Effect.mapError(isEmpty(setting), unreadable)) {
        return yield* new SettingsInvalid({ setting, problem: "it is empty: give it a value, or unset it" })
      }
    }
    return yield* Effect.mapError(byDefault, (error) => invalid(error, names[key][0]))
  },
  // Deno throws where it may not look at the environment.
  (self, key) =>
    Effect.catchDefect(self, (cause) => {
      const problem = `cannot be read: ${cause instanceof Error ? firstLine(cause) : String(cause)}`
      return Effect.fail(new SettingsInvalid({ setting: names[key][0], problem }))
    })
)

const required = /* @__PURE__ */ Effect.fnUntraced(function* <A>(
  key: keyof Configs,
  given: Config.Config<A> | undefined,
  byDefault: Config.Config<A>,
  what: string
) {
  const value = yield* read(key, given === undefined ? undefined : Config.option(given), Config.option(byDefault))
  if (Option.isSome(value)) return value.value
  // What is missing fails with its name.
  return yield* Effect.mapError(given ?? byDefault, (error) => invalid(error, key, `not set: ${what}`))
})

/** Reads them, each as it is given or by its own name. */
export const load = /* @__PURE__ */ Effect.fnUntraced(function* (
  given: Given | Config.Config<Settings>
): Effect.fn.Return<Settings, SettingsInvalid> {
  if (Config.isConfig(given)) return yield* Effect.mapError(given, (error) => invalid(error, "settings"))
  const appId = "it is the app's id, a number, in the vendor's console"
  const serverSecret = "it is the app's ServerSecret in the vendor's console"
  return settingsOf({
    appId: yield* required("appId", given.appId, defaults.appId, appId),
    serverSecret: yield* required("serverSecret", given.serverSecret, defaults.serverSecret, serverSecret),
    region: yield* read("region", given.region, defaults.region),
    baseUrl: yield* read("baseUrl", given.baseUrl, defaults.baseUrl),
    failover: yield* read("failover", given.failover, defaults.failover),
    quota: yield* read("quota", given.quota, defaults.quota),
    retry: yield* read("retry", given.retry, defaults.retry),
    retryBudget: yield* read("retryBudget", given.retryBudget, defaults.retryBudget),
    circuitBreaker: yield* read("circuitBreaker", given.circuitBreaker, defaults.circuitBreaker),
    timeout: yield* read("timeout", given.timeout, defaults.timeout),
    clockOffset: yield* read("clockOffset", given.clockOffset, defaults.clockOffset)
  })
})

/** An option of a policy that is out of its range is a setting that is invalid, wherever it comes from. */
export const orInvalid = <A, E, R>(self: Effect.Effect<A, E, R>): Effect.Effect<A, E | SettingsInvalid, R> =>
  Effect.catchDefect(self, (defect) =>
    defect instanceof RangeError
      ? Effect.fail(new SettingsInvalid({ setting: "policies", problem: defect.message }))
      : Effect.die(defect)
  )

/** Makes a client, with those policies of its settings that its context does not have. */
export const under = <A, E, R>(
  make: (options: Options) => Effect.Effect<A, E, R>,
  { client, clockOffset, retry, timeout = {} }: Settings
): Effect.Effect<A, E | SettingsInvalid, R> =>
  orInvalid(
    Effect.gen(function* () {
      const around = yield* Effect.context<R>()
      let own = Timeout.provide(Effect.context<never>(), timeout)
      if (retry !== undefined) own = RetryPolicy.provide(own, retry)
      if (clockOffset !== undefined) own = ServerClock.provide(own, yield* ServerClock.makeFixed(clockOffset))
      return yield* Effect.provideContext(make(client), Context.merge(yield* own, around))
    })
  )

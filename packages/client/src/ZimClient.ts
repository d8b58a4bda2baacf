/**
 * The client: runs an operation of the API over Effect's `HttpClient`, signed, within the quota, in time, and again
 * where that helps.
 *
 * @since 0.1.0
 */
import { Policies } from "@effect-zim/policies"
import { AppId, Operation } from "@effect-zim/protocol"
import { ServerSecret } from "@effect-zim/signing"
import type * as Config from "effect/Config"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as HttpClient from "effect/http/HttpClient"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import { type CallError, SettingsInvalid, traits } from "./ClientError.ts"
import * as Endpoint from "./Endpoint.ts"
import { CallTelemetry } from "./internal/callTelemetry.ts"
import * as ClientSettings from "./internal/clientSettings.ts"
import type { Options, Settings } from "./internal/clientSettings.ts"
import * as RequestContext from "./internal/requestContext.ts"
import * as SignedRequest from "./internal/signedRequest.ts"
import * as TestHandlersOf from "./internal/layerTestHandlers.ts"
import { responseLimitIn } from "./ResponseLimit.ts"
import * as RetryPolicy from "./RetryPolicy.ts"
import * as UntypedOperation from "./UntypedOperation.ts"

/**
 * The client of one app.
 *
 * @example
 * ```ts
 * import { ZimClient } from "@effect-zim/client"
 * import { Effect } from "effect"
 *
 * const appId = ZimClient.ZimClient.use(({ appId }) => Effect.succeed(appId))
 * ```
 *
 * @category services
 * @since 0.1.0
 */
export class ZimClient extends Context.Service<
  ZimClient,
  {
    readonly appId: AppId.AppId
    /** Calls an operation. See {@link execute}. */
    readonly execute: <Op extends Operation.Types>(
      operation: Operation.Operation<Op>,
      input: Op["Input"]
    ) => Effect.Effect<Op["Success"], CallError<Op["Failure"]>>
  }
>()("@effect-zim/client/ZimClient") {}

/**
 * What to read settings from: a `Config` for some of them, the others are read by their own names; or one for all.
 *
 * @category models
 * @since 0.1.0
 */
export type ConfigOptions = ClientSettings.Given | Config.Config<Settings>

export type { Options, Settings, SettingsByName } from "./internal/clientSettings.ts"

const check = <A, I>(schema: Schema.Codec<A, I>, setting: string, value: I): Effect.Effect<A, SettingsInvalid> =>
  Effect.mapError(
    Schema.decodeEffect(schema)(value),
    (error) => new SettingsInvalid({ setting, problem: ClientSettings.firstLine(error) })
  )

/** A page of a browser, or a worker of one. Edge runtimes and test environments on a server are neither. */
const isBrowser = (): boolean =>
  Reflect.has(globalThis, "window") && Reflect.has(globalThis, "document") && Reflect.has(globalThis, "navigator")
    ? !Reflect.has(globalThis, "process")
    : Reflect.has(globalThis, "WorkerGlobalScope") && Reflect.has(globalThis, "importScripts")

/** What `zim emulator start` uses unless it is told another one. */
const emulatorSecret = "emulator-only-not-a-real-secret"

/**
 * Makes a client. Policies in the context (`Quota`, `RetryPolicy.Current`, `RetryBudget`, `Timeout.Attempt`,
 * `Timeout.Deadline`, `ServerClock`, `CircuitBreaker`, `ResponseLimit`) become the client's; a call's own win over them. A quota,
 * budget, clock or breaker that is not in the context is shared with all clients of the app in this process that use this copy of the package, by the same
 * `Clock`: those of any region together, those of a `baseUrl` by its host.
 *
 * @example
 * ```ts
 * import { ZimClient } from "@effect-zim/client"
 * import { type AppId, QueryConversationList } from "@effect-zim/protocol"
 * import { Effect, type Redacted } from "effect"
 *
 * // Clients of apps that are known only when the program runs.
 * const firstPageOf = (app: { appId: AppId.AppId; serverSecret: Redacted.Redacted }, userId: string) =>
 *   Effect.scoped(
 *     Effect.flatMap(ZimClient.make(app), (client) => client.execute(QueryConversationList.operation, { userId }))
 *   )
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = Effect.fnUntraced(function* (
  options: Options
): Effect.fn.Return<ZimClient["Service"], SettingsInvalid, HttpClient.HttpClient | Scope.Scope> {
  if (isBrowser()) {
    return yield* new SettingsInvalid({
      setting: "runtime",
      problem: "this is a browser, where a server secret has no place: call the service from a server"
    })
  }
  const appId = yield* check(AppId.AppId, "appId", options.appId)
  const secret = Redacted.value(options.serverSecret)
  const problem = ServerSecret.problem(secret)
  if (problem !== undefined) return yield* new SettingsInvalid({ setting: "serverSecret", problem })
  const identity: SignedRequest.Identity = { appId, serverSecret: Redacted.make(secret) }
  const region = Effect.fnUntraced(function* (setting: string, name: Endpoint.Region) {
    return Endpoint.make(Endpoint.ofRegion(yield* check(Endpoint.Region, setting, name)))
  })
  const endpoints: readonly [Endpoint.Endpoint, ...ReadonlyArray<Endpoint.Endpoint>] = [
    options.baseUrl !== undefined
      ? Endpoint.make(yield* check(Endpoint.BaseUrl, "baseUrl", options.baseUrl))
      : options.region !== undefined
        ? yield* region("region", options.region)
        : Endpoint.make(Endpoint.ofRegion()),
    ...(yield* Effect.forEach(options.failover ?? [], (name) => region("failover", name)))
  ]
  if (secret === emulatorSecret && endpoints.some(Endpoint.isVendor)) {
    return yield* new SettingsInvalid({
      setting: "baseUrl",
      problem: "the secret is that of the emulator, and nothing that was set up for one goes to the real service"
    })
  }
  const http = yield* HttpClient.HttpClient
  const requestContextIn = yield* RequestContext.make(http)
  const limitOf = yield* responseLimitIn
  const policies = yield* ClientSettings.orInvalid(
    Policies.make({
      key: `${appId}`,
      // Which counts the calls of all regions together.
      service: endpoints.some(Endpoint.isVendor) ? "" : endpoints[0].host,
      hosts: endpoints,
      meaningOf: (error: RetryPolicy.Failure) => traits(error),
      retryPolicy: RetryPolicy.Current,
      shared: options.policies
    })
  )

  const execute: ZimClient["Service"]["execute"] = (operation, input) => {
    const made = SignedRequest.check(operation, input)
    return Effect.contextWith((context: Context.Context<never>) =>
      Effect.flatMapEager(made, (checked) => {
        const telemetry = new CallTelemetry(context, requestContextIn, Operation.methodOf(operation))
        const responseLimit = limitOf(context)
        return policies.execute(
          operation.action,
          (attempt) => SignedRequest.send({ ...attempt, http, identity, responseLimit, telemetry }, operation, checked),
          { isRepeatable: operation.kind === "Read", observer: telemetry }
        )
      })
    )
  }

  return { appId, execute }
})

/**
 * A layer with a client of the given settings.
 *
 * @example
 * ```ts
 * import { ZimClient } from "@effect-zim/client"
 * import { Layer, Redacted } from "effect"
 * import { FetchHttpClient } from "effect/http"
 *
 * const layer = ZimClient.layer({
 *   appId: 12345,
 *   serverSecret: Redacted.make("the app's secret"),
 *   region: "fra"
 * }).pipe(Layer.provide(FetchHttpClient.layer))
 * ```
 *
 * @category layers
 * @since 0.1.0
 */
export const layer = (options: Options): Layer.Layer<ZimClient, SettingsInvalid, HttpClient.HttpClient> =>
  Layer.effect(ZimClient, make(options))

/**
 * The settings of a client and of its policies, an ordinary `Config`: the names are those of the environment, and the
 * README has a table of them. {@link layerConfig} reads the same, with errors that name the setting.
 *
 * @example
 * ```ts
 * import { ZimClient } from "@effect-zim/client"
 * import { Config } from "effect"
 *
 * // Those of staging: STAGING_ZIM_APP_ID and so on.
 * const staging = ZimClient.layerConfig(Config.nested(ZimClient.settings, "STAGING"))
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const settings: Config.Config<Settings> = ClientSettings.settings

/**
 * Reads the settings, or what is given in place of some. A setting that is missing, malformed or empty is named by the
 * error, which never shows its value.
 *
 * @example
 * ```ts
 * import { ZimClient } from "@effect-zim/client"
 * import * as RedisQuota from "@effect-zim/client/RedisQuota"
 * import { Effect, Layer } from "effect"
 * import { createClient } from "redis"
 *
 * // A quota over Redis, with the limit that ZIM_QUOTA_LIMIT says.
 * const quota = Layer.unwrap(
 *   Effect.map(ZimClient.readSettings(), ({ quota }) => RedisQuota.layerClient(() => createClient(), quota))
 * )
 * ```
 *
 * @category running
 * @since 0.1.0
 */
export const readSettings = (options: ConfigOptions = {}): Effect.Effect<Settings, SettingsInvalid> =>
  ClientSettings.load(options)

/**
 * A layer with a client whose settings come from the `ConfigProvider`: the environment, unless another one is provided.
 * What is given here is read in place of the setting of that name. A policy that the layer is provided with wins over its
 * setting.
 *
 * @example
 * ```ts
 * import { ZimClient } from "@effect-zim/client"
 * import { Config, Layer } from "effect"
 * import { FetchHttpClient } from "effect/http"
 *
 * const layer = ZimClient.layerConfig().pipe(Layer.provide(FetchHttpClient.layer))
 *
 * // By other names, and with defaults of one's own.
 * const other = ZimClient.layerConfig({
 *   appId: Config.Int("CHAT_APP_ID"),
 *   serverSecret: Config.Redacted("CHAT_SECRET"),
 *   timeout: Config.all({ deadline: Config.withDefault(Config.Duration("CHAT_DEADLINE"), "30 seconds") })
 * }).pipe(Layer.provide(FetchHttpClient.layer))
 * ```
 *
 * @category layers
 * @since 0.1.0
 */
export const layerConfig = (options?: ConfigOptions): Layer.Layer<ZimClient, SettingsInvalid, HttpClient.HttpClient> =>
  Layer.effect(
    ZimClient,
    Effect.flatMap(readSettings(options), (settings) => ClientSettings.under(make, settings))
  )

/**
 * What answers the calls of a test, by the names of operations.
 *
 * @category models
 * @since 0.1.0
 */
export type TestHandlers = TestHandlersOf.Handlers

/**
 * A client for unit tests that need no service: functions answer. Requests are checked as ever; there is no quota, no retry
 * and no time that passes. An operation without a handler, and an answer that does not fit the operation, is a defect. The
 * emulator says more: it is as strict as the service.
 *
 * @example
 * ```ts
 * import { ZimClient } from "@effect-zim/client"
 * import { Effect, Option } from "effect"
 *
 * const client = ZimClient.layerTest({
 *   QueryConversationList: () =>
 *     Effect.succeed({ conversations: [], next: Option.none(), requestId: "1", totalCount: Option.some(0) })
 * })
 * ```
 *
 * @category layers
 * @since 0.1.0
 */
export const layerTest = (handlers: TestHandlers): Layer.Layer<ZimClient> =>
  Layer.succeed(ZimClient)({ appId: AppId.AppId.make(1), execute: TestHandlersOf.executeWith(handlers) })

/**
 * Calls an operation: waits for the quota, signs, sends, decodes; retries as the policy says, within the deadline. Each
 * attempt has a permit, a nonce and a timestamp of its own.
 *
 * @example
 * ```ts
 * import { ZimClient } from "@effect-zim/client"
 * import { QueryConversationList } from "@effect-zim/protocol"
 *
 * const firstPage = ZimClient.execute(QueryConversationList.operation, { userId: "user-42", pageSize: 100 })
 * ```
 *
 * @category running
 * @since 0.1.0
 */
export const execute = <Op extends Operation.Types>(
  operation: Operation.Operation<Op>,
  input: Op["Input"]
): Effect.Effect<Op["Success"], CallError<Op["Failure"]>, ZimClient> =>
  ZimClient.use((client) => client.execute(operation, input))

/**
 * The same, and what it took: the service's id of the request, how many requests the call sent, and how long it took.
 *
 * @example
 * ```ts
 * import { ZimClient } from "@effect-zim/client"
 * import { QueryConversationList } from "@effect-zim/protocol"
 * import { Effect } from "effect"
 *
 * const program = Effect.gen(function* () {
 *   const { attempts, elapsed, requestId, value } = yield* ZimClient.executeDetailed(QueryConversationList.operation, {
 *     userId: "user-42"
 *   })
 *   yield* Effect.log(value.conversations.length, { requestId, attempts, elapsed })
 * })
 * ```
 *
 * @category running
 * @since 0.1.0
 */
export const executeDetailed = <Op extends Operation.Types>(
  operation: Operation.Operation<Op>,
  input: Op["Input"]
): Effect.Effect<Operation.Detailed<Op["Success"]>, CallError<Op["Failure"]>, ZimClient> =>
  execute(Operation.detailed(operation), input)

/**
 * The escape hatch: calls any operation of the vendor's server API by its name, for what has no typed operation yet. The
 * body is JSON, as values or as text that is sent as it is, and so is the answer, which has both; everything else is as in
 * {@link execute}. The documented operations are sent as documented: 20 of them by GET, whose body becomes the query, a
 * list as `UserId[]=a&UserId[]=b`; `method` says it of any other, which is a POST.
 *
 * A name or a body that cannot be right fails with `RequestInvalid`, and nothing is sent: of a GET that is also `null`, an
 * object in it, an empty list, and a parameter named like a common one. Integers of up to 308 digits are exact, as `bigint`
 * beyond 2^53; `text` is exact whatever is in it. What is not documented to be a read is repeated only where it was surely
 * not done; `kind: "Read"` says that it changes nothing.
 *
 * @example
 * ```ts
 * import { ZimClient } from "@effect-zim/client"
 * import { Console, Effect } from "effect"
 *
 * const program = ZimClient.call("QueryUserInfos", { UserIds: ["ada"] }).pipe(
 *   Effect.flatMap(({ body, requestId }) => Console.log(requestId, body["Result"])),
 *   Effect.catchTag("UnknownReturnCode", (error) => Console.error(error.code, error.vendorMessage))
 * )
 * ```
 *
 * @category running
 * @since 0.1.0
 */
export const call = (
  action: string,
  body: UntypedOperation.Body = {},
  options?: UntypedOperation.Options
): Effect.Effect<UntypedOperation.Response, CallError<UntypedOperation.Failure>, ZimClient> =>
  execute(UntypedOperation.make(action, options), body)

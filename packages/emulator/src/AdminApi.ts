/**
 * The emulator's admin API, as a value: its routes, what they take and what they answer.
 *
 * `EmulatorAdmin` serves it and its OpenAPI document; `HttpApiClient.make(AdminApi.AdminApi, { baseUrl })` is a typed
 * client of it; {@link client} is that client with the one header that a browser's page could not send.
 */
import { Conversation, UserId } from "@effect-zim/protocol"
import * as HttpApi from "effect/http-api/HttpApi"
import * as HttpApiClient from "effect/http-api/HttpApiClient"
import * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import * as HttpApiGroup from "effect/http-api/HttpApiGroup"
import * as HttpApiMiddleware from "effect/http-api/HttpApiMiddleware"
import * as HttpApiSchema from "effect/http-api/HttpApiSchema"
import * as OpenApi from "effect/http-api/OpenApi"
import * as HttpClient from "effect/http/HttpClient"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import * as Schema from "effect/Schema"
import * as WorldChange from "./WorldChange.ts"
import * as FaultJson from "./FaultJson.ts"
import * as DurationSchemas from "./internal/durationSchemas.ts"
import * as Journal from "./Journal.ts"
import * as ServiceQuota from "./ServiceQuota.ts"
import * as DocumentationReading from "./DocumentationReading.ts"
import * as ServiceClock from "./ServiceClock.ts"

/**
 * The request is not what the API takes; `problem` says where, and what it should be.
 *
 * @category errors
 * @since 0.1.0
 */
export class AdminRequestInvalid extends Schema.TaggedError<AdminRequestInvalid>(
  "@effect-zim/emulator/AdminRequestInvalid"
)("AdminRequestInvalid", { problem: Schema.String }, { httpApiStatus: 400 }) {
  override get message(): string {
    return this.problem
  }
}

/**
 * There is no such user, fault or snapshot.
 *
 * @category errors
 * @since 0.1.0
 */
export class AdminNotFound extends Schema.TaggedError<AdminNotFound>("@effect-zim/emulator/AdminNotFound")(
  "AdminNotFound",
  { problem: Schema.String },
  { httpApiStatus: 404 }
) {
  override get message(): string {
    return this.problem
  }
}

/**
 * Makes a {@link AdminRequestInvalid} of every request that does not match its schema.
 *
 * @category schemas
 * @since 0.1.0
 */
export class Validation extends HttpApiMiddleware.Service<Validation>()("@effect-zim/emulator/AdminApi/Validation", {
  error: AdminRequestInvalid
}) {}

/**
 * Stands for a server secret in answers; sent back with `PUT /world`, it leaves the secret as it is.
 *
 * @category constants
 * @since 0.1.0
 */
export const redacted = "<redacted>"

const Count = Schema.Int.check(Schema.isGreaterThanOrEqualTo(0))
/** What is done with a user who is there. */
const ofUser = { params: { userId: Schema.String }, error: AdminNotFound }
const listsOfUser = {
  conversations: Schema.Array(Conversation.Wire),
  kickedFrom: Schema.optionalKey(Schema.Array(Schema.String))
}

/**
 * A user in a list of users.
 *
 * @category schemas
 * @since 0.1.0
 */
export const UserSummary = Schema.Struct({
  userId: UserId.UserId,
  conversations: Schema.Int,
  kickedFrom: Schema.Array(Schema.String)
}).annotate({ identifier: "@effect-zim/emulator/UserSummary" })

/**
 * A user, with the conversations in the order in which the service lists them: all, not only the latest 1000.
 *
 * @category schemas
 * @since 0.1.0
 */
export const UserDetails = Schema.Struct({
  userId: UserId.UserId,
  conversations: Schema.Array(Conversation.Wire),
  kickedFrom: Schema.Array(Schema.String)
}).annotate({ identifier: "@effect-zim/emulator/UserDetails" })

/**
 * A world file whose secrets are {@link redacted}.
 *
 * @category schemas
 * @since 0.1.0
 */
export const WorldJson = Schema.Struct({
  apps: Schema.Array(
    Schema.Struct({
      appId: Schema.Int,
      serverSecret: Schema.Literal(redacted),
      quota: Schema.optionalKey(ServiceQuota.ServiceQuota)
    })
  ),
  users: Schema.Array(Schema.Struct({ userId: UserId.UserId, ...listsOfUser })),
  disbanded: Schema.optionalKey(Schema.Array(Schema.String))
}).annotate({ identifier: "@effect-zim/emulator/World" })

/**
 * Where the emulator stands.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Status = Schema.Struct({
  /** The base URL that clients use, where the emulator is served over HTTP. */
  url: Schema.UndefinedOr(Schema.String),
  apps: Schema.Array(Schema.Int),
  users: Schema.Int,
  conversations: Schema.Int,
  /** How many calls the journal holds. */
  calls: Schema.Int,
  faults: Schema.Int
}).annotate({ identifier: "@effect-zim/emulator/Status" })

const PageQuery = {
  offset: Schema.optional(Count),
  limit: Schema.optional(Count)
}

const worldGroup = HttpApiGroup.make("world", { topLevel: true })
  .add(
    HttpApiEndpoint.get("status", "/status", { success: Status }),
    HttpApiEndpoint.get("getWorld", "/world", { success: WorldJson }),
    HttpApiEndpoint.put("putWorld", "/world", {
      payload: Schema.Json.annotate({ description: `A world file; an app's serverSecret may be "${redacted}"` }),
      error: AdminRequestInvalid
    }),
    HttpApiEndpoint.get("listUsers", "/users", {
      query: { search: Schema.optional(Schema.String), ...PageQuery },
      success: Schema.Struct({ total: Schema.Int, users: Schema.Array(UserSummary) })
    }),
    HttpApiEndpoint.get("getUser", "/users/:userId", { ...ofUser, success: UserDetails }),
    HttpApiEndpoint.put("putUser", "/users/:userId", {
      params: ofUser.params,
      payload: Schema.Struct(listsOfUser),
      error: AdminRequestInvalid
    }),
    HttpApiEndpoint.delete("deleteUser", "/users/:userId", ofUser),
    HttpApiEndpoint.get("getConversations", "/users/:userId/conversations", {
      ...ofUser,
      query: PageQuery,
      success: Schema.Struct({ total: Schema.Int, conversations: Schema.Array(Conversation.Wire) })
    }),
    HttpApiEndpoint.put("putConversations", "/users/:userId/conversations", {
      params: ofUser.params,
      payload: Schema.Array(Conversation.Wire),
      error: [AdminRequestInvalid, AdminNotFound]
    })
  )
  .annotate(OpenApi.Description, "Apps, registered users and their conversations")

const change = <const Name extends string, const Path extends `/${string}`, Fields extends Schema.Struct.Fields>(
  name: Name,
  path: Path,
  fields: Fields
) => HttpApiEndpoint.post(name, path, { payload: Schema.Struct(fields), error: WorldChange.ChangeRefused })

const changesGroup = HttpApiGroup.make("changes", { topLevel: true })
  .add(
    change("message", "/message", WorldChange.fields.message),
    change("createGroup", "/create-group", WorldChange.fields.createGroup),
    change("disband", "/disband", WorldChange.fields.disband),
    change("register", "/register", WorldChange.fields.register),
    change("kick", "/kick", WorldChange.fields.kick),
    HttpApiEndpoint.post("change", "/change", {
      payload: WorldChange.WorldChange,
      error: WorldChange.ChangeRefused
    })
  )
  .annotate(OpenApi.Description, "What happens in the world while it is read")

const Name = Schema.String.check(Schema.isPattern(/^[A-Za-z0-9._-]{1,64}$/))

const snapshotsGroup = HttpApiGroup.make("snapshots", { topLevel: true })
  .add(
    HttpApiEndpoint.get("listSnapshots", "/snapshots", { success: Schema.Array(Name) }),
    HttpApiEndpoint.post("snapshot", "/snapshot", {
      payload: Schema.Struct({ name: Schema.optionalKey(Name) }),
      success: Schema.Struct({ name: Name })
    }),
    HttpApiEndpoint.post("restore", "/restore", { payload: Schema.Struct({ name: Name }), error: AdminNotFound }),
    HttpApiEndpoint.post("reset", "/reset")
  )
  .annotate(
    OpenApi.Description,
    "All settings under a name, kept in memory; a reset starts again from how the emulator was started"
  )

/**
 * A fault that is set: in words, and as JSON if it has such a form. `DELETE /faults/:id` removes it.
 *
 * @category schemas
 * @since 0.1.0
 */
export const SetFault = Schema.Struct({
  id: Schema.String,
  description: Schema.String,
  json: Schema.NullOr(FaultJson.FaultJson)
}).annotate({ identifier: "@effect-zim/emulator/SetFault" })

/** Whatever is done with faults, the answer is those that are set then. */
const setFaults = { success: Schema.Array(SetFault) }

const faultsGroup = HttpApiGroup.make("faults", { topLevel: true })
  .add(
    HttpApiEndpoint.get("getFaults", "/faults", setFaults),
    HttpApiEndpoint.put("putFaults", "/faults", { ...setFaults, payload: Schema.Array(FaultJson.FaultJson) }),
    HttpApiEndpoint.post("addFault", "/faults", {
      ...setFaults,
      payload: Schema.Union([FaultJson.FaultJson, Schema.Array(FaultJson.FaultJson)])
    }),
    HttpApiEndpoint.delete("deleteFaults", "/faults"),
    HttpApiEndpoint.delete("deleteFault", "/faults/:id", {
      ...setFaults,
      params: { id: Schema.String },
      error: AdminNotFound
    })
  )
  .annotate(OpenApi.Description, "What goes wrong. Setting faults starts all their counts anew")

/**
 * What a budget shows. `available` is `null` where there is no limit, `wait` is in milliseconds, `null` for never.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Gauge = Schema.Struct({
  appId: Schema.Int,
  action: Schema.NullOr(Schema.String),
  quota: ServiceQuota.ServiceQuota,
  description: Schema.String,
  used: Schema.Int,
  available: Schema.NullOr(Schema.Int),
  wait: Schema.NullOr(Schema.Finite)
}).annotate({ identifier: "@effect-zim/emulator/Gauge" })

const QuotaView = Schema.Struct({
  quota: ServiceQuota.ServiceQuota,
  description: Schema.String,
  gauges: Schema.Array(Gauge)
})

/**
 * How the service's clock goes, what it shows, and the right time: in milliseconds since the epoch.
 *
 * @category schemas
 * @since 0.1.0
 */
export const ClockView = Schema.Struct({
  clock: ServiceClock.ServiceClock,
  shown: Schema.Finite,
  real: Schema.Finite
}).annotate({ identifier: "@effect-zim/emulator/ClockView" })

/** Reading and setting these is answered with what is set then. */
const clock = { success: ClockView }
const reading = { success: DocumentationReading.DocumentationReading }

const settingsGroup = HttpApiGroup.make("settings", { topLevel: true })
  .add(
    HttpApiEndpoint.get("getQuota", "/quota", { success: QuotaView }),
    HttpApiEndpoint.put("putQuota", "/quota", { payload: ServiceQuota.ServiceQuota, success: QuotaView }),
    HttpApiEndpoint.get("getClock", "/clock", clock),
    HttpApiEndpoint.put("putClock", "/clock", { ...clock, payload: ServiceClock.ServiceClock }),
    HttpApiEndpoint.post("stepClock", "/clock/step", {
      ...clock,
      payload: Schema.Struct({ by: DurationSchemas.Signed })
    }),
    HttpApiEndpoint.get("getReading", "/reading", reading),
    HttpApiEndpoint.put("putReading", "/reading", { ...reading, payload: DocumentationReading.DocumentationReading })
  )
  .annotate(OpenApi.Description, "Quota with its gauges, clock, and readings of the documentation")

const journalGroup = HttpApiGroup.make("journal", { topLevel: true })
  .add(
    HttpApiEndpoint.get("getJournal", "/journal", {
      query: Journal.Filter.fields,
      success: Schema.Array(Journal.Entry)
    }),
    HttpApiEndpoint.get("getStats", "/journal/stats", {
      query: { ...Journal.Filter.fields, window: Schema.optional(DurationSchemas.FromText) },
      success: Journal.Stats
    }),
    HttpApiEndpoint.get("live", "/journal/live", {
      success: HttpApiSchema.StreamSse({ data: Schema.toCodecJson(Journal.Entry) })
    }),
    HttpApiEndpoint.delete("deleteJournal", "/journal")
  )
  .annotate(OpenApi.Description, "Every call, without secrets, signatures and nonces")

/**
 * The API.
 *
 * @category schemas
 * @since 0.1.0
 */
export const AdminApi = HttpApi.make("effect-zim-emulator-admin")
  .add(worldGroup, changesGroup, snapshotsGroup, faultsGroup, settingsGroup, journalGroup)
  .middleware(Validation)
  .annotateMerge(
    OpenApi.annotations({
      title: "effect-zim emulator: admin API",
      version: "1",
      description:
        "Steers a running emulator. POST, PUT and DELETE need `Content-Type: application/json`, also without a body."
    })
  )

/**
 * A typed client of a running admin API.
 *
 * @example
 * ```ts
 * import * as AdminApi from "@effect-zim/emulator/AdminApi"
 * import * as Effect from "effect/Effect"
 *
 * const program = Effect.gen(function* () {
 *   const admin = yield* AdminApi.client("http://127.0.0.1:9461")
 *   yield* admin.putFaults({ payload: [{ type: "returnCode", code: 1, when: [{ every: 7 }] }] })
 *   return yield* admin.getStats({ query: { userId: "user-1" } })
 * })
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const client = (baseUrl: string) =>
  HttpApiClient.make(AdminApi, {
    baseUrl,
    transformClient: HttpClient.mapRequest((request) =>
      request.method === "GET" || request.headers["content-type"] !== undefined
        ? request
        : HttpClientRequest.setHeader(request, "content-type", "application/json")
    )
  })

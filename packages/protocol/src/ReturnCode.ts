/**
 * The service's return codes: what each means, what to do about it, and whether repeating the call can help.
 *
 * The one table that error classes, retry policies, the emulator and the documentation derive from.
 *
 * @since 0.1.0
 */
/**
 * What a return code is about. Only other operations than the typed ones have codes of the last six:
 *
 * - `NotFound`: a message, room, group, member or conversation is not there.
 * - `AlreadyDone`: it is already as the call wanted it.
 * - `Conflict`: something else has the id.
 * - `Full`: a list has as many entries as the app's plan allows.
 * - `Rejected`: moderation, a callback or the receiver refused it.
 * - `AllFailed`: it failed for each item; the answer says why in its list.
 *
 * @category constants
 * @since 0.1.0
 */
export const categories = [
  "BadRequest",
  "RateLimit",
  "NotRegistered",
  "Authentication",
  "Clock",
  "Permission",
  "Server",
  "NotFound",
  "AlreadyDone",
  "Conflict",
  "Full",
  "Rejected",
  "AllFailed"
] as const

/**
 * One of the categories.
 *
 * @category models
 * @since 0.1.0
 */
export type Category = (typeof categories)[number]

/**
 * Whether repeating the same call can help:
 *
 * - `Never`: the same call gets the same answer.
 * - `RateLimit`: after waiting for the quota.
 * - `Transient`: after back-off.
 * - `Bounded`: once or twice; the service does not say that it passes, but for a read it is safe to see.
 * - `Clock`: a few times, signed anew with a corrected clock.
 *
 * @category constants
 * @since 0.1.0
 */
export const retries = ["Never", "RateLimit", "Transient", "Bounded", "Clock"] as const

/**
 * One of the ways to repeat a call.
 *
 * @category models
 * @since 0.1.0
 */
export type Retry = (typeof retries)[number]

interface Row {
  readonly code: number
  readonly meaning: string
  readonly category: Category
  readonly retry: Retry
  /** The tag of the error class that the code arrives as. */
  readonly error: string
  readonly advice: string
}

const clientFault = "effect-zim builds this part of the request: if it is unmodified, report it with the request id."
const vendorSupport = "If it stays, give the vendor's support the request id."

/**
 * Every documented code that a call can return, by number. Source: contract, section 4.
 *
 * @category constants
 * @since 0.1.0
 */
export const table = [
  {
    code: 1,
    meaning: "Server busy",
    category: "Server",
    retry: "Transient",
    error: "ServiceFailed",
    advice: "Try again later. " + vendorSupport
  },
  {
    code: 2,
    meaning: "Parameter wrong",
    category: "BadRequest",
    retry: "Never",
    error: "MalformedRequest",
    advice: "Check the request's fields against the documentation of the action."
  },
  {
    code: 3,
    meaning: "Authentication failed",
    category: "Authentication",
    retry: "Never",
    error: "AuthenticationFailed",
    advice: "Check that ZIM_APP_ID and ZIM_SERVER_SECRET belong to the same app in the vendor's console."
  },
  {
    code: 7,
    meaning: "Requests per second exceed the system's setting",
    category: "RateLimit",
    retry: "RateLimit",
    error: "Throttled",
    advice: "Slow down: lower the quota of this client, or share one quota between all processes of the app."
  },
  {
    code: 105001,
    meaning: "Database request failed",
    category: "Server",
    retry: "Bounded",
    error: "ServiceFailed",
    advice: "Try again later. " + vendorSupport
  },
  {
    code: 100000000,
    meaning: "Wrong Host",
    category: "BadRequest",
    retry: "Never",
    error: "MalformedRequest",
    advice: "Check ZIM_REGION or ZIM_BASE_URL: the request went to a host that does not serve this API."
  },
  {
    code: 100000001,
    meaning: "AppId malformed",
    category: "BadRequest",
    retry: "Never",
    error: "MalformedRequest",
    advice: "Check ZIM_APP_ID: it is the number that the vendor's console shows."
  },
  {
    code: 100000002,
    meaning: "Timestamp empty",
    category: "BadRequest",
    retry: "Never",
    error: "MalformedRequest",
    advice: clientFault
  },
  {
    code: 100000003,
    meaning: "Timestamp malformed",
    category: "BadRequest",
    retry: "Never",
    error: "MalformedRequest",
    advice: clientFault
  },
  {
    code: 100000004,
    meaning: "Signature expired",
    category: "Clock",
    retry: "Clock",
    error: "SignatureExpired",
    advice:
      "Compare this machine's clock with a time server, and set it where it is off. If it is right, something between " +
      "here and the service holds requests up or writes wrong dates."
  },
  {
    code: 100000005,
    meaning: "Signature wrong",
    category: "Authentication",
    retry: "Never",
    error: "AuthenticationFailed",
    advice: "Check ZIM_SERVER_SECRET: it does not belong to this AppId. If it does, check this machine's clock."
  },
  {
    code: 100000006,
    meaning: "Action empty",
    category: "BadRequest",
    retry: "Never",
    error: "MalformedRequest",
    advice: clientFault
  },
  {
    code: 100000007,
    meaning: "Action not supported",
    category: "BadRequest",
    retry: "Never",
    error: "MalformedRequest",
    advice: "Check the action's name, letter case included, and that the host serves it."
  },
  {
    code: 100000008,
    meaning: "SignatureNonce empty",
    category: "BadRequest",
    retry: "Never",
    error: "MalformedRequest",
    advice: clientFault
  },
  {
    code: 100000009,
    meaning: "Signature empty",
    category: "BadRequest",
    retry: "Never",
    error: "MalformedRequest",
    advice: clientFault
  },
  {
    code: 100000010,
    meaning: "Looking up the ServerSecret failed",
    category: "Server",
    retry: "Bounded",
    error: "ServiceFailed",
    advice: "Try again later. " + vendorSupport
  },
  {
    code: 100000011,
    meaning: "Looking up the app's configuration failed",
    category: "Server",
    retry: "Bounded",
    error: "ServiceFailed",
    advice: "Try again later. " + vendorSupport
  },
  {
    code: 100000012,
    meaning: "Reading the request body failed",
    category: "Server",
    retry: "Bounded",
    error: "ServiceFailed",
    advice: "Try again later; look for a proxy that cuts request bodies. " + vendorSupport
  },
  {
    code: 100000013,
    meaning: "SignatureVersion empty",
    category: "BadRequest",
    retry: "Never",
    error: "MalformedRequest",
    advice: clientFault
  },
  {
    code: 100000014,
    meaning: "SignatureVersion not supported",
    category: "BadRequest",
    retry: "Never",
    error: "MalformedRequest",
    advice: clientFault
  },
  {
    code: 100000015,
    meaning: "Gateway error",
    category: "Server",
    retry: "Bounded",
    error: "ServiceFailed",
    advice: "Try again later. " + vendorSupport
  },
  {
    code: 100000016,
    meaning: "App not configured for production",
    category: "Permission",
    retry: "Never",
    error: "NotPermitted",
    advice: "Finish the app's production configuration in the vendor's console."
  },
  {
    code: 100000017,
    meaning: "Service not enabled for the app",
    category: "Permission",
    retry: "Never",
    error: "NotPermitted",
    advice: "Enable the ZIM (In-app Chat) service for this app in the vendor's console."
  },
  {
    code: 660000001,
    meaning: "General error",
    category: "Server",
    retry: "Transient",
    error: "ServiceFailed",
    advice: "Try again later. " + vendorSupport
  },
  {
    code: 660000002,
    meaning: "Input parameter wrong or missing",
    category: "BadRequest",
    retry: "Never",
    error: "InvalidInput",
    advice: "Check the request's fields against the documentation of the action."
  },
  {
    code: 660000003,
    meaning: "Processing error",
    category: "Server",
    retry: "Transient",
    error: "ServiceFailed",
    advice: "Try again later. " + vendorSupport
  },
  {
    code: 660000012,
    meaning: "User id longer than 32 bytes",
    category: "BadRequest",
    retry: "Never",
    error: "MalformedRequest",
    advice: "Use a user id of at most 32 characters."
  },
  {
    code: 660000028,
    meaning: "Not available on the free plan",
    category: "Permission",
    retry: "Never",
    error: "NotPermitted",
    advice: "Change the app's plan in the vendor's console."
  },
  {
    code: 660300005,
    meaning: "Calls exceed the AppID-level frequency limit",
    category: "RateLimit",
    retry: "RateLimit",
    error: "RateLimited",
    advice: "Slow down: lower the quota of this client, or share one quota between all processes of the app."
  },
  {
    code: 660500002,
    meaning: "User not registered",
    category: "NotRegistered",
    retry: "Never",
    error: "UserNotRegistered",
    advice: "Register the user through the server API, or let the user log in once through the client SDK."
  },
  {
    code: 660800053,
    meaning: "Querying the conversation list failed",
    category: "Server",
    retry: "Bounded",
    error: "QueryFailed",
    advice: "Try again later. " + vendorSupport
  }
] as const satisfies ReadonlyArray<Row>

/**
 * A row of the {@link table}.
 *
 * @category models
 * @since 0.1.0
 */
export type ReturnCode = (typeof table)[number]

/**
 * The literal union of the codes that arrive as one error class.
 *
 * @category models
 * @since 0.1.0
 */
export type CodesOf<Tag extends ReturnCode["error"]> = Extract<ReturnCode, { readonly error: Tag }>["code"]

const byCode: ReadonlyMap<number, ReturnCode> = new Map(table.map((row) => [row.code, row]))

/**
 * What is known of a code, or `undefined` for one that is not documented.
 *
 * @example
 * ```ts
 * import { ReturnCode } from "@effect-zim/protocol"
 *
 * ReturnCode.lookup(660300005)?.retry // "RateLimit"
 * ```
 *
 * @category accessors
 * @since 0.1.0
 */
export const lookup = (code: number): ReturnCode | undefined => byCode.get(code)

/**
 * The codes that arrive as the error class with this tag.
 *
 * @example
 * ```ts
 * import { ReturnCode } from "@effect-zim/protocol"
 *
 * ReturnCode.codesOf("AuthenticationFailed") // [3, 100000005]
 * ```
 *
 * @category accessors
 * @since 0.1.0
 */
export const codesOf = <Tag extends ReturnCode["error"]>(tag: Tag): ReadonlyArray<CodesOf<Tag>> =>
  table.map((row) => row.code).filter((code): code is CodesOf<Tag> => lookup(code)?.error === tag)

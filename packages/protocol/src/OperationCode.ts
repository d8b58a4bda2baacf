/**
 * Return codes that only other operations than the typed ones return: what each means, what to do about it, and whether
 * repeating the call can help. A module of its own, since most clients need none of it.
 *
 * Source: the vendor's table of return codes and the pages of its operations.
 *
 * @since 0.1.0
 */
import * as Struct from "effect/Struct"
import type * as ReturnCode from "./ReturnCode.ts"

/**
 * What is known of a code.
 *
 * @category models
 * @since 0.1.0
 */
export interface OperationCode {
  readonly code: number
  readonly meaning: string
  readonly category: ReturnCode.Category
  readonly retry: ReturnCode.Retry
  readonly advice: string
}

const meanings = {
  BadRequest: {
    50014: "UserName longer than 256 bytes at login",
    660000011: "Too many users in the list",
    660000025: "IsBase64 is 1 but the message is not base64",
    660000026: "Message is not FromUserId's",
    660300013: "Room messages have no receipts",
    660300019: "Group attribute values too long in total",
    660400001: "Message too large",
    660400102: "More than 10 messages in a receipt",
    660600016: "More than 100 members at once",
    660600019: "More than 10 group attributes",
    660600020: "Attribute key longer than 16 bytes, or value longer than 1024",
    660600021: "Parameters for sending wrong",
    660600023: "Message too long",
    660600029: "Role may not be 1",
    660600030: "FromUserId equals ToUserId",
    660700006: "UserName over 256 bytes",
    660700007: "UserAvatar over 500 bytes",
    660800019: "Batch too large",
    660800020: "FromUserId cannot befriend itself",
    660800021: "FriendAlias or Wording too long",
    660800022: "Duplicate user ids",
    660800023: "Attribute key other than k0 to k4",
    660800024: "Attributes too long in total",
    660800026: "Friend attribute wrong",
    660800032: "Duplicate attribute keys",
    660800033: "FromUserId is in UserIds",
    660800038: "Cannot block or unblock oneself",
    660800039: "User list too long",
    660800046: "Timestamp in the future",
    660900007: "Too many callees"
  },
  NotRegistered: {
    51102: "User has not logged in to ZIM",
    660200001: "User unknown, logged out, or registered but never logged in",
    660600013: "Group owner unknown",
    660700008: "Getting user information failed: wrong user id",
    660700012: "User does not exist",
    660700015: "User not registered",
    660800001: "User or peer not registered",
    660800025: "None of the friends is registered",
    660900003: "Callees must be registered",
    6607000015: "User not registered: as one page writes 660700015"
  },
  NotFound: {
    660000022: "Message not found or deleted",
    660300001: "Room unknown or destroyed",
    660300002: "User not in the room",
    660300008: "Room has no users and is about to be destroyed",
    660300012: "User not in that room",
    660600001: "Group unknown",
    660600008: "User to be removed is not in the group",
    660600009: "Getting the group failed: it may not exist",
    660600024: "User not in the group",
    660800002: "Conversation unknown or not among the 1000 latest",
    660800034: "Not a friend",
    660800044: "Not on the blocklist",
    660900004: "Getting the call failed"
  },
  AlreadyDone: {
    660000023: "Message already recalled",
    660800027: "Already a friend",
    660800037: "Already blocked",
    660800043: "Already unblocked",
    660800051: "Already muted",
    660800052: "Already unmuted",
    660900005: "Call has ended",
    660900006: "Call invitation timed out"
  },
  Conflict: {
    660300014: "Room exists already",
    660600011: "Group exists already: ids are never used again",
    660700002: "User exists already"
  },
  Full: {
    660300015: "Too many rooms",
    660600012: "Too many groups for the plan",
    660800028: "Friend list full",
    660800030: "Mute list full",
    660800040: "Blocklist full",
    660800048: "Pin list full"
  },
  Permission: {
    660000024: "Time for recalling the message is over",
    660000027: "Room messages are not stored on this plan",
    660600032: "FromUserId has no permission",
    660900008: "User was not invited to the call",
    661000001: "Time for editing the message is over"
  },
  Rejected: {
    660500005: "Text rejected by moderation",
    660500007: "Image rejected by moderation",
    660500009: "The app's own back end said: send silently",
    660500010: "The app's own back end said: do not send",
    660800045: "Receiver has blocked the sender"
  },
  AllFailed: {
    660600033: "Muting failed for all users",
    660800041: "Blocking failed for all users",
    660800042: "Unblocking failed for all users",
    660800054: "Marking failed for all conversations"
  },
  RateLimit: {
    660300006: "Calls exceed the frequency limit of the group or room",
    660500003: "SendMessageToAllUsers exceeds 1 call a second or 100 in 24 hours",
    660600004: "QueryGroupMemberList exceeds its frequency limit",
    660600005: "KickoutGroupUser exceeds its frequency limit",
    660600007: "QueryAppGroupList exceeds its frequency limit",
    660600010: "CreateGroup exceeds its frequency limit",
    660700001: "UserRegister exceeds its frequency limit"
  },
  Server: {
    660300007: "Getting the room failed",
    660400103: "Group receipts failed",
    660400104: "One-to-one receipts failed",
    660500004: "Text moderation failed to run",
    660500006: "Image moderation failed to run",
    660600003: "Member list query failed",
    660600006: "Group list query failed",
    660600014: "Changing the owner's group list failed",
    660600015: "Database operation failed",
    660600017: "A user could not join at creation",
    660600022: "Media redirect address failed",
    660600028: "Changing group data failed",
    660700013: "User information query failed",
    660700016: "Syncing user information failed",
    660700017: "Updating user information failed",
    661000005: "Edit failed"
  }
} as const satisfies { readonly [C in ReturnCode.Category]?: Readonly<Record<number, string>> }

const advice: Record<keyof typeof meanings, string> = {
  BadRequest: "Check the request's fields against the documentation of the action.",
  NotRegistered: "Register the user through the server API, or let the user log in once through the client SDK.",
  NotFound: "Check the id: what it names does not exist, or no longer.",
  AlreadyDone: "Nothing has to be done: it is already so.",
  Conflict: "Choose another id, or use what is there.",
  Full: "Remove entries, or let the vendor raise the app's limit.",
  Permission: "It is not allowed: check the app's plan, the user's role, or how long it is allowed.",
  Rejected: "Change what is sent: the same again would be refused again.",
  AllFailed: "See why in the list of the answer, item by item.",
  RateLimit: "Slow down: this limit is one of the operation, group or room, beside the quota of the app.",
  Server: "Try again later. If it stays, give the vendor's support the request id."
}

const retries: { readonly [C in ReturnCode.Category]?: ReturnCode.Retry } = {
  RateLimit: "RateLimit",
  Server: "Bounded"
}

const rowsOf = (category: keyof typeof meanings): ReadonlyArray<OperationCode> =>
  Object.entries(meanings[category]).map(([code, meaning]) => ({
    code: Number(code),
    meaning,
    category,
    retry: retries[category] ?? "Never",
    advice: advice[category]
  }))

/**
 * Every documented code beside those of `ReturnCode.table`, by number.
 *
 * @category constants
 * @since 0.1.0
 */
export const table: ReadonlyArray<OperationCode> = /* @__PURE__ */ (() =>
  Struct.keys(meanings)
    .flatMap(rowsOf)
    .toSorted((a, b) => a.code - b.code))()

const byCode: ReadonlyMap<number, OperationCode> = /* @__PURE__ */ (() =>
  new Map(table.map((row) => [row.code, row])))()

/**
 * What is known of a code that only other operations return.
 *
 * @example
 * ```ts
 * import { OperationCode } from "@effect-zim/protocol"
 *
 * OperationCode.lookup(660600001)?.meaning // "Group unknown"
 * ```
 *
 * @category accessors
 * @since 0.1.0
 */
export const lookup = (code: number): OperationCode | undefined => byCode.get(code)

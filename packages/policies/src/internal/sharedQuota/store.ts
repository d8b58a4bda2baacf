/** What the processes of a shared quota keep together, and what they tell each other over it. */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Predicate from "effect/Predicate"
import * as Schema from "effect/Schema"
import { UnavailableReason } from "../../PolicyError.ts"
import { millisInRange } from "../inRange.ts"
import type { Limits } from "../permits.ts"

/**
 * The store gave no permit and no time to wait. It knows no call: the quota makes a `QuotaUnavailable` of it for each one
 * that waits. Left out, the reason is `NoAnswer`. With `Denied` a share of one's own does not help either: others may go
 * on with the whole quota.
 *
 * @category errors
 * @since 0.1.0
 */
export class StoreUnavailable extends Schema.TaggedError<StoreUnavailable>("@effect-zim/policies/StoreUnavailable")(
  "StoreUnavailable",
  {
    reason: UnavailableReason.pipe(Schema.withConstructorDefault(Effect.succeed({ _tag: "NoAnswer" }))),
    /** What the store said. Default: what the cause says. */
    problem: Schema.optional(Schema.String),
    cause: Schema.Defect()
  }
) {}

/** The innermost cause that says something: what is around it only says that a command failed. */
const textOf = (cause: unknown): string => {
  let text = ""
  const seen = new Set<unknown>()
  for (let at = cause; Predicate.isObject(at) && !seen.has(at);) {
    seen.add(at)
    const { cause, code, message }: { cause?: unknown; code?: unknown; message?: unknown } = at
    // A connection that was tried by several addresses has a code, and no message.
    const said = [message, code].find((one) => typeof one === "string" && one !== "")
    if (typeof said === "string") text = said
    at = cause
  }
  return text === "" ? (typeof cause === "string" ? cause : "no reason given") : text
}

/** Why a store gave no answer, in its own words: on one line, short, and without the credentials of a URL. */
export const problemOf = (cause: unknown): string => {
  const line = textOf(cause)
    .slice(0, 4000)
    .replaceAll(/\/\/[^/\s]*@/gu, "//<redacted>@")
    .replaceAll(/[\p{Cc}\s]+/gu, " ")
    .trim()
  return line.length > 200 ? `${line.slice(0, 200)}…` : line
}

/** How long a store has to answer: one that has for ever never counts as away. */
export const timeoutOf = (timeout: Duration.Input = "1 second"): Duration.Duration =>
  Duration.millis(millisInRange("the quota's timeout", timeout, "a finite time, in milliseconds, above 0"))

/**
 * A process that asks the store for a permit. All times are in milliseconds.
 *
 * @category models
 * @since 0.1.0
 */
export interface Ask {
  /** What the quota is one for: a key, with the operation behind a colon where each has its own. */
  readonly key: string
  readonly limits: Limits
  /** The name of the lease: no other one has it. */
  readonly lease: string
  /** When the permit comes back although the store never hears of it again: the process has crashed. */
  readonly hold: number
  /** How much sooner than a window after an answer the process may send, because of its smallest round trip. */
  readonly allowance: number
  /** Where its requests go. Two hosts are two paths: while more than one is asked for, nobody has an allowance. */
  readonly host?: string | undefined
  /** The least time since the last permit, whoever got it. */
  readonly spacing: number
  /** Whether the store must know the key. If it does not, it has lost it, and waits until what it lost is over. */
  readonly isKnown: boolean
}

/**
 * The last time that the service rejected a call: when by the store's clock, how long ago that is, and the time between
 * calls that was too little. All in milliseconds.
 *
 * @category models
 * @since 0.1.0
 */
export interface Rejection {
  readonly at: number
  readonly ago: number
  readonly spacing: number
}

/**
 * A permit, with the time by the store's clock; or how long there will be none, unless one comes back unused.
 *
 * @category models
 * @since 0.1.0
 */
export type Reply =
  | { readonly _tag: "Granted"; readonly at: number; readonly rejection: Rejection | undefined }
  | { readonly _tag: "Wait"; readonly millis: number; readonly rejection: Rejection | undefined }

/** The reply of a store: the wait, 0 where a permit was granted, the time, and the last rejection, -1 where none was. */
export const replyOf = (millis: number, now: number, rejectedAt: number, spacing: number): Reply => {
  const rejection = rejectedAt < 0 ? undefined : { at: rejectedAt, ago: now - rejectedAt, spacing }
  return millis === 0 ? { _tag: "Granted", at: now, rejection } : { _tag: "Wait", millis, rejection }
}

/**
 * A process that gives a permit back. All times are in milliseconds.
 *
 * @category models
 * @since 0.1.0
 */
export interface Return {
  readonly key: string
  readonly limits: Limits
  readonly lease: string
  /** How long ago the attempt ended. */
  readonly ago: number
  /** How long after the attempt ended the permit comes back: at once where nothing was sent. */
  readonly delay: number | undefined
  /** How much sooner it may come back, where all who ask say the same of themselves. */
  readonly allowance: number
  /** The service rejected the call: when its permit was given out, and the time between calls that was too little. */
  readonly rejected: { readonly grantedAt: number; readonly spacing: number } | undefined
}

/**
 * A process that gave out permits of its own, so that the store must give out none until those are over: for so many
 * milliseconds.
 *
 * @category models
 * @since 0.1.0
 */
export interface Pause {
  readonly key: string
  readonly limits: Limits
  readonly millis: number
}

/**
 * What the processes keep together. Its clock decides, so theirs do not matter.
 *
 * @category models
 * @since 0.1.0
 */
export interface Store {
  readonly acquire: (ask: Ask) => Effect.Effect<Reply, StoreUnavailable>
  readonly release: (lease: Return) => Effect.Effect<void, StoreUnavailable>
  readonly pause: (pause: Pause) => Effect.Effect<void, StoreUnavailable>
}

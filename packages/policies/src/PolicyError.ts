/**
 * What the policies themselves fail a call with. Each error says which call it was, how many requests it sent and how
 * long it took.
 *
 * @since 0.1.0
 */
import * as Duration from "effect/Duration"
import * as Schema from "effect/Schema"

/**
 * What every error says about its call.
 *
 * @category models
 * @since 0.1.0
 */
export interface CallDescription {
  /** The operation that was called. */
  readonly action: string
  /** How many requests the call sent, this failing one included. */
  readonly attempts: number
  /** How long the call took, waiting included. */
  readonly elapsed: Duration.Duration
}

const callFields = { action: Schema.String, attempts: Schema.Int, elapsed: Schema.Duration }

/** Whole milliseconds, and none of them less than there were. */
const describeTime = (time: Duration.Duration): string =>
  Duration.isZero(time) ? "0ms" : Duration.format(Duration.millis(Math.ceil(Duration.toMillis(time))))

const describeCall = ({ action, attempts, elapsed }: CallDescription): string =>
  `${action}, ${attempts} ${attempts === 1 ? "attempt" : "attempts"}, ${describeTime(elapsed)}`

/**
 * One attempt took longer than its timeout, headers and body included.
 *
 * @category errors
 * @since 0.1.0
 */
export class AttemptTimedOut extends Schema.TaggedError<AttemptTimedOut>("@effect-zim/policies/AttemptTimedOut")(
  "AttemptTimedOut",
  {
    ...callFields,
    timeout: Schema.Duration
  },
  { httpApiStatus: 504 }
) {
  override get message(): string {
    return `no complete answer within ${describeTime(this.timeout)} (${describeCall(this)})`
  }
}

/**
 * The call as a whole took longer than its deadline, waiting for quota and back-off included; or it failed at once,
 * because the wait before it was known to be longer: `needed` is the least it would have taken. `cause` is what the last
 * attempt failed with, if one had.
 *
 * @category errors
 * @since 0.1.0
 */
export class DeadlineExceeded extends Schema.TaggedError<DeadlineExceeded>("@effect-zim/policies/DeadlineExceeded")(
  "DeadlineExceeded",
  {
    ...callFields,
    deadline: Schema.Duration,
    needed: Schema.optional(Schema.Duration),
    cause: Schema.optional(Schema.Defect())
  },
  { httpApiStatus: 504 }
) {
  override get message(): string {
    const needed = this.needed === undefined ? "" : `, the next step alone needs another ${describeTime(this.needed)}`
    return `not done within the deadline of ${describeTime(this.deadline)}${needed} (${describeCall(this)})`
  }
}

/**
 * Not sent: so many calls to the host failed of late that the circuit breaker keeps all of them back for a while.
 *
 * @category errors
 * @since 0.1.0
 */
export class CircuitOpen extends Schema.TaggedError<CircuitOpen>("@effect-zim/policies/CircuitOpen")(
  "CircuitOpen",
  {
    ...callFields,
    host: Schema.String,
    /** How long until the breaker lets a call through again to see. */
    retryAfter: Schema.Duration,
    /** What the latest call failed with that the host was taken to be ill for. */
    lastFailure: Schema.optional(Schema.String)
  },
  { httpApiStatus: 503 }
) {
  override get message(): string {
    const last = this.lastFailure ? `, last: ${this.lastFailure}` : ""
    return `not sent: ${this.host} keeps failing${last}; next try in ${describeTime(this.retryAfter)} (${describeCall(this)})`
  }
}

/**
 * Why a shared quota is unavailable:
 *
 * - `NoAnswer`: what it is kept in does not answer.
 * - `Refused`: it answers that it cannot, whoever asks: it starts, fails over, or has no room. That may pass.
 * - `Denied`: it does not serve this process, whose credentials, permissions, or address of the store are wrong; or it
 *   holds something else. That does not pass by itself, and is not tried again.
 *
 * @category errors
 * @since 0.1.0
 */
export const UnavailableReason = /* @__PURE__ */ (() =>
  Schema.Union([
    Schema.TaggedStruct("NoAnswer", {}),
    Schema.TaggedStruct("Refused", {}),
    Schema.TaggedStruct("Denied", {})
  ]))()

/**
 * One of the reasons.
 *
 * @category errors
 * @since 0.1.0
 */
export type UnavailableReason = typeof UnavailableReason.Type

/**
 * Not sent: the quota is shared between processes, and what it is kept in did not give a permit. `problem` says why, in
 * the store's words.
 *
 * @category errors
 * @since 0.1.0
 */
export class QuotaUnavailable extends Schema.TaggedError<QuotaUnavailable>("@effect-zim/policies/QuotaUnavailable")(
  "QuotaUnavailable",
  {
    ...callFields,
    reason: UnavailableReason,
    problem: Schema.String,
    cause: Schema.Defect()
  },
  { httpApiStatus: 503 }
) {
  override get message(): string {
    const what = this.reason._tag === "NoAnswer" ? "does not answer" : "refuses"
    return `not sent: the store of the shared quota ${what}: ${this.problem} (${describeCall(this)})`
  }
}

/**
 * Any of them.
 *
 * @category errors
 * @since 0.1.0
 */
export type PolicyError = AttemptTimedOut | DeadlineExceeded | CircuitOpen | QuotaUnavailable

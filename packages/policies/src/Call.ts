/**
 * A call, as its policies see it: what it is called, how long it may take, and what became of it so far.
 *
 * @since 0.1.0
 */
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import { millisOf } from "./internal/timers.ts"
import { type CallDescription, DeadlineExceeded } from "./PolicyError.ts"

/**
 * What a call is made of.
 *
 * @category models
 * @since 0.1.0
 */
export interface Options {
  /** Whose calls the service counts together: an account, an app. */
  readonly key: string
  /** What the call is called. */
  readonly operation: string
  /** The time it has as a whole. Default: as long as it takes. */
  readonly deadline?: Duration.Duration | undefined
  /** The longest that one attempt may take. Default: 10 seconds, as `Timeout.Attempt` has it. */
  readonly attemptTimeout?: Duration.Duration | undefined
}

/**
 * The state of one call. It begins when it is made.
 *
 * @category models
 * @since 0.1.0
 */
export class Call {
  readonly key: string
  readonly operation: string
  readonly deadline: Duration.Duration
  readonly attemptTimeout: Duration.Duration
  readonly clock: Clock.Clock
  /** Requests sent so far. */
  attempts = 0
  /** What the last attempt failed with. */
  lastFailure: { readonly _tag: string } | undefined
  readonly #startedAt: number

  constructor({ attemptTimeout, deadline, key, operation }: Options, clock: Clock.Clock) {
    this.key = key
    this.operation = operation
    this.deadline = deadline ?? Duration.infinity
    this.attemptTimeout = attemptTimeout ?? Duration.seconds(10)
    this.clock = clock
    this.#startedAt = millisOf(clock)
  }

  /** Milliseconds since the call began. */
  get elapsedMillis(): number {
    return millisOf(this.clock) - this.#startedAt
  }

  /** The time left until the deadline. */
  get timeLeft(): Duration.Duration {
    return Duration.millis(Math.max(0, Duration.toMillis(this.deadline) - this.elapsedMillis))
  }

  /** What every error says about the call. In whole milliseconds: nobody reads more in an error. */
  get description(): CallDescription {
    const elapsed = Duration.millis(Math.floor(this.elapsedMillis))
    return { action: this.operation, attempts: this.attempts, elapsed }
  }

  /** The error of a call that is late, or will be: then `needed` is what the next step would have taken. */
  deadlineExceeded(needed?: Duration.Duration): DeadlineExceeded {
    return new DeadlineExceeded({
      ...this.description,
      deadline: this.deadline,
      ...(needed === undefined ? {} : { needed }),
      ...(this.lastFailure === undefined ? {} : { cause: this.lastFailure })
    })
  }
}

/**
 * Begins a call.
 *
 * @example
 * ```ts
 * import { Call, Quota } from "@effect-zim/policies"
 * import { Effect } from "effect"
 *
 * // A permit for something that is no call of a client.
 * const upload = Effect.gen(function* () {
 *   const quota = yield* Quota.make({ limit: 5 })
 *   const call = yield* Call.make({ key: "account-1", operation: "upload" })
 *   return yield* quota.withPermit(
 *     call,
 *     () => Effect.void,
 *     () => "Answered"
 *   )
 * })
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = (options: Options): Effect.Effect<Call> =>
  Clock.clockWith((clock) => Effect.sync(() => new Call(options, clock)))

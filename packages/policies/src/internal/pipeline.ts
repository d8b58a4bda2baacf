/**
 * A call under its policies:
 *
 *     deadline( retry( permit( breaker( timeout( send )))))
 *
 * The order matters. The permit is waited for outside the attempt's timeout, and the request is made last: one that
 * waited ten minutes is as fresh as one that did not. Each attempt has a permit of its own.
 */
import type * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Option from "effect/Option"
import * as Schedule from "effect/Schedule"
import type { Call } from "../Call.ts"
import * as Meaning from "../Meaning.ts"
import { AttemptTimedOut, CircuitOpen, type PolicyError } from "../PolicyError.ts"
import type * as CircuitBreaker from "../CircuitBreaker.ts"
import type * as Quota from "../Quota.ts"
import type * as RetryBudget from "../RetryBudget.ts"
import type { Kind, RetryPolicy } from "../RetryPolicy.ts"
import type * as ServerClock from "../ServerClock.ts"
import { millisOf, nextDelay, type Step, type Watchdog } from "./timers.ts"

type Tagged = { readonly _tag: string }

/**
 * Where requests go: a breaker is for a host, and so is what a quota knows of round trips.
 *
 * @category models
 * @since 0.1.0
 */
export interface Host {
  readonly host: string
}

/**
 * One attempt of a call.
 *
 * @category models
 * @since 0.1.0
 */
export interface Attempt<H> {
  readonly call: Call
  readonly endpoint: H
  /** What to add to this machine's clock, where the request says the time: in milliseconds. */
  readonly clockOffset: number
  /** Whom to tell what the answer says about the time. */
  readonly serverClock: ServerClock.ServerClock["Service"]
}

/**
 * Sees what happens to a call, and may add to it: spans, metrics, logs.
 *
 * @category models
 * @since 0.1.0
 */
export interface Observer<H> {
  /** Around the whole call. */
  readonly call: <A, E extends Tagged>(self: Effect.Effect<A, E>, call: Call) => Effect.Effect<A, E>
  /** A permit of the call: `taken` may not come, `returned` comes in any case. */
  readonly permit: () => { readonly taken: () => void; readonly returned: () => undefined }
  /** Around an attempt, its timeout included. `self` is the attempt, whose request runs in the context that it is given. */
  readonly attempt: <A, E extends Tagged>(
    self: (context: Context.Context<never>) => Effect.Effect<A, E>,
    call: Call,
    endpoint: H,
    waited: Duration.Duration
  ) => Effect.Effect<A, E>
  /** The call is made again, after a delay. */
  readonly retrying: (call: Call, error: Tagged, delay: Duration.Duration) => Effect.Effect<void>
  /** The call is given up. */
  readonly gaveUp: (call: Call, error: Tagged, why: string) => Effect.Effect<void>
}

/** The policies in force for a call. */
export interface InForce<E> {
  readonly retry: RetryPolicy<E>
  readonly attemptTimeout: Duration.Duration
  readonly deadline: Duration.Duration
  readonly quota: Quota.Quota["Service"]
  readonly budget: RetryBudget.RetryBudget["Service"]
  readonly serverClock: ServerClock.ServerClock["Service"]
  readonly breaker: CircuitBreaker.CircuitBreaker["Service"]
}

export interface Options<A, E, H> {
  readonly call: Call
  readonly policies: InForce<E | PolicyError>
  readonly watchdog: Watchdog
  readonly hosts: readonly [H, ...ReadonlyArray<H>]
  readonly isRepeatable: boolean
  readonly send: (attempt: Attempt<H>) => Effect.Effect<A, E>
  readonly meaningOf: (error: E | PolicyError) => Meaning.Meaning
  readonly observer: Observer<H>
}

/** How many times a call goes out at once because the clock has moved: the first date may be a wrong one. */
const mostOffsets = 4

/** After an attempt that ends by the call's deadline, in milliseconds: that one says more of how it ended. */
const after = 1

const succeeded = Meaning.answered()

/** One call on its way. */
class Pipeline<A, E extends Tagged, H extends Host> {
  readonly #options: Options<A, E, H>
  /** Which host to try first: moves on when one fails. */
  #firstHost = 0
  /** The offset of the service's clock that the last attempt was given, and those that were refused. */
  #clockOffset = 0
  readonly #refusedOffsets = new Set<number>()
  /** How far the schedules have gone on, what the last retry took from the budget, and the time that they began at. */
  readonly #steps = new Map<Kind, Step<E | PolicyError>>()
  #spent = 0
  #origin: number | undefined

  constructor(options: Options<A, E, H>) {
    this.#options = options
  }

  run(): Effect.Effect<A, E | PolicyError> {
    return this.#deadline(this.#retry(this.#permit()))
  }

  /** Ends, after the call's deadline, what nothing else ends: a policy of somebody else's may hang. */
  #deadline(self: Effect.Effect<A, E | PolicyError>): Effect.Effect<A, E | PolicyError> {
    const { call, watchdog } = this.#options
    const late = Effect.suspend(() => Effect.fail(call.deadlineExceeded()))
    return Effect.contextWith((context) =>
      watchdog.within(self, Duration.sum(call.timeLeft, Duration.millis(after)), call.clock, context, late)
    )
  }

  /**
   * Repeats an attempt while the policy's schedule for its kind of failure goes on. Each kind keeps its own count, so a
   * rejection does not use up the retries of a lost connection.
   */
  #retry(self: Effect.Effect<A, E | PolicyError>): Effect.Effect<A, E | PolicyError> {
    const { budget } = this.#options.policies
    const loop: Effect.Effect<A, E | PolicyError> = Effect.matchEffect(self, {
      // The last step of all, so that nothing is left of the attempts before, however many there are.
      onFailure: (error) => Effect.gen(() => this.#beforeNext(error)).pipe(Effect.andThen(loop)),
      onSuccess: (value) => Effect.as(budget.refill(this.#spent === 0 ? budget.costs.success : this.#spent), value)
    })
    return loop
  }

  /** Ends when it is time for the next attempt, or fails where there is none. */
  *#beforeNext(error: E | PolicyError): Effect.fn.Return<void, E | PolicyError> {
    const { call, isRepeatable, meaningOf, observer, policies } = this.#options
    call.lastFailure = error
    const meaning = meaningOf(error)
    if (yield* this.#canResend(meaning)) return yield* observer.retrying(call, error, Duration.zero)
    // What has changed something may have done so although the answer was lost.
    const isSafe = isRepeatable || meaning.count === "Rejected" || meaning.count === "NotSent"
    const kind = isSafe ? meaning.retry : undefined
    if (kind === undefined) return yield* this.#giveUp(error, "the same call would fail again")
    const step = this.#steps.get(kind) ?? (yield* Schedule.toStep(policies.retry[kind]))
    this.#steps.set(kind, step)
    const isLast = call.attempts >= (policies.retry.attempts ?? Infinity)
    const scheduled = isLast ? undefined : yield* nextDelay(step, this.#now, error)
    if (scheduled === undefined) return yield* this.#giveUp(error, "the policy allows no more retries")
    const delay = Duration.max(scheduled, meaning.retryAfter ?? Duration.zero)
    if (Duration.isGreaterThanOrEqualTo(delay, call.timeLeft)) {
      return yield* this.#giveUp(call.deadlineExceeded(delay), "the deadline comes before the next retry")
    }
    const cost = this.#costOf(kind, meaning)
    if (!(yield* policies.budget.spend(cost))) return yield* this.#giveUp(error, "the retry budget is empty")
    this.#spent = cost
    yield* observer.retrying(call, error, delay)
    yield* Effect.sleep(delay)
  }

  #giveUp(error: E | PolicyError, why: string): Effect.Effect<never, E | PolicyError> {
    const { call, observer } = this.#options
    return Effect.andThen(observer.gaveUp(call, error, why), Effect.fail(error))
  }

  // The quota holds rejected calls back, and some are not sent at all: neither adds to an outage.
  #costOf(kind: Kind, { count }: Meaning.Meaning): number {
    const { budget, retry } = this.#options.policies
    if (!retry.usesBudget || kind === "rateLimit" || count === "NotSent") return 0
    return kind === "transport" ? budget.costs.timeoutRetry : budget.costs.retry
  }

  /** For schedules, which measure how long they have gone on: setting the clock must neither end nor prolong them. */
  get #now(): number {
    const { clock } = this.#options.call
    const monotonic = millisOf(clock)
    this.#origin ??= clock.currentTimeMillisUnsafe() - monotonic
    return this.#origin + monotonic
  }

  *#canResend({ host, mayBeClock }: Meaning.Meaning): Effect.fn.Return<boolean> {
    // It is worth turning to another host.
    if (host === "Ill") this.#firstHost++
    if (mayBeClock !== true) return false
    const refused = this.#refusedOffsets.add(this.#clockOffset)
    return refused.size < mostOffsets && !refused.has(yield* this.#options.policies.serverClock.offset)
  }

  #permit(): Effect.Effect<A, E | PolicyError> {
    const { call, observer, policies } = this.#options
    return Effect.suspend(() => {
      const permit = observer.permit()
      const sentBefore = call.attempts
      const attempted = policies.quota.withPermit(
        call,
        (waited, goingTo) => {
          permit.taken()
          return this.#breaker(waited, goingTo, this.#firstHost, 0)
        },
        // Without time, or interrupted, an attempt may end before its request.
        (exit) => (call.attempts === sentBefore ? "NotSent" : this.#meaningOf(exit).count),
        // How long a service that has answered wants no call. A circuit knows when it closes, too, but has asked nobody.
        (exit) => {
          const { count, retryAfter } = this.#meaningOf(exit)
          return count === "Answered" || count === "Rejected" ? retryAfter : undefined
        }
      )
      return Effect.onExitPrimitive(attempted, permit.returned)
    })
  }

  /** One attempt at the first host whose circuit lets it through. */
  #breaker(
    waited: Duration.Duration,
    goingTo: Quota.GoingTo | undefined,
    index: number,
    refusals: number
  ): Effect.Effect<A, E | PolicyError> {
    const { call, hosts, policies } = this.#options
    const endpoint = hosts[index % hosts.length] ?? hosts[0]
    // The quota is told when the breaker has let the call through: until then it may have to go elsewhere.
    const attempt = Effect.suspend(() => {
      const wait = goingTo?.(endpoint.host)
      return wait === undefined
        ? this.#timeout(endpoint, waited)
        : Effect.flatMap(wait, () => this.#timeout(endpoint, waited))
    })
    const guarded = policies.breaker.guard(call, endpoint.host, attempt, (exit) => this.#meaningOf(exit).host)
    return Effect.catch(guarded, (error) =>
      error instanceof CircuitOpen && refusals + 1 < hosts.length
        ? this.#breaker(waited, goingTo, index + 1, refusals + 1)
        : Effect.fail(error)
    )
  }

  /** Ends an attempt, begun now, that takes too long: by its own timeout or by what is left of the call's time. */
  #timeout(endpoint: H, waited: Duration.Duration): Effect.Effect<A, E | PolicyError> {
    const { call, observer, watchdog } = this.#options
    const timed = (context: Context.Context<never>): Effect.Effect<A, E | PolicyError> => {
      const timeout = call.attemptTimeout
      const { timeLeft } = call
      if (!Duration.isPositive(timeLeft)) return Effect.fail(call.deadlineExceeded())
      const isLast = Duration.isLessThanOrEqualTo(timeLeft, timeout)
      const late = Effect.suspend(() =>
        Effect.fail(isLast ? call.deadlineExceeded() : new AttemptTimedOut({ ...call.description, timeout }))
      )
      return watchdog.within(this.#send(endpoint), isLast ? timeLeft : timeout, call.clock, context, late)
    }
    return observer.attempt(timed, call, endpoint, waited)
  }

  #send(endpoint: H): Effect.Effect<A, E> {
    const { call, policies, send } = this.#options
    const { serverClock } = policies
    return Effect.flatMap(serverClock.offset, (clockOffset) => {
      this.#clockOffset = clockOffset
      call.attempts++
      return send({ call, endpoint, clockOffset, serverClock })
    })
  }

  /** What the end of an attempt means; without an error it was interrupted, or has a defect. */
  #meaningOf(exit: Exit.Exit<A, E | PolicyError>): Meaning.Meaning {
    if (Exit.isSuccess(exit)) return succeeded
    const error = Exit.findErrorOption(exit)
    return Option.isSome(error) ? this.#options.meaningOf(error.value) : Meaning.abandoned
  }
}

/** Runs a call under its policies: once, since it keeps what became of the attempts. */
export const run = <A, E extends Tagged, H extends Host>(
  options: Options<A, E, H>
): Effect.Effect<A, E | PolicyError> => options.observer.call(new Pipeline(options).run(), options.call)

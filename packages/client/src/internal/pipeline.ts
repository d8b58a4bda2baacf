/**
 * A call, from the request to the answer:
 *
 *     deadline( retry( quota( breaker( timeout( sign, send, decode )))))
 *
 * The order matters. The permit is waited for outside the attempt's timeout, and the signature is made last: a request
 * that waited ten minutes is as fresh as one that did not. Each attempt has its own permit, nonce and timestamp.
 */
import type { Quota } from "@effect-zim/policies"
import type { Operation } from "@effect-zim/protocol"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as HttpClient from "effect/http/HttpClient"
import * as Tracer from "effect/Tracer"
import {
  type AttemptError,
  AttemptTimedOut,
  type CallError,
  CircuitOpen,
  type DeadlineExceeded,
  traits
} from "../ClientError.ts"
import type * as Endpoint from "../Endpoint.ts"
import type { CallState } from "./call.ts"
import * as Outcome from "./outcome.ts"
import type { Policies } from "./policies.ts"
import * as Observe from "./observe.ts"
import { retry } from "./retry.ts"
import * as Transport from "./transport.ts"
import type { Watchdog } from "./watchdog.ts"

export interface Run {
  readonly http: HttpClient.HttpClient
  readonly identity: Transport.Identity
  readonly endpoints: Transport.Endpoints
  readonly policies: Policies
  readonly watchdog: Watchdog
  readonly call: CallState
  /** The context around the call. */
  readonly context: Context.Context<never>
  /** The context of requests within a context. */
  readonly requestContextIn: (around: Context.Context<never>) => Context.Context<never>
}

/** Ends an attempt, begun now, that takes too long: by its own timeout or by what is left of the call's time. */
const inTime = <A, E>(
  self: Effect.Effect<A, E>,
  timeout: Duration.Duration,
  { call, requestContextIn, watchdog }: Run,
  span: Tracer.Span | undefined
): Effect.Effect<A, E | AttemptTimedOut | DeadlineExceeded> => {
  const timeLeft = call.timeLeft
  if (!Duration.isPositive(timeLeft)) return Effect.fail(call.deadlineExceeded())
  const isLast = Duration.isLessThanOrEqualTo(timeLeft, timeout)
  const tooLate = Effect.suspend(() =>
    Effect.fail(isLast ? call.deadlineExceeded() : new AttemptTimedOut({ ...call.description, timeout }))
  )
  const within = (around: Context.Context<never>) => {
    const requestContext = requestContextIn(around)
    const ofAttempt = span === undefined ? requestContext : Context.add(requestContext, Tracer.ParentSpan, span)
    return watchdog.within(self, isLast ? timeLeft : timeout, call.clock, ofAttempt, tooLate)
  }
  return Effect.contextWith(within)
}

/** After an attempt that ends by the call's deadline, in milliseconds: that one says more of how it ended. */
const after = 1

/** Ends, after the call's deadline, what nothing else ends. */
const inCallTime = <A, E>(self: Effect.Effect<A, E>, { call, watchdog }: Run): Effect.Effect<A, E | DeadlineExceeded> =>
  Effect.contextWith((context: Context.Context<never>) =>
    watchdog.within(
      self,
      Duration.sum(call.timeLeft, Duration.millis(after)),
      call.clock,
      context,
      Effect.suspend(() => Effect.fail(call.deadlineExceeded()))
    )
  )

/** One attempt at the first endpoint whose circuit lets it through. */
const attemptOnce = <Op extends Operation.Types>(
  run: Run,
  operation: Operation.Operation<Op>,
  request: Op["Request"],
  waited: Duration.Duration,
  goingTo: Quota.GoingTo | undefined
): Effect.Effect<Op["Success"], AttemptError<Op["Failure"]>> => {
  const { call, context, endpoints, http, identity, policies } = run
  const { attemptTimeout, breaker, responseLimit, serverClock } = policies
  const sendNow = (endpoint: Endpoint.Endpoint) =>
    Observe.attempt(
      (span) =>
        inTime(
          Transport.attempt({ http, identity, endpoint, serverClock, responseLimit, call, span }, operation, request),
          attemptTimeout,
          run,
          span
        ),
      call,
      context,
      endpoint,
      waited
    )
  // The quota is told when the breaker has let the call through: until then it may have to go elsewhere.
  const send = (endpoint: Endpoint.Endpoint) =>
    Effect.suspend(() => {
      const wait = goingTo?.(endpoint.host)
      return wait === undefined ? sendNow(endpoint) : Effect.flatMap(wait, () => sendNow(endpoint))
    })
  const at = (index: number, refusals: number): Effect.Effect<Op["Success"], AttemptError<Op["Failure"]>> => {
    const endpoint = endpoints[index % endpoints.length] ?? endpoints[0]
    const guarded = breaker.guard(call, endpoint.host, send(endpoint), Outcome.health)
    return Effect.catch(guarded, (error) =>
      error instanceof CircuitOpen && refusals + 1 < endpoints.length ? at(index + 1, refusals + 1) : Effect.fail(error)
    )
  }
  return at(call.endpoint, 0)
}

/** How many times a call is signed with, at most: the first date may be a wrong one. */
const mostOffsets = 4

/** Runs a call under its policies. */
export const call = <Op extends Operation.Types>(
  run: Run,
  operation: Operation.Operation<Op>,
  request: Op["Request"]
): Effect.Effect<Op["Success"], CallError<Op["Failure"]>> => {
  const { call, policies } = run
  const refusedOffsets = new Set<number>()

  const permitted = Effect.suspend(() => {
    const permit = Observe.permit(run.context)
    const sentBefore = call.attempts
    const attempted = policies.quota.withPermit(
      call,
      (waited, goingTo) => {
        permit.taken()
        return attemptOnce(run, operation, request, waited, goingTo)
      },
      // Without time, or interrupted, an attempt may end before its request.
      (exit) => (call.attempts === sentBefore ? "NotSent" : Outcome.count(exit))
    )
    return Effect.onExitPrimitive(attempted, permit.returned)
  })
  const retried = retry(permitted, {
    policy: policies.retry,
    budget: policies.budget,
    kindOf: (error) => {
      const { count, retry } = traits(error)
      // What has changed something may have done so although the answer was lost.
      return operation.kind === "Read" || count === "Rejected" || count === "NotSent" ? retry : undefined
    },
    onFailure: (error) => {
      call.lastFailure = error
      const { host, mayBeClock } = traits(error)
      // It is worth turning to another host.
      if (host === "Ill") call.endpoint++
      if (mayBeClock !== true) return Effect.succeed(false)
      refusedOffsets.add(call.signedOffset)
      return refusedOffsets.size >= mostOffsets
        ? Effect.succeed(false)
        : Effect.map(policies.serverClock.offset, (offset) => !refusedOffsets.has(offset))
    },
    timeLeft: () => call.timeLeft,
    inTime: (step) => inCallTime(step, run),
    tooLate: (needed) => call.deadlineExceeded(needed),
    observe: {
      retrying: (error, delay) => Observe.retrying(call, error, delay),
      gaveUp: (error, why) => Observe.gaveUp(call, error, why)
    }
  })
  return Observe.call(inCallTime(retried, run), call, run.context)
}

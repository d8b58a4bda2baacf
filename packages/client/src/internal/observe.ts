/** Makes spans and updates metrics: spans only where somebody is there to see them. */
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Metric from "effect/Metric"
import * as Option from "effect/Option"
import * as Tracer from "effect/Tracer"
import type { Endpoint } from "../Endpoint.ts"
import * as Telemetry from "../Telemetry.ts"
import type { CallState } from "./call.ts"
import { memoized } from "./memoized.ts"

/** A metric with its attributes, made once for each combination. */
const withOutcome = <Input, State>(metric: Metric.Metric<Input, State>) => {
  const known = new Map<string, Map<string, Metric.Metric<Input, State>>>()
  return (action: string, outcome: string): Metric.Metric<Input, State> => {
    const outcomes = known.get(action) ?? new Map<string, Metric.Metric<Input, State>>()
    known.set(action, outcomes)
    const made = outcomes.get(outcome) ?? Metric.withAttributes(metric, { "zim.action": action, outcome })
    outcomes.set(outcome, made)
    return made
  }
}

const calls = withOutcome(Telemetry.calls)
const attempts = withOutcome(Telemetry.attempts)

type TaggedExit = Exit.Exit<unknown, { readonly _tag: string }>

const outcomeOf = (exit: TaggedExit): string => {
  if (Exit.isSuccess(exit)) return "Success"
  const error = Exit.findErrorOption(exit)
  return Option.isSome(error) ? error.value._tag : Exit.hasInterrupts(exit) ? "Interrupted" : "Defect"
}

const hasTracer = (context: Context.Context<never>): boolean =>
  Context.getOrUndefined(context, Tracer.Tracer) !== undefined

/** Observes a call. `context` is that around the call. */
export const call = <A, E extends { readonly _tag: string }>(
  self: Effect.Effect<A, E>,
  state: CallState,
  context: Context.Context<never>
): Effect.Effect<A, E> => {
  const counted = Effect.onExitPrimitive(self, (exit) => {
    calls(state.operation, outcomeOf(exit)).updateUnsafe(1, context)
    Telemetry.callDuration.updateUnsafe(Math.floor(state.elapsedMillis), context)
    return undefined
  })
  return hasTracer(context)
    ? Effect.withSpan(counted, `zim ${state.operation}`, {
        attributes: { "zim.action": state.operation },
        // It would point to this line.
        captureStackTrace: false
      })
    : counted
}

/** Counts a permit that is out, whatever quota gives it: `returned` undoes `taken`, if that came first. */
export const permit = (context: Context.Context<never>) => {
  let out = 0
  const change = (by: number): undefined => {
    out += by
    Telemetry.permitsInUse.modifyUnsafe(by, context)
  }
  return { taken: () => change(1), returned: () => change(-out) }
}

/** What is wrong, in a line. Errors hold nothing secret. */
const problem = (state: CallState, error: { readonly _tag: string }): Record<string, unknown> => ({
  "zim.action": state.operation,
  "zim.attempt": state.attempts,
  "zim.elapsed_ms": Duration.toMillis(state.description.elapsed),
  "error.type": error._tag,
  ...(state.answer?.code === undefined ? {} : { "zim.code": state.answer.code }),
  ...(state.answer?.requestId === undefined ? {} : { "zim.request_id": state.answer.requestId })
})

/** Says that a call is made again. */
export const retrying = (
  state: CallState,
  error: { readonly _tag: string },
  delay: Duration.Duration
): Effect.Effect<void> =>
  Effect.annotateLogs(
    Effect.logDebug(`Trying again in ${Duration.format(Duration.millis(Math.ceil(Duration.toMillis(delay))))}`),
    problem(state, error)
  )

/** Says that a call is given up. */
export const gaveUp = (state: CallState, error: { readonly _tag: string }, why: string): Effect.Effect<void> =>
  Effect.annotateLogs(Effect.logDebug(`Gave up: ${why}`), problem(state, error))

const portOf = (url: URL): number => Number(url.port === "" ? (url.protocol === "https:" ? 443 : 80) : url.port)

const endpointAttributes = memoized(({ root }: Endpoint) => {
  const url = new URL(root)
  return {
    "http.request.method": "POST",
    "server.address": url.hostname,
    "server.port": portOf(url),
    "url.scheme": url.protocol.slice(0, -1)
  }
})

const attemptAttributes = (state: CallState, endpoint: Endpoint, waited: Duration.Duration) => ({
  ...endpointAttributes(endpoint),
  // Without the common parameters: with them it is a credential.
  "url.full": `${endpoint.root}?Action=${encodeURIComponent(state.operation)}`,
  "http.request.resend_count": state.attempts,
  "zim.action": state.operation,
  "zim.attempt": state.attempts + 1,
  "zim.quota.wait_ms": Duration.toMillis(waited)
})

const annotate = (span: Tracer.Span, state: CallState, exit: TaggedExit): void => {
  if (state.answer !== undefined) {
    span.attribute("http.response.status_code", state.answer.status)
    if (state.answer.code !== undefined) span.attribute("zim.code", state.answer.code)
    if (state.answer.requestId !== undefined) span.attribute("zim.request_id", state.answer.requestId)
  }
  if (Exit.isFailure(exit)) span.attribute("error.type", outcomeOf(exit))
}

/** Observes an attempt of a call. `self` gets the attempt's span, where there is one. */
export const attempt = <A, E extends { readonly _tag: string }>(
  self: (span: Tracer.Span | undefined) => Effect.Effect<A, E>,
  state: CallState,
  context: Context.Context<never>,
  endpoint: Endpoint,
  waited: Duration.Duration
): Effect.Effect<A, E> => {
  const startedAt = state.elapsedMillis
  const count = (exit: TaggedExit): undefined => {
    attempts(state.operation, outcomeOf(exit)).updateUnsafe(1, context)
    Telemetry.attemptDuration.updateUnsafe(state.elapsedMillis - startedAt, context)
  }
  Telemetry.quotaWait.updateUnsafe(Duration.toMillis(waited), context)
  if (!hasTracer(context)) return Effect.onExitPrimitive(self(undefined), count)
  return Effect.useSpan("POST", { kind: "client", attributes: attemptAttributes(state, endpoint, waited) }, (span) =>
    Effect.onExitPrimitive(self(span), (exit) => {
      annotate(span, state, exit)
      return count(exit)
    })
  )
}

/**
 * One call, as it is seen from outside: its spans, metrics and logs, and what its last answer said. Spans only where
 * somebody is there to see them.
 */
import type { Call, Policies } from "@effect-zim/policies"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import { memoize } from "effect/Function"
import * as Metric from "effect/Metric"
import * as Option from "effect/Option"
import * as References from "effect/References"
import * as Tracer from "effect/Tracer"
import type { Endpoint } from "../Endpoint.ts"
import * as Telemetry from "../Telemetry.ts"
import * as RedactedSnippet from "./redactedSnippet.ts"

/** A value for each text, made once. */
const forEach = <A>(make: (text: string) => A): ((text: string) => A) => {
  const known = new Map<string, A>()
  return (text) => {
    const made = known.get(text) ?? make(text)
    known.set(text, made)
    return made
  }
}

// Each is a metric of its own: attributes that are added to a shared one cost a context for each update.
const withOutcome = ({ description, id }: Metric.Counter<number>) =>
  forEach((action) =>
    forEach((outcome) =>
      Metric.counter(id, { description, incremental: true, attributes: { "zim.action": action, outcome } })
    )
  )

const withAction = ({ attributes, description, id }: Metric.Histogram<number>) =>
  forEach((action) =>
    Metric.histogram(id, {
      description,
      boundaries: Telemetry.durationBoundaries,
      attributes: { ...attributes, "zim.action": action }
    })
  )

const calls = withOutcome(Telemetry.calls)
const attempts = withOutcome(Telemetry.attempts)
const callDuration = withAction(Telemetry.callDuration)
const attemptDuration = withAction(Telemetry.attemptDuration)
const quotaWait = withAction(Telemetry.quotaWait)

type TaggedExit = Exit.Exit<unknown, { readonly _tag: string }>

const outcomeOf = (exit: TaggedExit): string => {
  if (Exit.isSuccess(exit)) return "Success"
  const error = Exit.findErrorOption(exit)
  return Option.isSome(error) ? error.value._tag : Exit.hasInterrupts(exit) ? "Interrupted" : "Defect"
}

const hasTracer = (context: Context.Context<never>): boolean =>
  Context.getOrUndefined(context, Tracer.Tracer) !== undefined

const endpointAttributes = memoize(({ root }: Endpoint) => {
  const { hostname, port, protocol } = new URL(root)
  const usual = protocol === "https:" ? 443 : 80
  return {
    "server.address": hostname,
    "server.port": port === "" ? usual : Number(port),
    "url.scheme": protocol.slice(0, -1)
  }
})

/** What an answer said, as far as it did. */
export interface AnswerSummary {
  readonly status: number
  readonly code?: number
  readonly requestId?: string | undefined
}

type Tagged = { readonly _tag: string }

/** The context of requests within a context. */
export type RequestContext = (around: Context.Context<never>) => Context.Context<never>

export class CallTelemetry implements Policies.Observer<Endpoint> {
  /** What the last answer said. */
  answer: AnswerSummary | undefined
  /** The span of the attempt that is under way. */
  span: Tracer.Span | undefined
  /** Whether somebody reads the wire log: else nothing of it is made. */
  readonly isWireLogged: boolean
  readonly #context: Context.Context<never>
  readonly #requestContextIn: RequestContext
  readonly #method: string

  /** `context` is that around the call. */
  constructor(context: Context.Context<never>, requestContextIn: RequestContext, method = "POST") {
    this.#method = method
    this.#context = context
    this.#requestContextIn = requestContextIn
    const level = Context.get(context, References.MinimumLogLevel)
    this.isWireLogged = level === "Trace" || level === "All"
  }

  call<A, E extends Tagged>(self: Effect.Effect<A, E>, call: Call.Call): Effect.Effect<A, E> {
    const context = this.#context
    const counted = Effect.onExitPrimitive(self, (exit) => {
      calls(call.operation)(outcomeOf(exit)).updateUnsafe(1, context)
      callDuration(call.operation).updateUnsafe(Math.floor(call.elapsedMillis), context)
      return undefined
    })
    return hasTracer(context)
      ? Effect.withSpan(counted, `zim ${call.operation}`, {
          attributes: { "zim.action": call.operation },
          // It would point to this line.
          captureStackTrace: false
        })
      : counted
  }

  /** Counts a permit that is out, whatever quota gives it: `returned` undoes `taken`, if that came first. */
  permit() {
    let out = 0
    const change = (by: number): undefined => {
      out += by
      Telemetry.permitsInUse.modifyUnsafe(by, this.#context)
    }
    return { taken: () => change(1), returned: () => change(-out) }
  }

  attempt<A, E extends Tagged>(
    self: (context: Context.Context<never>) => Effect.Effect<A, E>,
    call: Call.Call,
    endpoint: Endpoint,
    waited: Duration.Duration
  ): Effect.Effect<A, E> {
    const context = this.#context
    const startedAt = call.elapsedMillis
    const count = (exit: TaggedExit): undefined => {
      attempts(call.operation)(outcomeOf(exit)).updateUnsafe(1, context)
      attemptDuration(call.operation).updateUnsafe(call.elapsedMillis - startedAt, context)
    }
    quotaWait(call.operation).updateUnsafe(Duration.toMillis(waited), context)
    const sent = Effect.contextWith((around: Context.Context<never>) => {
      const within = this.#requestContextIn(around)
      return self(this.span === undefined ? within : Context.add(within, Tracer.ParentSpan, this.span))
    })
    if (!hasTracer(context)) return Effect.onExitPrimitive(sent, count)
    const attributes = {
      "http.request.method": this.#method,
      ...endpointAttributes(endpoint),
      // Without the common parameters: with them it is a credential. Nor what a GET asks: a body is not shown either.
      "url.full": `${endpoint.root}?Action=${encodeURIComponent(call.operation)}`,
      "http.request.resend_count": call.attempts,
      "zim.action": call.operation,
      "zim.attempt": call.attempts + 1,
      "zim.quota.wait_ms": Duration.toMillis(waited)
    }
    return Effect.useSpan(this.#method, { kind: "client", attributes }, (span) => {
      this.span = span
      return Effect.onExitPrimitive(sent, (exit) => {
        this.#annotate(span, exit)
        return count(exit)
      })
    })
  }

  #annotate(span: Tracer.Span, exit: TaggedExit): void {
    const { answer } = this
    if (answer !== undefined) {
      span.attribute("http.response.status_code", answer.status)
      if (answer.code !== undefined) span.attribute("zim.code", answer.code)
      if (answer.requestId !== undefined) span.attribute("zim.request_id", answer.requestId)
    }
    if (Exit.isFailure(exit)) span.attribute("error.type", outcomeOf(exit))
  }

  retrying(call: Call.Call, error: Tagged, delay: Duration.Duration): Effect.Effect<void> {
    const wait = Duration.format(Duration.millis(Math.ceil(Duration.toMillis(delay))))
    return this.#annotated(Effect.logDebug(`Trying again in ${wait}`), call, { "error.type": error._tag })
  }

  gaveUp(call: Call.Call, error: Tagged, why: string): Effect.Effect<void> {
    return this.#annotated(Effect.logDebug(`Gave up: ${why}`), call, { "error.type": error._tag })
  }

  #annotated(log: Effect.Effect<void>, call: Call.Call, more: Readonly<Record<string, unknown>>): Effect.Effect<void> {
    const { code, requestId } = this.answer ?? {}
    return Effect.annotateLogs(log, {
      "zim.action": call.operation,
      "zim.attempt": call.attempts,
      "zim.elapsed_ms": Duration.toMillis(call.description.elapsed),
      ...more,
      ...(code === undefined ? {} : { "zim.code": code }),
      ...(requestId === undefined ? {} : { "zim.request_id": requestId })
    })
  }

  /** The wire log of a request: `text` is the body of a POST, or what a GET asks for beside the `url`. */
  sending(url: string, text: string, call: Call.Call, secrets: RedactedSnippet.Secrets): Effect.Effect<void> {
    const { hostname, pathname, search } = new URL(url)
    const signed = RedactedSnippet.make(secrets, search.slice(1))
    const asked = RedactedSnippet.make(secrets, text)
    const isGet = this.#method === "GET"
    return this.#annotated(Effect.logTrace("Request"), call, {
      "http.request.method": this.#method,
      "server.address": hostname,
      "url.path": RedactedSnippet.make(secrets, pathname),
      "url.query": isGet && asked !== "" ? `${signed}&${asked}` : signed,
      ...(isGet ? {} : { "http.request.body": asked })
    })
  }

  /** The wire log of an answer. */
  received(text: string, call: Call.Call, secrets: RedactedSnippet.Secrets): Effect.Effect<void> {
    return this.#annotated(Effect.logTrace("Answer"), call, {
      "http.response.status_code": this.answer?.status,
      "http.response.body": RedactedSnippet.make(secrets, text)
    })
  }
}

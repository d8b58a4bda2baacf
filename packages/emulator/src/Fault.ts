/**
 * Faults: which calls go wrong, and how.
 *
 * A fault is an immutable value: an action, and the conditions under which it happens. Without a condition it happens to
 * every call. Several may happen to one call: latencies add up, changes of the answer are applied in order. What counts
 * or draws (`nth`, `every`, `times`, `probability`) starts anew when the fault is set, from the emulator's seed, so the
 * same calls meet the same faults.
 *
 * Printed, a fault is a line that a person understands. `FaultJson` has faults as JSON.
 *
 * @example
 * ```ts
 * import { Fault } from "@effect-zim/emulator"
 *
 * const faults = [
 *   Fault.returnCode(660300005).pipe(Fault.when(Fault.every(7))),
 *   Fault.connectionReset.pipe(Fault.when(Fault.user("user-3")), Fault.when(Fault.page(2)), Fault.times(2)),
 *   Fault.latencyBetween("5 millis", "80 millis").pipe(Fault.when(Fault.probability(0.3)))
 * ]
 * ```
 */
import * as Duration from "effect/Duration"
import { dual } from "effect/Function"
import * as Pipeable from "effect/Pipeable"
import type { Reply } from "./Exchange.ts"
import * as Action from "./internal/action.ts"
import { first } from "./internal/condition.ts"
import type { Condition } from "./internal/condition.ts"
import * as Describe from "./internal/describe.ts"
import { type ActionSpec, checkNumbers, FaultSpec } from "./internal/faultSpec.ts"
import * as Latency from "./internal/latency.ts"

export * from "./internal/condition.ts"

const inspect = Symbol.for("nodejs.util.inspect.custom")

/**
 * What happens, and the conditions for it. See {@link when}.
 */
export class Fault extends Pipeable.Class {
  /** As the journal calls it. */
  readonly name: string
  /** @internal */
  readonly action: Action.Action
  /** All of them must hold. Each sees only the calls for which the ones before it hold. */
  readonly conditions: ReadonlyArray<Condition>
  /**
   * What happens, as data; `undefined` where it is a function.
   * @internal
   */
  readonly spec: ActionSpec | undefined
  constructor(name: string, action: Action.Action, conditions: ReadonlyArray<Condition> = [], spec?: ActionSpec) {
    super()
    this.name = name
    this.action = action
    this.conditions = conditions
    this.spec = spec
    checkNumbers(FaultSpec, spec)
  }
  /** See {@link describe}. */
  override toString(): string {
    return describe(this)
  }
  toJSON(): unknown {
    return this.toString()
  }
  [inspect](): string {
    return this.toString()
  }
}

/**
 * A fault in one line: `connectionReset when user user-3, page 2, at most 2 times`.
 *
 * @example
 * ```ts
 * import { Fault } from "@effect-zim/emulator"
 *
 * Fault.describe(Fault.when(Fault.returnCode(1), Fault.every(7))) // returnCode(code: 1) when every 7th call
 * ```
 */
export const describe = (self: Fault): string => {
  const what = self.spec === undefined ? self.name : Describe.action(self.spec)
  return self.conditions.length === 0 ? what : `${what} when ${self.conditions.join(", ")}`
}

/** The fault, only where this holds too. */
export const when: {
  (condition: Condition): (self: Fault) => Fault
  (self: Fault, condition: Condition): Fault
} = dual(
  2,
  (self: Fault, condition: Condition): Fault =>
    new Fault(self.name, self.action, [...self.conditions, condition], self.spec)
)

/** The fault, only the first `n` times that its other conditions hold. */
export const times: {
  (n: number): (self: Fault) => Fault
  (self: Fault, n: number): Fault
} = dual(2, (self: Fault, n: number): Fault => when(self, first(n)))

// ---- what happens ----

const known = (name: string, action: Action.Action, spec: ActionSpec): Fault => new Fault(name, action, [], spec)

/**
 * The service answers with this return code and does nothing else. It happens to calls with a valid signature, before
 * they are counted by the quota. `message` replaces the documented text.
 */
export const returnCode = (code: number, message?: string): Fault =>
  known(
    `returnCode ${code}`,
    { _tag: "ReturnCode", code, message },
    { type: "returnCode", code, ...(message !== undefined && { message }) }
  )

/** Which of the two a latency holds up: the answer (default) or the request. */
export interface LatencyOptions {
  readonly on?: "request" | "answer"
}

const drawn = (draw: Latency.Latency, options: LatencyOptions | undefined, spec: ActionSpec): Fault =>
  known("latency", { _tag: "Latency", on: options?.on ?? "answer", draw }, { ...spec, ...options })

/**
 * The answer comes this much later: the call is processed when it arrives. With `on: "request"` the request is held up
 * instead, and processed late.
 *
 * @example
 * ```ts
 * import { Fault } from "@effect-zim/emulator"
 *
 * const slow = Fault.when(Fault.latency("200 millis"), Fault.every(3))
 * const late = Fault.latency("5 seconds", { on: "request" })
 * ```
 */
export const latency = (duration: Duration.Input, options?: LatencyOptions): Fault => {
  const length = Duration.fromInputUnsafe(duration)
  const millis = Duration.toMillis(length)
  return drawn(Latency.between(millis, millis), options, { type: "latency", duration: length })
}

/**
 * A latency drawn evenly from a range, from the seed. See {@link latency}.
 */
export const latencyBetween = (minimum: Duration.Input, maximum: Duration.Input, options?: LatencyOptions): Fault => {
  const range = { minimum: Duration.fromInputUnsafe(minimum), maximum: Duration.fromInputUnsafe(maximum) }
  const draw = Latency.between(Duration.toMillis(range.minimum), Duration.toMillis(range.maximum))
  return drawn(draw, options, { type: "latencyBetween", ...range })
}

/**
 * A latency of a normal distribution, never below 0: most answers take about `mean`. See {@link latency}.
 */
export const latencyNormal = (mean: Duration.Input, deviation: Duration.Input, options?: LatencyOptions): Fault => {
  const shape = { mean: Duration.fromInputUnsafe(mean), deviation: Duration.fromInputUnsafe(deviation) }
  const draw = Latency.normal(Duration.toMillis(shape.mean), Duration.toMillis(shape.deviation))
  return drawn(draw, options, { type: "latencyNormal", ...shape })
}

/**
 * A latency of a log-normal distribution, as services have it: half of the answers take `median` or less, and with a
 * `sigma` of 1 one in a hundred takes ten times as long. See {@link latency}.
 */
export const latencyLogNormal = (median: Duration.Input, sigma: number, options?: LatencyOptions): Fault => {
  const middle = Duration.fromInputUnsafe(median)
  const draw = Latency.logNormal(Duration.toMillis(middle), sigma)
  return drawn(draw, options, { type: "latencyLogNormal", median: middle, sigma })
}

/**
 * A latency of an exponential distribution. See {@link latency}.
 */
export const latencyExponential = (mean: Duration.Input, options?: LatencyOptions): Fault => {
  const average = Duration.fromInputUnsafe(mean)
  return drawn(Latency.exponential(Duration.toMillis(average)), options, { type: "latencyExponential", mean: average })
}

/**
 * A latency of a Pareto distribution, with a heavy tail: never below `minimum`, and the smaller `shape` (above 0), the
 * longer the worst. No latency is longer than a day. See {@link latency}.
 */
export const latencyPareto = (minimum: Duration.Input, shape: number, options?: LatencyOptions): Fault => {
  const least = Duration.fromInputUnsafe(minimum)
  const draw = Latency.pareto(Duration.toMillis(least), shape)
  return drawn(draw, options, { type: "latencyPareto", minimum: least, shape })
}

/**
 * The connection is reset before the call is processed.
 */
export const connectionReset: Fault = known("connectionReset", { _tag: "Reset" }, { type: "connectionReset" })

/**
 * The call is processed and counted, then the connection is reset instead of answering.
 */
export const answerLost: Fault = known("answerLost", { _tag: "AnswerLost" }, { type: "answerLost" })

/**
 * The call is never processed and never answered; the connection stays open.
 */
export const hang: Fault = known("hang", { _tag: "Hang" }, { type: "hang" })

/**
 * A successful answer has this `Next` instead of its own: an integer of any size, or a text, which is the wrong type.
 */
export const nextCursor = (next: bigint | number | string): Fault =>
  known(
    "nextCursor",
    { _tag: "NextCursor", next },
    { type: "nextCursor", next: typeof next === "bigint" ? { digits: next.toString() } : next }
  )

/**
 * Every `Next` but 0 is an odd number beyond 2^53, right to the last digit: a client that reads it as a double never
 * sends it back right.
 */
export const largeCursors: Fault = known("largeCursors", { _tag: "LargeCursors" }, { type: "largeCursors" })

/**
 * The list never ends: its pages lead in a circle of this length (1 or more, default 2: A, B, A, B).
 */
export const cyclingCursor = (length = 2): Fault =>
  known("cyclingCursor", { _tag: "CyclingCursor", length }, { type: "cyclingCursor", length })

/**
 * A page after the first begins with the last `count` entries (default 1) of the page before, as when a list grows at
 * its front while it is read. At least one of its entries is new: with a `Limit` of 1 nothing happens.
 */
export const duplicateEntries = (count = 1): Fault =>
  known("duplicateEntries", { _tag: "Shift", by: -count }, { type: "duplicateEntries", count })

/**
 * A page after the first leaves out the first `count` entries (default 1) that it should have, as when a list shrinks at
 * its front while it is read.
 */
export const missingEntries = (count = 1): Fault =>
  known("missingEntries", { _tag: "Shift", by: count }, { type: "missingEntries", count })

const rewriting = (name: string, change: (reply: Reply) => Reply, spec: ActionSpec): Fault =>
  known(name, { _tag: "Rewrite", change }, spec)

/**
 * Changes the finished answer by a function, which has no form as JSON.
 *
 * @example
 * ```ts
 * import { Fault } from "@effect-zim/emulator"
 *
 * const noDate = Fault.rewrite("noDate", (reply) => {
 *   const { date: _date, ...headers } = reply.headers
 *   return { ...reply, headers }
 * })
 * ```
 */
export const rewrite = (name: string, change: (reply: Reply) => Reply): Fault =>
  new Fault(name, { _tag: "Rewrite", change })

/** The answer is this text, as JSON by its content type, with HTTP status 200. */
export const rawBody = (text: string, contentType = "application/json"): Fault =>
  rewriting("rawBody", Action.replaceBody(200, contentType, text), { type: "rawBody", text, contentType })

/** The answer is text that is no JSON, although its content type says so. */
export const notJson: Fault = rewriting(
  "notJson",
  Action.replaceBody(200, "application/json", "upstream says: try again"),
  { type: "notJson" }
)

/** The answer has no body. */
export const emptyBody: Fault = rewriting("emptyBody", Action.replaceBody(200, "application/json", ""), {
  type: "emptyBody"
})

/**
 * The answer is an HTTP status with a page of HTML, as a gateway before the service sends it.
 *
 * @example
 * ```ts
 * import { Fault } from "@effect-zim/emulator"
 *
 * const gateway = Fault.times(Fault.httpStatus(503), 3)
 * ```
 */
export const httpStatus = (status: number, html?: string): Fault =>
  rewriting(
    `httpStatus ${status}`,
    Action.replaceBody(
      status,
      "text/html",
      html ?? `<html><head><title>${status}</title></head><body><h1>${status}</h1><hr>gateway</body></html>`
    ),
    { type: "httpStatus", status, ...(html !== undefined && { html }) }
  )

/** A redirect (302) to this location. */
export const redirect = (location = "/moved"): Fault =>
  rewriting("redirect", (reply) => ({ status: 302, headers: { ...Action.dateOf(reply), location }, body: "" }), {
    type: "redirect",
    location
  })

/** The right answer, with a content type of `text/html`. */
export const wrongContentType: Fault = rewriting(
  "wrongContentType",
  (reply) => ({ ...reply, headers: { ...reply.headers, "content-type": "text/html; charset=utf-8" } }),
  { type: "wrongContentType" }
)

/** The answer breaks off in the middle of its body. */
export const truncatedBody: Fault = rewriting("truncatedBody", Action.truncate, { type: "truncatedBody" })

/** The answer stops in the middle of its body, and the connection stays open. */
export const hangingBody: Fault = rewriting("hangingBody", Action.stall, { type: "hangingBody" })

/** The answer comes in pieces of so many bytes, with a pause before each. */
export const slowBody = (options: { readonly bytes: number; readonly every: Duration.Input }): Fault => {
  const every = Duration.fromInputUnsafe(options.every)
  return rewriting("slowBody", Action.dribble(options.bytes, every), { type: "slowBody", bytes: options.bytes, every })
}

/** A successful answer padded with so many bytes, sent without `Content-Length`. */
export const oversizedBody = (bytes: number): Fault =>
  rewriting("oversizedBody", Action.pad(bytes), { type: "oversizedBody", bytes })

/**
 * The same, compressed a thousandfold (`Content-Encoding: gzip`): a client that unpacks it without a limit unpacks so
 * many bytes, default 1 GiB. It is made as it is read, so a client that stops early costs little.
 */
export const gzipBomb = (bytes = 1_073_741_824): Fault =>
  rewriting("gzipBomb", Action.bomb(bytes), { type: "gzipBomb", bytes })

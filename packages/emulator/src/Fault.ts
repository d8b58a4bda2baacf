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
import { NodeInspectSymbol } from "effect/Inspectable"
import * as Pipeable from "effect/Pipeable"
import type { Reply } from "./HttpExchange.ts"
import * as FaultSchema from "./internal/faults/faultSchema.ts"
import * as Conditions from "./internal/faults/faultConditions.ts"
import type { Call } from "./internal/faults/faultConditions.ts"

export type { Call }

const { defaults } = FaultSchema
const durationOf = Duration.fromInputUnsafe

/** Prints in words wherever it is printed. */
abstract class InWords extends Pipeable.Class {
  abstract override toString(): string

  toJSON(): unknown {
    return this.toString()
  }
  [NodeInspectSymbol](): string {
    return this.toString()
  }
}

/**
 * Which calls a fault happens to, as data.
 *
 * @category models
 * @since 0.1.0
 */
export class Condition extends InWords {
  /** @internal */
  readonly data: Conditions.ConditionData
  constructor(data: Conditions.ConditionData) {
    super()
    Conditions.check(data)
    this.data = data
  }
  /** Begins counting and drawing, from a seed. */
  start(seed: string): (call: Call) => boolean {
    return Conditions.start(this.data, seed)
  }
  /** In words: `every 7th call`. */
  override toString(): string {
    return Conditions.inWords(this.data)
  }
}

/**
 * What happens, and the conditions for it. See {@link when}.
 *
 * @category models
 * @since 0.1.0
 */
export class Fault extends InWords {
  /** @internal */
  readonly action: FaultSchema.Action
  /** All of them must hold. Each sees only the calls for which the ones before it hold. */
  readonly conditions: ReadonlyArray<Condition>
  constructor(action: FaultSchema.Action, conditions: ReadonlyArray<Condition> = []) {
    super()
    FaultSchema.check(action)
    this.action = action
    this.conditions = conditions
  }
  /** As the journal calls it. */
  get name(): string {
    return FaultSchema.name(this.action)
  }
  /** See {@link describe}. */
  override toString(): string {
    return describe(this)
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
 *
 * @category converting
 * @since 0.1.0
 */
export const describe = ({ action, conditions }: Fault): string =>
  [FaultSchema.inWords(action), ...(conditions.length === 0 ? [] : [`when ${conditions.join(", ")}`])].join(" ")

/**
 * The fault, only where this holds too.
 *
 * @example
 * ```ts
 * import { Fault } from "@effect-zim/emulator"
 *
 * const fault = Fault.answerLost.pipe(Fault.when(Fault.user("user-3")), Fault.when(Fault.page(2)))
 * ```
 *
 * @category combinators
 * @since 0.1.0
 */
export const when: {
  (condition: Condition): (self: Fault) => Fault
  (self: Fault, condition: Condition): Fault
} = dual(2, (self: Fault, condition: Condition): Fault => new Fault(self.action, [...self.conditions, condition]))

/**
 * The fault, only the first `n` times that its other conditions hold.
 *
 * @example
 * ```ts
 * import { Fault } from "@effect-zim/emulator"
 *
 * const fault = Fault.connectionReset.pipe(Fault.times(2))
 * ```
 *
 * @category combinators
 * @since 0.1.0
 */
export const times: {
  (n: number): (self: Fault) => Fault
  (self: Fault, n: number): Fault
} = dual(2, (self: Fault, n: number): Fault => when(self, first(n)))

// ---- which calls ----

/**
 * Calls for which a function of the call holds.
 *
 * @example
 * ```ts
 * import { Fault } from "@effect-zim/emulator"
 *
 * const fault = Fault.when(Fault.hang, Fault.where((call) => call.index > 100))
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const where = (predicate: (call: Call) => boolean): Condition => new Condition({ where: predicate })

/**
 * Calls for one of these users.
 *
 * @example
 * ```ts
 * import { Fault } from "@effect-zim/emulator"
 *
 * const fault = Fault.when(Fault.returnCode(660000003), Fault.user("user-3", "user-5"))
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const user = (...userIds: ReadonlyArray<string>): Condition => new Condition({ user: userIds })

/**
 * Calls of this app.
 *
 * @example
 * ```ts
 * import { Fault } from "@effect-zim/emulator"
 *
 * const fault = Fault.when(Fault.httpStatus(503), Fault.app(12345))
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const app = (appId: number): Condition => new Condition({ app: appId })

/**
 * Calls for this page of a list, counted from 1.
 *
 * @example
 * ```ts
 * import { Fault } from "@effect-zim/emulator"
 *
 * const fault = Fault.when(Fault.truncatedBody, Fault.page(2))
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const page = (number: number): Condition => new Condition({ page: number })

/**
 * Calls that send this `Next`.
 *
 * @example
 * ```ts
 * import { Fault } from "@effect-zim/emulator"
 *
 * const fault = Fault.when(Fault.hang, Fault.cursor("0")) // every first page
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const cursor = (digits: string): Condition => new Condition({ cursor: digits })

/**
 * The first `n` calls that the conditions before it let through.
 *
 * @example
 * ```ts
 * import { Fault } from "@effect-zim/emulator"
 *
 * const fault = Fault.when(Fault.returnCode(7), Fault.first(3))
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const first = (n: number): Condition => new Condition({ times: n })

/**
 * The nth call, counted from 1 among the calls that the conditions before it let through.
 *
 * @example
 * ```ts
 * import { Fault } from "@effect-zim/emulator"
 *
 * const fault = Fault.when(Fault.answerLost, Fault.nth(3))
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const nth = (n: number): Condition => new Condition({ nth: n })

/**
 * Every nth call, counted among the calls that the conditions before it let through.
 *
 * @example
 * ```ts
 * import { Fault } from "@effect-zim/emulator"
 *
 * const fault = Fault.when(Fault.returnCode(1), Fault.every(7))
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const every = (n: number): Condition => new Condition({ every: n })

/**
 * The nth time that a user's page is asked for, counted from 1 for each page of each user.
 *
 * @example
 * ```ts
 * import { Fault } from "@effect-zim/emulator"
 *
 * const fault = Fault.when(Fault.connectionReset, Fault.attempt(1)) // each page comes when it is asked for again
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const attempt = (n: number): Condition => new Condition({ attempt: n })

/**
 * This share of the calls, from 0 to 1, drawn from the seed.
 *
 * @example
 * ```ts
 * import { Fault } from "@effect-zim/emulator"
 *
 * const fault = Fault.when(Fault.httpStatus(502), Fault.probability(0.05))
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const probability = (share: number): Condition => new Condition({ probability: share })

/**
 * Calls for which both hold. The second sees only the calls for which the first holds.
 *
 * @example
 * ```ts
 * import { Fault } from "@effect-zim/emulator"
 *
 * const secondOfUser3 = Fault.user("user-3").pipe(Fault.and(Fault.nth(2)))
 * const fault = Fault.when(Fault.hang, secondOfUser3)
 * ```
 *
 * @category combinators
 * @since 0.1.0
 */
export const and: {
  (that: Condition): (self: Condition) => Condition
  (self: Condition, that: Condition): Condition
} = dual(2, (self: Condition, that: Condition): Condition => new Condition({ and: [self.data, that.data] }))

/**
 * Calls for which at least one holds. Both see every call.
 *
 * @example
 * ```ts
 * import { Fault } from "@effect-zim/emulator"
 *
 * const fault = Fault.when(Fault.hang, Fault.or(Fault.user("user-3"), Fault.page(2)))
 * ```
 *
 * @category combinators
 * @since 0.1.0
 */
export const or: {
  (that: Condition): (self: Condition) => Condition
  (self: Condition, that: Condition): Condition
} = dual(2, (self: Condition, that: Condition): Condition => new Condition({ or: [self.data, that.data] }))

/**
 * Calls for which it does not hold.
 *
 * @example
 * ```ts
 * import { Fault } from "@effect-zim/emulator"
 *
 * const fault = Fault.when(Fault.httpStatus(503), Fault.not(Fault.user("user-3")))
 * ```
 *
 * @category combinators
 * @since 0.1.0
 */
export const not = (self: Condition): Condition => new Condition({ not: self.data })

// ---- what happens ----

/**
 * The service answers with this return code and does nothing else. It happens to calls with a valid signature, before
 * they are counted by the quota. `message` replaces the documented text.
 *
 * @example
 * ```ts
 * import { Fault } from "@effect-zim/emulator"
 *
 * const tooFast = Fault.returnCode(660300005)
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const returnCode = (code: number, message?: string): Fault =>
  new Fault({ type: "returnCode", code, ...(message !== undefined && { message }) })

/**
 * Which of the two a latency holds up: the answer (default) or the request.
 *
 * @category models
 * @since 0.1.0
 */
export interface LatencyOptions {
  readonly on?: "request" | "answer"
}

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
 *
 * @category constructors
 * @since 0.1.0
 */
export const latency = (duration: Duration.Input, options?: LatencyOptions): Fault =>
  new Fault({ type: "latency", duration: durationOf(duration), ...options })

/**
 * A latency drawn evenly from a range, from the seed. See {@link latency}.
 *
 * @example
 * ```ts
 * import { Fault } from "@effect-zim/emulator"
 *
 * const slow = Fault.latencyBetween("20 millis", "80 millis")
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const latencyBetween = (minimum: Duration.Input, maximum: Duration.Input, options?: LatencyOptions): Fault =>
  new Fault({ type: "latencyBetween", minimum: durationOf(minimum), maximum: durationOf(maximum), ...options })

/**
 * A latency of a normal distribution, never below 0: most answers take about `mean`. See {@link latency}.
 *
 * @example
 * ```ts
 * import { Fault } from "@effect-zim/emulator"
 *
 * const slow = Fault.latencyNormal("100 millis", "20 millis")
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const latencyNormal = (mean: Duration.Input, deviation: Duration.Input, options?: LatencyOptions): Fault =>
  new Fault({ type: "latencyNormal", mean: durationOf(mean), deviation: durationOf(deviation), ...options })

/**
 * A latency of a log-normal distribution, as services have it: half of the answers take `median` or less, and with a
 * `sigma` of 1 one in a hundred takes ten times as long. See {@link latency}.
 *
 * @example
 * ```ts
 * import { Fault } from "@effect-zim/emulator"
 *
 * const slow = Fault.latencyLogNormal("50 millis", 1)
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const latencyLogNormal = (median: Duration.Input, sigma: number, options?: LatencyOptions): Fault =>
  new Fault({ type: "latencyLogNormal", median: durationOf(median), sigma, ...options })

/**
 * A latency of an exponential distribution. See {@link latency}.
 *
 * @example
 * ```ts
 * import { Fault } from "@effect-zim/emulator"
 *
 * const slow = Fault.latencyExponential("50 millis")
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const latencyExponential = (mean: Duration.Input, options?: LatencyOptions): Fault =>
  new Fault({ type: "latencyExponential", mean: durationOf(mean), ...options })

/**
 * A latency of a Pareto distribution, with a heavy tail: never below `minimum`, and the smaller `shape` (above 0), the
 * longer the worst. No latency is longer than a day. See {@link latency}.
 *
 * @example
 * ```ts
 * import { Fault } from "@effect-zim/emulator"
 *
 * const slow = Fault.latencyPareto("20 millis", 1.5)
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const latencyPareto = (minimum: Duration.Input, shape: number, options?: LatencyOptions): Fault =>
  new Fault({ type: "latencyPareto", minimum: durationOf(minimum), shape, ...options })

/**
 * The connection is reset before the call is processed.
 *
 * @example
 * ```ts
 * import { Fault } from "@effect-zim/emulator"
 *
 * const fault = Fault.times(Fault.connectionReset, 2)
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const connectionReset: Fault = new Fault({ type: "connectionReset" })

/**
 * The call is processed and counted, then the connection is reset instead of answering.
 *
 * @example
 * ```ts
 * import { Fault } from "@effect-zim/emulator"
 *
 * const fault = Fault.when(Fault.answerLost, Fault.nth(3))
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const answerLost: Fault = new Fault({ type: "answerLost" })

/**
 * The call is never processed and never answered; the connection stays open.
 *
 * @example
 * ```ts
 * import { Fault } from "@effect-zim/emulator"
 *
 * const fault = Fault.times(Fault.hang, 1)
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const hang: Fault = new Fault({ type: "hang" })

/**
 * A successful answer has this `Next` instead of its own: an integer of any size, or a text, which is the wrong type.
 *
 * @example
 * ```ts
 * import { Fault } from "@effect-zim/emulator"
 *
 * const negative = Fault.nextCursor(-1)
 * const wrongType = Fault.nextCursor("next")
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const nextCursor = (next: bigint | number | string): Fault =>
  new Fault({ type: "nextCursor", next: typeof next === "bigint" ? { digits: next.toString() } : next })

/**
 * Every `Next` but 0 is an odd number beyond 2^53, right to the last digit: a client that reads it as a double never
 * sends it back right.
 *
 * @example
 * ```ts
 * import { Emulator, Fault, World } from "@effect-zim/emulator"
 *
 * const layer = Emulator.layer({ world: World.generate({ seed: 1, users: 10 }), faults: [Fault.largeCursors] })
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const largeCursors: Fault = new Fault({ type: "largeCursors" })

/**
 * The list never ends: its pages lead in a circle of this length (1 or more, default 2: A, B, A, B).
 *
 * @example
 * ```ts
 * import { Fault } from "@effect-zim/emulator"
 *
 * const fault = Fault.when(Fault.cyclingCursor(3), Fault.user("user-3"))
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const cyclingCursor = (length: number = defaults.length): Fault => new Fault({ type: "cyclingCursor", length })

/**
 * A page after the first begins with the last `count` entries (default 1) of the page before, as when a list grows at
 * its front while it is read. At least one of its entries is new: with a `Limit` of 1 nothing happens.
 *
 * @example
 * ```ts
 * import { Fault } from "@effect-zim/emulator"
 *
 * const fault = Fault.when(Fault.duplicateEntries(5), Fault.page(2))
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const duplicateEntries = (count: number = defaults.count): Fault =>
  new Fault({ type: "duplicateEntries", count })

/**
 * A page after the first leaves out the first `count` entries (default 1) that it should have, as when a list shrinks at
 * its front while it is read.
 *
 * @example
 * ```ts
 * import { Fault } from "@effect-zim/emulator"
 *
 * const fault = Fault.when(Fault.missingEntries(5), Fault.page(2))
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const missingEntries = (count: number = defaults.count): Fault => new Fault({ type: "missingEntries", count })

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
 *
 * @category constructors
 * @since 0.1.0
 */
export const rewrite = (name: string, change: (reply: Reply) => Reply): Fault =>
  new Fault({ type: "rewrite", name, change })

/**
 * The answer is this text, as JSON by its content type, with HTTP status 200.
 *
 * @example
 * ```ts
 * import { Fault } from "@effect-zim/emulator"
 *
 * const fault = Fault.rawBody('{"Code":0,"Message":"success"}')
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const rawBody = (text: string, contentType: string = defaults.contentType): Fault =>
  new Fault({ type: "rawBody", text, contentType })

/**
 * The answer is text that is no JSON, although its content type says so.
 *
 * @example
 * ```ts
 * import { Fault } from "@effect-zim/emulator"
 *
 * const fault = Fault.times(Fault.notJson, 1)
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const notJson: Fault = new Fault({ type: "notJson" })

/**
 * The answer has no body.
 *
 * @example
 * ```ts
 * import { Fault } from "@effect-zim/emulator"
 *
 * const fault = Fault.times(Fault.emptyBody, 1)
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const emptyBody: Fault = new Fault({ type: "emptyBody" })

/**
 * The answer is an HTTP status with a page of HTML, as a gateway before the service sends it.
 *
 * @example
 * ```ts
 * import { Fault } from "@effect-zim/emulator"
 *
 * const gateway = Fault.times(Fault.httpStatus(503), 3)
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const httpStatus = (status: number, html?: string): Fault =>
  new Fault({ type: "httpStatus", status, ...(html !== undefined && { html }) })

/**
 * The answer of a gateway that wants to be left alone: HTTP 429 or 503 with `Retry-After`, in whole seconds, or as a date
 * by the service's clock. The page is of HTML, or, with a `code`, an answer with that return code.
 *
 * @example
 * ```ts
 * import { Fault } from "@effect-zim/emulator"
 *
 * const overloaded = Fault.times(Fault.retryAfter("30 seconds"), 1)
 * const maintenance = Fault.retryAfter("10 minutes", { status: 503, as: "date" })
 * const rejected = Fault.retryAfter("2 seconds", { code: 660300005 })
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const retryAfter = (
  after: Duration.Input,
  options?: { readonly status?: 429 | 503; readonly as?: "seconds" | "date"; readonly code?: number }
): Fault => new Fault({ type: "retryAfter", after: durationOf(after), status: defaults.status, ...options })

/**
 * A redirect (302) to this location.
 *
 * @example
 * ```ts
 * import { Fault } from "@effect-zim/emulator"
 *
 * const fault = Fault.redirect("http://127.0.0.1/elsewhere")
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const redirect = (location: string = defaults.location): Fault => new Fault({ type: "redirect", location })

/**
 * The right answer, with a content type of `text/html`.
 *
 * @example
 * ```ts
 * import { Fault } from "@effect-zim/emulator"
 *
 * const fault = Fault.when(Fault.wrongContentType, Fault.every(2))
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const wrongContentType: Fault = new Fault({ type: "wrongContentType" })

/**
 * The answer breaks off in the middle of its body.
 *
 * @example
 * ```ts
 * import { Fault } from "@effect-zim/emulator"
 *
 * const fault = Fault.times(Fault.truncatedBody, 1)
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const truncatedBody: Fault = new Fault({ type: "truncatedBody" })

/**
 * The answer stops in the middle of its body, and the connection stays open.
 *
 * @example
 * ```ts
 * import { Fault } from "@effect-zim/emulator"
 *
 * const fault = Fault.times(Fault.hangingBody, 1)
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const hangingBody: Fault = new Fault({ type: "hangingBody" })

/**
 * The answer comes in pieces of so many bytes, with a pause before each.
 *
 * @example
 * ```ts
 * import { Fault } from "@effect-zim/emulator"
 *
 * const fault = Fault.slowBody({ bytes: 16, every: "100 millis" })
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const slowBody = (options: { readonly bytes: number; readonly every: Duration.Input }): Fault =>
  new Fault({ type: "slowBody", bytes: options.bytes, every: durationOf(options.every) })

/**
 * A successful answer padded with so many bytes, sent without `Content-Length`.
 *
 * @example
 * ```ts
 * import { Fault } from "@effect-zim/emulator"
 *
 * const fault = Fault.oversizedBody(9 * 1024 * 1024)
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const oversizedBody = (bytes: number): Fault => new Fault({ type: "oversizedBody", bytes })

/**
 * The same, compressed a thousandfold (`Content-Encoding: gzip`): a client that unpacks it without a limit unpacks so
 * many bytes, default 1 GiB. It is made as it is read, so a client that stops early costs little.
 *
 * @example
 * ```ts
 * import { Fault } from "@effect-zim/emulator"
 *
 * const fault = Fault.gzipBomb(64 * 1024 * 1024)
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const gzipBomb = (bytes: number = defaults.bombBytes): Fault => new Fault({ type: "gzipBomb", bytes })

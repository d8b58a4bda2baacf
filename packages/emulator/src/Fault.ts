/**
 * Faults: which calls go wrong, and how.
 *
 * A fault is an immutable value: an action, and the conditions under which it happens. Without a condition it happens to
 * every call. Several may happen to one call: latencies add up, changes of the answer are applied in order. What counts
 * or draws (`nth`, `every`, `times`, `probability`) starts anew when the fault is set, from the emulator's seed, so the
 * same calls meet the same faults.
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
import type * as Duration from "effect/Duration"
import { dual } from "effect/Function"
import * as Pipeable from "effect/Pipeable"
import type { Reply } from "./Exchange.ts"
import * as Action from "./internal/action.ts"
import * as Random from "./internal/random.ts"

/**
 * What is known of a call before it is processed.
 */
export interface Call {
  /** The number of the call, from 1. */
  readonly index: number
  /** When it arrived, in milliseconds since the epoch. */
  readonly time: number
  /** Where it is readable. */
  readonly appId: number | undefined
  /** As it was sent, empty where it was left out. */
  readonly action: string
  /** `FromUserId`, where it is readable. */
  readonly userId: string | undefined
  /** `Limit` as it was sent, where it is a number. */
  readonly limit: number | undefined
  /** The digits of `Next`, `"0"` for the first page, where it is readable. */
  readonly cursor: string | undefined
  /** Which page of the list is asked for, from 1, where the cursor is known. */
  readonly page: number | undefined
}

/**
 * Which calls a fault happens to. `start` begins counting and drawing, from a seed.
 */
export class Condition extends Pipeable.Class {
  readonly start: (seed: string) => (call: Call) => boolean
  constructor(start: (seed: string) => (call: Call) => boolean) {
    super()
    this.start = start
  }
}

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
  constructor(name: string, action: Action.Action, conditions: ReadonlyArray<Condition> = []) {
    super()
    this.name = name
    this.action = action
    this.conditions = conditions
  }
}

// ---- which calls ----

/** Calls for which a function of the call holds. */
export const where = (predicate: (call: Call) => boolean): Condition => new Condition(() => predicate)

/** Calls for one of these users. */
export const user = (...userIds: ReadonlyArray<string>): Condition =>
  where((call) => call.userId !== undefined && userIds.includes(call.userId))

/** Calls for this page of a list, counted from 1. */
export const page = (number: number): Condition => where((call) => call.page === number)

/** Calls that send this `Next`. */
export const cursor = (digits: string): Condition => where((call) => call.cursor === digits)

const counting = (holds: (count: number) => boolean): Condition =>
  new Condition(() => {
    let count = 0
    return () => holds(++count)
  })

/** The nth call, counted from 1 among the calls that the conditions before it let through. */
export const nth = (n: number): Condition => counting((count) => count === n)

/** Every nth call, counted among the calls that the conditions before it let through. */
export const every = (n: number): Condition => counting((count) => count % n === 0)

/** The nth time that a user's page is asked for, counted from 1 for each page of each user. */
export const attempt = (n: number): Condition =>
  new Condition(() => {
    const counts = new Map<string, number>()
    return ({ cursor, userId }) => {
      const key = `${cursor}/${userId}`
      const count = (counts.get(key) ?? 0) + 1
      counts.set(key, count)
      return count === n
    }
  })

/** This share of the calls, from 0 to 1, drawn from the seed. */
export const probability = (share: number): Condition =>
  new Condition((seed) => {
    const random = Random.seeded(seed)
    return () => random.nextDoubleUnsafe() < share
  })

/** Calls for which both hold. The second sees only the calls for which the first holds. */
export const and: {
  (that: Condition): (self: Condition) => Condition
  (self: Condition, that: Condition): Condition
} = dual(
  2,
  (self: Condition, that: Condition): Condition =>
    new Condition((seed) => {
      const first = self.start(`${seed}/1`)
      const second = that.start(`${seed}/2`)
      return (call) => first(call) && second(call)
    })
)

/** Calls for which at least one holds. Both see every call. */
export const or: {
  (that: Condition): (self: Condition) => Condition
  (self: Condition, that: Condition): Condition
} = dual(
  2,
  (self: Condition, that: Condition): Condition =>
    new Condition((seed) => {
      const first = self.start(`${seed}/1`)
      const second = that.start(`${seed}/2`)
      return (call) => {
        const either = [first(call), second(call)]
        return either.includes(true)
      }
    })
)

/** Calls for which it does not hold. */
export const not = (self: Condition): Condition =>
  new Condition((seed) => {
    const holds = self.start(seed)
    return (call) => !holds(call)
  })

/** The fault, only where this holds too. */
export const when: {
  (condition: Condition): (self: Fault) => Fault
  (self: Fault, condition: Condition): Fault
} = dual(
  2,
  (self: Fault, condition: Condition): Fault => new Fault(self.name, self.action, [...self.conditions, condition])
)

/** The fault, only the first `n` times that its other conditions hold. */
export const times: {
  (n: number): (self: Fault) => Fault
  (self: Fault, n: number): Fault
} = dual(2, (self: Fault, n: number): Fault =>
  when(
    self,
    counting((count) => count <= n)
  )
)

// ---- what happens ----

/**
 * The service answers with this return code and does nothing else. It happens to calls with a valid signature, before
 * they are counted by the quota. `message` replaces the documented text.
 */
export const returnCode = (code: number, message?: string): Fault =>
  new Fault(`returnCode ${code}`, { _tag: "ReturnCode", code, message })

/**
 * The answer comes this much later: the call is processed when it arrives. With `on: "request"` the request is held up
 * instead, and processed late.
 */
export const latency = (duration: Duration.Input, options?: { readonly on?: "request" | "answer" }): Fault =>
  new Fault("latency", { _tag: "Latency", on: options?.on ?? "answer", minimum: duration, maximum: duration })

/**
 * A latency drawn evenly from a range, from the seed. See {@link latency}.
 */
export const latencyBetween = (
  minimum: Duration.Input,
  maximum: Duration.Input,
  options?: { readonly on?: "request" | "answer" }
): Fault => new Fault("latency", { _tag: "Latency", on: options?.on ?? "answer", minimum, maximum })

/**
 * The connection is reset before the call is processed.
 */
export const connectionReset: Fault = new Fault("connectionReset", { _tag: "Reset" })

/**
 * The call is processed and counted, then the connection is reset instead of answering.
 */
export const answerLost: Fault = new Fault("answerLost", { _tag: "AnswerLost" })

/**
 * The call is never processed and never answered; the connection stays open.
 */
export const hang: Fault = new Fault("hang", { _tag: "Hang" })

/**
 * A successful answer has this `Next` instead of its own: an integer of any size, or a text, which is the wrong type.
 */
export const nextCursor = (next: bigint | number | string): Fault =>
  new Fault("nextCursor", { _tag: "NextCursor", next })

/**
 * The list never ends: its pages lead in a circle of this length (1 or more, default 2: A, B, A, B).
 */
export const cyclingCursor = (length = 2): Fault => new Fault("cyclingCursor", { _tag: "CyclingCursor", length })

/**
 * Changes the finished answer: what the functions below are made of.
 */
export const rewrite = (name: string, change: (reply: Reply) => Reply): Fault =>
  new Fault(name, { _tag: "Rewrite", change })

/** The answer is this text, as JSON by its content type, with HTTP status 200. */
export const rawBody = (text: string, contentType = "application/json"): Fault =>
  rewrite("rawBody", Action.replaceBody(200, contentType, text))

/** The answer is text that is no JSON, although its content type says so. */
export const notJson: Fault = rewrite(
  "notJson",
  Action.replaceBody(200, "application/json", "upstream says: try again")
)

/** The answer has no body. */
export const emptyBody: Fault = rewrite("emptyBody", Action.replaceBody(200, "application/json", ""))

/** The answer is an HTTP status with a page of HTML, as a gateway before the service sends it. */
export const httpStatus = (status: number, html?: string): Fault =>
  rewrite(
    `httpStatus ${status}`,
    Action.replaceBody(
      status,
      "text/html",
      html ?? `<html><head><title>${status}</title></head><body><h1>${status}</h1><hr>gateway</body></html>`
    )
  )

/** A redirect (302) to this location. */
export const redirect = (location = "/moved"): Fault =>
  rewrite("redirect", (reply) => ({ status: 302, headers: { ...Action.dateOf(reply), location }, body: "" }))

/** The right answer, with a content type of `text/html`. */
export const wrongContentType: Fault = rewrite("wrongContentType", (reply) => ({
  ...reply,
  headers: { ...reply.headers, "content-type": "text/html; charset=utf-8" }
}))

/** The answer breaks off in the middle of its body. */
export const truncatedBody: Fault = rewrite("truncatedBody", Action.truncate)

/** The answer stops in the middle of its body, and the connection stays open. */
export const hangingBody: Fault = rewrite("hangingBody", Action.stall)

/** The answer comes in pieces of so many bytes, with a pause before each. */
export const slowBody = (options: { readonly bytes: number; readonly every: Duration.Input }): Fault =>
  rewrite("slowBody", Action.dribble(options.bytes, options.every))

/** A successful answer padded with so many bytes, sent without `Content-Length`. */
export const oversizedBody = (bytes: number): Fault => rewrite("oversizedBody", Action.pad(bytes))

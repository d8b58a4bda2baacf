/**
 * Faults as JSON: for files, for the command line and for the admin API.
 *
 * A fault is an object whose `type` is the name of a function of `Fault`, with that function's arguments by name, and
 * `when`, a list of conditions that must all hold. A condition is an object with one key, the name of the function:
 *
 * ```json
 * [
 *   { "type": "returnCode", "code": 660300005, "when": [{ "every": 7 }] },
 *   { "type": "connectionReset", "when": [{ "user": ["user-3"] }, { "page": 2 }, { "times": 2 }] },
 *   { "type": "latencyBetween", "minimum": "5 millis", "maximum": 80, "when": [{ "probability": 0.3 }] },
 *   { "type": "hang", "when": [{ "or": [{ "attempt": 1 }, { "not": { "app": 12345 } }] }] }
 * ]
 * ```
 *
 * Durations are milliseconds, or a text such as `"1 second"`. An integer beyond 2^53 is `{ "digits": "..." }`. A key that
 * is not known is an error.
 */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as Fault from "./Fault.ts"
import * as FaultSpec from "./internal/faultSpec.ts"

/**
 * The schema of a fault's JSON, with durations decoded.
 */
export const FaultJson = FaultSpec.FaultSpec

/** A fault as JSON has it. */
export type Json = typeof FaultJson.Encoded

/**
 * Faults that cannot be read; `problem` names the place.
 */
export class FaultsUnreadable extends Schema.TaggedError<FaultsUnreadable>()("FaultsUnreadable", {
  problem: Schema.String
}) {
  override get message(): string {
    return `these are no faults: ${this.problem}`
  }
}

/** All of them, or one of them; none of no conditions fails, and none holds. */
const combined = (spec: FaultSpec.ConditionSpec): Fault.Condition => {
  const all = spec.and !== undefined
  const [head, ...tail] = (spec.and ?? spec.or ?? []).map(conditionOf)
  if (head === undefined) return new Fault.Condition(() => () => all, spec)
  return tail.reduce((self, that) => (all ? Fault.and(self, that) : Fault.or(self, that)), head)
}

const conditionOf = (spec: FaultSpec.ConditionSpec): Fault.Condition => {
  if (spec.user !== undefined) return Fault.user(...spec.user)
  if (spec.app !== undefined) return Fault.app(spec.app)
  if (spec.page !== undefined) return Fault.page(spec.page)
  if (spec.cursor !== undefined) return Fault.cursor(spec.cursor)
  if (spec.nth !== undefined) return Fault.nth(spec.nth)
  if (spec.every !== undefined) return Fault.every(spec.every)
  if (spec.attempt !== undefined) return Fault.attempt(spec.attempt)
  if (spec.probability !== undefined) return Fault.probability(spec.probability)
  if (spec.times !== undefined) return Fault.first(spec.times)
  if (spec.not !== undefined) return Fault.not(conditionOf(spec.not))
  return combined(spec)
}

const on = (spec: { readonly on?: "request" | "answer" }): Fault.LatencyOptions =>
  spec.on === undefined ? {} : { on: spec.on }

const nextOf = (next: number | string | { readonly digits: string }): bigint | number | string =>
  typeof next === "object" ? BigInt(next.digits) : next

const faultOf = (spec: FaultSpec.FaultSpec): Fault.Fault => {
  switch (spec.type) {
    case "returnCode":
      return Fault.returnCode(spec.code, spec.message)
    case "latency":
      return Fault.latency(spec.duration, on(spec))
    case "latencyBetween":
      return Fault.latencyBetween(spec.minimum, spec.maximum, on(spec))
    case "latencyNormal":
      return Fault.latencyNormal(spec.mean, spec.deviation, on(spec))
    case "latencyLogNormal":
      return Fault.latencyLogNormal(spec.median, spec.sigma, on(spec))
    case "latencyExponential":
      return Fault.latencyExponential(spec.mean, on(spec))
    case "latencyPareto":
      return Fault.latencyPareto(spec.minimum, spec.shape, on(spec))
    case "nextCursor":
      return Fault.nextCursor(nextOf(spec.next))
    case "cyclingCursor":
      return Fault.cyclingCursor(spec.length)
    case "duplicateEntries":
      return Fault.duplicateEntries(spec.count)
    case "missingEntries":
      return Fault.missingEntries(spec.count)
    case "rawBody":
      return Fault.rawBody(spec.text, spec.contentType)
    case "httpStatus":
      return Fault.httpStatus(spec.status, spec.html)
    case "redirect":
      return Fault.redirect(spec.location)
    case "slowBody":
      return Fault.slowBody(spec)
    case "oversizedBody":
      return Fault.oversizedBody(spec.bytes)
    case "gzipBomb":
      return Fault.gzipBomb(spec.bytes)
    case "connectionReset":
    case "answerLost":
    case "hang":
    case "largeCursors":
    case "notJson":
    case "emptyBody":
    case "wrongContentType":
    case "truncatedBody":
    case "hangingBody":
      return Fault[spec.type]
  }
}

/** A fault of its decoded JSON: see {@link FaultJson}. */
export const fromSpec = (spec: typeof FaultJson.Type): Fault.Fault =>
  (spec.when ?? []).reduce((fault, condition) => Fault.when(fault, conditionOf(condition)), faultOf(spec))

// A key that is left unread would quietly widen the fault.
const exact = { onExcessProperty: "error" } as const
const decodeList = Schema.decodeUnknownEffect(Schema.Array(FaultJson), exact)
const decodeOne = Schema.decodeSync(FaultJson, exact)
const encodeOne = Schema.encodeSync(FaultJson)

/**
 * Reads a list of faults from parsed JSON; one fault alone is a list of one. Fails with {@link FaultsUnreadable}.
 */
export const decode = (json: unknown): Effect.Effect<ReadonlyArray<Fault.Fault>, FaultsUnreadable> =>
  decodeList(Array.isArray(json) ? json : [json]).pipe(
    Effect.mapBoth({
      onFailure: (error) => new FaultsUnreadable({ problem: error.message }),
      onSuccess: (specs) => specs.map(fromSpec)
    })
  )

/**
 * Reads a list of faults from text. Fails with {@link FaultsUnreadable}.
 *
 * @example
 * ```ts
 * import { FaultJson } from "@effect-zim/emulator"
 *
 * const faults = FaultJson.parse(`[{ "type": "returnCode", "code": 1, "when": [{ "nth": 3 }] }]`)
 * ```
 */
export const parse = (text: string): Effect.Effect<ReadonlyArray<Fault.Fault>, FaultsUnreadable> =>
  Effect.flatMap(
    Effect.try({
      try: (): unknown => JSON.parse(text),
      catch: (error) => new FaultsUnreadable({ problem: `it is not valid JSON: ${String(error)}` })
    }),
    decode
  )

/**
 * A fault of its JSON, in code. Throws on a wrong one: {@link decode} fails with a typed error instead.
 */
export const make = (json: Json): Fault.Fault => fromSpec(decodeOne(json))

const isSpec = Schema.is(FaultJson)

/** The decoded JSON of a fault: {@link fromSpec} of it does the same. See {@link encode}. */
export const toSpec = (fault: Fault.Fault): Option.Option<typeof FaultJson.Type> => {
  if (fault.spec === undefined) return Option.none()
  const when = fault.conditions.flatMap(({ spec }) => (spec === undefined ? [] : [spec]))
  if (when.length < fault.conditions.length) return Option.none()
  const spec = { ...fault.spec, ...(when.length > 0 && { when }) }
  return isSpec(spec) ? Option.some(spec) : Option.none()
}

/**
 * The JSON of a fault: {@link make} of it does the same. None where a function is in it (`Fault.where`,
 * `Fault.rewrite`), or a value that JSON does not take, such as a latency without end.
 *
 * @example
 * ```ts
 * import { Fault, FaultJson } from "@effect-zim/emulator"
 *
 * FaultJson.encode(Fault.when(Fault.hang, Fault.nth(2))) // Option.some({ type: "hang", when: [{ nth: 2 }] })
 * ```
 */
export const encode = (fault: Fault.Fault): Option.Option<Json> => Option.map(toSpec(fault), encodeOne)

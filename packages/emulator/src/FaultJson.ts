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
import { FaultSpec } from "./internal/faults/faultSchema.ts"

/**
 * The schema of a fault's JSON, with durations decoded.
 *
 * @category schemas
 * @since 0.1.0
 */
export const FaultJson = FaultSpec

/**
 * A fault as JSON has it.
 *
 * @category models
 * @since 0.1.0
 */
export type Json = typeof FaultJson.Encoded

/**
 * Faults that cannot be read; `problem` names the place.
 *
 * @category errors
 * @since 0.1.0
 */
export class FaultsUnreadable extends Schema.TaggedError<FaultsUnreadable>("@effect-zim/emulator/FaultsUnreadable")(
  "FaultsUnreadable",
  { problem: Schema.String }
) {
  override get message(): string {
    return `these are no faults: ${this.problem}`
  }
}

/**
 * A fault of its decoded JSON: see {@link FaultJson}.
 *
 * @example
 * ```ts
 * import { Fault, FaultJson } from "@effect-zim/emulator"
 *
 * const faultOf = (spec: typeof FaultJson.FaultJson.Type): Fault.Fault => FaultJson.fromSpec(spec)
 * ```
 *
 * @category converting
 * @since 0.1.0
 */
export const fromSpec = ({ when = [], ...action }: typeof FaultJson.Type): Fault.Fault =>
  new Fault.Fault(
    action,
    when.map((condition) => new Fault.Condition(condition))
  )

// A key that is left unread would quietly widen the fault.
const exact = { onExcessProperty: "error" } as const
const decodeList = Schema.decodeUnknownEffect(Schema.Array(FaultJson), exact)
const decodeOne = Schema.decodeSync(FaultJson, exact)
const encodeOne = Schema.encodeSync(FaultJson)

/**
 * Reads a list of faults from parsed JSON; one fault alone is a list of one. Fails with {@link FaultsUnreadable}.
 *
 * @example
 * ```ts
 * import { FaultJson } from "@effect-zim/emulator"
 *
 * const faults = FaultJson.decode([{ type: "hang", when: [{ user: ["user-3"] }] }])
 * ```
 *
 * @category converting
 * @since 0.1.0
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
 *
 * @category converting
 * @since 0.1.0
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
 *
 * @example
 * ```ts
 * import { FaultJson } from "@effect-zim/emulator"
 *
 * const fault = FaultJson.make({ type: "returnCode", code: 1, when: [{ nth: 3 }] })
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = (json: Json): Fault.Fault => fromSpec(decodeOne(json))

const specOf = Schema.decodeUnknownOption(Schema.toType(FaultJson), exact)

/**
 * The decoded JSON of a fault: {@link fromSpec} of it does the same. See {@link encode}.
 *
 * @example
 * ```ts
 * import { Fault, FaultJson } from "@effect-zim/emulator"
 *
 * FaultJson.toSpec(Fault.times(Fault.hang, 2)) // Option.some(...): what FaultJson.fromSpec takes
 * ```
 *
 * @category converting
 * @since 0.1.0
 */
export const toSpec = ({ action, conditions }: Fault.Fault): Option.Option<typeof FaultJson.Type> =>
  specOf(conditions.length === 0 ? action : { ...action, when: conditions.map(({ data }) => data) })

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
 *
 * @category converting
 * @since 0.1.0
 */
export const encode = (fault: Fault.Fault): Option.Option<Json> => Option.map(toSpec(fault), encodeOne)

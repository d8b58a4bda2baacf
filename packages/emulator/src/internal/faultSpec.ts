import * as Duration from "effect/Duration"
import * as Schema from "effect/Schema"
import * as Durations from "./durations.ts"

const atLeast = (minimum: number) => Schema.Int.check(Schema.isGreaterThanOrEqualTo(minimum))
/** What may stand in a header. */
const HeaderText = Schema.String.check(Schema.isPattern(/^[\x20-\x7e]*$/, { expected: "printable ASCII" }))
const Share = Schema.Finite.check(Schema.isBetween({ minimum: 0, maximum: 1 }))

/** A condition as data: one key says which. */
export interface ConditionSpec {
  readonly user?: ReadonlyArray<string>
  readonly app?: number
  readonly page?: number
  readonly cursor?: string
  readonly nth?: number
  readonly every?: number
  readonly attempt?: number
  readonly probability?: number
  readonly times?: number
  readonly and?: ReadonlyArray<ConditionSpec>
  readonly or?: ReadonlyArray<ConditionSpec>
  readonly not?: ConditionSpec
}

const Nested = Schema.suspend((): Schema.Codec<ConditionSpec> => ConditionSpec)

const oneKey = "one key: user, app, page, cursor, nth, every, attempt, probability, times, and, or, not"

// One struct and not a union: an error names the key that is wrong.
export const ConditionSpec: Schema.Codec<ConditionSpec> = Schema.Struct({
  user: Schema.optionalKey(Schema.Array(Schema.String)),
  app: Schema.optionalKey(Schema.Int),
  page: Schema.optionalKey(atLeast(1)),
  cursor: Schema.optionalKey(Schema.String),
  nth: Schema.optionalKey(atLeast(1)),
  every: Schema.optionalKey(atLeast(1)),
  attempt: Schema.optionalKey(atLeast(1)),
  probability: Schema.optionalKey(Share),
  times: Schema.optionalKey(atLeast(0)),
  and: Schema.optionalKey(Schema.Array(Nested)),
  or: Schema.optionalKey(Schema.Array(Nested)),
  not: Schema.optionalKey(Nested)
})
  .check(
    Schema.makeFilter((condition) => Object.keys(condition).length === 1, { expected: `a condition with ${oneKey}` })
  )
  .annotate({ identifier: "Condition", description: `Has ${oneKey}` })

const On = Schema.optionalKey(Schema.Literals(["request", "answer"]))
const when = Schema.optionalKey(Schema.Array(ConditionSpec))

const fault = <const Type extends string, const Fields extends Schema.Struct.Fields>(type: Type, fields: Fields) =>
  Schema.Struct({ type: Schema.Literal(type), ...fields, when })

const All = Schema.Union([
  fault("returnCode", { code: Schema.Int, message: Schema.optionalKey(Schema.String) }),
  fault("latency", { duration: Durations.Plain, on: On }),
  fault("latencyBetween", { minimum: Durations.Plain, maximum: Durations.Plain, on: On }),
  fault("latencyNormal", { mean: Durations.Plain, deviation: Durations.Plain, on: On }),
  fault("latencyLogNormal", { median: Durations.Plain, sigma: Schema.Finite, on: On }),
  fault("latencyExponential", { mean: Durations.Plain, on: On }),
  fault("latencyPareto", {
    minimum: Durations.Plain,
    shape: Schema.Finite.check(Schema.isGreaterThan(0)),
    on: On
  }),
  fault("connectionReset", {}),
  fault("answerLost", {}),
  fault("hang", {}),
  fault("nextCursor", {
    next: Schema.Union([
      Schema.Int,
      Schema.String,
      Schema.Struct({ digits: Schema.String.check(Schema.isPattern(/^-?[0-9]{1,308}$/)) })
    ]).annotate({
      description: 'An integer; { "digits": "..." } for one beyond 2^53; a text, which is the wrong type'
    })
  }),
  fault("largeCursors", {}),
  fault("cyclingCursor", { length: Schema.optionalKey(atLeast(1)) }),
  fault("duplicateEntries", { count: Schema.optionalKey(atLeast(1)) }),
  fault("missingEntries", { count: Schema.optionalKey(atLeast(1)) }),
  fault("rawBody", { text: Schema.String, contentType: Schema.optionalKey(HeaderText) }),
  fault("notJson", {}),
  fault("emptyBody", {}),
  fault("httpStatus", {
    status: Schema.Int.check(Schema.isBetween({ minimum: 200, maximum: 599 })),
    html: Schema.optionalKey(Schema.String)
  }),
  fault("redirect", { location: Schema.optionalKey(HeaderText) }),
  fault("wrongContentType", {}),
  fault("truncatedBody", {}),
  fault("hangingBody", {}),
  fault("slowBody", { bytes: atLeast(1), every: Durations.Plain }),
  fault("oversizedBody", { bytes: atLeast(1) }),
  fault("gzipBomb", { bytes: Schema.optionalKey(atLeast(1)) })
])

/** A fault as data: `type` says what happens, `when` to which calls. */
export const FaultSpec = All.annotate({
  identifier: "Fault",
  message: `Expected a fault whose type is one of ${All.members.map(({ fields }) => fields.type.literal).join(", ")}`
})

/** With durations as `Duration`s. */
export type FaultSpec = typeof FaultSpec.Type

/** Throws an error that names the number, or the duration, that is out of its range: nothing could happen by it. */
export const checkNumbers = <A extends object>(schema: Schema.Codec<A, unknown>, spec: A | undefined): void => {
  if (spec === undefined) return
  const holdsNumbers = Object.values(spec).some((value) => typeof value === "number" || Duration.isDuration(value))
  if (holdsNumbers) Schema.decodeUnknownSync(Schema.toType(schema))(spec)
}

type DistributiveOmit<T, Key extends PropertyKey> = T extends unknown ? Omit<T, Key> : never

/** What happens, without its conditions. */
export type ActionSpec = DistributiveOmit<FaultSpec, "when">

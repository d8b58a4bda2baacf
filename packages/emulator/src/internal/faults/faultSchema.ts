/** A fault as data: what happens, and to which calls. Its JSON is this schema's encoded form. */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type { Reply } from "../../HttpExchange.ts"
import * as DurationSchemas from "../durationSchemas.ts"

const atLeast = (minimum: number) => Schema.Int.check(Schema.isGreaterThanOrEqualTo(minimum))
/** What may stand in a header. */
const HeaderText = Schema.String.check(Schema.isPattern(/^[\x20-\x7e]*$/, { expected: "printable ASCII" }))
const Share = Schema.Finite.check(Schema.isBetween({ minimum: 0, maximum: 1 }))

/**
 * What is known of a call before it is processed.
 *
 * @category models
 * @since 0.1.0
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

const simple = {
  user: Schema.optionalKey(Schema.Array(Schema.String)),
  app: Schema.optionalKey(Schema.Int),
  page: Schema.optionalKey(atLeast(1)),
  cursor: Schema.optionalKey(Schema.String),
  nth: Schema.optionalKey(atLeast(1)),
  every: Schema.optionalKey(atLeast(1)),
  attempt: Schema.optionalKey(atLeast(1)),
  probability: Schema.optionalKey(Share),
  times: Schema.optionalKey(atLeast(0))
}
type Simple = Schema.Struct.Type<typeof simple>

/** A condition that JSON has: one key says which. */
export interface ConditionSpec extends Simple {
  readonly and?: ReadonlyArray<ConditionSpec>
  readonly or?: ReadonlyArray<ConditionSpec>
  readonly not?: ConditionSpec
}

/** Any condition: a user's function may be in it. */
export interface ConditionData extends Simple {
  readonly and?: ReadonlyArray<ConditionData>
  readonly or?: ReadonlyArray<ConditionData>
  readonly not?: ConditionData
  readonly where?: (call: Call) => boolean
}

const Nested = Schema.suspend((): Schema.Codec<ConditionSpec> => ConditionSpec)
const Several = Schema.optionalKey(Schema.Array(Nested))
const fields = { ...simple, and: Several, or: Several, not: Schema.optionalKey(Nested) }
const oneKey = `one key: ${Object.keys(fields).join(", ")}`

// One struct and not a union: an error names the key that is wrong.
export const ConditionSpec: Schema.Codec<ConditionSpec> = Schema.Struct(fields)
  .check(
    Schema.makeFilter((condition) => Object.keys(condition).length === 1, { expected: `a condition with ${oneKey}` })
  )
  .annotate({ identifier: "@effect-zim/emulator/Condition", description: `Has ${oneKey}` })

const On = Schema.optionalKey(Schema.Literals(["request", "answer"]))
const when = Schema.optionalKey(Schema.Array(ConditionSpec))

const fault = <const Type extends string, const Fields extends Schema.Struct.Fields>(type: Type, fields: Fields) =>
  Schema.Struct({ type: Schema.Literal(type), ...fields, when })

/** What is meant where an argument is left out: in JSON it may be, in a fault it never is. */
export const defaults = {
  length: 2,
  count: 1,
  contentType: "application/json",
  location: "/moved",
  status: 429 as const,
  bombBytes: 1_073_741_824
}
const orDefault = <A>(value: A) => Schema.withDecodingDefaultKey<Schema.Codec<A>>(Effect.succeed(value))
const CountOrDefault = atLeast(1).pipe(orDefault(defaults.count))

const All = Schema.Union([
  fault("returnCode", { code: Schema.Int, message: Schema.optionalKey(Schema.String) }),
  fault("latency", { duration: DurationSchemas.Plain, on: On }),
  fault("latencyBetween", { minimum: DurationSchemas.Plain, maximum: DurationSchemas.Plain, on: On }),
  fault("latencyNormal", { mean: DurationSchemas.Plain, deviation: DurationSchemas.Plain, on: On }),
  fault("latencyLogNormal", { median: DurationSchemas.Plain, sigma: Schema.Finite, on: On }),
  fault("latencyExponential", { mean: DurationSchemas.Plain, on: On }),
  fault("latencyPareto", {
    minimum: DurationSchemas.Plain,
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
  fault("cyclingCursor", { length: atLeast(1).pipe(orDefault(defaults.length)) }),
  fault("duplicateEntries", { count: CountOrDefault }),
  fault("missingEntries", { count: CountOrDefault }),
  fault("rawBody", { text: Schema.String, contentType: HeaderText.pipe(orDefault(defaults.contentType)) }),
  fault("notJson", {}),
  fault("emptyBody", {}),
  fault("httpStatus", {
    status: Schema.Int.check(Schema.isBetween({ minimum: 200, maximum: 599 })),
    html: Schema.optionalKey(Schema.String)
  }),
  fault("retryAfter", {
    after: DurationSchemas.Plain,
    status: Schema.Literals([429, 503]).pipe(orDefault<429 | 503>(defaults.status)),
    as: Schema.optionalKey(Schema.Literals(["seconds", "date"])),
    code: Schema.optionalKey(Schema.Int)
  }),
  fault("redirect", { location: HeaderText.pipe(orDefault(defaults.location)) }),
  fault("wrongContentType", {}),
  fault("truncatedBody", {}),
  fault("hangingBody", {}),
  fault("slowBody", { bytes: atLeast(1), every: DurationSchemas.Plain }),
  fault("oversizedBody", { bytes: atLeast(1) }),
  fault("gzipBomb", { bytes: atLeast(1).pipe(orDefault(defaults.bombBytes)) })
])

/** A fault as data: `type` says what happens, `when` to which calls. */
export const FaultSpec = All.annotate({
  identifier: "@effect-zim/emulator/Fault",
  message: `Expected a fault whose type is one of ${All.members.map(({ fields }) => fields.type.literal).join(", ")}`
})

/** With durations as `Duration`s. */
export type FaultSpec = typeof FaultSpec.Type

type DistributiveOmit<T, Key extends PropertyKey> = T extends unknown ? Omit<T, Key> : never

/** What happens to a call, without the conditions: of JSON, or by a user's function. */
export type Action =
  | DistributiveOmit<FaultSpec, "when">
  | { readonly type: "rewrite"; readonly name: string; readonly change: (reply: Reply) => Reply }

const throwing = <A>(schema: Schema.Codec<A, unknown>) => {
  const check = Schema.decodeUnknownSync(Schema.toType(schema))
  return (data: object): void => {
    if (Object.values(data).some((value) => typeof value === "number" || Duration.isDuration(value))) check(data)
  }
}

/** Throws an error that names the number, or the duration, that is out of its range: nothing could happen by it. */
export const checkAction: (action: Action) => void = throwing(FaultSpec)

/** The same for the numbers of a condition. */
export const checkCondition: (condition: ConditionData) => void = throwing(ConditionSpec)

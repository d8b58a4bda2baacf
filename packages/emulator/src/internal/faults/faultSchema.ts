/** A fault as data: what happens, in a schema and in words. Its JSON is this schema's encoded form. */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type { Reply } from "../../HttpExchange.ts"
import * as DurationSchemas from "../durationSchemas.ts"
import { atLeast, ConditionSpec, throwing } from "./faultConditions.ts"

/** What may stand in a header. */
const HeaderText = Schema.String.check(Schema.isPattern(/^[\x20-\x7e]*$/, { expected: "printable ASCII" }))

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

type DistributiveOmit<T, Key extends PropertyKey> = T extends unknown ? Omit<T, Key> : never

/** What happens to a call, without the conditions: of JSON, or by a user's function. */
export type Action =
  | DistributiveOmit<typeof FaultSpec.Type, "when">
  | { readonly type: "rewrite"; readonly name: string; readonly change: (reply: Reply) => Reply }

/** Throws an error that names the number, or the duration, that is out of its range: nothing could happen by it. */
export const check: (action: Action) => void = throwing(FaultSpec)

const valueInWords = (value: unknown): string => {
  if (Duration.isDuration(value)) return Duration.format(value)
  const text = JSON.stringify(value) ?? "undefined"
  return text.length > 60 ? `${text.slice(0, 59)}…` : text
}

/** `returnCode(code: 1)`. */
export const inWords = (action: Action): string => {
  if (action.type === "rewrite") return action.name
  const { type, ...fields } = action
  const shown = Object.entries(fields).map(([key, field]) => `${key}: ${valueInWords(field)}`)
  return shown.length === 0 ? type : `${type}(${shown.join(", ")})`
}

/** As the journal calls it: `returnCode 1`, `latency`. */
export const name = (action: Action): string => {
  if (action.type === "rewrite") return action.name
  if (action.type === "returnCode") return `returnCode ${action.code}`
  if (action.type === "httpStatus") return `httpStatus ${action.status}`
  return action.type.startsWith("latency") ? "latency" : action.type
}

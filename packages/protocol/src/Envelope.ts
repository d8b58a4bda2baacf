/**
 * The part that every answer of the service has: `Code`, `Message`, `RequestId`.
 *
 * @since 0.1.0
 */
import * as Predicate from "effect/Predicate"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as WireJson from "./WireJson.ts"

/**
 * An answer of the service, its own fields still undecoded in `body`.
 *
 * @category models
 * @since 0.1.0
 */
export interface Envelope {
  /** 0 on success, else a return code. */
  readonly code: number
  /** The service's explanation; empty where it sent none. */
  readonly message: string
  /** The service's id of the request: the digits of one sent as a number; `undefined` where it sent none. */
  readonly requestId: string | undefined
  /** The whole answer as {@link WireJson.parse} reads it. */
  readonly body: unknown
}

const digits = /^[0-9]{1,15}$/

// Only `Code` decides anything, so only `Code` is strict: a message of another type must not hide the code.
const Wire = Schema.Struct({
  Code: Schema.Union([
    Schema.Int,
    Schema.String.check(Schema.isPattern(digits, { expected: "a return code: a number or a string of digits" }))
  ]),
  Message: Schema.optional(Schema.Unknown),
  RequestId: Schema.optional(Schema.Unknown)
})

/** The same by hand, since every answer is asked; why one is none, the schema says. */
const isWire = (body: unknown): body is typeof Wire.Type =>
  Predicate.hasProperty(body, "Code") &&
  (typeof body.Code === "string" ? digits.test(body.Code) : Number.isSafeInteger(body.Code))

const requestIdOf = (id: unknown): string | undefined =>
  typeof id === "string" ? id : typeof id === "number" || typeof id === "bigint" ? String(id) : undefined

/**
 * Why a text is no answer of the service: not JSON at all, JSON that is nested deeper than {@link WireJson.deepest}, or
 * JSON without a usable `Code`.
 *
 * @category errors
 * @since 0.1.0
 */
export type Unreadable =
  | { readonly _tag: "NotJson" }
  | { readonly _tag: "TooDeep" | "NoCode"; readonly problem: string }

const decodeProblem = Schema.decodeUnknownResult(Wire)

/**
 * Reads an answer. A `Code` that is a string of digits counts as the number; a missing or other `Code` is a problem,
 * never success.
 *
 * Source: contract, section 1, response body.
 *
 * @example
 * ```ts
 * import { Envelope } from "@effect-zim/protocol"
 * import { Result } from "effect"
 *
 * const envelope = Envelope.parse('{"Code":660300005,"Message":"too fast","RequestId":"1"}')
 * Result.map(envelope, ({ code }) => code) // 660300005
 * Envelope.parse("<html>") // a failure: NotJson
 * ```
 *
 * @category converting
 * @since 0.1.0
 */
export const parse = (text: string): Result.Result<Envelope, Unreadable> => parseKnown(text, () => false)

/**
 * The same with {@link WireJson.parseKnown}.
 *
 * @example
 * ```ts
 * import { Envelope } from "@effect-zim/protocol"
 * import { Predicate } from "effect"
 *
 * const isSuccess = (body: unknown): boolean => Predicate.hasProperty(body, "Code") && body.Code === 0
 *
 * const envelope = Envelope.parseKnown('{"Code":0,"Message":"success","RequestId":"1"}', isSuccess)
 * ```
 *
 * @category converting
 * @since 0.1.0
 */
export const parseKnown = (text: string, isExact: (body: unknown) => boolean): Result.Result<Envelope, Unreadable> => {
  const json = Result.try(() => WireJson.parseKnown(text, isExact))
  if (Result.isSuccess(json)) return fromBody(json.success)
  return Result.fail(
    json.failure instanceof RangeError
      ? { _tag: "TooDeep", problem: `nested more than ${WireJson.deepest} deep` }
      : { _tag: "NotJson" }
  )
}

/**
 * The same for an answer that {@link WireJson.parse} has read already.
 *
 * @example
 * ```ts
 * import { Envelope } from "@effect-zim/protocol"
 *
 * const envelope = Envelope.fromBody({ Code: 0, Message: "success", RequestId: "1" })
 * ```
 *
 * @category converting
 * @since 0.1.0
 */
export const fromBody = (body: unknown): Result.Result<Envelope, Exclude<Unreadable, { readonly _tag: "NotJson" }>> => {
  if (isWire(body)) {
    return Result.succeed({
      code: Number(body.Code),
      message: typeof body.Message === "string" ? body.Message : "",
      requestId: requestIdOf(body.RequestId),
      body
    })
  }
  const decoded = decodeProblem(body)
  return Result.fail({ _tag: "NoCode", problem: Result.isFailure(decoded) ? decoded.failure.message : "no Code" })
}

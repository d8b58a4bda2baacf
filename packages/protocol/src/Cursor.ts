/**
 * The paging flag `Next`: where the next page starts.
 *
 * @since 0.1.0
 */
import * as Schema from "effect/Schema"
import * as SchemaTransformation from "effect/SchemaTransformation"
import { WireInteger } from "./WireJson.ts"

const decimal = /^(?:0|-?[1-9][0-9]{0,307})$/

/**
 * A place in a conversation list, opaque: nothing but "the end" may be derived from it. It is kept as its decimal digits,
 * so it is exact (up to 308 of them), compares with `===`, and can be stored as a string in a checkpoint.
 *
 * Source: contract, section 1, `Next`.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Cursor = Schema.String.check(
  Schema.isPattern(decimal, { expected: "a cursor: the decimal digits of the `Next` of an earlier page" })
).pipe(Schema.brand("@effect-zim/protocol/Cursor"))

/**
 * Decimal digits that have been checked.
 *
 * @category schemas
 * @since 0.1.0
 */
export type Cursor = typeof Cursor.Type

/**
 * Whether a value is a cursor: what `Schema.is` answers, many times faster.
 *
 * @example
 * ```ts
 * import { Cursor } from "@effect-zim/protocol"
 *
 * Cursor.is("971503777289036700") // true
 * Cursor.is("007") // false
 * ```
 *
 * @category guards
 * @since 0.1.0
 */
export const is = (digits: unknown): digits is Cursor => typeof digits === "string" && decimal.test(digits)

const decode = Schema.decodeSync(Cursor)

/**
 * Makes a `Cursor` from its digits, for example from a checkpoint. Throws a `SchemaError` on anything else: decode with
 * the {@link Cursor} schema instead where the text comes from outside.
 *
 * @example
 * ```ts
 * import { Cursor } from "@effect-zim/protocol"
 *
 * const saved: Cursor.Cursor = Cursor.make("971503777289036700")
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = (digits: string): Cursor => (is(digits) ? digits : decode(digits))

/**
 * The beginning of the list: what the first call sends.
 *
 * @category constants
 * @since 0.1.0
 */
export const start: Cursor = make("0")

/**
 * Whether an answer's cursor says that the list is complete.
 *
 * @example
 * ```ts
 * import { Cursor } from "@effect-zim/protocol"
 *
 * Cursor.isEnd(Cursor.make("0")) // true
 * Cursor.isEnd(Cursor.make("971503777289036701")) // false
 * ```
 *
 * @category guards
 * @since 0.1.0
 */
export const isEnd = (cursor: Cursor): boolean => cursor === "0"

/**
 * The cursor of a `Next` on the wire.
 *
 * @example
 * ```ts
 * import { Cursor } from "@effect-zim/protocol"
 *
 * Cursor.fromWire(971503777289036701n) // "971503777289036701"
 * Cursor.isEnd(Cursor.fromWire(0)) // true
 * ```
 *
 * @category converting
 * @since 0.1.0
 */
export const fromWire = (next: WireInteger): Cursor => make(next.toString())

const digitsToWire = (digits: string): WireInteger => {
  const number = Number(digits)
  return Number.isSafeInteger(number) ? number : BigInt(digits)
}

/**
 * A cursor as the number it is on the wire, exact to the last digit.
 *
 * @category schemas
 * @since 0.1.0
 */
export const FromWire = WireInteger.pipe(
  Schema.decodeTo(Cursor, SchemaTransformation.transform({ decode: (next) => next.toString(), encode: digitsToWire }))
)

/**
 * How many conversations one call returns.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as SchemaTransformation from "effect/SchemaTransformation"
import { WireInteger } from "./WireJson.ts"

/**
 * What the service takes when no `Limit` is sent, or one of 0 or less.
 *
 * @category constants
 * @since 0.1.0
 */
export const serviceDefault = 100

/**
 * The largest page, and this client's default: every call costs quota, whatever its size.
 *
 * @category constants
 * @since 0.1.0
 */
export const maximum = 500

/**
 * A page size as the service applies it: a whole number from 1 to 500.
 *
 * Source: contract, section 1, `Limit`.
 *
 * @category schemas
 * @since 0.1.0
 */
export const PageSize = Schema.Int.check(
  Schema.makeFilter(
    (size) => (size >= 1 && size <= maximum) || `a page size is a whole number from 1 to ${maximum}, not ${size}`
  )
).pipe(Schema.brand("@effect-zim/protocol/PageSize"))

/**
 * A number that has been checked.
 *
 * @category schemas
 * @since 0.1.0
 */
export type PageSize = typeof PageSize.Type

/**
 * Whether a value is a page size: what `Schema.is` answers, many times faster.
 *
 * @example
 * ```ts
 * import { PageSize } from "@effect-zim/protocol"
 *
 * PageSize.is(500) // true
 * PageSize.is(501) // false
 * ```
 *
 * @category guards
 * @since 0.1.0
 */
export const is = (size: unknown): size is PageSize =>
  typeof size === "number" && Number.isInteger(size) && size >= 1 && size <= maximum

/**
 * Makes a `PageSize`. Throws a `SchemaError` when the number is out of range: see {@link correct}.
 *
 * @example
 * ```ts
 * import { PageSize } from "@effect-zim/protocol"
 *
 * const pageSize = PageSize.make(100)
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const make: (size: number) => PageSize = Schema.decodeSync(PageSize)

/**
 * The service's own correction: 0 or less becomes 100, more than 500 becomes 500. A fraction between and `NaN` stay as
 * they are, because the service says nothing of them: {@link PageSize} rejects them.
 *
 * Source: contract, section 1, `Limit`.
 *
 * @example
 * ```ts
 * import { PageSize } from "@effect-zim/protocol"
 *
 * PageSize.correct(-1) // 100
 * PageSize.correct(250) // 250
 * PageSize.correct(9000) // 500
 * ```
 *
 * @category converting
 * @since 0.1.0
 */
export const correct = (size: number): number => (size <= 0 ? serviceDefault : size > maximum ? maximum : size)

/**
 * A page size off the wire, however large, corrected as the service does it, 100 where it is left out.
 *
 * @category schemas
 * @since 0.1.0
 */
export const FromWire = WireInteger.pipe(
  Schema.decodeTo(
    PageSize,
    SchemaTransformation.transform({ decode: (size) => correct(Number(size)), encode: (size) => size })
  ),
  Schema.withDecodingDefaultKey(Effect.succeed(serviceDefault))
)

/**
 * JSON whose integers are exact, far beyond 2^53.
 *
 * `JSON.parse` rounds integers beyond 2^53 without a word. Paging flags and other numeric ids of this API may be larger,
 * so here such an integer becomes a `bigint` on the way in, and a `bigint` becomes bare digits on the way out.
 *
 * One limit, 308 digits: a longer integer may be read as `Infinity`, and {@link WireInteger} rejects it in any form.
 * Converting millions of digits would take seconds.
 *
 * @since 0.1.0
 */
import * as Schema from "effect/Schema"

const largest = 10n ** 308n - 1n

/**
 * An integer of up to 308 digits on the wire: a `number` while it is safe, a `bigint` beyond that.
 *
 * @since 0.1.0
 */
export const WireInteger = Schema.Union([
  Schema.Int,
  Schema.BigInt.check(
    Schema.isBetweenBigInt({ minimum: -largest, maximum: largest }, { expected: "an integer of at most 308 digits" })
  )
])

/**
 * An integer of the wire, exact at any size.
 *
 * @since 0.1.0
 */
export type WireInteger = typeof WireInteger.Type

const isRounded = (value: number): boolean => !Number.isSafeInteger(value) && Number.isInteger(value)

const hasRounded = (value: unknown): boolean => {
  if (typeof value === "number") return isRounded(value)
  if (typeof value !== "object" || value === null) return false
  if (Array.isArray(value)) return value.some(hasRounded)
  for (const member of Object.values(value)) {
    if (hasRounded(member)) return true
  }
  return false
}

const integerLiteral = /^-?[0-9]+$/

// The third argument is newer than TypeScript's library: it carries the source text of primitive values.
const exactly = (_key: string, value: unknown, context?: { readonly source?: string }): unknown =>
  typeof value === "number" && isRounded(value) && context?.source !== undefined && integerLiteral.test(context.source)
    ? BigInt(context.source)
    : value

/**
 * Parses JSON; integers beyond 2^53 arrive as `bigint`. Throws what `JSON.parse` throws (and a `RangeError` on nesting
 * deeper than the stack).
 *
 * The reviver that sees the source text is several times slower than a plain parse, so it runs only when the plain parse
 * has rounded something.
 *
 * @since 0.1.0
 */
export const parse = (text: string): unknown => {
  const value: unknown = JSON.parse(text)
  return hasRounded(value) ? JSON.parse(text, exactly) : value
}

const stringifyMember = (value: unknown): string => {
  if (typeof value === "bigint") return value.toString()
  if (Array.isArray(value)) return `[${value.map(stringifyMember).join(",")}]`
  if (typeof value !== "object" || value === null) return JSON.stringify(value) ?? "null"
  const members = Object.entries(value).filter(([, member]) => member !== undefined)
  return `{${members.map(([key, member]) => `${JSON.stringify(key)}:${stringifyMember(member)}`).join(",")}}`
}

/**
 * Prints plain data as JSON; a `bigint` is printed as a number, digit by digit.
 *
 * @since 0.1.0
 */
export const stringify = stringifyMember

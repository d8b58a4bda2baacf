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
 * @category schemas
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
 * @category schemas
 * @since 0.1.0
 */
export type WireInteger = typeof WireInteger.Type

/**
 * How deep objects and arrays may be nested: far more than any request or answer is. Whatever walks through them by
 * recursion has room for it on any stack, so that it never depends on what is left of one.
 *
 * @category constants
 * @since 0.1.0
 */
export const deepest = 500

const goDeeper = (depth: number): number => {
  if (depth >= deepest) throw new RangeError(`nested more than ${deepest} deep`)
  return depth + 1
}

const isRounded = (value: number): boolean => !Number.isSafeInteger(value) && Number.isInteger(value)

type Members = Record<PropertyKey, unknown>

const isMembers = (value: unknown): value is Members => typeof value === "object" && value !== null

/**
 * Whether a value that `JSON.parse` gave holds an integer that was rounded, or a number of that size. Throws a
 * `RangeError` on nesting deeper than {@link deepest}.
 *
 * @example
 * ```ts
 * import { WireJson } from "@effect-zim/protocol"
 *
 * WireJson.hasRounded(JSON.parse('{"Next":971503777289036701}')) // true
 * WireJson.hasRounded(JSON.parse('{"Next":12}')) // false
 * ```
 *
 * @category guards
 * @since 0.1.0
 */
export const hasRounded = (value: unknown): boolean => hasRoundedAt(value, 0)

const hasRoundedAt = (value: unknown, depth: number): boolean =>
  typeof value === "object" ? hasRoundedMember(value, depth) : typeof value === "number" && isRounded(value)

const hasRoundedMember = (value: object | null, depth: number): boolean => {
  if (Array.isArray(value)) {
    const below = goDeeper(depth)
    for (const member of value) {
      if (hasRoundedAt(member, below)) return true
    }
  } else if (isMembers(value)) {
    const below = goDeeper(depth)
    for (const key in value) {
      if (hasRoundedAt(value[key], below)) return true
    }
  }
  return false
}

// An integer that `JSON.parse` may round, or something like it inside of a string.
const longInteger = /(^|[\s:,[])(-?[0-9]{16,})/g

/** Puts the rounded integers of a value right: `quoted` is the same value with every long integer as a string. */
const restore = (value: Members, quoted: Members, depth: number): void => {
  const below = goDeeper(depth)
  for (const key of Object.keys(value)) {
    const member = value[key]
    const source = quoted[key]
    if (typeof member === "number") {
      if (isRounded(member) && typeof source === "string") value[key] = BigInt(source)
    } else if (isMembers(member) && isMembers(source)) {
      restore(member, source, below)
    }
  }
}

// The third argument is newer than TypeScript's library: it carries the source text of primitive values.
const exactly = (_key: string, value: unknown, context?: { readonly source?: string }): unknown =>
  typeof value === "number" && isRounded(value) && context?.source !== undefined && /^-?[0-9]+$/.test(context.source)
    ? BigInt(context.source)
    : value

/** Parses a text again whose value holds rounded integers. */
const parseExactly = (text: string, rounded: unknown): unknown => {
  const root = { value: rounded }
  let quoted: unknown
  try {
    quoted = JSON.parse(text.replaceAll(longInteger, '$1"$2"'))
  } catch {
    // One was inside of a string, which ended at the new quote, or had a fraction: either way the rest is no JSON. A
    // reviver sees the text of each number, but takes several times longer.
    const value: unknown = JSON.parse(text, exactly)
    // Only for the depth: where the first look ended at a rounded integer, it has not seen all.
    hasRounded(value)
    return value
  }
  restore(root, { value: quoted }, -1)
  return root.value
}

/**
 * Parses JSON; integers beyond 2^53 arrive as `bigint`. Throws what `JSON.parse` throws, and a `RangeError` on nesting
 * deeper than {@link deepest}.
 *
 * A second look at the source text costs more than a plain parse, so it is taken only when the plain parse has rounded
 * something.
 *
 * @example
 * ```ts
 * import { WireJson } from "@effect-zim/protocol"
 *
 * WireJson.parse('{"Next":971503777289036701,"TotalCount":3}') // { Next: 971503777289036701n, TotalCount: 3 }
 * ```
 *
 * @category converting
 * @since 0.1.0
 */
export const parse = (text: string): unknown => parseKnown(text, () => false)

/**
 * The same for whoever knows what to expect, and so finds out faster that nothing was rounded: `isExact` is true only of
 * a value in which {@link hasRounded} finds nothing.
 *
 * @example
 * ```ts
 * import { WireJson } from "@effect-zim/protocol"
 * import { Predicate } from "effect"
 *
 * const isAck = (value: unknown): boolean =>
 *   Predicate.hasProperty(value, "Code") && value.Code === 0 && Object.keys(value).length === 1
 *
 * WireJson.parseKnown('{"Code":0}', isAck) // { Code: 0 }
 * ```
 *
 * @category converting
 * @since 0.1.0
 */
export const parseKnown = (text: string, isExact: (value: unknown) => boolean): unknown => {
  const value: unknown = JSON.parse(text)
  return isExact(value) || !hasRounded(value) ? value : parseExactly(text, value)
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
 * @example
 * ```ts
 * import { WireJson } from "@effect-zim/protocol"
 *
 * WireJson.stringify({ Next: 971503777289036701n }) // {"Next":971503777289036701}
 * ```
 *
 * @category converting
 * @since 0.1.0
 */
export const stringify = stringifyMember

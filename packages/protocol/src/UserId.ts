/**
 * The id of a ZIM user.
 *
 * @since 0.1.0
 */
import * as Schema from "effect/Schema"

/** The longest user id, in characters (the alphabet is ASCII, so in bytes too). */
const maximumLength = 32

const alphabet = String.raw`[0-9A-Za-z!#$%&()+\-:;<=.>?@[\]^_ {}|~]`
const legalCharacter = new RegExp(`^${alphabet}$`)
const legal = new RegExp(`^${alphabet}{1,${maximumLength}}$`)

const describeCharacter = (character: string): string => {
  const codePoint = (character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, "0")
  return /^[\p{C}\p{Z}]$/u.test(character) ? `U+${codePoint}` : `${JSON.stringify(character)} (U+${codePoint})`
}

/** What is wrong with a user id, or `undefined`. */
const problem = (id: string): string | undefined => {
  if (id.length === 0) return "a user id has at least one character"
  let position = 0
  for (const character of id) {
    position++
    if (!legalCharacter.test(character)) {
      return (
        `a user id cannot contain ${describeCharacter(character)}, found at position ${position}; ` +
        "legal are digits, English letters, space and ! # $ % & ( ) + - : ; < = . > ? @ [ ] ^ _ { } | ~"
      )
    }
  }
  return id.length > maximumLength
    ? `a user id has at most ${maximumLength} characters, this one has ${id.length}`
    : undefined
}

/**
 * A user id: 1 to 32 characters, of digits, English letters, space and
 * `! # $ % & ( ) + - : ; < = . > ? @ [ ] ^ _ { } | ~`. The error names the first illegal character and its position,
 * counted from 1.
 *
 * Source: contract, section 1, `FromUserId`.
 *
 * @example
 * ```ts
 * import { UserId } from "@effect-zim/protocol"
 * import { Schema } from "effect"
 *
 * const decode = Schema.decodeUnknownEffect(UserId.UserId)
 * const user = decode("user-42")
 * ```
 *
 * @category schemas
 * @since 0.1.0
 */
export const UserId = Schema.String.check(Schema.makeFilter(problem)).pipe(Schema.brand("@effect-zim/protocol/UserId"))

/**
 * A string that has been checked.
 *
 * @category schemas
 * @since 0.1.0
 */
export type UserId = typeof UserId.Type

/**
 * Whether a value is a user id. By hand, since every call asks: many times faster than `Schema.is`, whose answer it gives.
 *
 * @example
 * ```ts
 * import { UserId } from "@effect-zim/protocol"
 *
 * UserId.is("user-42") // true
 * UserId.is("it's") // false
 * ```
 *
 * @category guards
 * @since 0.1.0
 */
export const is = (id: unknown): id is UserId => typeof id === "string" && legal.test(id)

/**
 * Makes a `UserId`. Throws a `SchemaError` on an illegal id: decode with the {@link UserId} schema instead where the id
 * comes from outside.
 *
 * @example
 * ```ts
 * import { UserId } from "@effect-zim/protocol"
 *
 * const userId = UserId.make("user-42")
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const make: (id: string) => UserId = Schema.decodeSync(UserId)

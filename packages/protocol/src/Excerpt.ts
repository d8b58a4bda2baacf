/**
 * A piece of a text that may be large.
 *
 * What `slice` gives of a string refers to all of it, as long as the piece is kept: a line of an error may hold an answer of
 * megabytes.
 *
 * @since 0.1.0
 */

/**
 * The beginning of a text, at most so many UTF-16 units, that keeps nothing of the rest in memory.
 *
 * @example
 * ```ts
 * import { Excerpt } from "@effect-zim/protocol"
 *
 * console.log(Excerpt.of("a long text", 6)) // a long
 * ```
 *
 * @category converting
 * @since 0.1.0
 */
export const of = (text: string, length: number): string =>
  text.length <= length ? text : structuredClone(text.slice(0, length))

/** Text with escapes as JSON has them, where a file or a database cannot hold it. */

/**
 * What neither UTF-8 nor every SQLite can hold: halves of characters and U+0000. And a backslash in front of what looks
 * like one of these escapes: without it two texts would become one.
 */
const unsafe = /[\p{Surrogate}\0]|\\(?=u(?:0000|005c|d[89a-f][0-9a-f]{2}))/gu

/**
 * A text that any file and database can hold, another one for each text: as it is, or with escapes as JSON has them.
 *
 * @internal
 */
export const escape = (text: string): string =>
  text.replaceAll(unsafe, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`)

/**
 * The text that was escaped.
 *
 * @internal
 */
export const unescape = (text: string): string =>
  text.replaceAll(/\\u(0000|005c|d[89a-f][0-9a-f]{2})/g, (_, digits: string) =>
    String.fromCharCode(Number.parseInt(digits, 16))
  )

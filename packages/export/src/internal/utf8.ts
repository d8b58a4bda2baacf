/** Text in UTF-8, and names for what is none. */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"

/**
 * What was to be lines of a text is none: it is in another encoding than UTF-8, compressed, a database. `problem` says what
 * it looks like, or the first line that cannot be read.
 *
 * @category errors
 * @since 0.1.0
 */
export class NotUtf8 extends Schema.TaggedError<NotUtf8>("@effect-zim/export/NotUtf8")("NotUtf8", {
  problem: Schema.String
}) {
  override get message(): string {
    return this.problem
  }
}

/** What begins with these bytes, a character each. */
const signatures: ReadonlyArray<readonly [bytes: string, is: string]> = [
  ["SQLite format 3\0", "it is a SQLite database"],
  ["PK\x03\x04", "it is a ZIP archive or a spreadsheet, not a text"],
  ["\x1f\x8b", "it is compressed with gzip"],
  ["BZh", "it is compressed with bzip2"],
  ["\xfd7zXZ\0", "it is compressed with xz"],
  ["\x28\xb5\x2f\xfd", "it is compressed with zstd"],
  ["PAR1", "it is a Parquet file"],
  ["%PDF", "it is a PDF file"],
  ["\xd0\xcf\x11\xe0", "it is an Excel file"]
]

/** The mark at the beginning, or where ASCII has its zeros, in other encodings. */
const encodings: ReadonlyArray<readonly [beginning: RegExp, name: string]> = [
  [/^(\xff\xfe|[^\0]\0)\0\0/, "UTF-32 (little-endian)"],
  [/^\0\0(\xfe\xff|\0[^\0])/, "UTF-32 (big-endian)"],
  [/^(\xff\xfe|[^\0]\0([^\0]\0|$))/, "UTF-16 (little-endian)"],
  [/^(\xfe\xff|\0[^\0](\0[^\0]|$))/, "UTF-16 (big-endian)"]
]

const lineFeed = 0x0a

/** So many first bytes tell what it is. */
const headLength = 16

const nameOf = (head: string): string | undefined => {
  const signature = signatures.find(([bytes]) => head.startsWith(bytes))
  const encoding = encodings.find(([beginning]) => beginning.test(head))
  return signature?.[1] ?? (encoding && `it is in ${encoding[1]}, not in UTF-8`)
}

/** Decodes piece by piece, and says what is no text: where it begins says best what it is. */
class Decoder {
  readonly #decoder = new TextDecoder("utf-8", { fatal: true })
  #head = ""
  #line = 1
  #trouble: string | undefined

  /** Nothing is the end. */
  decode(bytes: Uint8Array | undefined): Effect.Effect<string, NotUtf8> {
    if (bytes !== undefined) this.#head += String.fromCharCode(...bytes.subarray(0, headLength - this.#head.length))
    const text = this.#trouble === undefined ? this.#textOf(bytes) : ""
    if (this.#trouble === undefined) return Effect.succeed(text)
    // There may be more to tell it by.
    if (bytes !== undefined && this.#head.length < headLength) return Effect.succeed("")
    return Effect.fail(new NotUtf8({ problem: nameOf(this.#head) ?? this.#trouble }))
  }

  /** Line by line, to tell by its number the first that is none. */
  #textOf(bytes: Uint8Array | undefined): string {
    let text = ""
    try {
      if (bytes === undefined) return this.#decoder.decode()
      for (let from = 0, to = 0; from < bytes.length; from = to) {
        const end = bytes.indexOf(lineFeed, from)
        to = end < 0 ? bytes.length : end + 1
        const line = this.#decoder.decode(bytes.subarray(from, to), { stream: true })
        if (line.includes("\0")) {
          this.#trouble = `line ${this.#line} has a NUL character: it is no text`
          return text
        }
        text += line
        if (end >= 0) this.#line++
      }
    } catch {
      this.#trouble = `line ${this.#line} is not in UTF-8`
    }
    return text
  }
}

/** The text of bytes; a mark at the beginning is skipped. Fails where there is no text in UTF-8, or a NUL character. */
export const decode = <E, R>(bytes: Stream.Stream<Uint8Array, E, R>): Stream.Stream<string, E | NotUtf8, R> =>
  Stream.suspend(() => {
    const decoder = new Decoder()
    return bytes.pipe(
      Stream.concat(Stream.make(undefined)),
      Stream.mapEffect((piece) => decoder.decode(piece))
    )
  })

/** A file that is appended to from a mark on: what is behind the mark is cut off. */
import * as Effect from "effect/Effect"
import type * as FileSystem from "effect/FileSystem"
import type * as PlatformError from "effect/PlatformError"
import * as Schema from "effect/Schema"
import * as Hash from "../textHash.ts"
import { idOf } from "./fileInspector.ts"

/** How much of a file counts, and a hash of its last bytes, by which a change is noticed. */
export const Mark = Schema.Struct({
  length: Schema.Int.check(Schema.isGreaterThanOrEqualTo(0)),
  tail: Schema.String
})

export type Mark = typeof Mark.Type

/** How many last bytes the hash is of. */
const tailLength = 4096

const decoder = new TextDecoder("latin1")

const markOf = (length: number, tail: Uint8Array): Mark => ({
  length,
  tail: Hash.format(Hash.add(Hash.zero, decoder.decode(tail)))
})

export const emptyMark: Mark = markOf(0, new Uint8Array())

export interface AppendFile extends Effect.Success<ReturnType<typeof make>> {}

const tailOf = (file: FileSystem.File, length: number) =>
  Effect.gen(function* () {
    const tail = new Uint8Array(Math.min(length, tailLength))
    let filled = 0
    while (filled < tail.length) {
      const position = BigInt(length - tail.length + filled)
      const count = yield* file.read(tail.subarray(filled), { position })
      if (count === 0) break
      filled += count
    }
    return tail.subarray(0, filled)
  })

/** Whether the file is as it was when the mark was made, up to the mark. */
export const matches = (file: FileSystem.File, mark: Mark): Effect.Effect<boolean, PlatformError.PlatformError> =>
  Effect.map(tailOf(file, mark.length), (tail) => markOf(mark.length, tail).tail === mark.tail)

/** The file must be open for appending: what somebody has cut off is not filled with zeros then, but missed. */
export const make = Effect.fnUntraced(function* (file: FileSystem.File, mark: Mark) {
  let tail = yield* tailOf(file, mark.length)
  let length = mark.length
  yield* file.truncate(length)
  const now = () => markOf(length, tail)
  return {
    mark: now,
    /** Of the file itself, whatever its name. */
    id: idOf(yield* file.stat),
    /** Whether its last bytes are those that were written. */
    isIntact: Effect.suspend(() => matches(file, now())),
    /** Returns when the text is on the disk. Wherever the file ends by then, that is where it goes. */
    append: Effect.fnUntraced(function* (text: string) {
      const bytes = new TextEncoder().encode(text)
      yield* file.writeAll(bytes)
      yield* file.sync
      length += bytes.length
      tail =
        bytes.length >= tailLength
          ? bytes.slice(-tailLength)
          : new Uint8Array([...tail.subarray(Math.max(0, tail.length + bytes.length - tailLength)), ...bytes])
    })
  }
})

/**
 * The users to export, one id on each line of a text.
 *
 * A line ends with LF or CRLF; a byte-order mark at the beginning is skipped. Nothing else is trimmed: a space is a legal
 * character of a user id. What is wrong with a line is for {@link check} to say: a list goes on after it. What is no text in
 * UTF-8 is refused as a whole, by name: UTF-16, which Windows PowerShell writes, another encoding, a compressed file.
 *
 * @since 0.1.0
 */
import { UserId } from "@effect-zim/protocol"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import { meaningOf } from "./internal/failureReasons.ts"
import { decode, type NotUtf8 } from "./internal/utf8.ts"

export { NotUtf8 } from "./internal/utf8.ts"

/**
 * Why the users cannot be read, or not all of them:
 *
 * - `Unreadable`: the file is not there, or no longer, or the system refuses it.
 * - `NotUtf8`: it is no text in UTF-8.
 * - `Changed`: it was written to while it was read. What has been taken of it may be no beginning of what it is now.
 *
 * @category errors
 * @since 0.1.0
 */
export const UnreadableReason = Schema.TaggedUnion({
  Unreadable: {},
  NotUtf8: {},
  Changed: {}
})

/**
 * One of the reasons.
 *
 * @category errors
 * @since 0.1.0
 */
export type UnreadableReason = typeof UnreadableReason.Type

/**
 * The users cannot be read, or not all of them: `reason` says why.
 *
 * @category errors
 * @since 0.1.0
 */
export class UserListUnreadable extends Schema.TaggedError<UserListUnreadable>("@effect-zim/export/UserListUnreadable")(
  "UserListUnreadable",
  {
    path: Schema.String,
    reason: UnreadableReason,
    problem: Schema.String
  }
) {
  override get message(): string {
    return `cannot read the users file ${this.path}: ${this.problem}`
  }
}

/**
 * What is wrong with a line.
 *
 * @category models
 * @since 0.1.0
 */
export interface Problem {
  readonly error: "BlankLine" | "UserIdInvalid"
  readonly message: string
}

/** A longer line is no user id, and the rest of it is skipped: a file without line ends must not fill the memory. */
const longestLine = 1024

const lineOf = (text: string): string => (text.endsWith("\r") ? text.slice(0, -1) : text).slice(0, longestLine)

/** Nothing is the end: the rest is a line, too. */
const split = (rest: string, text: string | undefined): readonly [rest: string, lines: ReadonlyArray<string>] => {
  if (text === undefined) return ["", rest === "" ? [] : [lineOf(rest)]]
  const parts = (rest + text).split("\n")
  const last = parts.pop() ?? ""
  // One character more than a line may have, so that it stays too long whatever comes.
  return [last.length > longestLine ? last.slice(0, longestLine + 1) : last, parts.map(lineOf)]
}

/**
 * The lines of a text in UTF-8, in constant memory. The number of a line is its place in the stream. Fails with
 * {@link NotUtf8} where it is none.
 *
 * @example
 * ```ts
 * import { UserList } from "@effect-zim/export"
 * import { Stream } from "effect"
 *
 * const users = UserList.lines(Stream.make(new TextEncoder().encode("ada\r\ngrace\n"))) // "ada", "grace"
 * ```
 *
 * @category converting
 * @since 0.1.0
 */
export const lines = <E, R>(bytes: Stream.Stream<Uint8Array, E, R>): Stream.Stream<string, E | NotUtf8, R> =>
  decode(bytes).pipe(
    // Not `onHalt`, which takes a failure for an end: half a line may be an id.
    Stream.concat(Stream.make(undefined)),
    Stream.mapAccum(() => "", split)
  )

/** How much is read at a time. */
const pieceLength = 64 * 1024

/** The bytes of a file, which must stay as it is until they have been taken. */
const bytesOf = (path: string): Stream.Stream<Uint8Array, UserListUnreadable, FileSystem.FileSystem> => {
  const because = (reason: UnreadableReason["_tag"], problem: string) =>
    new UserListUnreadable({ path, reason: { _tag: reason }, problem })
  const read = Effect.gen(function* () {
    const fs = yield* FileSystem.FileSystem
    const { type } = yield* fs.stat(path)
    if (type === "Directory") return yield* because("Unreadable", "it is a folder")
    // An export reads its users twice: to count them, and to go through them.
    if (type === "FIFO") return yield* because("Unreadable", "it is a pipe, which can be read only once")
    // Another file may get the name meanwhile: what is open stays what it is.
    const file = yield* fs.open(path)
    const before = yield* file.stat
    let taken = 0
    const pieces = Stream.paginate(undefined, () =>
      Effect.map(file.readAlloc(pieceLength), (piece) => {
        taken += Option.match(piece, { onNone: () => 0, onSome: ({ length }) => length })
        return [Option.toArray(piece), Option.as(piece, undefined)] as const
      })
    )
    // Before its last line is, which may have been half a one.
    const end = Effect.gen(function* () {
      const after = yield* file.stat
      const isSame =
        Number(after.size) === taken &&
        Option.getOrUndefined(after.mtime)?.getTime() === Option.getOrUndefined(before.mtime)?.getTime()
      if (isSame || type !== "File") return
      const lengths = `${taken} bytes were taken, it has ${after.size} now`
      return yield* because("Changed", `it was written to while it was read: ${lengths}`)
    })
    return Stream.concat(pieces, Stream.fromEffectDrain(end))
  })
  return Stream.mapError(Stream.unwrap(read), (error) =>
    error._tag === "PlatformError" ? because("Unreadable", meaningOf(error).problem) : error
  )
}

/**
 * The lines of a file. Fails with {@link UserListUnreadable}, also where the file can no longer be read half-way, or was
 * written to before its end was reached: an export that ends so can be gone on from, as long as lines were only added.
 *
 * @example
 * ```ts
 * import { UserList } from "@effect-zim/export"
 *
 * const users = UserList.file("users.txt")
 * ```
 *
 * @category running
 * @since 0.1.0
 */
export const file = (path: string): Stream.Stream<string, UserListUnreadable, FileSystem.FileSystem> =>
  Stream.catchTag(lines(bytesOf(path)), "NotUtf8", ({ problem }) =>
    Stream.fail(new UserListUnreadable({ path, reason: { _tag: "NotUtf8" }, problem }))
  )

/**
 * How many lines a file has, to tell how much is left. Reads the file once.
 *
 * @example
 * ```ts
 * import { UserList } from "@effect-zim/export"
 *
 * const lines = UserList.count("users.txt")
 * ```
 *
 * @category running
 * @since 0.1.0
 */
export const count = (path: string): Effect.Effect<number, UserListUnreadable, FileSystem.FileSystem> =>
  Stream.runCount(file(path))

const decodeUserId = Schema.decodeUnknownResult(UserId.UserId)

/**
 * What is wrong with a line, if anything.
 *
 * @example
 * ```ts
 * import { UserList } from "@effect-zim/export"
 *
 * UserList.check("user/42") // Some({ error: "UserIdInvalid", message: "a user id cannot contain \"/\" ..." })
 * ```
 *
 * @category guards
 * @since 0.1.0
 */
export const check = (line: string): Option.Option<Problem> =>
  line === ""
    ? Option.some({ error: "BlankLine", message: "the line is blank" })
    : Option.map(Result.getFailure(decodeUserId(line)), ({ message }) => ({ error: "UserIdInvalid", message }))

/**
 * The users to export, one id on each line of a text.
 *
 * A line ends with LF or CRLF; a byte-order mark at the beginning is skipped. Nothing else is trimmed: a space is a legal
 * character of a user id. What is wrong with a line is for {@link check} to say: a list goes on after it.
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
import { problemOf } from "./internal/platform.ts"

/**
 * The file cannot be read: it is not there, or no longer, or the system refuses it.
 *
 * @since 0.1.0
 */
export class UserListUnreadable extends Schema.TaggedError<UserListUnreadable>()("UserListUnreadable", {
  path: Schema.String,
  problem: Schema.String
}) {
  override get message(): string {
    return `cannot read the users file ${this.path}: ${this.problem}`
  }
}

/**
 * What is wrong with a line.
 *
 * @since 0.1.0
 */
export interface Problem {
  readonly error: "BlankLine" | "UserIdInvalid"
  readonly message: string
}

/** A longer line is no user id, and the rest of it is skipped: a file without line ends must not fill the memory. */
const longestLine = 1024

const lineOf = (text: string): string => (text.endsWith("\r") ? text.slice(0, -1) : text).slice(0, longestLine)

const split = (rest: string, text: string): readonly [rest: string, lines: ReadonlyArray<string>] => {
  const parts = (rest + text).split("\n")
  const last = parts.pop() ?? ""
  // One character more than a line may have, so that it stays too long whatever comes.
  return [last.length > longestLine ? last.slice(0, longestLine + 1) : last, parts.map(lineOf)]
}

/**
 * The lines of a text in UTF-8, in constant memory. The number of a line is its place in the stream.
 *
 * @example
 * ```ts
 * import { UserList } from "@effect-zim/export"
 * import { Stream } from "effect"
 *
 * const users = UserList.lines(Stream.make(new TextEncoder().encode("ada\r\ngrace\n"))) // "ada", "grace"
 * ```
 *
 * @since 0.1.0
 */
export const lines = <E, R>(bytes: Stream.Stream<Uint8Array, E, R>): Stream.Stream<string, E, R> =>
  bytes.pipe(
    // It skips the mark.
    Stream.decodeText,
    Stream.mapAccum(() => "", split, { onHalt: (rest) => (rest === "" ? [] : [lineOf(rest)]) })
  )

const unreadable = (path: string) =>
  Effect.mapError(
    (error: Parameters<typeof problemOf>[0]) => new UserListUnreadable({ path, problem: problemOf(error) })
  )

const bytesOf = (path: string): Stream.Stream<Uint8Array, UserListUnreadable, FileSystem.FileSystem> =>
  Stream.unwrap(
    Effect.gen(function* () {
      const fs = yield* FileSystem.FileSystem
      const { type } = yield* unreadable(path)(fs.stat(path))
      if (type === "Directory") return yield* new UserListUnreadable({ path, problem: "it is a folder" })
      // An export reads its users twice: to count them, and to go through them.
      if (type === "FIFO") {
        return yield* new UserListUnreadable({ path, problem: "it is a pipe, which can be read only once" })
      }
      return Stream.mapError(fs.stream(path), (error) => new UserListUnreadable({ path, problem: problemOf(error) }))
    })
  )

/**
 * The lines of a file. Fails with {@link UserListUnreadable}, also where the file can no longer be read half-way.
 *
 * @example
 * ```ts
 * import { UserList } from "@effect-zim/export"
 *
 * const users = UserList.file("users.txt")
 * ```
 *
 * @since 0.1.0
 */
export const file = (path: string): Stream.Stream<string, UserListUnreadable, FileSystem.FileSystem> =>
  lines(bytesOf(path))

/**
 * How many lines a file has, to tell how much is left. Reads the file once.
 *
 * @since 0.1.0
 */
export const count = (path: string): Effect.Effect<number, UserListUnreadable, FileSystem.FileSystem> =>
  Stream.runFold(
    file(path),
    () => 0,
    (count) => count + 1
  )

const isUserId = Schema.is(UserId.UserId)
const decode = Schema.decodeUnknownResult(UserId.UserId)

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
 * @since 0.1.0
 */
export const check = (line: string): Option.Option<Problem> => {
  if (isUserId(line)) return Option.none()
  if (line === "") return Option.some({ error: "BlankLine", message: "the line is blank" })
  const result = decode(line)
  return Option.some({
    error: "UserIdInvalid",
    message: Result.isFailure(result) ? result.failure.message : "not a user id"
  })
}

/** The users of an export, as `--users` gives them: a file, or standard input. */
import { UserList } from "@effect-zim/export"
import type * as FileSystem from "effect/FileSystem"
import * as Stdio from "effect/Stdio"
import * as Stream from "effect/Stream"

/** What stands for standard input. */
export const standardStream = "-"

/** Its lines. */
export const usersOf = (
  file: string
): Stream.Stream<string, UserList.UserListUnreadable, FileSystem.FileSystem | Stdio.Stdio> => {
  if (file !== standardStream) return UserList.file(file)
  return Stream.unwrap(
    Stdio.Stdio.useSync(({ stdin }) =>
      Stream.mapError(
        UserList.lines(stdin),
        (error) =>
          new UserList.UserListUnreadable({
            path: "standard input",
            reason: { _tag: error._tag === "NotUtf8" ? "NotUtf8" : "Unreadable" },
            problem: error.message
          })
      )
    )
  )
}

/** What went wrong with a file, in a few words. */
import type * as PlatformError from "effect/PlatformError"
import * as Predicate from "effect/Predicate"

const meanings: Readonly<Record<string, string>> = {
  EACCES: "permission denied",
  EPERM: "permission denied",
  EROFS: "the file system is read-only",
  ENOENT: "no such file or folder",
  ENOTDIR: "a part of the path is no folder",
  EISDIR: "it is a folder",
  ENOSPC: "no space left on the device",
  EDQUOT: "the disk quota is used up",
  EFBIG: "the file would be larger than the system allows",
  EIO: "the device failed",
  EMFILE: "too many open files",
  EEXIST: "it exists already"
}

/** The system's name of an error, for example `ENOSPC`. */
export const codeOf = (error: unknown): string | undefined =>
  Predicate.hasProperty(error, "code") && typeof error.code === "string" ? error.code : undefined

/** The same in words, where it is known. */
export const meaningOf = (code: string | undefined): string | undefined =>
  code === undefined ? undefined : (meanings[code] ?? code)

export const problemOf = (error: PlatformError.PlatformError): string => {
  const { reason } = error
  const known = "cause" in reason ? meaningOf(codeOf(reason.cause)) : undefined
  return known ?? (reason._tag === "NotFound" ? "no such file or folder" : reason.message)
}

/** Why a file cannot be read, in a few words. */
import type * as PlatformError from "effect/PlatformError"
import * as Predicate from "effect/Predicate"

export const whyUnreadable = ({ reason }: PlatformError.PlatformError): string => {
  switch (reason._tag) {
    case "NotFound":
      return "there is no such file"
    case "PermissionDenied":
      return "permission denied"
    default:
      return Predicate.hasProperty(reason.cause, "code") && reason.cause.code === "EISDIR"
        ? "it is a folder"
        : "it is not a readable file"
  }
}

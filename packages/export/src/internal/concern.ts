/** Whose trouble an error is: one user's, or everybody's. */
import type { Conversations } from "@effect-zim/client"

/**
 * - `User`: the service has answered, and it is about this user.
 * - `Everybody`: every other call fails in the same way.
 * - `Unknown`: what else fails tells.
 */
export type Concern = "User" | "Everybody" | "Unknown"

/** Of the codes for a wrong request those that tell of the user id. */
const aboutTheUser: ReadonlySet<number> = new Set([2, 660000012])

export const of = (error: Conversations.ListError): Concern => {
  switch (error._tag) {
    case "UserNotRegistered":
      return "User"
    case "AuthenticationFailed":
    case "SignatureExpired":
    case "NotPermitted":
    case "ClientClosed":
    // The ids have been checked: it is the page size.
    case "RequestInvalid":
      return "Everybody"
    case "BadRequest":
      return aboutTheUser.has(error.code) ? "Unknown" : "Everybody"
    default:
      return "Unknown"
  }
}

/** Whose trouble an error is: one user's, or everybody's. */
import { type Conversations, RetryPolicy } from "@effect-zim/client"

/**
 * - `User`: the list of this user cannot be read.
 * - `Everybody`: every other call fails in the same way.
 * - `Service`: the service does not answer as it should; the next call may fare better.
 */
export type Concern = "User" | "Everybody" | "Service"

/** Of the codes for a wrong request those that tell of the user id. */
const aboutTheUser: ReadonlySet<number> = new Set([2, 660000012])

export const of = (error: Conversations.ListError): Concern => {
  switch (error._tag) {
    case "AuthenticationFailed":
    case "SignatureExpired":
    case "NotPermitted":
    // The ids have been checked: it is the page size.
    case "RequestInvalid":
      return "Everybody"
    case "BadRequest":
      return aboutTheUser.has(error.code) ? "User" : "Everybody"
    case "DeadlineExceeded":
    case "QueryFailed":
    case "ResponseUnreadable":
    case "ServiceFailed":
      return "Service"
    case "PagingLoop":
      return "User"
    default:
      return RetryPolicy.kindOf(error) === undefined ? "User" : "Service"
  }
}

/** So many failures of the service, one after the other and without a success between them, concern everybody. */
const longestStreak = 20

/**
 * Watches how the service fares. A failure is everybody's if it is the last of a long streak; if nobody has been answered
 * for half the time that the call took, it may be.
 */
export class Watch {
  #answeredAt: number
  #streak = 0

  /** Times are in milliseconds. */
  constructor(now: number) {
    this.#answeredAt = now
  }

  /** The service answered as it should. */
  answered(now: number): void {
    this.#answeredAt = now
    this.#streak = 0
  }

  /** Whose trouble it is; undecided where nobody has been heard of. `startedAt` is when the user's turn came. */
  failed(error: Conversations.ListError, startedAt: number, now: number): "User" | "Everybody" | "Undecided" {
    const concern = of(error)
    if (concern === "User") {
      if (error._tag === "UserNotRegistered") this.answered(now)
      return concern
    }
    if (concern === "Everybody" || ++this.#streak >= longestStreak) return "Everybody"
    const took = now - startedAt
    return took >= shortestOutage && now - this.#answeredAt > took / 2 ? "Undecided" : "User"
  }
}

/** Shorter than this, silence says nothing. */
const shortestOutage = 60_000

/** How far this machine's clock is from the service's, by the date of an answer. */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import { time } from "../quantities.ts"
import { type Look, ok, skipped, warning } from "./checklist.ts"
import type { Answer } from "./signedCall.ts"

/** Below this it is the grain of `Date`. */
const unnoticed = Duration.toMillis("5 seconds")
const worrying = Duration.toMillis("2 minutes")
/** What the service accepts. */
const accepted = Duration.toMillis("10 minutes")

export const lookAtClock = ({ client: { sample } }: Answer): Look => {
  const date = Date.parse(sample?.date ?? "")
  if (sample === undefined || Number.isNaN(date)) return Effect.succeed(skipped("not known: the answer has no Date"))
  if (sample.isCached) return Effect.succeed(skipped("not known: the answer comes out of a cache"))
  // Half a second more, on average: `Date` is cut to whole ones.
  const offset = date + 500 - (sample.sentAt + sample.receivedAt) / 2
  const size = Math.abs(offset)
  // What is accepted is evidence, and a date is not.
  if (sample.verdict === "Accepted" && Math.abs(offset - sample.signedOffset) > accepted) {
    const dated = `the answer is dated ${time(Duration.millis(size))} ${offset > 0 ? "ahead of" : "behind"} this machine's clock`
    const help =
      "Look for a proxy that writes a wrong Date: what the service accepts shows that this clock is not to blame."
    return Effect.succeed(warning(`${dated}, and the service accepts another time`, help))
  }
  if (size < unnoticed) return Effect.succeed(ok("within 5 seconds of the service's"))
  const found = `${time(Duration.millis(size))} ${offset > 0 ? "behind" : "ahead of"} the service's, which accepts 10 minutes`
  const advice = "Set this machine's clock, best by NTP"
  if (size >= accepted) {
    const meanwhile = `${advice}; until then requests are signed with the service's time.`
    return Effect.fail({ problem: found, advice: meanwhile, exit: "Authentication" })
  }
  return Effect.succeed(size > worrying ? warning(found, `${advice}.`) : ok(found))
}

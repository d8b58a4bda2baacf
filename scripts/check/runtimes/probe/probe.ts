/** Runs every check, one after the other. */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import type { Answers, Check, Checks, Given } from "./Check.ts"
import * as Client from "./client.ts"
import * as Packages from "./packages.ts"

/** In a line, and of a length for a table. */
const inALine = (text: string): string => (text.split("\n")[0] ?? "").slice(0, 200)

const answer = (check: Check, given: Given): Effect.Effect<string> =>
  Effect.suspend(() => check(given)).pipe(
    Effect.timeout("30 seconds"),
    Effect.matchCause({
      onSuccess: () => "",
      onFailure: (cause) => {
        const error = Cause.squash(cause)
        return inALine(error instanceof Error ? error.message : Cause.pretty(cause))
      }
    })
  )

/** At once: most of them wait. */
const all = (rows: Checks, given: Given): Promise<Answers> =>
  Effect.forEach(
    Object.entries(rows),
    ([row, check]) => Effect.map(answer(check, given), (answer) => [row, answer] as const),
    { concurrency: "unbounded" }
  ).pipe(Effect.map(Object.fromEntries<string>), Effect.runPromise)

/** What needs nothing but a network. What changes the clocks has them to itself. */
export const client = async (given: Given): Promise<Answers> => ({
  ...(await all(Client.checks, given)),
  ...(await all(Client.clockChecks, given))
})

/** What needs more of a system. */
export const packages = (given: Given): Promise<Answers> => all({ ...Client.settingsChecks, ...Packages.checks }, given)

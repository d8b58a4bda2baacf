/** The conformance suite: the cases in the order of the contract, and how one is run. */
import { Effect, Option } from "effect"
import type { Case } from "./Case.ts"
import * as Codes from "./codes.ts"
import * as Parameters from "./parameters.ts"
import * as Request from "./request.ts"
import * as Response from "./response.ts"
import { Target } from "./Target.ts"

export const cases: ReadonlyArray<Case> = [
  ...Request.request,
  ...Response.response,
  ...Response.list,
  ...Parameters.parameters,
  ...Parameters.signature,
  ...Codes.codes,
  ...Codes.limits
]

/** Runs a case. An emulator that it steered starts anew afterwards. */
export const run = ({ run }: Case) =>
  Effect.gen(function* () {
    const { emulator } = yield* Target
    return yield* Effect.ensuring(
      run,
      Option.match(emulator, { onNone: () => Effect.void, onSome: ({ reset }) => reset })
    )
  })

/** The request of a call, checked before anything is sent. */
import type { Operation } from "@effect-zim/protocol"
import * as Effect from "effect/Effect"
import { RequestInvalid } from "../ClientError.ts"

export const make = <Op extends Operation.Types>(
  operation: Operation.Operation<Op>,
  input: Op["Input"]
): Effect.Effect<Op["Request"], RequestInvalid> =>
  Effect.mapErrorEager(operation.make(input), (cause) => {
    // What is wrong and where, in one line: the message of an error is made for a log.
    const problem = cause.message.replaceAll(/\s*\n\s*/g, " ")
    return new RequestInvalid({ action: operation.action, problem, cause })
  })

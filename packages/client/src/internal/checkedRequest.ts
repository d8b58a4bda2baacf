/** The request of a call, checked before anything is sent. */
import type { Operation } from "@effect-zim/protocol"
import * as Effect from "effect/Effect"
import type * as Schema from "effect/Schema"
import { RequestInvalid } from "../ClientError.ts"

export const make = <Op extends Operation.Types>(
  operation: Operation.Operation<Op>,
  input: Op["Input"]
): Effect.Effect<Op["Request"], RequestInvalid> => {
  const invalid = (cause: Schema.SchemaError) => {
    // What is wrong and where, in one line: the message of an error is made for a log.
    const problem = cause.message.replaceAll(/\s*\n\s*/g, " ")
    return new RequestInvalid({ action: operation.action, problem, cause })
  }
  const { query } = operation
  const made =
    query === undefined
      ? operation.make(input)
      : Effect.tap(operation.make(input), (request) => Effect.fromResult(query(request)))
  return Effect.mapErrorEager(made, invalid)
}

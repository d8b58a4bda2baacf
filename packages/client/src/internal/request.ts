/** The request of a call, checked before anything is sent. */
import type { Operation } from "@effect-zim/protocol"
import * as Effect from "effect/Effect"
import { RequestInvalid } from "../ClientError.ts"

export const make = <Input, Request, Payload, Success, Failure>(
  operation: Operation.Operation<Input, Request, Payload, Success, Failure>,
  input: Input
): Effect.Effect<Request, RequestInvalid> =>
  Effect.mapErrorEager(operation.make(input), (cause) => {
    // What is wrong and where, in one line: the message of an error is made for a log.
    const problem = cause.message.replaceAll(/\s*\n\s*/g, " ")
    return new RequestInvalid({ action: operation.action, problem, cause })
  })

/** Calls that are answered by functions: for unit tests, which need no service. */
import type { Operation, QueryConversationList } from "@effect-zim/protocol"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { CallError } from "../ClientError.ts"
import * as SignedRequest from "./signedRequest.ts"

/**
 * Answers the calls of an operation, with a value or one of its errors. The request has been checked, and has its
 * defaults.
 *
 * @since 0.1.0
 */
export interface Handler<Op extends Operation.Types> {
  (request: Op["Request"]): Effect.Effect<Op["Success"], CallError<Op["Failure"]>>
}

/** A method's parameter may be narrower than what it is given: the handlers of all operations stand in one record. */
interface AnyHandler {
  answer(request: unknown): Effect.Effect<unknown, unknown>
}

/**
 * What answers the calls of a test, by the names of operations.
 *
 * @since 0.1.0
 */
export interface Handlers {
  readonly QueryConversationList?: Handler<QueryConversationList.Types>
  /** Of any other operation. What does not fit its schemas is a defect of the test. */
  readonly [action: string]: AnyHandler["answer"] | undefined
}

const defect = (action: string, problem: string) => Effect.die(new Error(`layerTest, ${action}: ${problem}`))

export const executeWith =
  (handlers: Handlers) =>
  <Op extends Operation.Types>(
    operation: Operation.Operation<Op>,
    input: Op["Input"]
  ): Effect.Effect<Op["Success"], CallError<Op["Failure"]>> => {
    const { action } = operation
    const handler = handlers[action]
    if (handler === undefined) return defect(action, "there is no handler for it")
    const isSuccess = Schema.is(operation.success)
    const isError = Schema.is(CallError(operation.errors))
    return Effect.flatMap(SignedRequest.check(operation, input), ({ request }) =>
      // @effect-diagnostics-next-line anyUnknownInErrorContext:off What it fails with is looked at below.
      Effect.matchEffect(handler(request), {
        onSuccess: (value) => {
          if (isSuccess(value)) return Effect.succeed(value)
          // Asked for with what it took.
          const detailed = { value, requestId: undefined, attempts: 1, elapsed: Duration.zero }
          return isSuccess(detailed) ? Effect.succeed(detailed) : defect(action, "the value is none of the operation")
        },
        onFailure: (error) =>
          isError(error) ? Effect.fail(error) : defect(action, `the error is none of the operation: ${String(error)}`)
      })
    )
  }

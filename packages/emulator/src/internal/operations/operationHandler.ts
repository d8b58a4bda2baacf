import type { Operation } from "@effect-zim/protocol"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as SchemaJITCompiler from "effect/schema/SchemaJITCompiler"
import type { DocumentationReading } from "../../DocumentationReading.ts"
import type { User } from "../../World.ts"
import type { Cursors } from "./cursors.ts"

/** What a body says of the call, as far as it can be read before it is checked. */
export interface RequestSummary {
  readonly userId: string | undefined
  readonly limit: number | undefined
  readonly cursor: string | undefined
}

/** What a handler works on. */
export interface HandlerContext {
  readonly appId: number
  readonly reading: DocumentationReading
  readonly cursors: Cursors
  readonly users: ReadonlyMap<string, User>
  /** How many entries a page starts too late; too early, where it is negative. */
  readonly shift: number
  readonly largeCursors: boolean
}

/** A code other than 0, and why: for the journal. */
export interface Refusal {
  readonly code: number
  readonly reason: string
}

/** An operation, served. */
export interface OperationHandler {
  readonly action: string
  readonly summarize: (body: unknown) => RequestSummary
  readonly answer: (body: unknown, context: HandlerContext) => Result.Result<object, Refusal>
}

/** Serves an operation: its request schema decodes the body, its payload schema checks what is answered. */
export const make = <Op extends Operation.Types & { readonly Payload: object }>(options: {
  readonly operation: Operation.Operation<Op>
  readonly summarize: (body: unknown) => RequestSummary
  /** What is refused with a code of its own before the schema is asked. */
  readonly precheck: (body: unknown) => Refusal | undefined
  readonly answer: (request: Op["Request"], context: HandlerContext) => Result.Result<Op["Payload"], Refusal>
}): OperationHandler => {
  const { operation } = options
  SchemaJITCompiler.enable(operation.payload.ast)
  const decode = Schema.decodeUnknownResult(operation.request)
  const encode = Schema.encodeSync(operation.payload)
  const isPayload = Schema.is(operation.payload)
  return {
    action: operation.action,
    summarize: options.summarize,
    answer: (body, context) => {
      const refused = options.precheck(body)
      if (refused !== undefined) return Result.fail(refused)
      const request = decode(body)
      if (Result.isFailure(request)) return Result.fail({ code: 660000002, reason: request.failure.message })
      const payload = options.answer(request.success, context)
      // A payload schema transforms nothing: what conforms to it is its own encoding, and checking is
      // much faster. What does not conform is a bug of the handler: encoding throws, and says where.
      if (Result.isSuccess(payload) && !isPayload(payload.success)) encode(payload.success)
      return payload
    }
  }
}

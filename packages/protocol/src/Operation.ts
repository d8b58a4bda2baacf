/**
 * An operation of the API as a value.
 *
 * One value says everything there is to know of an operation. The client derives the typed call, the pages and the
 * stream from it; the emulator derives the route and its answers.
 *
 * @since 0.1.0
 */
import type * as Effect from "effect/Effect"
import type * as Option from "effect/Option"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import type { Cursor } from "./Cursor.ts"
import * as Envelope from "./Envelope.ts"
import * as ServiceError from "./ServiceError.ts"
import * as WireJson from "./WireJson.ts"

/**
 * An operation: what it is called, what it takes, what it answers, how it fails.
 *
 * `Input` is what a user writes, `Request` the same with every default filled in and checked, `Payload` the operation's
 * own fields of an answer on the wire, `Success` the value made of them, `Failure` the errors documented for it.
 *
 * @since 0.1.0
 */
export interface Operation<in Input, in out Request, in out Payload, out Success, out Failure> {
  /** The `Action` parameter, case-sensitive. */
  readonly action: string
  /** A read changes nothing, so repeating it is safe. */
  readonly kind: "Read" | "Write"
  /** The documented quota: so many calls a second. */
  readonly callsPerSecond: number
  /** Checks a user's input and fills in the defaults. */
  readonly make: (input: Input) => Effect.Effect<Request, Schema.SchemaError>
  /** The request on the wire: the client encodes with it, the emulator decodes. */
  readonly request: Schema.Codec<Request, unknown>
  /** A short cut: the text that {@link write} would otherwise make with `request`. */
  readonly print?: (request: Request) => string
  /**
   * The operation's own fields of a successful answer: the client decodes with it, the emulator encodes. It transforms
   * nothing, so a client may check with `Schema.is` first, which is faster and keeps unknown fields.
   */
  readonly payload: Schema.Codec<Payload, unknown>
  /**
   * A short cut: true only of an answer that `payload` accepts as it is, and in which `JSON.parse` has rounded no integer
   * (`WireJson.hasRounded`). Left out or false, both are found out at length.
   */
  readonly isExact?: (answer: unknown) => answer is Payload
  /**
   * The value of a successful answer, or what is wrong with it although each field is well-formed. `text` is the answer
   * as it came.
   */
  readonly interpret: (payload: Payload, request: Request, text: string) => Result.Result<Success, string>
  /** The codes documented for this operation, each with its error. */
  readonly failures: Readonly<Record<number, (answer: ServiceError.Answer, request: Request) => Failure>>
}

/**
 * An operation that returns a list page by page.
 *
 * @since 0.1.0
 */
export interface PagedOperation<in Input, in out Request, in out Payload, in out Page, out Failure> extends Operation<
  Input,
  Request,
  Payload,
  Page,
  Failure
> {
  readonly paging: {
    /** Where a request starts. */
    readonly cursor: (request: Request) => Cursor
    /** The same request, starting elsewhere. */
    readonly withCursor: (request: Request, cursor: Cursor) => Request
    /** Where the page after this one starts; none where the list is complete. */
    readonly next: (page: Page) => Option.Option<Cursor>
    /** More pages than any list has: one that goes on beyond them never ends. */
    readonly maximumPages: number
  }
}

/**
 * The body of a request.
 *
 * @example
 * ```ts
 * import { Operation, QueryConversationList } from "@effect-zim/protocol"
 * import { Effect } from "effect"
 *
 * const { operation } = QueryConversationList
 * const body = Effect.map(operation.make({ userId: "user-42" }), (request) => Operation.write(operation, request))
 * // {"FromUserId":"user-42","Limit":500,"Next":0}
 * ```
 *
 * @since 0.1.0
 */
export const write = <Input, Request, Payload, Success, Failure>(
  operation: Operation<Input, Request, Payload, Success, Failure>,
  request: Request
): string => operation.print?.(request) ?? WireJson.stringify(Schema.encodeSync(operation.request)(request))

/**
 * An answer, its envelope read. `payload` has the operation's own fields, or what is wrong with them: ask it only where
 * the code is 0.
 *
 * @since 0.1.0
 */
export interface Reading<out Payload> extends Envelope.Envelope {
  readonly payload: () => Result.Result<Payload, Schema.SchemaError>
}

/**
 * Reads the text of an answer.
 *
 * @example
 * ```ts
 * import { Operation, QueryConversationList } from "@effect-zim/protocol"
 * import { Result } from "effect"
 *
 * const text = '{"Code":0,"Message":"success","RequestId":"1","TotalCount":0,"Next":0,"List":[]}'
 * const payload = Operation.read(QueryConversationList.operation, text).pipe(
 *   Result.getOrThrow,
 *   (answer) => answer.payload()
 * )
 * ```
 *
 * @since 0.1.0
 */
export const read = <Input, Request, Payload, Success, Failure>(
  operation: Operation<Input, Request, Payload, Success, Failure>,
  text: string
): Result.Result<Reading<Payload>, Envelope.Unreadable> => {
  let exact: Payload | undefined
  const isExact = (body: unknown): boolean => {
    if (operation.isExact?.(body) !== true) return false
    exact = body
    return true
  }
  const payloadOf = (body: unknown): Result.Result<Payload, Schema.SchemaError> => {
    // A payload is its own encoding. To look whether it is one is cheaper than to decode it, and keeps the fields that
    // this version does not know; what is wrong with it, decoding says better.
    if (operation.isExact?.(body) === true || Schema.is(operation.payload)(body)) return Result.succeed(body)
    return Schema.decodeUnknownResult(operation.payload)(body)
  }
  return Result.map(Envelope.parseKnown(text, isExact), (envelope) => ({
    ...envelope,
    payload: () => (exact === undefined ? payloadOf(envelope.body) : Result.succeed(exact))
  }))
}

/**
 * The error of a return code other than 0: the operation's own where the documentation of the operation lists the code,
 * else a global one.
 *
 * @since 0.1.0
 */
export const failure = <Input, Request, Payload, Success, Failure>(
  operation: Operation<Input, Request, Payload, Success, Failure>,
  answer: ServiceError.Answer,
  request: Request
): Failure | ServiceError.GlobalError =>
  operation.failures[answer.code]?.(answer, request) ?? ServiceError.fromAnswer(answer)

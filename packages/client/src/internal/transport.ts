/** Sends one signed request and reads its answer. */
import { type AppId, Envelope, Operation, type ServiceError, WireJson } from "@effect-zim/protocol"
import { type ServerSecret, Signature } from "@effect-zim/signing"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as HttpBody from "effect/http/HttpBody"
import type * as HttpClient from "effect/http/HttpClient"
import type * as HttpClientError from "effect/http/HttpClientError"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import * as Predicate from "effect/Predicate"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import { ResponseUnreadable, TransportFailed } from "../ClientError.ts"
import * as CallState from "./call.ts"
import * as Redaction from "./redaction.ts"
import * as ResponseText from "./responseText.ts"

/** What every request of a client has in common. */
export interface Settings {
  readonly appId: AppId.AppId
  readonly serverSecret: ServerSecret.ServerSecret
  /** The URL up to the question mark. */
  readonly root: string
}

/** An answer as it arrived, and what an error about it needs. */
interface Answer {
  readonly status: number
  readonly text: string
  readonly redact: Redaction.Redactor
}

/** The chain of causes, outermost first; a cycle ends it. */
const causesOf = (error: HttpClientError.HttpClientError): ReadonlyArray<object> => {
  const causes: Array<object> = []
  let cause: unknown = error.reason.cause
  while (Predicate.isObject(cause) && !causes.includes(cause)) {
    causes.push(cause)
    cause = Predicate.hasProperty(cause, "cause") ? cause.cause : undefined
  }
  return causes
}

const firstString = (causes: ReadonlyArray<object>, key: "code" | "message"): string | undefined => {
  for (const cause of causes.toReversed()) {
    const value = Predicate.hasProperty(cause, key) ? cause[key] : undefined
    if (typeof value === "string" && value !== "") return value
  }
  return undefined
}

const transportFailed = (
  error: HttpClientError.HttpClientError,
  call: CallState.Call,
  clock: Clock.Clock,
  redact: Redaction.Redactor
): TransportFailed => {
  const causes = causesOf(error)
  const systemCode = firstString(causes, "code")
  const problem = firstString(causes, "message") ?? systemCode ?? error.reason.description ?? error.reason._tag
  return new TransportFailed({
    ...CallState.describe(call, clock),
    systemCode,
    problem: Redaction.snippet(redact, problem)
  })
}

/** Signs, sends, and reads the whole answer. The signature is made here, last of all, and is never used again. */
const send = Effect.fnUntraced(function* (
  http: HttpClient.HttpClient,
  settings: Settings,
  call: CallState.Call,
  body: string,
  responseLimit: number
): Effect.fn.Return<Answer, TransportFailed | ResponseUnreadable> {
  const clock = yield* Clock.Clock
  const signed = yield* Signature.sign(settings)
  const redact = Redaction.make(signed, settings.serverSecret)
  const request = HttpClientRequest.post(`${settings.root}?${Signature.toQuery(signed, call.action)}`, {
    acceptJson: true,
    body: HttpBody.text(body, "application/json")
  })
  call.attempts++
  const failed = (error: HttpClientError.HttpClientError) => transportFailed(error, call, clock, redact)
  const response = yield* Effect.mapError(http.execute(request), failed)
  const text = yield* Effect.mapError(ResponseText.read(response, responseLimit), (error) => {
    if (typeof error !== "string") return failed(error)
    return new ResponseUnreadable({
      ...CallState.describe(call, clock),
      reason: error === "TooLarge" ? "TooLarge" : "NotJson",
      status: response.status,
      requestId: undefined,
      problem: error === "TooLarge" ? `more than ${responseLimit} bytes` : "not UTF-8",
      snippet: ""
    })
  })
  return { status: response.status, text, redact }
})

const unreadable = (
  answer: Answer,
  call: CallState.Call,
  clock: Clock.Clock,
  problem: Pick<ResponseUnreadable, "reason" | "problem"> & { readonly requestId?: string | undefined }
): ResponseUnreadable =>
  new ResponseUnreadable({
    ...CallState.describe(call, clock),
    reason: problem.reason,
    status: answer.status,
    requestId: problem.requestId,
    problem: Redaction.snippet(answer.redact, problem.problem),
    snippet: Redaction.snippet(answer.redact, answer.text)
  })

/** Why an answer without a return code is no answer of this API. */
const noReturnCode = (answer: Answer, why: Envelope.Unreadable): Pick<ResponseUnreadable, "reason" | "problem"> => {
  if (answer.status !== 200) return { reason: "HttpStatus", problem: `HTTP status ${answer.status}` }
  if (answer.text.trim() === "") return { reason: "Empty", problem: "the body is empty" }
  return why._tag === "NotJson"
    ? { reason: "NotJson", problem: "the body is not JSON" }
    : { reason: "WrongShape", problem: why.problem }
}

/** Sends a request once: the value of the answer, or the error it stands for. */
export const attempt = Effect.fnUntraced(function* <
  Input,
  Request,
  Payload,
  Success,
  Failure extends ServiceError.ServiceError
>(
  http: HttpClient.HttpClient,
  settings: Settings,
  operation: Operation.Operation<Input, Request, Payload, Success, Failure>,
  request: Request,
  call: CallState.Call,
  responseLimit: number
): Effect.fn.Return<Success, Failure | ServiceError.GlobalError | TransportFailed | ResponseUnreadable> {
  const body = WireJson.stringify(Schema.encodeSync(operation.request)(request))
  const answer = yield* send(http, settings, call, body, responseLimit)
  const clock = yield* Clock.Clock
  const fail = (problem: Parameters<typeof unreadable>[3]) => Effect.fail(unreadable(answer, call, clock, problem))

  if (answer.status >= 300 && answer.status < 400) {
    return yield* fail({ reason: "Redirect", problem: "a redirect, which a signed request does not follow" })
  }
  const parsed = Envelope.parse(answer.text)
  if (Result.isFailure(parsed)) return yield* fail(noReturnCode(answer, parsed.failure))
  const { code, message, requestId, body: fields } = parsed.success
  if (code !== 0) {
    return yield* Effect.fail(
      Operation.failure(
        operation,
        {
          ...CallState.describe(call, clock),
          code,
          requestId,
          vendorMessage: Redaction.snippet(answer.redact, message)
        },
        request
      )
    )
  }
  if (answer.status !== 200) {
    return yield* fail({ reason: "HttpStatus", problem: `success with HTTP status ${answer.status}`, requestId })
  }
  const payload = Schema.decodeUnknownResult(operation.payload)(fields)
  if (Result.isFailure(payload)) {
    return yield* fail({ reason: "WrongShape", problem: payload.failure.message, requestId })
  }
  const value = operation.interpret(payload.success, request)
  if (Result.isFailure(value)) return yield* fail({ reason: "WrongShape", problem: value.failure, requestId })
  return value.success
})

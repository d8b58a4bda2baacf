/** The request of a call: checked before anything is sent, signed and sent once for each attempt, its answer read. */
import { type Call, Meaning, type Policies, type ServerClock } from "@effect-zim/policies"
import { type AppId, Operation, type ServiceError } from "@effect-zim/protocol"
import { type ServerSecret, Signature } from "@effect-zim/signing"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as Headers from "effect/http/Headers"
import * as HttpBody from "effect/http/HttpBody"
import type * as HttpClient from "effect/http/HttpClient"
import type * as HttpClientError from "effect/http/HttpClientError"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import type * as HttpClientResponse from "effect/http/HttpClientResponse"
import * as HttpTraceContext from "effect/http/HttpTraceContext"
import * as Result from "effect/Result"
import type * as Schema from "effect/Schema"
import type * as SchemaIssue from "effect/SchemaIssue"
import * as Stream from "effect/Stream"
import { RequestInvalid } from "../ClientError.ts"
import type * as Endpoint from "../Endpoint.ts"
import { PropagateTrace } from "../Telemetry.ts"
import type { CallTelemetry } from "./callTelemetry.ts"
import * as RedactedSnippet from "./redactedSnippet.ts"
import * as Failure from "./requestFailure.ts"

/** Who calls. */
export interface Identity {
  readonly appId: AppId.AppId
  readonly serverSecret: ServerSecret.ServerSecret
}

/** One attempt: where it goes, and what it may take. */
export interface Attempt extends Policies.Attempt<Endpoint.Endpoint> {
  readonly http: HttpClient.HttpClient
  readonly identity: Identity
  readonly responseLimit: number
  /** Told what the answer says; its span's context goes along, where that is asked for. */
  readonly telemetry: CallTelemetry
}

/** What an operation asks, found to be right. */
export interface Checked<out Request> {
  readonly request: Request
  /** Of a GET: what it asks as parameters. */
  readonly query?: string
}

/** Which field of a request is wrong, or the first of them. */
const fieldOf = (issue: SchemaIssue.Issue): { readonly field?: string } =>
  issue._tag === "Composite"
    ? fieldOf(issue.issues[0])
    : issue._tag === "Pointer"
      ? { field: String(issue.path[0]) }
      : {}

export const check = <Op extends Operation.Types>(
  operation: Operation.Operation<Op>,
  input: Op["Input"]
): Effect.Effect<Checked<Op["Request"]>, RequestInvalid> => {
  const invalid = (cause: Schema.SchemaError) => {
    // What is wrong and where, in one line: the message of an error is made for a log.
    const problem = cause.message.replaceAll(/\s*\n\s*/g, " ")
    return new RequestInvalid({ action: operation.action, ...fieldOf(cause.issue), problem, cause })
  }
  const { query: queryOf } = operation
  const made = operation.make(input)
  const checked =
    queryOf === undefined
      ? Effect.mapEager(made, (request) => ({ request }))
      : Effect.flatMap(made, (request) =>
          Effect.fromResult(Result.map(queryOf(request), (query) => ({ request, query })))
        )
  return Effect.mapErrorEager(checked, invalid)
}

/** An answer as it arrived. */
interface Answer extends Failure.FailedAnswer {
  readonly time: Omit<ServerClock.Sample, "verdict">
}

/** What an answer with a return code said. It holds neither the text nor what was read of it: the call may outlive both. */
class Answered {
  readonly status: number
  readonly code: number
  readonly #requestId: string | undefined
  readonly #secrets: RedactedSnippet.Secrets

  constructor({ secrets, status }: Answer, code: number, requestId: string | undefined) {
    this.status = status
    this.code = code
    this.#requestId = requestId
    this.#secrets = secrets
  }

  /** As untrusted as any other text of the answer: it may repeat the request. Of a success hardly anybody reads it. */
  get requestId(): string | undefined {
    return this.#requestId === undefined ? undefined : RedactedSnippet.make(this.#secrets, this.#requestId)
  }
}

/**
 * What all requests have in common. Made once, since each setting of a request costs a copy of it. Not every HTTP client
 * unpacks an answer, and a request that says nothing allows any coding.
 */
const common = { acceptJson: true, headers: { "accept-encoding": "identity" } }
const blankPost = HttpClientRequest.post("", common)
const blankGet = HttpClientRequest.get("", common)

/** A request: by its text, the body of a POST or the query of a GET. */
const requestTo = (url: string, text: string, isGet: boolean): HttpClientRequest.HttpClientRequest =>
  isGet
    ? HttpClientRequest.setUrl(blankGet, text === "" ? url : `${url}&${text}`)
    : HttpClientRequest.setBody(HttpClientRequest.setUrl(blankPost, url), HttpBody.text(text, "application/json"))

const noWait = {}

/** Of other answers, `Retry-After` means something else, or nothing. */
const waitOf = (
  status: number,
  headers: Headers.Headers,
  { date, isCached, receivedAt, signedOffset }: Answer["time"]
): Answer["wait"] => {
  if (status !== 429 && status !== 503) return noWait
  const answered = { date: isCached ? undefined : date, now: receivedAt + signedOffset }
  const retryAfter = Meaning.retryAfterOf(headers["retry-after"], answered)
  return retryAfter === undefined ? noWait : { retryAfter }
}

/** Why a body was not read. */
type BodyProblem = "TooLarge" | "NotUtf8"

type Reading = Effect.Effect<string, BodyProblem | HttpClientError.HttpClientError>

const utf8 = new TextDecoder("utf-8", { fatal: true })

const decodeUtf8 = (bytes: ArrayBuffer | Uint8Array): Effect.Effect<string, BodyProblem> => {
  try {
    return Effect.succeed(utf8.decode(bytes))
  } catch {
    return Effect.fail("NotUtf8")
  }
}

const readWhole = (response: HttpClientResponse.HttpClientResponse, limit: number): Reading =>
  Effect.flatMap(response.arrayBuffer, (bytes) =>
    bytes.byteLength > limit ? Effect.fail("TooLarge") : decodeUtf8(bytes)
  )

const readByChunk = (response: HttpClientResponse.HttpClientResponse, limit: number): Reading =>
  Effect.suspend(() => {
    // Copied as they come: a chunk of one byte takes a hundred and more.
    let bytes = new Uint8Array(0)
    let size = 0
    return Stream.runForEach(response.stream, (chunk) => {
      const end = size + chunk.byteLength
      if (end > limit) return Effect.fail("TooLarge" as const)
      if (end > bytes.byteLength) bytes = enlarged(bytes, Math.max(end, 2 * size))
      bytes.set(chunk, size)
      size = end
      return Effect.void
    }).pipe(
      Effect.catchIf(
        (error) => typeof error !== "string" && error.reason._tag === "EmptyBodyError",
        () => Effect.void
      ),
      Effect.flatMap(() => decodeUtf8(bytes.subarray(0, size)))
    )
  })

const enlarged = (bytes: Uint8Array, size: number): Uint8Array<ArrayBuffer> => {
  const larger = new Uint8Array(size)
  larger.set(bytes)
  return larger
}

/**
 * The text of an answer. Where its length is announced and small enough it is read in one go; a length that is not
 * announced, or is that of compressed bytes, says nothing, so then it is counted chunk by chunk.
 */
const readText = (response: HttpClientResponse.HttpClientResponse, limit: number): Reading => {
  const { "content-length": announced, "content-encoding": coding } = response.headers
  return announced !== undefined && coding === undefined && Number(announced) <= limit
    ? readWhole(response, limit)
    : readByChunk(response, limit)
}

/** Signs, sends, and reads the whole answer. The signature is made here, last of all, and is never used again. */
const roundTrip = function* (
  { call, clockOffset, endpoint, http, identity, telemetry, responseLimit }: Attempt,
  text: string,
  isGet: boolean
): Effect.fn.Return<Answer, Failure.SendError> {
  const sentAt = call.clock.currentTimeMillisUnsafe()
  const signed = yield* Signature.sign({ ...identity, clockOffset })
  const secrets = { signed, serverSecret: identity.serverSecret }
  const url = `${endpoint.root}?${Signature.toQuery(signed, call.operation)}`
  const bare = requestTo(url, text, isGet)
  const { span } = telemetry
  const isTraced = span !== undefined && (yield* PropagateTrace)
  const request = isTraced ? HttpClientRequest.setHeaders(bare, HttpTraceContext.toHeaders(span)) : bare
  telemetry.answer = undefined
  if (telemetry.isWireLogged) yield* telemetry.sending(url, text, call, secrets)
  const failed = (error: HttpClientError.HttpClientError) => Failure.transportFailed(error, call, secrets)
  const response = yield* Effect.catch(http.execute(request), failed)
  // Some make them anew whenever they are asked for.
  const { headers } = response
  const time = {
    date: headers["date"],
    isCached: headers["age"] !== undefined,
    sentAt,
    receivedAt: call.clock.currentTimeMillisUnsafe(),
    signedOffset: clockOffset
  }
  const answer = { status: response.status, secrets, time, wait: waitOf(response.status, headers, time) }
  telemetry.answer = { status: response.status }
  const body = yield* Effect.catch(
    readText(response, responseLimit),
    (error): Effect.Effect<never, Failure.SendError> => {
      if (typeof error !== "string") return failed(error)
      const fail = Failure.unreadable({ ...answer, text: "" }, call, undefined)
      if (error === "TooLarge") return fail("TooLarge", `more than ${responseLimit} bytes`)
      const coding = headers["content-encoding"]
      const why = coding === undefined ? "" : `, since it came in the content coding ${coding}`
      return fail("NotJson", `not UTF-8${why}`)
    }
  )
  return { ...answer, text: body }
}

/** What an operation makes its value of, beside the payload. */
class SuccessfulAnswer implements Operation.Answer {
  readonly text: string
  readonly requestId: string | undefined
  readonly #call: Call.Call

  constructor(text: string, requestId: string | undefined, call: Call.Call) {
    this.text = text
    this.requestId = requestId
    this.#call = call
  }

  get attempts(): number {
    return this.#call.attempts
  }

  /** Asked for by few. */
  get elapsed(): Duration.Duration {
    return this.#call.description.elapsed
  }
}

/** Not 304, for example, which leads nowhere. */
const redirects: ReadonlySet<number> = new Set([301, 302, 303, 307, 308])

/**
 * What a return code says about the time of the signature. The gateway looks at it before ZIM, whose codes these are,
 * sees the call. Of a wrong signature one table says that it may be the time.
 */
const verdictOf = (code: number): ServerClock.Sample["verdict"] => {
  if (code === 0 || code >= 660_000_000) return "Accepted"
  return code === 100000004 || code === 100000005 ? "Refused" : "Unknown"
}

/** Sends a request once: the value of the answer, or the error it stands for. */
export const send = Effect.fnUntraced(function* <Op extends Operation.Types>(
  attempt: Attempt,
  operation: Operation.Operation<Op>,
  { query, request }: Checked<Op["Request"]>
): Effect.fn.Return<Op["Success"], Op["Failure"] | ServiceError.GlobalError | Failure.SendError> {
  const { call, telemetry } = attempt
  const sent = query ?? Operation.encodeRequest(operation, request)
  const answer = yield* roundTrip(attempt, sent, query !== undefined)
  const fail = (reason: Failure.Reason, problem: string) =>
    Failure.unreadable(answer, call, telemetry.answer?.requestId)(reason, problem)

  const parsed = Operation.decodeResponse(operation, answer.text)
  if (Result.isSuccess(parsed)) telemetry.answer = new Answered(answer, parsed.success.code, parsed.success.requestId)
  if (telemetry.isWireLogged) yield* telemetry.received(answer.text, call, answer.secrets)
  if (redirects.has(answer.status)) return yield* fail("Redirect", "a redirect, which a signed request does not follow")
  if (Result.isFailure(parsed)) return yield* fail(...Failure.noReturnCode(answer, parsed.failure))
  const { code, message } = parsed.success
  // Only an answer of the service itself tells its time: a proxy's says nothing.
  yield* attempt.serverClock.observe({ ...answer.time, verdict: verdictOf(code) })
  if (code !== 0) {
    const { requestId } = telemetry.answer ?? {}
    const vendorMessage = RedactedSnippet.make(answer.secrets, message)
    const details = { ...call.description, code, requestId, vendorMessage, ...answer.wait }
    return yield* Effect.fail(Failure.keepable(Operation.failure(operation, details, request)))
  }
  if (answer.status !== 200) return yield* fail("HttpStatus", `success with HTTP status ${answer.status}`)
  const payload = parsed.success.payload()
  if (Result.isFailure(payload)) return yield* fail("WrongShape", payload.failure.message)
  const successful = new SuccessfulAnswer(answer.text, parsed.success.requestId, call)
  const value = operation.interpret(payload.success, request, successful)
  if (Result.isFailure(value)) return yield* fail("WrongShape", value.failure)
  return value.success
})

/** What becomes of a request without an answer, or with one that is none of this API: the errors, free of secrets. */
import type { Call } from "@effect-zim/policies"
import type { Envelope } from "@effect-zim/protocol"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as HttpClientError from "effect/http/HttpClientError"
import * as Predicate from "effect/Predicate"
import { ClientClosed, ResponseUnreadable, TransportFailed, type UnreadableReason } from "../ClientError.ts"
import * as RedactedSnippet from "./redactedSnippet.ts"

/**
 * An error that may be kept for long. Until its stack is read, it refers to all that the functions on the stack refer to:
 * the whole answer, for one.
 */
export const keepable = <E extends Error>(error: E): E => {
  Reflect.get(error, "stack")
  return error
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

/** What an engine throws where the program is wrong. `fetch` throws its `TypeError`s for lost connections too. */
const isDefect = (cause: unknown): boolean =>
  cause instanceof ReferenceError ||
  (cause instanceof TypeError &&
    /\bis not (?:a function|a constructor|iterable|an object)\b|\bof (?:undefined|null)\b/.test(cause.message))

/** What undici says once its dispatcher was closed with the scope that made it. */
const ofClosedClient: ReadonlySet<string | undefined> = new Set(["UND_ERR_DESTROYED", "UND_ERR_CLOSED"])

/** Deno's messages have the signed URL, before the reason. */
const withoutUrls = (text: string): string => text.replaceAll(/\bhttps?:\/\/\S+/gi, "<url>")

export const transportFailed = (
  error: HttpClientError.HttpClientError,
  call: Call.Call,
  secrets: RedactedSnippet.Secrets
): Effect.Effect<never, TransportFailed | ClientClosed> => {
  const causes = causesOf(error)
  if (causes.some(isDefect)) return Effect.die(causes.find(isDefect))
  const systemCode = firstString(causes, "code")
  if (ofClosedClient.has(systemCode)) return Effect.fail(keepable(new ClientClosed(call.description)))
  const problem = firstString(causes, "message") ?? systemCode ?? error.reason.description ?? error.reason._tag
  const failed = new TransportFailed({
    ...call.description,
    systemCode: systemCode === undefined ? undefined : RedactedSnippet.make(secrets, systemCode),
    problem: RedactedSnippet.make(secrets, withoutUrls(problem))
  })
  return Effect.fail(keepable(failed))
}

/** What sending a request once can fail with, beside what the service says. */
export type SendError = TransportFailed | ClientClosed | ResponseUnreadable

export type Reason = UnreadableReason["_tag"]

/** What an error needs to know of an answer. */
export interface FailedAnswer {
  readonly status: number
  readonly text: string
  readonly secrets: RedactedSnippet.Secrets
  /** How long a gateway wants to be left alone. */
  readonly wait: { readonly retryAfter?: Duration.Duration }
}

/** Fails for an answer that is none. */
export const unreadable =
  (answer: FailedAnswer, call: Call.Call, requestId: string | undefined) =>
  (reason: Reason, problem: string): Effect.Effect<never, ResponseUnreadable> => {
    const failed = new ResponseUnreadable({
      ...call.description,
      reason: { _tag: reason },
      status: answer.status,
      requestId,
      problem: RedactedSnippet.make(answer.secrets, problem),
      snippet: RedactedSnippet.make(answer.secrets, answer.text),
      ...answer.wait
    })
    return Effect.fail(keepable(failed))
  }

/** Why an answer without a return code is no answer of this API. */
export const noReturnCode = (
  { status, text }: FailedAnswer,
  why: Envelope.Unreadable
): readonly [reason: Reason, problem: string] => {
  if (status !== 200) return ["HttpStatus", `HTTP status ${status}`]
  if (text.trim() === "") return ["Empty", "the body is empty"]
  return why._tag === "NotJson" ? ["NotJson", "the body is not JSON"] : ["WrongShape", why.problem]
}

/**
 * What an answer of the service means, decided a second time: by hand from the contract, sections 1 and 4, without the
 * client's schemas. Tests compare the client with it.
 */
import { ClientError, ZimClient } from "@effect-zim/client"
import { QueryConversationList, ServiceError, WireJson } from "@effect-zim/protocol"
import { assert } from "@effect/vitest"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import type { Scope } from "effect/Scope"
import * as FakeService from "./fakeService.ts"

/** A valid answer, as compact as the service sends it. */
export const valid = {
  Code: 0,
  Message: "success",
  RequestId: "343649807833778782",
  TotalCount: 2,
  Next: 971503777289036701n,
  List: [
    { ConvId: "conv1", ConvType: 2, UpdateTime: 1708254395000 },
    { ConvId: "käthe 😀", UpdateTime: 1708254395001 }
  ]
}
export const validText = WireJson.stringify(valid)

export interface Page {
  readonly _tag: "Page"
  readonly entries: ReadonlyArray<readonly [id: string, type: number, time: number]>
  /** The digits of `Next`, `0` at the end. */
  readonly next: string
  readonly total: number | undefined
}

export type Meaning = Page | { readonly _tag: "Code"; readonly code: number } | { readonly _tag: "None" }

const none: Meaning = { _tag: "None" }

type Fields = { readonly [name: string]: unknown }
const isFields = (value: unknown): value is Fields => typeof value === "object" && value !== null
const own = (fields: Fields, name: string): unknown => (Object.hasOwn(fields, name) ? fields[name] : undefined)
const isInteger = (value: unknown): value is number => Number.isSafeInteger(value)

const parse = (text: string): unknown => {
  const reviver = (_key: string, value: unknown, context?: { readonly source?: string }): unknown =>
    typeof value === "number" && /^-?\d{16,300}$/.test(context?.source ?? "") ? BigInt(context?.source ?? "") : value
  try {
    return JSON.parse(text, reviver)
  } catch {
    return undefined
  }
}

const narrow = (value: unknown): unknown =>
  typeof value === "bigint" && Number.isSafeInteger(Number(value)) ? Number(value) : value

const codeOf = (value: unknown): number | undefined => {
  if (typeof value === "string") return /^\d{1,15}$/.test(value) ? Number(value) : undefined
  return isInteger(value) ? value : undefined
}

const entryOf = (value: unknown): Page["entries"][number] | undefined => {
  if (!isFields(value)) return undefined
  const id = own(value, "ConvId")
  const type = narrow(own(value, "ConvType")) ?? 0
  const time = narrow(own(value, "UpdateTime"))
  return typeof id === "string" && isInteger(type) && isInteger(time) && Math.abs(time) <= 8.64e15
    ? [id, type, time]
    : undefined
}

/** What a body means as the answer to a request for the first page. */
export const meaningOf = (text: string): Meaning => {
  const body = parse(text)
  if (!isFields(body)) return none
  const code = codeOf(narrow(own(body, "Code")))
  if (code === undefined) return none
  if (code !== 0) return { _tag: "Code", code }
  const next = narrow(own(body, "Next"))
  const total = narrow(own(body, "TotalCount")) ?? undefined
  const list = own(body, "List") ?? undefined
  if (!isInteger(next) && typeof next !== "bigint") return none
  if (total !== undefined && !isInteger(total)) return none
  if (list === undefined) {
    return total === undefined || total <= 0 ? { _tag: "Page", entries: [], next: String(next), total } : none
  }
  if (!Array.isArray(list)) return none
  const entries = list.map(entryOf)
  return entries.every((entry) => entry !== undefined) ? { _tag: "Page", entries, next: String(next), total } : none
}

const utf8 = new TextDecoder("utf-8", { fatal: true })

export const meaningOfBytes = (bytes: Uint8Array): Meaning => {
  try {
    return meaningOf(utf8.decode(bytes))
  } catch {
    return none
  }
}

// ---- what the client makes of an answer ----

type CallError = ClientError.CallError<QueryConversationList.Failure>
export type Outcome = Exit.Exit<QueryConversationList.Page, CallError>

const isKnown = Schema.is(
  Schema.Union([
    ServiceError.ServiceError,
    ClientError.TransportFailed,
    ClientError.AttemptTimedOut,
    ClientError.DeadlineExceeded,
    ClientError.ResponseUnreadable
  ])
)

/** The typed error of an outcome; fails the test on a defect, on an interruption, and on any other object. */
export const errorOf = (exit: Exit.Exit<unknown, CallError>): CallError | undefined => {
  if (Exit.isSuccess(exit)) return undefined
  assert.isFalse(Cause.hasDies(exit.cause), `a defect: ${Cause.pretty(exit.cause)}`)
  const error = Cause.findErrorOption(exit.cause)
  if (Option.isNone(error)) return assert.fail(`no error: ${Cause.pretty(exit.cause)}`)
  assert.isTrue(isKnown(error.value), `not one of the typed errors: ${String(error.value)}`)
  return error.value
}

/** A short name of an outcome: `Page`, `MalformedRequest`, `ResponseUnreadable NotJson`. */
export const nameOf = (exit: Outcome): string => {
  const error = errorOf(exit)
  if (error === undefined) return "Page"
  return error._tag === "ResponseUnreadable" ? `${error._tag} ${error.reason._tag}` : error._tag
}

/** Fails the test unless the client's outcome is what the answer means. */
export const assertMeans = (exit: Outcome, meaning: Meaning): void => {
  const error = errorOf(exit)
  switch (meaning._tag) {
    case "Page": {
      if (!Exit.isSuccess(exit)) return assert.fail(`the answer is a page, but the client says ${error?.message}`)
      const { conversations, next, totalCount } = exit.value
      const page: Page = {
        _tag: "Page",
        entries: conversations.map(({ id, typeCode, updatedAtMillis }) => [id, typeCode, updatedAtMillis]),
        next: Option.getOrElse(next, () => "0"),
        total: Option.getOrUndefined(totalCount)
      }
      return assert.deepStrictEqual<unknown>(page, meaning)
    }
    case "Code":
      if (error === undefined || !("code" in error)) return assert.fail(`the answer is code ${meaning.code}`)
      return assert.strictEqual<number>(error.code, meaning.code)
    case "None":
      assert.strictEqual(error?._tag, "ResponseUnreadable", "a wrong success")
  }
}

/** What a client without retries makes of one answer to a request for the first page. */
export const read = (
  reply: FakeService.Reply | FakeService.Answer,
  around: <A, E>(call: Effect.Effect<A, E, ZimClient.ZimClient>) => Effect.Effect<A, E, ZimClient.ZimClient>
): Effect.Effect<Outcome, never, Scope> =>
  ZimClient.execute(QueryConversationList.operation, { userId: "user-42" }).pipe(
    around,
    Effect.exit,
    Effect.provide(FakeService.clientOf(FakeService.answering(reply).layer)),
    FakeService.inTime()
  )

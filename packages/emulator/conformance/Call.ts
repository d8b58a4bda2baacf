/** Requests as the vendor documents them, by `fetch` alone; and what is asked of the answers. */
import type { Emulator } from "@effect-zim/emulator"
import { ServerSecret, Signature, SignatureNonce } from "@effect-zim/signing"
import { Data, Effect, Option, Schema } from "effect"
import { NotTestable, Target } from "./Target.ts"

/** No answer. Names the cause, never the URL, which is a credential. */
export class NoAnswer extends Data.TaggedError("NoAnswer")<{ readonly message: string }> {}

const Integer = Schema.Finite.check(Schema.isInt())

/** One entry, as documented. */
export const Entry = Schema.Struct({
  ConvId: Schema.NonEmptyString,
  ConvType: Schema.optionalKey(Integer),
  UpdateTime: Integer
})

/** The three fields of every answer. */
export const Envelope = Schema.Struct({
  Code: Integer,
  Message: Schema.NonEmptyString,
  RequestId: Schema.NonEmptyString
})

/** The fields of a success. */
export const Page = Schema.Struct({
  ...Envelope.fields,
  Next: Schema.Finite,
  TotalCount: Schema.optionalKey(Integer),
  List: Schema.optionalKey(Schema.NullOr(Schema.Array(Entry)))
})

/** An answer as it came. */
export interface Answer {
  readonly status: number
  readonly headers: Headers
  readonly text: string
  readonly json: object
  readonly code: number
  /** The digits of `Next`, which a number may not hold. */
  readonly next: string | undefined
}

/** What to do otherwise than a right request does. */
export interface Change {
  /** Parameters of the query; undefined leaves one out. */
  readonly query?: Readonly<Record<string, string | undefined>>
  /** Appended to the query as it stands. */
  readonly extra?: string
  readonly method?: string
  readonly path?: string
  readonly contentType?: string
  readonly timestamp?: number
  readonly nonce?: string
  readonly appId?: number
  readonly serverSecret?: string
}

/** A JSON object; a `Next` of digits is written as a number. */
export const jsonOf = ({ Next, ...fields }: Readonly<Record<string, unknown>>): string => {
  const text = JSON.stringify(fields)
  if (Next === undefined) return text
  const next = typeof Next === "string" && /^[0-9]+$/.test(Next) ? Next : JSON.stringify(Next)
  return `${text.slice(0, -1)}${text === "{}" ? "" : ","}"Next":${next}}`
}

const isObject = Schema.is(Schema.ObjectKeyword)

const parse = (text: string): Effect.Effect<object, NoAnswer> =>
  Effect.try({
    try: () => {
      const json: unknown = JSON.parse(text)
      if (isObject(json)) return json
      throw new Error("no object")
    },
    catch: () => new NoAnswer({ message: `the body is no JSON object: ${text.slice(0, 200)}` })
  })

/** Sends a body, signed by now unless told otherwise. */
export const send = Effect.fnUntraced(function* (body: string, change: Change = {}) {
  const { app, baseUrl, pause } = yield* Target
  if (pause > 0) yield* Effect.sleep(pause)
  const signed = Signature.signWith({
    appId: change.appId ?? app.appId,
    nonce: change.nonce ?? (yield* SignatureNonce.next),
    timestamp: change.timestamp ?? Math.floor(Date.now() / 1000),
    serverSecret: change.serverSecret === undefined ? app.serverSecret : ServerSecret.make(change.serverSecret)
  })
  const query = new URLSearchParams(Signature.toQuery(signed, "QueryConversationList"))
  for (const [name, value] of Object.entries(change.query ?? {})) {
    if (value === undefined) query.delete(name)
    else query.set(name, value)
  }
  const method = change.method ?? "POST"
  const response = yield* Effect.tryPromise({
    try: async (signal) => {
      const answer = await fetch(`${baseUrl}${change.path ?? "/"}?${query}${change.extra ?? ""}`, {
        method,
        redirect: "manual",
        headers: { "content-type": change.contentType ?? "application/json" },
        signal: AbortSignal.any([signal, AbortSignal.timeout(15_000)]),
        ...(method === "GET" ? {} : { body })
      })
      return { status: answer.status, headers: answer.headers, text: await answer.text() }
    },
    catch: () => new NoAnswer({ message: `no answer from ${baseUrl}` })
  })
  const json = yield* parse(response.text)
  const code: unknown = Reflect.get(json, "Code")
  if (typeof code !== "number") return yield* new NoAnswer({ message: "Code is no number" })
  const answer: Answer = { ...response, json, code, next: /"Next"\s*:\s*([0-9]+)/.exec(response.text)?.[1] }
  return answer
})

/** The fields of a right request: whose list is asked for. */
export const me = Effect.map(Target, ({ userId }) => ({ FromUserId: userId }))

/** Sends these fields. */
export const ask = (fields: Readonly<Record<string, unknown>>, change?: Change) => send(jsonOf(fields), change)

/** The code that these fields get. */
export const codeOf = (fields: Readonly<Record<string, unknown>>, change?: Change) =>
  Effect.map(ask(fields, change), ({ code }) => code)

const decodePage = Schema.decodeUnknownEffect(Page)

/** The page that these fields get: a success with all that is documented. */
export const page = Effect.fnUntraced(function* (fields: Readonly<Record<string, unknown>>, change?: Change) {
  const answer = yield* ask(fields, change)
  const { List, TotalCount } = yield* decodePage(answer.json)
  if (answer.code !== 0 || answer.next === undefined) {
    return yield* new NoAnswer({ message: `a page was expected, ${answer.text.slice(0, 200)} came` })
  }
  return { entries: List ?? [], total: TotalCount, next: answer.next, text: answer.text }
})

/** All pages of a list. */
export const pages = Effect.fnUntraced(function* (userId: string, limit: number) {
  const all = [yield* page({ FromUserId: userId, Limit: limit })]
  for (let next = all[0]?.next ?? "0"; next !== "0";) {
    const following = yield* page({ FromUserId: userId, Limit: limit, Next: next })
    all.push(following)
    next = following.next
    if (all.length > 1000) return yield* new NoAnswer({ message: "the list does not end" })
  }
  return all
})

/** A user whose list has at least so many entries in reach. */
export const someone = Effect.fnUntraced(function* (minimum: number) {
  const { userId, users } = yield* Target
  const known = users ?? [{ userId, length: (yield* pages(userId, 500)).flatMap(({ entries }) => entries).length }]
  const found = known.find(({ length }) => length >= minimum)
  if (found !== undefined) return found
  const reason = `${userId} has ${known[0].length} conversations, ${minimum} are needed`
  return yield* new NotTestable({ reason })
})

/** The emulator, to steer it; put back afterwards by the runner. */
export const steer: Effect.Effect<Emulator.Emulator["Service"], NotTestable, Target> = Effect.flatMap(
  Target,
  ({ emulator }) =>
    Option.match(emulator, {
      onNone: () => Effect.fail(new NotTestable({ reason: "only an emulator can be made to show it" })),
      onSome: Effect.succeed
    })
)

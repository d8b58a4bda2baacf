/**
 * One call of `QueryConversationList` without these packages: signed with a nonce and a time of its own, bounded in time,
 * and every field of the answer checked. Nothing is repeated and nothing is paced.
 */
import { create } from "axios"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as HttpClient from "effect/http/HttpClient"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import * as HttpClientResponse from "effect/http/HttpClientResponse"
import { flow } from "effect/Function"
import * as Schedule from "effect/Schedule"
import * as Schema from "effect/Schema"
import { createHash, hash, randomBytes } from "node:crypto"
import * as Undici from "undici"
import * as z from "zod"

/** Who calls, for whom, and where. */
export interface Target {
  readonly url: string
  readonly appId: number
  readonly secret: string
  readonly userId: string
}

/** What is compared: a page, as far as everybody knows it. */
export interface Page {
  readonly next: number
  readonly list: ReadonlyArray<Entry>
}

export interface Entry {
  readonly id: string
  readonly type: number
  readonly millis: number
}

export class ZimError extends Error {
  readonly code: number
  constructor(code: number, message: string | undefined) {
    super(`${code} ${message}`)
    this.code = code
  }
}

const timeout = 10_000

const requestBody = ({ userId }: Target, next: number): string =>
  JSON.stringify({ FromUserId: userId, Limit: 500, Next: next })

// --- undici, by hand

const signedUrl = ({ appId, secret, url }: Target): string => {
  const nonce = randomBytes(8).toString("hex")
  const timestamp = Math.floor(Date.now() / 1000)
  const signature = hash("md5", `${appId}${nonce}${secret}${timestamp}`)
  return `${url}/?Action=QueryConversationList&AppId=${appId}&SignatureNonce=${nonce}&Timestamp=${timestamp}&SignatureVersion=2.0&Signature=${signature}`
}

export const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value)

const check = (holds: boolean, field: string): void => {
  if (!holds) throw new Error(`wrong: ${field}`)
}

const checked = (value: unknown): Page => {
  if (!isRecord(value)) throw new Error("not an object")
  if (value["Code"] !== 0) throw new ZimError(Number(value["Code"]), String(value["Message"]))
  const { List: list, Next: next, TotalCount: total } = value
  if (typeof next !== "number" || !Number.isSafeInteger(next)) throw new Error("wrong: Next")
  check(total === undefined || Number.isSafeInteger(total), "TotalCount")
  if (!Array.isArray(list)) throw new Error("wrong: List")
  const entries = list.map((entry: unknown): Entry => {
    if (!isRecord(entry)) throw new Error("wrong: List")
    const { ConvId: id, ConvType: type = 0, UpdateTime: millis } = entry
    if (typeof id !== "string") throw new Error("wrong: ConvId")
    if (typeof type !== "number" || !Number.isSafeInteger(type)) throw new Error("wrong: ConvType")
    if (typeof millis !== "number" || !Number.isSafeInteger(millis)) throw new Error("wrong: UpdateTime")
    return { id, type, millis }
  })
  return { next, list: entries }
}

const headers = { "content-type": "application/json", accept: "application/json" }

// Without it, who uses fetch in the same process gets the undici within Node.
const dispatcher = new Undici.Agent()

/** The least: undici's own function for a request. */
export const byHand = async (target: Target, next = 0): Promise<Page> => {
  const { body, statusCode } = await Undici.request(signedUrl(target), {
    dispatcher,
    method: "POST",
    headers,
    body: requestBody(target, next),
    headersTimeout: timeout,
    bodyTimeout: timeout
  })
  const text = await body.text()
  if (statusCode !== 200) throw new Error(`status ${statusCode}`)
  return checked(JSON.parse(text))
}

/** Less than that: undici's dispatcher, and of an answer only its pieces. */
export const byDispatch = async (target: Target, next = 0): Promise<Page> => {
  const url = new URL(signedUrl(target))
  const { status, text } = await new Promise<{ readonly status: number; readonly text: string }>((resolve, reject) => {
    const pieces: Array<Buffer> = []
    let status = 0
    dispatcher.dispatch(
      {
        origin: url.origin,
        path: url.pathname + url.search,
        method: "POST",
        headers,
        body: requestBody(target, next),
        headersTimeout: timeout,
        bodyTimeout: timeout
      },
      {
        onRequestStart: () => undefined,
        onResponseStart: (_, code) => void (status = code),
        onResponseData: (_, piece) => void pieces.push(piece),
        onResponseEnd: () => resolve({ status, text: Buffer.concat(pieces).toString() }),
        onResponseError: (_, error) => reject(error)
      }
    )
  })
  if (status !== 200) throw new Error(`status ${status}`)
  return checked(JSON.parse(text))
}

// --- fetch and zod 4

const zodAnswer = z.object({
  Code: z.int(),
  Message: z.string().optional(),
  RequestId: z.string().optional(),
  TotalCount: z.int().nullish(),
  Next: z.int().default(0),
  List: z.array(z.object({ ConvId: z.string(), ConvType: z.int().default(0), UpdateTime: z.int() })).nullish()
})

export const withFetch = async (target: Target, next = 0): Promise<z.infer<typeof zodAnswer>> => {
  const response = await fetch(signedUrl(target), {
    method: "POST",
    headers,
    body: requestBody(target, next),
    redirect: "error",
    signal: AbortSignal.timeout(timeout)
  })
  if (!response.ok) throw new Error(`status ${response.status}`)
  const answer = zodAnswer.parse(await response.json())
  if (answer.Code !== 0) throw new ZimError(answer.Code, answer.Message)
  return answer
}

// --- axios, in the style of the clients that are published for this API

const signature = ({ appId, secret }: Target) => {
  const SignatureNonce = randomBytes(8).toString("hex")
  const Timestamp = Math.round(Date.now() / 1000)
  const Signature = createHash("md5").update(`${appId}${SignatureNonce}${secret}${Timestamp}`).digest("hex")
  return { AppId: appId, SignatureNonce, Timestamp, Signature, SignatureVersion: "2.0" }
}

export const axiosClient = (target: Target) => {
  const instance = create({ baseURL: target.url, timeout, headers: { "Content-Type": "application/json" } })
  return async (next = 0): Promise<Page> => {
    const params = { Action: "QueryConversationList", ...signature(target) }
    const { data } = await instance.post<unknown>(
      "/",
      { FromUserId: target.userId, Limit: 500, Next: next },
      { params }
    )
    return checked(data)
  }
}

// --- Effect's HttpClient, as its guide shows it

class Conversation extends Schema.Class<Conversation>("Conversation")({
  ConvId: Schema.String,
  ConvType: Schema.optional(Schema.Int),
  UpdateTime: Schema.Int
}) {}

const Answer = Schema.Struct({
  Code: Schema.Int,
  Message: Schema.optional(Schema.String),
  RequestId: Schema.optional(Schema.String),
  TotalCount: Schema.optional(Schema.Int),
  Next: Schema.Int,
  List: Schema.Array(Conversation)
})

export const guideClient = (target: Target) =>
  Effect.map(HttpClient.HttpClient, (http) => {
    const client = http.pipe(
      HttpClient.mapRequest(flow(HttpClientRequest.prependUrl(target.url), HttpClientRequest.acceptJson)),
      HttpClient.filterStatusOk,
      HttpClient.retryTransient({ schedule: Schedule.exponential(100), times: 3 })
    )
    return Effect.fn("Zim.queryConversationList")(function* (next: number) {
      const SignatureNonce = randomBytes(8).toString("hex")
      const Timestamp = Math.floor((yield* Clock.currentTimeMillis) / 1000)
      const answer = yield* HttpClientRequest.post("/").pipe(
        HttpClientRequest.setUrlParams({
          Action: "QueryConversationList",
          AppId: target.appId,
          SignatureNonce,
          Timestamp,
          SignatureVersion: "2.0",
          Signature: hash("md5", `${target.appId}${SignatureNonce}${target.secret}${Timestamp}`)
        }),
        HttpClientRequest.bodyJsonUnsafe({ FromUserId: target.userId, Limit: 500, Next: next }),
        client.execute,
        Effect.flatMap(HttpClientResponse.schemaBodyJson(Answer)),
        Effect.timeout(timeout)
      )
      if (answer.Code !== 0) return yield* Effect.fail(new ZimError(answer.Code, answer.Message))
      return answer
    })
  })

/** The same page in everybody's own words. */
export const ofFields = (answer: {
  readonly Next: number
  readonly List?:
    | ReadonlyArray<{ readonly ConvId: string; readonly ConvType?: number | undefined; readonly UpdateTime: number }>
    | null
    | undefined
}): Page => ({
  next: answer.Next,
  list: (answer.List ?? []).map(({ ConvId, ConvType = 0, UpdateTime }) => ({
    id: ConvId,
    type: ConvType,
    millis: UpdateTime
  }))
})

import { ReturnCode, WireJson } from "@effect-zim/protocol"
import * as DateTime from "effect/DateTime"
import * as Headers from "effect/http/Headers"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import type { Reply } from "../../HttpExchange.ts"
import * as Random from "../seededRandom.ts"

/** The documented text. */
export const messageOf = (code: number): string =>
  code === 0 ? "success" : (ReturnCode.lookup(code)?.meaning ?? "Unknown error")

/** `JSON.stringify` is many times faster on a long list, and throws where it meets a bigint. */
const printMember = (value: unknown): string => {
  if (typeof value === "bigint") return value.toString()
  try {
    return JSON.stringify(value)
  } catch {
    return WireJson.stringify(value)
  }
}

/** The JSON of an answer; integers of any size are exact. */
const print = (fields: object): string =>
  `{${Object.entries(fields)
    .map(([key, value]) => `"${key}":${printMember(value)}`)
    .join(",")}}`

/** What an answer says. */
export interface Envelope {
  readonly status: number
  /** The number of the call. */
  readonly index: number
  /** What the service's clock shows. */
  readonly shown: number
  readonly code: number
  /** In place of the documented text. */
  readonly message?: string | undefined
  readonly payload: object
}

/** Writes answers, with request ids from a seed. */
export const writer = (seed: string): ((answer: Envelope) => Reply) => {
  const prefix = Random.between(Random.seeded(seed), 100_000_000, 999_999_999)
  return ({ code, index, message, payload, shown, status }) => ({
    status,
    headers: {
      "content-type": "application/json; charset=utf-8",
      date: Headers.formatHttpDate(DateTime.makeUnsafe(shown))
    },
    body: print({
      Code: code,
      Message: message ?? messageOf(code),
      RequestId: `${prefix}${String(index).padStart(9, "0")}`,
      ...payload
    })
  })
}

/** A reply in Effect's own terms. */
export const toServerResponse = ({ body, headers, status }: Reply): HttpServerResponse.HttpServerResponse =>
  typeof body === "string"
    ? body === ""
      ? HttpServerResponse.empty({ status, headers: { ...headers, "content-length": "0" } })
      : HttpServerResponse.text(body, { status, headers })
    : HttpServerResponse.stream(body, { status, headers })

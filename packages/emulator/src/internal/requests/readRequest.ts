import { Excerpt, WireJson } from "@effect-zim/protocol"
import { maximumBodyBytes } from "../../HttpExchange.ts"
import type { Request } from "../../HttpExchange.ts"
import type { Call } from "../../Fault.ts"
import { readQuery } from "./authenticate.ts"
import type { Query } from "./authenticate.ts"
import type { RequestSummary } from "../operations/operationHandler.ts"
import * as ServedOperations from "../operations/servedOperations.ts"

/** A body's JSON, or why there is none. */
export type Body = { readonly json: unknown } | { readonly problem: string }

/** A request, read as far as it can be. */
export interface Received {
  readonly query: Query
  readonly action: string
  readonly appId: number | undefined
  readonly body: Body
  readonly summary: RequestSummary
}

const jsonType = /^application\/json\s*(?:;|$)/i

const readBody = (request: Request): Body => {
  if (request.body === undefined || request.body.length > maximumBodyBytes) {
    return { problem: "the body broke off or is too long" }
  }
  if (request.contentType === undefined || !jsonType.test(request.contentType)) {
    return { problem: "Content-Type is not application/json" }
  }
  try {
    return { json: WireJson.parse(request.body) }
  } catch {
    return { problem: "the body is not JSON" }
  }
}

const single = (value: Query[string]): string => (typeof value === "string" ? value : "")

const unknown: RequestSummary = { userId: undefined, limit: undefined, cursor: undefined }

const clip = (text: string): string => Excerpt.of(text, 64)

export const receive = (request: Request): Received => {
  const query = readQuery(request.target)
  const action = single(query["Action"])
  const appId = single(query["AppId"])
  const body = readBody(request)
  const summary = ("json" in body ? ServedOperations.byAction.get(action)?.summarize(body.json) : undefined) ?? unknown
  return {
    query,
    action: clip(action),
    appId: /^[0-9]{1,10}$/.test(appId) ? Number(appId) : undefined,
    body,
    summary: {
      ...summary,
      ...(summary.userId !== undefined && { userId: clip(summary.userId) })
    }
  }
}

/** What the conditions of faults see. */
export const callOf = (
  received: Received,
  known: { readonly index: number; readonly time: number; readonly page: number | undefined }
): Call => ({ ...known, appId: received.appId, action: received.action, ...received.summary })

import { Excerpt, WireJson } from "@effect-zim/protocol"
import { maximumBodyBytes } from "../Exchange.ts"
import type { Request } from "../Exchange.ts"
import type { Call } from "../Fault.ts"
import { readQuery } from "./authenticate.ts"
import type { Query } from "./authenticate.ts"
import type { Description } from "./handler.ts"
import * as Handlers from "./handlers.ts"

/** A body's JSON, or why there is none. */
export type Body = { readonly json: unknown } | { readonly problem: string }

/** A request, read as far as it can be. */
export interface Received {
  readonly query: Query
  readonly action: string
  readonly appId: number | undefined
  readonly body: Body
  readonly description: Description
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

const unknown: Description = { userId: undefined, limit: undefined, cursor: undefined }

const clip = (text: string): string => Excerpt.of(text, 64)

export const receive = (request: Request): Received => {
  const query = readQuery(request.target)
  const action = single(query["Action"])
  const appId = single(query["AppId"])
  const body = readBody(request)
  const description = ("json" in body ? Handlers.byAction.get(action)?.describe(body.json) : undefined) ?? unknown
  return {
    query,
    action: clip(action),
    appId: /^[0-9]{1,10}$/.test(appId) ? Number(appId) : undefined,
    body,
    description: {
      ...description,
      ...(description.userId !== undefined && { userId: clip(description.userId) })
    }
  }
}

/** What the conditions of faults see. */
export const callOf = (
  received: Received,
  known: { readonly index: number; readonly time: number; readonly page: number | undefined }
): Call => ({ ...known, appId: received.appId, action: received.action, ...received.description })

/** What a request says, as far as it can be read: nothing is refused here. */
import { Catalog, Excerpt, WireJson } from "@effect-zim/protocol"
import { maximumBodyBytes, type Request } from "../../HttpExchange.ts"
import * as ServedOperations from "../operations/servedOperations.ts"

/** The common parameters as they were sent; a repeated one is an array. */
export type Query = Readonly<Record<string, string | ReadonlyArray<string> | undefined>>

const common = ["Action", "AppId", "SignatureNonce", "Timestamp", "SignatureVersion", "Signature"]

const paramsOf = (target: string): URLSearchParams => new URLSearchParams(target.slice(target.indexOf("?") + 1))

export const readQuery = (target: string): Query => {
  const params = paramsOf(target)
  return Object.fromEntries(
    common.map((name) => {
      const values = params.getAll(name)
      return [name, values.length > 1 ? values : values[0]]
    })
  )
}

/** What is asked, the JSON of a body or the parameters of a GET; or why there is none, and the code of that. */
type Body = { readonly json: unknown } | { readonly problem: string; readonly code: number }

/** A request, read as far as it can be. */
export type Received = ReturnType<typeof receive>

/** Whether a `Content-Type` says that a body is JSON. */
export const isJson = (contentType: string | undefined): boolean =>
  contentType !== undefined && /^application\/json\s*(?:;|$)/i.test(contentType)

const unreadable = (problem: string): Body => ({ problem, code: 100000012 })

const readBody = (request: Request): Body => {
  if (request.body === undefined || request.body.length > maximumBodyBytes) {
    return unreadable("the body broke off or is too long")
  }
  if (!isJson(request.contentType)) return unreadable("Content-Type is not application/json")
  try {
    return { json: WireJson.parse(request.body) }
  } catch {
    return unreadable("the body is not JSON")
  }
}

const wrong = (problem: string): Body => ({ problem, code: 2 })

/** The parameters of a GET beside the common ones, all of them text. A list has brackets, which are not in its name here. */
const readFields = ({ body, target }: Request): Body => {
  if (body !== "") return wrong("a GET has no body")
  const fields = new Map<string, string | ReadonlyArray<string>>()
  for (const [name, value] of paramsOf(target)) {
    if (common.includes(name)) continue
    const isList = name.endsWith("[]")
    const key = isList ? name.slice(0, -2) : name
    const before = fields.get(key)
    if (before !== undefined && !(isList && typeof before !== "string")) {
      return wrong("a parameter comes twice: those of a list have brackets, as in UserId[]=a&UserId[]=b")
    }
    fields.set(key, isList ? [...(before ?? []), value] : value)
  }
  return { json: Object.fromEntries(fields) }
}

const single = (value: Query[string]): string => (typeof value === "string" ? value : "")

const clip = (text: string): string => Excerpt.of(text, 64)

/** How the operation that a request names is sent: what nobody knows, like most, by POST. */
export const methodFor = (query: Query): Catalog.Method =>
  Catalog.operations.get(single(query["Action"]))?.method ?? "POST"

export const receive = (request: Request, query: Query) => {
  const action = single(query["Action"])
  const appId = single(query["AppId"])
  const body = request.method === "GET" ? readFields(request) : readBody(request)
  const summary = "json" in body ? ServedOperations.byAction.get(action)?.summarize(body.json) : undefined
  return {
    query,
    body,
    /** What may be told of it, to the conditions of faults and to the journal. */
    said: {
      appId: /^[0-9]{1,10}$/.test(appId) ? Number(appId) : undefined,
      action: clip(action),
      userId: summary?.userId === undefined ? undefined : clip(summary.userId),
      limit: summary?.limit,
      cursor: summary?.cursor
    }
  }
}

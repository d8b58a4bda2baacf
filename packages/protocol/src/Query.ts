/**
 * What a GET asks, as parameters in the query, beside the common ones that every request has.
 *
 * A list is its parameter once for each element, with brackets: `UserId[]=a&UserId[]=b`. Source: `operations.md`, "GET
 * operations"; where the vendor's pages name plain `UserId`, older ones and public code have the brackets.
 *
 * @since 0.1.0
 */
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"

/**
 * What one parameter can say.
 *
 * @category models
 * @since 0.1.0
 */
export type Scalar = string | number | bigint | boolean

/**
 * The parameters of a GET, by name. A name of a list may have its brackets or not.
 *
 * @category schemas
 * @since 0.1.0
 */
export interface Fields {
  readonly [name: string]: Scalar | ReadonlyArray<Scalar> | undefined
}

/** Contract, section 2. What is asked under one of these names would be taken for the signature's. */
const common: ReadonlySet<string> = new Set([
  "action",
  "appid",
  "signature",
  "signaturenonce",
  "signatureversion",
  "timestamp"
])

const bare = (name: string): string => (name.endsWith("[]") ? name.slice(0, -2) : name)

const problemOfName = (name: string): string | undefined => {
  if (bare(name) === "") return "a parameter without a name"
  if (!name.isWellFormed()) return "a name that UTF-8 cannot write"
  return common.has(bare(name).toLowerCase()) ? "the name of a common parameter, which the client sends" : undefined
}

const problemOfScalar = (value: unknown): string | undefined => {
  switch (typeof value) {
    case "boolean":
    case "bigint":
      return undefined
    case "string":
      return value.isWellFormed() ? undefined : "a text that UTF-8 cannot write"
    case "number":
      return Number.isFinite(value) ? undefined : "a number that is not finite"
    default:
      return value === null
        ? "null, which a query cannot say: leave the parameter out"
        : "nested, which a query cannot say: give text, a number, a boolean, or a list of these"
  }
}

/** Names what is wrong and where. What was to be sent is not shown. */
const problemOf = (fields: object): Schema.FilterIssue | undefined => {
  for (const [name, value] of Object.entries(fields)) {
    if (value === undefined) continue
    const issue =
      problemOfName(name) ??
      (Array.isArray(value)
        ? value.length === 0
          ? "an empty list, which a query cannot say: leave the parameter out"
          : undefined
        : problemOfScalar(value))
    if (issue !== undefined) return { path: [name], issue }
    for (const [index, element] of Array.isArray(value) ? value.entries() : []) {
      const problem = problemOfScalar(element)
      if (problem !== undefined) return { path: [name, index], issue: problem }
    }
  }
  return undefined
}

const isRecord = (value: unknown): value is Fields =>
  typeof value === "object" && value !== null && !Array.isArray(value)

/**
 * Parameters that a query can say, none of them named like a common one.
 *
 * @example
 * ```ts
 * import { Query } from "@effect-zim/protocol"
 * import { Schema } from "effect"
 *
 * const canBeAsked = Schema.is(Query.Fields)
 * canBeAsked({ UserId: ["ada", "grace"] }) // true
 * canBeAsked({ User: { Id: "ada" } }) // false
 * canBeAsked({ Timestamp: 0 }) // false
 * ```
 *
 * @category schemas
 * @since 0.1.0
 */
export const Fields = /* @__PURE__ */ (() =>
  Schema.declare(isRecord, { expected: "an object, of which each member is a parameter" }).check(
    Schema.makeFilter(problemOf)
  ))()

/** An integer beyond 10^21 would be written with an exponent. */
const print = (value: Scalar): string =>
  encodeURIComponent(String(typeof value === "number" && Number.isInteger(value) ? BigInt(value) : value))

/**
 * The parameters as they are sent, without a question mark. What a query cannot say is an error that names it and not its
 * value: `null`, an object, an empty list, a list in a list, and the name of a common parameter.
 *
 * @example
 * ```ts
 * import { Query } from "@effect-zim/protocol"
 *
 * const query = Query.encode({ RoomId: "lobby", UserId: ["ada", "grace"] })
 * // RoomId=lobby&UserId%5B%5D=ada&UserId%5B%5D=grace
 * ```
 *
 * @category converting
 * @since 0.1.0
 */
export const encode = (fields: unknown): Result.Result<string, Schema.SchemaError> =>
  Result.map(Schema.decodeUnknownResult(Fields)(fields), (known) =>
    Object.entries(known)
      .flatMap(([name, value]) => {
        if (value === undefined) return []
        if (typeof value !== "object") return `${encodeURIComponent(name)}=${print(value)}`
        return value.map((element) => `${encodeURIComponent(`${bare(name)}[]`)}=${print(element)}`)
      })
      .join("&")
  )

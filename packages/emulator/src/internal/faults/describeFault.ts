import * as Duration from "effect/Duration"
import type { Action, ConditionData } from "./faultSchema.ts"

const value = (of: unknown): string => {
  if (Duration.isDuration(of)) return Duration.format(of)
  const text = JSON.stringify(of) ?? "undefined"
  return text.length > 60 ? `${text.slice(0, 59)}…` : text
}

/** `returnCode(code: 1)`. */
export const action = (of: Action): string => {
  if (of.type === "rewrite") return of.name
  const { type, ...fields } = of
  const shown = Object.entries(fields)
  return shown.length === 0 ? type : `${type}(${shown.map(([key, field]) => `${key}: ${value(field)}`).join(", ")})`
}

/** As the journal calls it: `returnCode 1`, `latency`. */
export const name = (of: Action): string => {
  if (of.type === "rewrite") return of.name
  if (of.type === "returnCode") return `returnCode ${of.code}`
  if (of.type === "httpStatus") return `httpStatus ${of.status}`
  return of.type.startsWith("latency") ? "latency" : of.type
}

const ordinal = (n: number): string => {
  const ending = n % 100 >= 11 && n % 100 <= 13 ? undefined : ["th", "st", "nd", "rd"][n % 10]
  return `${n}${ending ?? "th"}`
}

const joined = (conditions: ReadonlyArray<ConditionData>, word: string, none: string): string =>
  conditions.length === 0 ? none : `(${conditions.map(condition).join(` ${word} `)})`

/** `user u1`, `page 2`, `every 7th call`. */
export const condition = (of: ConditionData): string => {
  if (of.where !== undefined) return "a function holds"
  if (of.user !== undefined) return `user ${of.user.join(" or ")}`
  if (of.app !== undefined) return `app ${of.app}`
  if (of.page !== undefined) return `page ${of.page}`
  if (of.cursor !== undefined) return `Next ${of.cursor}`
  if (of.nth !== undefined) return `the ${ordinal(of.nth)} call`
  if (of.every !== undefined) return `every ${ordinal(of.every)} call`
  if (of.attempt !== undefined) return `the ${ordinal(of.attempt)} attempt at a page`
  if (of.probability !== undefined) return `with probability ${of.probability}`
  if (of.times !== undefined) return `at most ${of.times === 1 ? "once" : `${of.times} times`}`
  if (of.not !== undefined) return `not ${condition(of.not)}`
  return of.and === undefined ? joined(of.or ?? [], "or", "never") : joined(of.and, "and", "always")
}
